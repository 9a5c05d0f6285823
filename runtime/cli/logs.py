"""Logs on standard error, one line each: JSON for machines, short text for people.

Rooms log by the standard library and give facts beside the message (`extra`); structlog makes lines of them here, also
of what granian, asyncio and Python's warnings say. What is none of the facts below is left out, whoever adds it.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal

import apsw
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import JSONRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor, WrappedLogger

from runtime.cli.problems import is_colored
from runtime.cli.terminal import clean
from runtime.journal.protocol import JournalError

Style = Literal["text", "json"]

FACTS: Final = ("flow", "run", "step", "code", "status", "reason", "repeat", "client", "text")
_LONGEST: Final = 2000  # characters of a fact
_FIRST: Final = {"at": "at", "level": "level", "logger": "logger", "event": "message"}
_ENDS: Final = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}  # of lines, to some readers

# Whose messages speak of files and of the disk. That of any other exception may hold a value of a delivery.
_HARMLESS: Final = (OSError, apsw.Error, JournalError)
_KNOWN: Final = "Embedded server is experimental!"  # granian at every start: what we rely on of it is tested


def configure(style: Style | None, level: str, color: str) -> None:
    """Send what we log from a level on, and what others warn of, to standard error.

    Without a style it is text where that is a terminal.
    """
    terminal = sys.stderr.isatty()
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: record.msg != _KNOWN)
    handler.setFormatter(formatter(style or ("text" if terminal else "json"), colors=is_colored(color, terminal)))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("seta").setLevel(level.upper())
    logging.captureWarnings(capture=True)


def formatter(style: Style, *, colors: bool = False) -> logging.Formatter:
    """What makes a line of a record."""
    common = (ExtraAdder(FACTS), add_log_level, add_logger_name, _bounded, _with_trace)
    last: tuple[Processor, ...]
    if style == "json":
        last = (_at, _in_order, JSONRenderer(_json))
    else:
        console = ConsoleRenderer(
            colors=colors, timestamp_key="at", pad_event_to=0, exception_formatter=plain_traceback, sort_keys=False
        )
        last = (_at_clock, _cleaned, console)
    return ProcessorFormatter(
        foreign_pre_chain=common, processors=(*last[:1], ProcessorFormatter.remove_processors_meta, *last[1:])
    )


def _record(event: EventDict) -> logging.LogRecord:
    record: logging.LogRecord = event["_record"]
    return record


def _at(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["at"] = datetime.fromtimestamp(_record(event).created, UTC).isoformat(timespec="milliseconds")
    return event


def _at_clock(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["at"] = datetime.fromtimestamp(_record(event).created, UTC).astimezone().strftime("%H:%M:%S")
    return event


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {**{name: event.pop(key) for key, name in _FIRST.items()}, **event}


def _json(event: EventDict, **_: object) -> str:
    return json.dumps(event, ensure_ascii=False).translate(_ENDS)


def _bounded(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for name in event.keys() & FACTS:
        if isinstance(event[name], str):
            event[name] = event[name][:_LONGEST]
    return event


def _cleaned(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Let nothing move a terminal's cursor. Traces are made of lines, and hold no text of strangers."""
    return {
        key: clean(value) if isinstance(value, str) and key != "exception" else value for key, value in event.items()
    }


def _with_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Say where an exception comes from, in place of the exception."""
    told = event.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = "".join(_trace(error)).rstrip("\n")
    return event


def _trace(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _trace(cause)
        yield "and then:\n"
    yield from traceback.format_tb(error.__traceback__)
    message = f": {error}" if isinstance(error, _HARMLESS) else " (its message may hold a value, and is left out)"
    yield f"{type(error).__name__}{message}\n"
