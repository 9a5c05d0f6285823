"""One kind of diagnostic, explained."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """`title` is what the code stands for, `help` what `seta help CODE` prints under it.

    `bad` is a program that gets this code, `good` the same one mended; a test compiles both, with the catalog file
    `catalog` beside them.
    """

    code: str
    title: str
    help: str
    bad: str = ""
    good: str = ""
    catalog: str = ""
