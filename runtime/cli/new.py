"""`seta new`: a first version of a flow and of its test, to be changed."""

import re
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Final
from unicodedata import normalize

import click

from dsl import Source, nodes, parse, read_source
from runtime.cli import options
from runtime.cli.problems import Problem
from runtime.folder import flow_files

_FLOW: Final = """\
## What comes in and what is done with it: a sentence for whoever reads this next.
flow {name}
on webhook {{
  telefone: phone  # comes as people write it, goes on as +5511999998888; what is no phone is answered with 422
  nome: text?  # `?`: may be absent
}}
  # Finds the person of that phone, or makes one. What is absent leaves what is known.
  -> upsert person by telefone with {{name: nome}} as person
  -> log "pessoa {{person.id}}"

# Runs with `seta test`, and sends nothing.
test "a pessoa fica com o nome que veio" for {name} {{
  given {{telefone: "11999998888", nome: "Ana"}}
  expect upsert person by "+5511999998888" with {{nome: "Ana"}}
}}
"""


@click.command("new", epilog=options.examples("seta new retomada"))
@click.argument("name")
@options.flows
def command(*, name: str, flows: Path) -> None:
    """Write a small flow that works, with a test, as a place to begin.

    It becomes the file NAME.seta of the folder; one that is there already is left alone.
    """
    name = normalize("NFC", name)
    _check_name(name)
    if (taken := _file_of(name, flows)) is not None:
        raise Problem(f"the flow {name} is there already, in {taken.as_posix()}")
    file = flows / f"{name}.seta"
    _write(file, _FLOW.format(name=name))
    click.echo(f"wrote {file.as_posix()}\n\n{_next(file, flows)}")


def _check_name(name: str) -> None:
    parsed = parse(Source("", f"flow {name} on webhook -> stop"))
    flows = parsed.file.items if parsed.file is not None else ()
    if parsed.diagnostics or [_name(flow, "") for flow in flows] != [name]:
        raise click.BadParameter(f"{name!r} cannot name a flow: {_advice(name)}", param_hint="NAME")


def _advice(name: str) -> str:
    rule = "a name has letters, digits and `_`, and begins with a letter"
    meant = re.sub(r"\W+", "_", name.removesuffix(".seta")).strip("_")
    return f"{rule}, such as {meant}" if re.match(r"[^\W\d]", meant) and meant != name else rule


def _file_of(name: str, flows: Path) -> Path | None:
    """The file of the folder that has a flow of this name already."""
    files = flow_files(flows) if flows.is_dir() else []
    return next((file for file in files if name in _names(file)), None)


def _names(file: Path) -> Iterator[str]:
    source = read_source(file.as_posix(), file.read_bytes())
    parsed = parse(source).file if isinstance(source, Source) else None
    yield from (_name(item, file.stem) for item in (parsed.items if parsed else ()))


def _name(item: nodes.Node, otherwise: str) -> str:
    """What a flow is called; nothing for what is no flow."""
    if not isinstance(item, nodes.Flow):
        return ""
    return otherwise if item.name is None else item.name.text


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise Problem(f"{file.as_posix()} is there already: it is left as it is") from error
    except OSError as error:
        raise Problem(f"{file.as_posix()} cannot be written: {error.strerror}") from error


def _next(file: Path, flows: Path) -> str:
    shown = quote(file.as_posix())
    folder = "" if flows == Path("flows") else f" --flows {quote(flows.as_posix())}"
    lines = (
        (f"seta check {shown}", "find its problems"),
        (f"seta test {shown}", "run its test"),
        (f"seta explain {shown}", "see what it means"),
        (f"seta serve{folder}", "serve it, with all of its folder"),
    )
    column = max(len(line) for line, _ in lines) + 4
    return "\n".join(f"  {line:<{column}}{why}" for line, why in lines)
