"""Timer rows: what runs on a finding, what is due next, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from json import loads
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal, not_, or_, select, tuple_, union, update

from loop.kernel.clocks import Pause, Timer
from loop.kernel.people import PARTS
from loop.kernel.rules import Ladder
from loop.store.canonical import canonical
from loop.store.core import table_of
from loop.store.instants import NEVER_TEXT, day_of, day_text, instant_of, text_of
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.tables import FAILED, FindingRow, PartRow, TimerRow

_TIMER, _FINDING, _PART = table_of(TimerRow), table_of(FindingRow), table_of(PartRow)
_INSTANTS = ("started_at", "due_at", "first_due_at", "next_at")
_READ = (
    "id", "rule", "number", "unit", "source", "provenance", *_INSTANTS, "rung", "owner", "error", "started_on",
    "stopped_at", "detail",
)  # fmt: skip
_ALL_COLUMNS = (*_READ, "chain", "office_id", "unit_id")
COLUMNS = tuple(_TIMER.c[name] for name in _READ)
"""What `timer_of` reads."""
_RUNNING = _TIMER.c.stopped_at.is_(None)
_PAUSED = not_(_TIMER.c.detail.contains('"left":null', autoescape=True))
"""What stands still has kept how much was left; within canonical JSON no other text reads like this."""


class Due(NamedTuple):
    """A timer whose next instant has come. (next_at, id) is its place in the sweep."""

    chain: str
    id: str
    next_at: datetime
    rule: str


# ---- of one chain ------------------------------------------------------------------------------------------------

_ROWS = select(_TIMER.c.chain, *COLUMNS)
_OF_CHAIN = Prepared(_ROWS.where(_TIMER.c.chain == bindparam("chain"), _RUNNING).order_by(_TIMER.c.due_at, _TIMER.c.id))
_OF_CHAINS = Prepared(
    _ROWS.where(_TIMER.c.chain.in_(bindparam("chains", expanding=True)), _RUNNING).order_by(
        _TIMER.c.due_at, _TIMER.c.id
    )
)
_EVERY = Prepared(_ROWS.where(_TIMER.c.chain == bindparam("chain")).order_by(_TIMER.c.started_at, _TIMER.c.id))
_SAVE = Prepared(
    upsert(_TIMER, ["id"], sets=[n for n in _ALL_COLUMNS if n not in ("id", "chain")]), columns=_ALL_COLUMNS
)


def running(tx: Tx, chain: str) -> tuple[Timer, ...]:
    """The running timers of a chain, the first due first."""
    return tuple(timer_of(row[1:]) for row in tx.all(_OF_CHAIN, chain=chain))


def running_of(tx: Tx, chains: Sequence[str]) -> dict[str, tuple[Timer, ...]]:
    """The running timers of several chains, by chain."""
    found: dict[str, tuple[Timer, ...]] = {}
    for row in tx.all(_OF_CHAINS, chains=chains) if chains else ():
        found[row[0]] = (*found.get(row[0], ()), timer_of(row[1:]))
    return found


def all_of(tx: Tx, chain: str) -> tuple[Timer, ...]:
    """Every timer a chain ever had, in the order in which they started."""
    return tuple(timer_of(row[1:]) for row in tx.all(_EVERY, chain=chain))


def save(tx: Tx, chain: str, office_id: str, unit_id: str, timers: Iterable[Timer]) -> None:
    """Writes these timers of one chain, new or known."""
    base = {"chain": chain, "office_id": office_id, "unit_id": unit_id}
    tx.many(_SAVE, [base | _row(timer) for timer in timers])


# ---- what is due -------------------------------------------------------------------------------------------------

_DUE = Prepared(
    select(_TIMER.c.chain, _TIMER.c.id, _TIMER.c.next_at, _TIMER.c.rule)
    .where(
        _RUNNING,
        _TIMER.c.next_at <= bindparam("now"),
        tuple_(_TIMER.c.next_at, _TIMER.c.id) > tuple_(bindparam("after_at"), bindparam("after_id")),
    )
    .order_by(_TIMER.c.next_at, _TIMER.c.id)
    .limit(bindparam("most"))
)
_NEXT = Prepared(
    select(_TIMER.c.next_at)
    .where(_RUNNING, _TIMER.c.next_at > bindparam("after_at"))
    .order_by(_TIMER.c.next_at)
    .limit(1)
)
_PUT_OFF = Prepared(update(_TIMER).where(_TIMER.c.id == bindparam("timer_id"), _RUNNING), columns=("next_at", "error"))


def due(tx: Tx, now: datetime, *, limit: int = 200, after: tuple[datetime, str] | None = None) -> list[Due]:
    """Up to `limit` timers whose next instant is not after `now`, the earliest first, from behind `after` =
    (next_at, id) on.
    """
    at, timer_id = (text_of(after[0]), after[1]) if after else ("", "")
    rows = tx.all(_DUE, now=text_of(now), after_at=at, after_id=timer_id, most=limit)
    return [Due(chain, id_, instant_of(next_at), rule) for chain, id_, next_at, rule in rows]


def due_count(tx: Tx, now: datetime, most: int = 1_000) -> int:
    """How many timers are due at `now`; counts no further than `most`."""
    some = select(_TIMER.c.id).where(_RUNNING, _TIMER.c.next_at <= text_of(now)).limit(most).subquery()
    return int(tx.select(select(func.count()).select_from(some))[0][0])


def next_instant(tx: Tx, after: datetime | None = None) -> datetime | None:
    """The earliest instant, later than `after`, at which a timer does something; None if none ever will."""
    row = tx.one(_NEXT, after_at=text_of(after) if after else "")
    return instant_of(row[0]) if row and row[0] < NEVER_TEXT else None


def put_off(tx: Tx, timer_id: str, until: datetime, error: str) -> None:
    """Makes a timer that raised `error` wait until `until`."""
    tx.run(_PUT_OFF, timer_id=timer_id, next_at=text_of(until), error=error)


# ---- what waits for a person -------------------------------------------------------------------------------------

_SHOWN = (*(_TIMER.c[n] for n in ("chain", "id", "rule", "due_at", "owner", "office_id", "unit_id", "error")),)


class Todo(NamedTuple):
    """A running timer somebody owes something to, with what a list shows of its finding (None for other chains).

    (due_at, id) is its place in the list.
    """

    chain: str
    id: str
    rule: str
    due_at: datetime
    owner: str
    office_id: str
    unit_id: str
    error: str
    title: str | None
    state: str | None
    severity: str | None
    level: int | None
    suspended: bool


def todo(
    tx: Tx, *, owners: Iterable[str], offices: Iterable[tuple[str, str]] = (), units: Iterable[tuple[str, str]] = (),
    persons: Sequence[str] = (), limit: int, after: tuple[datetime, str] | None = None,
    windows: Iterable[str] = (), now: datetime | None = None,
) -> list[Todo]:  # fmt: skip
    """Up to `limit` running timers, the most urgent first, that wait for a role held at an office or a unit, given as
    pairs (id, role), or for the part one of `persons` has in the finding.

    `owners` are all the values that a timer's owner may have: roles joined by commas. Of the rules `windows` those due
    before `now` are left out: what they were open for can no longer be done.
    """
    branches = waiting(_SHOWN, owners=owners, offices=offices, units=units, persons=persons)
    if not branches:
        return []
    if after:
        place = tuple_(literal(text_of(after[0])), literal(after[1]))
        branches = [branch.where(tuple_(_TIMER.c.due_at, _TIMER.c.id) > place) for branch in branches]
    if now and (rules := sorted(set(windows))):
        branches = [branch.where(still_open(rules, literal(text_of(now)))) for branch in branches]
    first = (b.where(_RUNNING).order_by(_TIMER.c.due_at, _TIMER.c.id).limit(limit).subquery() for b in branches)
    mine = union(*(select(branch) for branch in first)).subquery("mine")
    listed = (
        select(mine, _FINDING.c.title, _FINDING.c.state, _FINDING.c.severity, _FINDING.c.level, _FINDING.c.suspended_at)
        .outerjoin(_FINDING, _FINDING.c.number == mine.c.chain)
        .order_by(mine.c.due_at, mine.c.id)
        .limit(limit)
    )
    return [_todo(row) for row in tx.select(listed)]


def waiting(
    columns: Sequence[ColumnElement[Any]], *, owners: Iterable[str], offices: Iterable[tuple[str, str]] = (),
    units: Iterable[tuple[str, str]] = (), persons: Sequence[str] = (),
) -> list[Select[Any]]:  # fmt: skip
    """Selects of `columns` of the timers, running or stopped, whose owner is somebody as `todo` explains: one for each
    role and part, so that each can follow an index.
    """
    known = sorted(set(owners))
    held = [*_held(_TIMER.c.office_id, offices, known), *_held(_TIMER.c.unit_id, units, known)]
    return [select(*columns).where(condition) for condition in held] + _taken(columns, persons, known)


def still_open(windows: Sequence[str], at: ColumnElement[str]) -> ColumnElement[bool]:
    """Timers that by `at` were no window gone by."""
    return or_(_TIMER.c.rule.not_in(windows), _TIMER.c.due_at >= at, _PAUSED)


def _held(
    place: ColumnElement[Any], pairs: Iterable[tuple[str, str]], known: Sequence[str]
) -> list[ColumnElement[bool]]:
    places: dict[str, list[str]] = {}
    for id_, role in pairs:
        places.setdefault(role, []).append(id_)
    owned = {role: [owner for owner in known if role in owner.split(",")] for role in places}
    return [and_(place.in_(ids), _TIMER.c.owner.in_(owned[role])) for role, ids in places.items() if owned[role]]


def _taken(columns: Sequence[ColumnElement[Any]], persons: Sequence[str], known: Sequence[str]) -> list[Select[Any]]:
    owned = {part: [owner for owner in known if part in owner.split(",")] for part in PARTS}
    return [
        select(*columns)
        .join(_PART, _PART.c.chain == _TIMER.c.chain)
        .where(
            _PART.c.person_id.in_(persons), _PART.c.part == part, _PART.c.ended == 0, _TIMER.c.owner.in_(owned[part])
        )
        for part in PARTS
        if persons and owned[part]
    ]


def _todo(row: Sequence[Any]) -> Todo:
    values = dict(zip(Todo._fields, row, strict=True))
    suspended = values["suspended"] not in (None, NEVER_TEXT)
    return Todo(**values | {"due_at": instant_of(values["due_at"]), "suspended": suspended})


# ---- a row and its value -----------------------------------------------------------------------------------------


def _row(timer: Timer) -> dict[str, Any]:
    pauses = [{"since": day_text(p.since), "until": day_text(p.until), "why": p.why} for p in timer.pauses]
    detail = {"profile": timer.profile, "anchor_on": day_text(timer.anchor_on), "note": timer.note, "pauses": pauses}
    frozen = {"ladder": asdict(timer.ladder)} if timer.ladder else {}
    return {
        **{name: getattr(timer, name) for name in _READ if name != "detail"},
        **{name: text_of(getattr(timer, name)) for name in _INSTANTS},
        "started_on": day_text(timer.started_on),
        "stopped_at": text_of(timer.stopped_at) if timer.stopped_at else None,
        "detail": canonical(detail | {"left": timer.left} | frozen),
    }


def timer_of(row: Sequence[Any]) -> Timer:
    """The timer whose `COLUMNS` are these."""
    values = dict(zip(_READ, row, strict=True))
    detail = loads(values.pop("detail"))
    for name in _INSTANTS:
        values[name] = instant_of(values[name])
    values["started_on"] = date.fromisoformat(values["started_on"])
    values["stopped_at"] = instant_of(values["stopped_at"]) if values["stopped_at"] else None
    pauses = tuple(Pause(date.fromisoformat(p["since"]), day_of(p["until"]), p["why"]) for p in detail["pauses"])
    return Timer(
        **values, pauses=pauses, anchor_on=day_of(detail["anchor_on"]), profile=detail["profile"], note=detail["note"],
        left=detail["left"], ladder=_ladder(detail.get("ladder")),
    )  # fmt: skip


def _ladder(kept: dict[str, Any] | None) -> Ladder | None:
    return Ladder(**kept | {"warn_before": tuple(kept["warn_before"])}) if kept else None


_OFFICE_OF = Prepared(select(_TIMER.c.office_id).where(_TIMER.c.id == bindparam("timer_id")))


def office_of(tx: Tx, timer_id: str) -> str:
    """The office that a timer belongs to."""
    return str(tx.all(_OFFICE_OF, timer_id=timer_id)[0][0])


_PAGE_RUNNING = Prepared(
    _ROWS.where(_RUNNING, _TIMER.c.id > bindparam("after")).order_by(_TIMER.c.id).limit(bindparam("most"))
)


def page_running(tx: Tx, *, after: str, limit: int) -> list[tuple[str, Timer]]:
    """Up to `limit` running timers with their chains, in the order of their ids, from behind the id `after` on."""
    return [(row[0], timer_of(row[1:])) for row in tx.all(_PAGE_RUNNING, after=after, most=limit)]


class Failed(NamedTuple):
    """A running timer that could not act."""

    chain: str
    rule: str
    error: str


_FAILED = Prepared(
    select(_TIMER.c.chain, _TIMER.c.rule, _TIMER.c.error)
    .where(FAILED, _TIMER.c.chain > "")
    .order_by(_TIMER.c.chain, _TIMER.c.id)
    .limit(1_000)
)


def failed(tx: Tx) -> list[Failed]:
    """Running timers that are blocked or failed, a thousand at most."""
    return [Failed(*row) for row in tx.all(_FAILED)]
