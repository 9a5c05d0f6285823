"""Message templates as Meta lists them, and what each asks for when it is sent.

Shapes: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_HOLE: Final = re.compile(r"\{\{\s*([A-Za-z0-9_]+)\s*\}\}")
_MEDIA: Final = ("IMAGE", "VIDEO", "DOCUMENT")
_LOCATION: Final = ("latitude", "longitude", "name", "address")
# What asks for more than parameters have: cards of their own, products, orders, the end of an offer.
_OTHER_COMPONENTS: Final = ("CAROUSEL", "LIMITED_TIME_OFFER")
_OTHER_BUTTONS: Final = ("MPM", "ORDER_DETAILS", "SPM")


class Param(msgspec.Struct, frozen=True):
    """A parameter: its name, and where it goes; `part` is empty for the body (compiler.catalog.TemplateParam)."""

    name: str
    part: str = ""

    @property
    def media(self) -> bool:
        """Whether it is the address of a file."""
        return self.part.removeprefix("header.").upper() in _MEDIA

    @property
    def exact(self) -> bool:
        """Whether it is a number of degrees."""
        return self.part in ("header.location.latitude", "header.location.longitude")


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
    params = tuple(param for one in template.components for param in _of_component(one))
    return Listed(template.name, template.language, params, text, "; ".join(_beyond(template)))


def _beyond(template: _Template) -> Iterator[str]:
    """What of a template no flow can fill."""
    for one in template.components:
        if one.type == "HEADER" and one.format not in ("TEXT", "LOCATION", *_MEDIA):
            yield f"its header is of the kind {one.format}"
        if one.type in _OTHER_COMPONENTS:
            yield f"it has a part of the kind {one.type}"
        yield from (f"it has a button of the kind {b.type}" for b in one.buttons if b.type in _OTHER_BUTTONS)


def _of_component(component: _Component) -> Iterator[Param]:
    match component.type:
        case "HEADER" if component.format in _MEDIA:
            kind = component.format.lower()
            yield Param(kind, f"header.{kind}")
        case "HEADER" if component.format == "LOCATION":
            yield from (Param(f"location_{name}", f"header.location.{name}") for name in _LOCATION)
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
