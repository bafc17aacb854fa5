"""What `loop doctor` looks at: database, calendar, timers that failed, messages that died, people, clock, disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loop import bootstrap
from loop.bootstrap import Parts
from loop.kernel.errors import Unavailable
from loop.settings import Settings
from loop.store import deliveries, gaps, mailbox, tallies, timers
from loop.store.populace import people_model

ENOUGH = 1024**3
"""Free bytes below which a disk is too full for comfort."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `do` says what to do where it is not well."""

    what: str
    ok: bool
    said: str
    do: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Everything that can be told about this installation without changing it."""
    found = [_disk(settings)]
    try:
        parts = bootstrap.build(settings)
    except Unavailable as unavailable:
        return [Finding("database 数据库", ok=False, said=unavailable.label.en, do="see the sentence before"), *found]
    try:
        return [Finding("database 数据库", ok=True, said="reachable, schema current"), *_running(parts), *found]
    finally:
        parts.close()


def _running(parts: Parts) -> Iterator[Finding]:
    year = datetime.now(parts.engine.book.calendar.zone).year
    for one in (year, year + 1):
        known = parts.engine.book.calendar.official(one)
        late = one == year or datetime.now(UTC).month == 12
        yield Finding(
            f"calendar 日历 {one}", ok=known or not late, said="published" if known else "provisional",
            do="" if known else f"when the notice for {one} appears: loop calendar load FILE --dry-run",
        )  # fmt: skip
    failed = parts.store.read(timers.failed)
    blocked = [t for t in failed if t.error.startswith("blocked")]
    broken = [t for t in failed if not t.error.startswith("blocked")]
    yield Finding(
        "timers 时限", ok=not broken, said=f"{len(broken)} failed, {len(blocked)} wait for a condition",
        do="; ".join(f"{t.chain} {t.rule}: {t.error}" for t in broken[:5]),
    )  # fmt: skip
    dead, owed, missed = (
        parts.store.read(count) for count in (deliveries.dead_count, mailbox.owed_count, gaps.open_count)
    )
    yield Finding(
        "messages 消息", ok=not dead, said=f"{owed} owed, {dead} given up, {missed} gaps",
        do="see loop outbox --dead; mend the channel, then loop outbox --replay" if dead else "",
    )  # fmt: skip
    ways = parts.outbox.postage.ways
    yield Finding(
        "channels 渠道", ok=True, said=", ".join(sorted(ways)) or "none but the inbox",
        do="" if ways else "set up [[channels]] in your configuration; loop notify test NAME tries one",
    )  # fmt: skip
    yield _board(parts)
    yield _people(parts)


def _board(parts: Parts) -> Finding:
    zone = parts.engine.book.calendar.zone
    wrong = parts.store.read(lambda tx: tallies.drift(tx, zone))
    said = f"{wrong} counts differ from the findings"
    return Finding("board 看板", ok=not wrong, said=said, do="loop recount" if wrong else "")


def _people(parts: Parts) -> Finding:
    offices = parts.store.read(people_model).offices
    if not offices:
        return Finding(
            "people 人员", ok=False, said="no office yet",
            do="loop user add NAME --role admin, then add regions, offices, units and people at /admin as that person",
        )  # fmt: skip
    headless = [office.name for office in offices if "chief" not in office.roles]
    return Finding(
        "people 人员", ok=not headless, said=f"{len(headless)} offices without a chief",
        do=f"loop user add NAME --role chief --region CODE for: {', '.join(headless[:5])}" if headless else "",
    )  # fmt: skip


def _disk(settings: Settings) -> Finding:
    place = Path(settings.storage.evidence)
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    said = f"{free // 1024**2} MiB free at {place}" + ("" if writable else ", not writable")
    return Finding(
        "disk 磁盘", ok=free > ENOUGH and writable, said=said, do="" if free > ENOUGH and writable else _advice()
    )


def _advice() -> str:
    return f"free space or set [storage] evidence to another disk (temporary files lie in {tempfile.gettempdir()})"
