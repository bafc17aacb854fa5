"""What `loop doctor` looks at: configuration, database, calendar, timers, messages, channels, clock, board, people, disk."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from loop import bootstrap
from loop.bootstrap import Parts
from loop.engine.clock import VIRTUAL_NOW
from loop.engine.trial import knock
from loop.kernel.errors import Unavailable
from loop.kernel.labels import Label
from loop.settings import Settings, SettingsError
from loop.store import deliveries, gaps, journal, mailbox, server, settings_kept, tallies, timers
from loop.store.populace import people_model

ENOUGH = 1024**3
"""Free bytes below which a disk is too full for comfort."""
TOLERANCE = timedelta(minutes=1)
"""How far clocks may be apart."""
NTP = "timedatectl status"
CONFIGURATION, DATABASE, CLOCK = "configuration 配置", "database 数据库", "clock 时钟"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `do` says what to do where it is not well."""

    what: str
    ok: bool
    said: str
    do: str = ""


UNDERSTOOD = Finding(CONFIGURATION, ok=True, said="every setting is understood")


def examine(read: Callable[[], Settings], now: Callable[[], datetime]) -> list[Finding]:
    """Everything that can be told about this installation without changing it; `now` is the machine's clock."""
    try:
        settings = read()
    except SettingsError as wrong:
        return [_wrong(wrong)]
    found = [_disk(settings)]
    try:
        parts = bootstrap.build(settings)
    except SettingsError as wrong:
        return [_wrong(wrong), *found]
    except Unavailable as unavailable:
        return [UNDERSTOOD, Finding(DATABASE, ok=False, said="does not serve", do=unavailable.label.en), *found]
    try:
        database = Finding(DATABASE, ok=True, said="reachable, schema current")
        return [UNDERSTOOD, database, *_running(parts, now), *found]
    finally:
        parts.close()


def _wrong(told: SettingsError) -> Finding:
    return Finding(
        CONFIGURATION, ok=False, said=str(told), do="correct what is named; config.toml explains every setting"
    )


def _running(parts: Parts, now: Callable[[], datetime]) -> Iterator[Finding]:
    yield from _calendar(parts, now())
    yield _timers(parts)
    yield _messages(parts)
    yield from _channels(parts)
    yield _clock(parts, now)
    yield _board(parts)
    yield _people(parts)


def _calendar(parts: Parts, now: datetime) -> Iterator[Finding]:
    today = now.astimezone(parts.engine.book.calendar.zone)
    for year in (today.year, today.year + 1):
        known = parts.engine.book.calendar.official(year)
        late = year == today.year or today.month == 12
        yield Finding(
            f"calendar 日历 {year}", ok=known or not late, said="published" if known else "provisional",
            do="" if known else f"when the notice for {year} appears: loop calendar load FILE --dry-run",
        )  # fmt: skip


def _timers(parts: Parts) -> Finding:
    failed = parts.store.read(timers.failed)
    blocked = [t for t in failed if t.error.startswith("blocked")]
    broken = [t for t in failed if not t.error.startswith("blocked")]
    counted = f"{len(broken)} failed, {len(blocked)} wait for a condition"
    return Finding(
        "timers 时限", ok=not broken, said="; ".join([counted, *(f"{t.chain} {t.rule}: {t.error}" for t in broken[:5])]),
        do="each is tried again every hour; the log shows under timer.failed where the program broke" if broken else "",
    )  # fmt: skip


def _messages(parts: Parts) -> Finding:
    dead, owed, missed = (
        parts.store.read(count) for count in (deliveries.dead_count, mailbox.owed_count, gaps.open_count)
    )
    return Finding(
        "messages 消息", ok=not dead, said=f"{owed} owed, {dead} given up, {missed} gaps",
        do="see loop outbox --dead; mend the channel, then loop outbox --replay" if dead else "",
    )  # fmt: skip


def _channels(parts: Parts) -> Iterator[Finding]:
    names = sorted(parts.outbox.postage.ways)
    if not names:
        yield Finding(
            "channels 渠道", ok=True, said="none but the inbox", do="set up [[channels]] in your configuration"
        )  # fmt: skip
    outcomes = asyncio.run(knock(parts.outbox.channels[name] for name in names))
    for name, outcome in zip(names, outcomes, strict=True):
        what, trial = f"channel 渠道 {name}", f"loop notify test {name}"
        if isinstance(outcome, Label):
            do = f"correct [[channels]] {name} or open the way to it, then: {trial}"
            yield Finding(what, ok=False, said=f"{outcome.zh} {outcome.en}", do=do)
        elif outcome:
            yield Finding(what, ok=True, said=f"{outcome} can be reached")
        else:
            yield Finding(what, ok=True, said=f"configured; only a letter shows whether it arrives: {trial}")


def _clock(parts: Parts, now: Callable[[], datetime]) -> Finding:
    """A wrong clock lets deadlines lapse too early or too late, and a machine cannot tell that of itself."""
    told, here = parts.store.read(server.now), now()
    newest = parts.store.read(journal.newest_at)
    kept = parts.store.read(lambda tx: settings_kept.get(tx, VIRTUAL_NOW))
    if kept:
        said = f"this database was moved to {kept} by a virtual clock"
        do = "serve it with --virtual-clock only; keep real findings in another database"
        return Finding(CLOCK, ok=False, said=said, do=do)
    if told and abs(told - here) > TOLERANCE:
        said = f"the database server says {told:%F %T}, this machine {here:%F %T} (UTC)"
        return Finding(CLOCK, ok=False, said=said, do=f"let both keep time by NTP; here: {NTP}")
    if newest and newest - here > TOLERANCE:
        said = f"the newest step is dated {newest:%F %T}, and this machine says {here:%F %T} (UTC)"
        return Finding(CLOCK, ok=False, said=said, do=f"let every machine that serves keep time by NTP; here: {NTP}")
    return Finding(CLOCK, ok=True, said="agrees with " + ("the database server" if told else "what is recorded"))


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
