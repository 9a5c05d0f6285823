"""Writes docs/reference.md from the catalog: `python -m tests.docs.reference`."""

from collections.abc import Iterator
from typing import Final

from compiler.catalog import Catalog
from runtime.cli.entries import AnyEntry, EntityEntry, FunctionEntry, SchemeEntry, VerbEntry, entries
from runtime.steps import catalog
from tests.runtime.cli.process import ROOT

PAGE: Final = ROOT / "docs" / "reference.md"

_HEAD: Final = """\
# Reference

What flows may use without Python of their own, written from the catalog: `seta catalog NAME` shows one entry whole, and
`seta catalog --json` has all for scripts. Each example runs as a test.
"""
_GROUPS: Final = (
    ("Verbs", VerbEntry),
    ("Records", EntityEntry),
    ("Functions", FunctionEntry),
    ("Who may call", SchemeEntry),
)


def reference(known: Catalog) -> str:
    """The page."""
    found = entries(known)
    groups = (_group(title, [entry for entry in found if isinstance(entry, kind)]) for title, kind in _GROUPS)
    return "\n".join((_HEAD, *groups))


def _group(title: str, found: list[AnyEntry]) -> str:
    return f"## {title}\n\n" + "\n".join("".join(_entry(entry)) for entry in found)


def _entry(entry: AnyEntry) -> Iterator[str]:
    yield f"**`{entry.signature}`**\n\n{entry.doc}\n\n"
    match entry:
        case FunctionEntry(examples=examples, failures=failures):
            told = [f"`{one.call}` gives `{one.gives}`" for one in examples if one.gives is not None]
            told += [f"`{one.call}` fails as `{one.fails}`" for one in examples if one.fails is not None]
            yield "".join(f"- {line}\n" for line in told)
            yield _codes("Fails as", failures)
        case VerbEntry(effect=effect, failures=failures, service_failures=beyond):
            yield f"- Effect: {effect.value}\n"
            yield _codes("Fails as", failures) + _codes("Over a service it also fails as", beyond)
        case EntityEntry(fields=fields):
            yield "".join(f"- `{f.name}: {f.type}`{_also(f.aliases, f.name)}\n" for f in fields)
        case SchemeEntry(proof=proof):
            yield f"- Wants {proof.replace('{header}', 'the header')}\n"
        case _:
            pass


def _codes(title: str, codes: tuple[str, ...]) -> str:
    return f"- {title} {', '.join(f'`{code}`' for code in codes)}\n" if codes else ""


def _also(aliases: tuple[str, ...], name: str) -> str:
    others = [alias for alias in aliases if alias != name]
    return f", also called {', '.join(f'`{alias}`' for alias in others)}" if others else ""


if __name__ == "__main__":
    PAGE.write_text(reference(catalog()), encoding="utf-8")
