"""Logs through structlog: lines for people on a terminal, JSON for machines; the standard library's logs join in.

An event is a fact (`finding.acted`), its values are fields, never part of the text.
"""

import logging
import sys
from collections.abc import Sequence
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["auto", "console", "json"]


def configure(form: Format = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logs of the process to `stream` (default: standard error) from `level` upwards.

    `form` is console, json, or auto: console on a terminal, else json.
    """
    out = stream or sys.stderr
    people = form == "console" or (form == "auto" and out.isatty())
    shared = _shared()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_render(people=people, out=out))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("alembic", "apscheduler", "httpx", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared() -> Sequence[Processor]:
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )


def _render(*, people: bool, out: TextIO) -> Sequence[Processor]:
    wrapped = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if people:
        return (
            wrapped,
            structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback),
            _printable,
        )
    return (
        wrapped,
        # Values of variables stay out: among them are passwords and tokens.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        _printable,
    )


def _printable(_: WrappedLogger, __: str, line: EventDict | str) -> str:
    """Half a surrogate pair can't be written as UTF-8; a log line must never raise for what somebody typed."""
    return str(line).encode("utf-8", "backslashreplace").decode("utf-8")
