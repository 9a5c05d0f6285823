"""`seta catalog`: the verbs, functions, records, templates and schemes that flows may use."""

import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from compiler.catalog import Catalog, EffectClass, Field, Param, Slot, TemplateParam
from compiler.reports import nearest
from runtime.cli import freeze, options, page, terminal
from runtime.cli.entries import (
    AnyEntry,
    EntityEntry,
    FunctionEntry,
    SchemeEntry,
    TemplateEntry,
    VerbEntry,
    document,
    entries,
    param_type,
    slot_of,
)
from runtime.cli.problems import Problem
from runtime.cli.pull import pull
from runtime.folder import FolderError, folder_catalog
from runtime.settings import Opening
from runtime.steps import catalog

_EFFECTS: Final = {
    EffectClass.IDEMPOTENT: "may be repeated: whatever may pass is tried again",
    EffectClass.KEYED: "carries an idempotency key: a lost answer is repeated only where the flow says `retry`",
    EffectClass.ONCE: "must not happen twice: a lost answer parks the run as unknown",
}


@click.command(
    "catalog",
    epilog=options.examples(
        "seta catalog                 all that a flow may use",
        "seta catalog phone           what has to do with phones",
        "seta catalog upsert person   one of them, whole",
        "seta catalog --write         after a change of the Python beside the flows",
        "seta catalog pull            put the templates that WhatsApp has approved into the file",
    ),
)
@click.argument("words", nargs=-1, metavar="[FILTER]")
@options.flows
@click.option("--write", is_flag=True, help="Put the signatures of the folder's Python into its seta.catalog.json.")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where the file is not what the Python says.")
@click.option("--via", metavar="NAME", help="Of several connections to WhatsApp, the one that `pull` asks.")
@options.allow_outbound
@options.output("text", "json")
@options.color
def command(  # noqa: PLR0913  # one an option
    *,
    words: tuple[str, ...],
    flows: Path,
    write: bool,
    check: bool,
    via: str | None,
    allow_outbound: tuple[Opening, ...],
    format_: str,
    color: str,
) -> None:
    """List the verbs and functions of flows, or show one whole.

    FILTER is a name, or a part of a name or of what is said of it. What seta.catalog.json adds is there too. The word
    `pull` alone asks WhatsApp for its templates, and writes them into that file.
    """
    if write or check:
        if words or format_ != "text" or (write and check):
            raise click.UsageError("--write and --check stand alone")
        freeze.write(flows) if write else freeze.check(flows)
        return
    if words == ("pull",):
        pull(flows, via, allow_outbound)
        return
    known = entries(_catalog(flows))
    found = _matching(known, " ".join(words)) if words else known
    if format_ == "json":
        terminal.show_json(document(found))
    elif words and len(found) == 1:
        _show(terminal.console(color), found[0])
    else:
        _list(terminal.console(color), found)


def _catalog(flows: Path) -> Catalog:
    try:
        return folder_catalog(flows, catalog())
    except FolderError as error:
        raise Problem(str(error)) from error


def _matching(known: list[AnyEntry], wanted: str) -> list[AnyEntry]:
    """What has this name; else what has it as a part of its name, or begins with it; else what is said with it."""
    word = wanted.casefold()
    ways: tuple[Callable[[AnyEntry], bool], ...] = (
        lambda entry: word == entry.name.casefold(),
        lambda entry: word in entry.name.casefold(),
        lambda entry: entry.signature.casefold().startswith(f"{word} "),
        lambda entry: word in entry.doc.casefold(),
    )
    for fits in ways:
        if found := [entry for entry in known if fits(entry)]:
            return found
    meant = nearest(wanted, [entry.name for entry in known])
    hint = f"did you mean `{meant}`?" if meant else "`seta catalog` lists what there is"
    raise click.UsageError(f"nothing in the catalog is called {wanted!r}: {hint}")


# --- all of them


