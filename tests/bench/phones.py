"""What one call of `format_phone` costs, beside `phonenumbers` alone on the same texts in the same run."""

import argparse
import csv
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

import phonenumbers
from rich.console import Console
from rich.table import Table

from runtime.failures import StepFailure
from runtime.functions.format_phone import format_phone

VECTORS = Path(__file__).parents[1] / "vectors" / "phones.tsv"
MASKS = ("({}) {}-{}", "({}){}-{}", "{} {}-{}", "{}{}{}", "55{}{}{}", "+55 {} {}-{}")


def usual(count: int) -> list[str]:
    """Mobiles as forms and systems write them."""
    return [
        mask.format("11", 90_000 + n % 10_000, f"{n % 10_000:04}")
        for n, mask in zip(range(count), cycle(MASKS), strict=False)
    ]


def odd(count: int) -> list[str]:
    """The rows of the vectors, again and again: every mask, other countries and what is no number."""
    with VECTORS.open(encoding="utf-8", newline="") as file:
        rows = [row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)][1:]
    return list(islice(cycle(rows), count))


def ours(text: str) -> None:
    """One call of ours."""
    with suppress(StepFailure):
        format_phone(text)


def library(text: str) -> None:
    """What the same takes by hand: read, judge, write."""
    try:
        number = phonenumbers.parse(text, "BR")
    except phonenumbers.NumberParseException:
        return
    if phonenumbers.is_valid_number(number):
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def microseconds(call: Callable[[str], None], texts: list[str]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    for text in texts:
        call(text)
    return (time.perf_counter() - start) / len(texts) * 1e6


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    table = Table(title=f"format_phone, µs a call, {chosen.calls} calls, median of {chosen.rounds}")
    for column in ("", "phonenumbers", "format_phone", "ratio"):
        table.add_column(column, justify="right" if column else "left")
    for name, texts in (("usual masks", usual(chosen.calls)), ("rows of phones.tsv", odd(chosen.calls))):
        pairs = [(microseconds(library, texts), microseconds(ours, texts)) for _ in range(chosen.rounds)]
        theirs, mine = (statistics.median(column) for column in zip(*pairs, strict=True))
        table.add_row(name, f"{theirs:.1f}", f"{mine:.1f}", f"{mine / theirs:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
