"""Lines of the log: whole ones, and what is left out of them."""

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from runtime.cli.logs import FACTS, Style, formatter
from runtime.journal.protocol import JournalError
from tests.runtime.cli.process import environment

AT = 1_767_225_600.25
OWN = "tests/runtime/cli/test_logs.py"


def record(message: str, *args: object, error: BaseException | None = None, **facts: Any) -> logging.LogRecord:
    """What a room logs, at a time of ours."""
    about = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("seta.door", logging.WARNING, __file__, 1, message, args, about)
    made.created = AT
    vars(made).update(facts)
    return made


def line(style: Style, told: logging.LogRecord) -> str:
    return formatter(style).format(told)


def test_a_line_of_json_has_its_facts_in_order() -> None:
    told = record("delivery %s", "refused", flow="retomada", status=422, run="01a2")
    assert line("json", told) == (
        '{"at": "2026-01-01T00:00:00.250+00:00", "level": "warning", "logger": "seta.door",'
        ' "message": "delivery refused", "flow": "retomada", "run": "01a2", "status": 422}'
    )


def test_a_line_of_text_has_them_behind_its_message() -> None:
    told = record("delivery refused", flow="retomada", status=422)
    text = line("text", told).partition(" ")[2]  # the time is that of this place
    assert text == "[warning  ] delivery refused [seta.door] flow=retomada status=422"


def test_what_is_no_known_fact_is_left_out() -> None:
    told = record("delivery refused", body="segredo", path="/segredo", headers=["segredo"], flow="a")
    assert json.loads(line("json", told)).keys() == {"at", "level", "logger", "message", "flow"}
    assert not {"body", "path", "token", "headers", "url"} & set(FACTS)


def test_text_of_strangers_forges_no_line_and_moves_no_cursor() -> None:
    evil = 'a\n{"level": "info"}\x1b[2J\u2028b'
    told = record("said %s", evil, text=evil)
    assert len(line("json", told).splitlines()) == len(line("text", told).splitlines()) == 1
    assert json.loads(line("json", told))["text"] == evil
    assert "\x1b" not in line("text", told)


def test_facts_are_bounded() -> None:
    assert len(json.loads(line("json", record("log", text="x" * 10_000)))["text"]) == 2000


def failed(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException:  # noqa: BLE001  # whatever a test made
        caught = sys.exc_info()[1]
    assert caught is not None
    return caught


@pytest.mark.parametrize("style", ["json", "text"])
def test_of_an_exception_its_places_are_told_and_not_its_message(style: Style) -> None:
    error = failed(ValueError("segredo"), failed(KeyError("segredo")))
    text = line(style, record("a request failed", error=error))
    assert "segredo" not in text
    trace = json.loads(text)["exception"] if style == "json" else text
    kinds = [part for part in trace.splitlines() if "left out" in part]
    assert kinds == [
        "KeyError (its message may hold a value, and is left out)",
        "ValueError (its message may hold a value, and is left out)",
    ]
    assert trace.count(f'{OWN}", line') == 2
    assert "raise error from cause" in trace


def test_what_the_disk_and_the_journal_say_is_told() -> None:
    trace = json.loads(line("json", record("a commit failed", error=failed(JournalError("disk I/O error")))))
    assert trace["exception"].endswith("\nJournalError: disk I/O error")


SAYS = """\
import logging, warnings
from runtime.cli import logs
logs.configure(None, "info", "auto")
logging.getLogger("seta.door").info("ours")
logging.getLogger("seta.door").debug("segredo")
logging.getLogger("_granian").warning("of %s", "granian")
logging.getLogger("_granian").warning("Embedded server is experimental!")
logging.getLogger("asyncio").error("of asyncio")
logging.getLogger("httpx").info("GET https://erp.example/segredo")
warnings.warn("of Python")
"""


def test_what_libraries_warn_of_goes_the_same_way_and_what_they_tell_besides_does_not() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SAYS], env=environment(), capture_output=True, text=True, check=True, timeout=30
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(one["level"], one["logger"], one["message"].splitlines()[0]) for one in told] == [
        ("info", "seta.door", "ours"),
        ("warning", "_granian", "of granian"),
        ("error", "asyncio", "of asyncio"),
        ("warning", "py.warnings", "<string>:10: UserWarning: of Python"),
    ]