def _list(to: Console, found: list[AnyEntry]) -> None:
    if not to.is_terminal:
        lines = [(_kind(entry), entry.signature, _first_sentence(entry.doc)) for entry in found]
        rows = [[terminal.styled(part) for part in line] for line in lines]
        terminal.show_table(to, ("KIND", "SIGNATURE", "WHAT IT DOES"), rows)
        return
    for number, (kind, group) in enumerate(groupby(found, key=_kind)):
        if number:
            to.print()
        to.print(terminal.styled(f"{kind.capitalize()}s", "bold"))
        for entry in group:
            page.code(to, terminal.styled(f"  {entry.signature}", "cyan"))
            page.prose(to, _first_sentence(entry.doc), indent=6, style="dim")


def _kind(entry: AnyEntry) -> str:
    match entry:
        case VerbEntry():
            return "verb"
        case FunctionEntry():
            return "function"
        case EntityEntry():
            return "record"
        case TemplateEntry():
            return "template"
        case SchemeEntry():
            return "scheme"


def _first_sentence(doc: str) -> str:
    flat = " ".join(doc.split())
    found = re.match(r".+?[.!?](?= [A-Z`]|$)", flat)
    return found[0] if found else flat


# --- one of them


def _show(to: Console, entry: AnyEntry) -> None:
    page.code(to, terminal.styled(entry.signature, "bold"))
    to.print()
    page.prose(to, entry.doc or "A template that WhatsApp has approved.")
    match entry:
        case VerbEntry():
            _show_verb(to, entry)
        case FunctionEntry():
            _show_function(to, entry)
        case EntityEntry():
            _rows(to, "Fields", [(f"{f.name}: {f.type}", _about(f, entry.key)) for f in entry.fields])
        case TemplateEntry():
            _rows(to, "Parameters", [(f"{p.name}: {p.type}", _about_template(p)) for p in entry.params])
            _rows(to, "Language", [(entry.language, "")])
        case SchemeEntry():
            _rows(to, "Wants", [(entry.proof.replace("{header}", "the header"), "")])
            _rows(to, "Parameters", [(f"{p.name}: {param_type(p)}", p.doc) for p in entry.params])


def _show_verb(to: Console, verb: VerbEntry) -> None:
    _rows(to, "Clauses", [(slot_of(slot), _unwritten(slot)) for slot in verb.clauses])
    _rows(to, "Fields of `with`", [(f"{f.name}: {f.type}", _about(f)) for f in verb.fields])
    _rows(to, "Effect", [(verb.effect.value, _EFFECTS[verb.effect])])
    _failures(to, verb.failures)
    if verb.service_failures:
        page.title(to, "Over a service it also fails as")
        page.prose(to, ", ".join(verb.service_failures), indent=2)


def _show_function(to: Console, function: FunctionEntry) -> None:
    _rows(to, "Parameters", [(f"{p.name}: {param_type(p)}", _about_param(p)) for p in function.params])
    if function.rewrites:
        _rows(to, "As a step", [(f"-> {function.name}(x)", "rewrites x")])
    _failures(to, function.failures)
    _rows(to, "Examples", [(one.call, one.gives or f"fails: {one.fails}") for one in function.examples])


def _rows(to: Console, title: str, lines: list[tuple[str, str]]) -> None:
    if lines:
        page.title(to, title)
        page.rows(to, lines)


def _failures(to: Console, codes: tuple[str, ...]) -> None:
    if codes:
        page.title(to, "Fails as")
        page.prose(to, ", ".join(codes), indent=2)


def _unwritten(slot: Slot) -> str:
    return f"without it: the only {slot.types[0]} in scope" if slot.fills else ""


def _about(field: Field, key: str = "") -> str:
    parts = (
        field.doc.rstrip("."),
        "the key" if field.name == key else "",
        f"also called {', '.join(field.aliases)}" if field.aliases else "",
    )
    return "; ".join(part for part in parts if part)


def _about_template(param: TemplateParam) -> str:
    return "; ".join(part for part in (param.part, param.doc) if part)


def _about_param(param: Param) -> str:
    return "; ".join(part for part in (param.doc, "only quoted text" if param.constant else "") if part)
