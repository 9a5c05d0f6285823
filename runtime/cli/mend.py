"""Making safe fixes in files: whole files at once, with their line ends, and no file but those that were asked for."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from dsl import Diagnostic, Source, read_source
from dsl.fixes import Mended, compatible, edits_by_path, rewrite
from runtime.cli.problems import Problem

ROUNDS: Final = 10  # a mended step may show its next mistake; more than so many is a fix that undoes another


def mend(paths: tuple[Path, ...], diagnose: Callable[[], list[Diagnostic]]) -> tuple[list[Mended], list[Diagnostic]]:
    """Mend what can be mended safely in files and folders; give what was mended, and what is left."""
    asked = [path.resolve() for path in paths]
    made: list[Mended] = []
    for _ in range(ROUNDS):
        found = diagnose()
        mended = compatible(found, may_change=lambda shown: _is_among(Path(shown).resolve(), asked))
        if not mended:
            return made, found
        _write(mended)
        made += mended
    return made, diagnose()


def _is_among(file: Path, asked: list[Path]) -> bool:
    return any(file == path or path in file.parents for path in asked)


def _write(mended: Iterable[Mended]) -> None:
    for shown, edits in edits_by_path(mended).items():
        file = Path(shown).resolve()
        try:
            data = file.read_bytes()
            if _text(data) != edits[0].source.text:
                raise Problem(f"{shown} was changed while it was mended: run the command again")
            replace_file(file, rewrite(data, edits))
        except OSError as error:
            raise Problem(f"{shown} cannot be written: {error.strerror}") from error


def _text(data: bytes) -> str | None:
    source = read_source("", data)
    return source.text if isinstance(source, Source) else None


def replace_file(file: Path, data: bytes) -> None:
    """Put new bytes into a file's place: who reads it sees all of the old ones or all of the new. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".tmp", dir=file.parent)
    made = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        shutil.copymode(file, made)
        made.replace(file)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
