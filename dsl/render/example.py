"""Programs that explain a code, as they are shown."""

from dsl.render.style import visible

_MOST = 12


def example_lines(program: str) -> list[str]:
    """The lines of a program; of a long one its beginning, and how much more there is."""
    lines = [visible(line) for line in program.splitlines()]
    more = len(lines) - _MOST
    return lines if more <= 1 else [*lines[:_MOST], f"# … and {more} more lines"]
