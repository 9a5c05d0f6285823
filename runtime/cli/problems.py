"""Saying what is wrong, and ending for it."""

import sys
from collections.abc import Iterable
from typing import Any

import click

from dsl import Diagnostic, render_text, summary


class Problem(click.ClickException):
    """Flows or data have a problem: the exit code is 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the message, with our name before it."""
        click.echo(f"seta: {self.format_message()}", file=file, err=True)


def refuse(diagnostics: Iterable[Diagnostic], color: str) -> None:
    """Print diagnostics and what they come to on standard error, and end with exit code 1."""
    found = list(diagnostics)
    show_problems(found, color)
    raise Problem(summary(found))


def show_problems(diagnostics: Iterable[Diagnostic], color: str) -> None:
    """Print diagnostics on standard error."""
    click.echo(render_text(list(diagnostics), color=is_colored(color, sys.stderr.isatty())), err=True)


def is_colored(color: str, terminal: bool) -> bool:  # noqa: FBT001  # a fact about a stream
    """Whether to colour what goes to a stream that is a terminal or not."""
    return {"always": True, "never": False}.get(color, terminal)
