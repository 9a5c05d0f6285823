"""Message templates as Meta lists them, and what each asks for when it is sent.

Shapes: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_HOLE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_MEDIA: Final = ("IMAGE", "VIDEO", "DOCUMENT")


class Param(msgspec.Struct, frozen=True):
    """A parameter: its name, and where it goes; `part` is empty for the body (compiler.catalog.TemplateParam)."""

    name: str
    part: str = ""

    @property
    def media(self) -> bool:
        """Whether it is the address of a file."""
        return self.part.removeprefix("header.").upper() in _MEDIA


class Listed(msgspec.Struct, frozen=True):
    """A template in one language. `unsendable` says why no flow can send it."""

    name: str
    language: str
    params: tuple[Param, ...]
    text: str = ""
    unsendable: str = ""


class _Button(msgspec.Struct, frozen=True):
    type: str = ""
    url: str = ""


class _Component(msgspec.Struct, frozen=True):
    type: str
    format: str = "TEXT"
    text: str = ""
    buttons: tuple[_Button, ...] = ()


class _Template(msgspec.Struct, frozen=True):
    name: str
    language: str
    status: str
    components: tuple[_Component, ...] = ()


class _Cursors(msgspec.Struct, frozen=True):
    after: str = ""


class _Paging(msgspec.Struct, frozen=True):
    cursors: _Cursors = _Cursors()
    next: str = ""


class _Page(msgspec.Struct, frozen=True):
    data: tuple[_Template, ...]
    paging: _Paging = _Paging()


_read = msgspec.json.Decoder(_Page).decode


def read_page(content: bytes) -> tuple[list[Listed], str]:
    """The approved templates of a page of Meta's, and the cursor of the next one; empty where it is the last.

    Raises msgspec.DecodeError and UnicodeDecodeError.
    """
    page = _read(content)
    approved = (template for template in page.data if template.status == "APPROVED")
    return [_listed(template) for template in approved], page.paging.cursors.after if page.paging.next else ""


def _listed(template: _Template) -> Listed:
    text = next((one.text for one in template.components if one.type == "BODY"), "")
    known = {one.format for one in template.components if one.type == "HEADER"} - {"TEXT", *_MEDIA}
    unsendable = f"its header is of the kind {', '.join(sorted(known))}" if known else ""
    params = tuple(param for one in template.components for param in _of_component(one))
    return Listed(template.name, template.language, params, text, unsendable)


def _of_component(component: _Component) -> Iterator[Param]:
    match component.type:
        case "HEADER" if component.format in _MEDIA:
            kind = component.format.lower()
            yield Param(kind, f"header.{kind}")
        case "HEADER":
            yield from (Param("header" if name.isdigit() else name, "header.text") for name in _holes(component.text))
        case "BODY":
            yield from map(Param, _holes(component.text))
        case "BUTTONS":
            yield from _of_buttons(component.buttons)
        case _:  # a footer has none
            return


def _of_buttons(buttons: Iterable[_Button]) -> Iterator[Param]:
    for index, button in enumerate(buttons):
        if button.type == "URL" and _HOLE.search(button.url):
            yield Param(f"button_{index}", f"button.{index}.url")
        elif button.type == "COPY_CODE":
            yield Param("code", f"button.{index}.code")


def _holes(text: str) -> list[str]:
    """The names or numbers of a text's holes; numbers in their order."""
    names = dict.fromkeys(_HOLE.findall(text))
    return sorted(names, key=int) if names and all(name.isdigit() for name in names) else list(names)
