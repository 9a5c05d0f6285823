"""How fast `seta check` is: a folder of flows checked, beside Lark's bare parse of the same files in the same run."""

import argparse
import re
import statistics
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from compiler.check import Environment
from compiler.pipeline import check_folder, compile_folder
from dsl import Severity, Source
from dsl.grammar import lark_parser
from runtime.steps import catalog
from tests.runtime.cli.process import ROOT


def folder(flows: int) -> list[Source]:
    """So many files, copies of the examples and of their tests under names of their own."""
    files = [file for file in sorted((ROOT / "flows").glob("*.seta")) if not file.stem.endswith("_test")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    sources: list[Source] = []
    for number in range(flows):
        text = texts[number % len(texts)]
        text = re.sub(r"^(flow|def) (\w+)", rf"\1 \2_{number}", text, flags=re.MULTILINE)
        text = re.sub(r"^(test .* for|  given) (\w+) \{", rf"\1 \2_{number} {{", text, flags=re.MULTILINE)
        text = re.sub(r"\bsaudacao\(", f"saudacao_{number}(", text)
        sources.append(Source(f"f{number}.seta", text.replace(f"_{number}_{number}(", f"_{number}(")))
    return sources


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rounds(sources: list[Source], count: int) -> Iterator[tuple[float, float]]:
    """Bare parse and full check in turn."""
    parser, environment = lark_parser(), Environment(catalog(), frozenset({"erp", "crm"}))
    checked = compile_folder(sources, environment)
    if checked.broken:
        first = next(found.message for found in checked.diagnostics if found.severity is Severity.ERROR)
        raise SystemExit(f"the examples do not compile: {first}")
    for _ in range(count):
        bare = seconds(lambda: [parser.parse(source.text) for source in sources])
        yield bare, seconds(lambda: check_folder(sources, environment))


def main() -> None:
    """Print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    sources = folder(chosen.flows)
    lines = sum(source.line_count for source in sources)
    found = list(rounds(sources, chosen.rounds))
    bare, full = (statistics.median(column) for column in zip(*found, strict=True))
    table = Table(title=f"check of {chosen.flows} files, {lines} lines, median of {chosen.rounds}")
    for column in ("", "files/s", "lines/s"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("Lark's bare parse", f"{chosen.flows / bare:,.0f}", f"{lines / bare:,.0f}")
    table.add_row("full check", f"{chosen.flows / full:,.0f}", f"{lines / full:,.0f}")
    ratio = statistics.median(full / bare for bare, full in found)
    table.add_row("time, as a ratio", f"{ratio:.2f}", "", style="bold")
    Console().print(table)


if __name__ == "__main__":
    main()
