"""Verifications that pages start: one at a time for each scope, in the background, with the last result of each.

The last result over everything is kept in the database; the others live as long as this process.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from loop.engine.verify import Progress, Report
from loop.store import settings_kept
from loop.store.instants import instant_of, text_of
from loop.store.session import Tx

LOG = structlog.get_logger(__name__)
KEPT = "verified:whole"
"""The setting that holds the last result over everything."""
WHOLE = "whole"


@dataclass(slots=True)
class Run:
    """A verification: begun, how far it is in percent, and what it found once it ended. Real times."""

    begun: datetime
    percent: int = 0
    ended: bool = False
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a verification found; `fault` names the first row that history does not bear out, as table, key and what."""

    at: datetime
    by: str
    checked: dict[str, int]
    fault: tuple[str, str, str] | None = None


class Runs:
    """The verifications of this process."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, scope: str) -> Run | None:
        """The latest one of this scope."""
        return self._runs.get(scope)

    def begin(self, scope: str, by: str, now: datetime, work: Callable[[Progress], Report]) -> Run:
        """Start one, unless one of this scope is under way."""
        known = self._runs.get(scope)
        if known and not known.ended:
            return known
        run = self._runs[scope] = Run(now)
        task = asyncio.create_task(self._run(run, by, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def settled(self) -> None:
        """Until none is under way."""
        await asyncio.gather(*self._tasks)

    async def _run(self, run: Run, by: str, work: Callable[[Progress], Report]) -> None:
        def progress(done: int, total: int) -> None:
            run.percent = min(99, done * 100 // max(total, 1))

        try:
            run.result = result_of(await asyncio.to_thread(work, progress), run.begun, by)
        except Exception:
            LOG.exception("verification.failed")
        finally:
            run.ended = True


def result_of(report: Report, at: datetime, by: str) -> Result:
    """What a report says, as it is kept."""
    fault = report.fault
    told = (fault.table, str(fault.key), fault.what) if fault else None
    return Result(at, by, dict(report.checked), told)


def keep(tx: Tx, result: Result) -> None:
    """Keep the result over everything."""
    value: dict[str, Any] = {
        "at": text_of(result.at), "by": result.by, "checked": result.checked, "fault": result.fault,
    }  # fmt: skip
    settings_kept.put(tx, KEPT, json.dumps(value, ensure_ascii=False))


def kept(tx: Tx) -> Result | None:
    """The last result over everything."""
    text = settings_kept.get(tx, KEPT)
    if not text:
        return None
    value = json.loads(text)
    fault = tuple(value["fault"]) if value["fault"] else None
    return Result(instant_of(value["at"]), value["by"], value["checked"], fault)
