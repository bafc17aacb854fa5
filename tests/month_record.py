"""What the tables say of a month, read once and then only looked at: who had to be told, and how far each message got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from json import loads
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import SQLModel

from loop.kernel.calendar import Calendar
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.postal import AttemptRow, ContactRow, CopyRow, DeliveryRow, GapRow
from loop.store.session import Tx
from loop.store.tables import EventRow, FindingRow, MessageRow
from tests.month import Month
from tests.post_office import Taken

ZONE = ZoneInfo("Asia/Shanghai")
PRESSING = frozenset({"warn", "urge", "remind"})
"""Steps that nobody need hear of any more once what they press for is done."""
WAITS = frozenset({"warn", "remind", "move_deadlines"})
"""Steps that go with the morning's digest in any case."""


def shown(text: str) -> datetime:
    """A stored instant as the clock on the wall."""
    return instant_of(text).astimezone(ZONE)


@dataclass(frozen=True)
class Letter:
    """One letter that went out, with the copies that it carried."""

    id: int
    key: str
    person: str
    channel: str
    at: datetime
    urgent: bool
    copies: tuple[SimpleNamespace, ...]

    @property
    def day(self) -> date:
        """The local day on which it went."""
        return self.at.date()


@dataclass(frozen=True)
class Record:
    """The rows of telling people, and what the mail server took in."""

    now: datetime
    names: dict[str, str]
    events: tuple[SimpleNamespace, ...]
    messages: dict[int, SimpleNamespace]
    copies: tuple[SimpleNamespace, ...]
    deliveries: dict[int, SimpleNamespace]
    attempts: tuple[SimpleNamespace, ...]
    gaps: tuple[SimpleNamespace, ...]
    reached: frozenset[tuple[str, str]]
    """Persons and the channels by which they can be reached."""
    dangerous: frozenset[str]
    taken: tuple[Taken, ...]

    @cached_property
    def letters(self) -> tuple[Letter, ...]:
        """Every letter that went out, in order."""
        carried: dict[int, list[SimpleNamespace]] = {}
        for copy in self.copies:
            if copy.delivery_id and not copy.dropped:
                carried.setdefault(copy.delivery_id, []).append(copy)
        return tuple(
            Letter(
                one.id, one.key, self.names[one.person_id], one.channel, shown(one.sent_at), bool(one.urgent),
                tuple(carried.get(one.id, ())),
            )
            for one in sorted(self.deliveries.values(), key=lambda one: (one.sent_at or "", one.id)) if one.sent_at
        )  # fmt: skip

    @property
    def ordinary(self) -> list[Letter]:
        """Letters in which no life is in danger."""
        return [letter for letter in self.letters if not letter.urgent]

    def of_copy(self, copy: SimpleNamespace) -> SimpleNamespace | None:
        """The delivery that carries a copy."""
        return self.deliveries.get(copy.delivery_id)

    def told(self) -> Counter[tuple[str, int, str, str, str]]:
        """Chain, step, person, role and gap of everybody whom the history of all chains says was told."""
        said: Counter[tuple[str, int, str, str, str]] = Counter()
        for event in self.events:
            for one in loads(event.effects).get("messages", ()):
                said[event.chain, event.seq, one["person"], one["role"], one["gap"]] += 1
        return said


def per_day(letters: Iterable[Letter]) -> Counter[tuple[str, date]]:
    """How many letters each person got on each local day, by whatever channel."""
    return Counter((letter.person, letter.day) for letter in letters)


def record(month: Month) -> Record:
    """Read everything now."""
    taken = tuple(month.office.taken)
    return month.parts.store.read(lambda tx: _record(tx, month, taken))


def _record(tx: Tx, month: Month, taken: tuple[Taken, ...]) -> Record:
    return Record(
        now=month.clock,
        names={"": ""} | {id_: name for name, id_ in month.cast.ids.items()},
        events=tuple(sorted(_rows(tx, EventRow), key=lambda event: (event.chain, event.seq))),
        messages={row.id: row for row in _rows(tx, MessageRow)},
        copies=_rows(tx, CopyRow),
        deliveries={row.id: row for row in _rows(tx, DeliveryRow)},
        attempts=_rows(tx, AttemptRow),
        gaps=_rows(tx, GapRow),
        reached=frozenset((row.person_id, row.channel) for row in _rows(tx, ContactRow)),
        dangerous=frozenset(row.number for row in _rows(tx, FindingRow) if row.danger_to_life),
        taken=taken,
    )


def _rows(tx: Tx, kind: type[SQLModel]) -> tuple[SimpleNamespace, ...]:
    table = table_of(kind)
    names = [column.name for column in table.c]
    return tuple(SimpleNamespace(**dict(zip(names, row, strict=True))) for row in tx.select(select(table)))


def alarms_of(known: Record) -> set[tuple[str, date]]:
    """Who reached the budget on which day, as the chains of alarms say."""
    about = [event for event in known.events if event.action == "budget_reached"]
    return {(said["person"], date.fromisoformat(said["day"])) for said in (payload_of(event) for event in about)}


def payload_of(event: Any) -> dict[str, Any]:
    """What an event says."""
    found: dict[str, Any] = loads(event.payload)
    return found


def held_back(known: Record, calendar: Calendar) -> list[tuple[str, date, Letter]]:
    """What might have gone at once and went on a later day: to whom, when it was due, in which letter."""
    found = []
    for letter in known.ordinary:
        for copy in letter.copies:
            message = known.messages[copy.message_id]
            queued = datetime.fromisoformat(message.queued_at).astimezone(ZONE)
            may_wait = copy.step in WAITS or message.role == "leader" or letter.person.startswith("bureau1")
            repeated, failed = is_repeat(copy), known.deliveries[letter.id].failures
            if is_open(queued, calendar) and queued.date() != letter.day and not (may_wait or repeated or failed):
                found.append((letter.person, queued.date(), letter))
    return found


# ---- what must hold at any time --------------------------------------------------------------------------------------


def is_open(at: datetime, calendar: Calendar) -> bool:
    """Whether people may be disturbed: on a working day from eight to twenty."""
    return calendar.is_workday(at.date()) and 8 <= at.hour < 20


def is_repeat(copy: Any) -> bool:
    """Whether a copy was made out anew of what nobody signed for."""
    return bool(copy.key[-2:-1] == ":")


def assert_kept(known: Record, calendar: Calendar, budget: int) -> None:
    """Nobody got more than the budget, nor was disturbed out of hours, but for danger to life; the mail server says the same."""
    assert max(per_day(known.ordinary).values()) == budget
    assert [letter for letter in known.ordinary if not is_open(letter.at, calendar)] == []
    urgent = [letter for letter in known.letters if letter.urgent]
    assert {copy.chain for letter in urgent for copy in letter.copies} <= known.dangerous
    plain = [(one.to, one.at.astimezone(ZONE)) for one in known.taken if not one.urgent]
    assert max(Counter((to, at.date()) for to, at in plain).values()) <= budget
    assert [at for _, at in plain if not is_open(at, calendar)] == []


def assert_told(known: Record) -> None:
    """Every person whom a step names has one message of it, standing in their inbox."""
    stood = Counter((m.chain, m.seq, m.person_id, m.role, m.gap) for m in known.messages.values())
    assert stood == known.told()
    assert all(message.delivered_at for message in known.messages.values())


def assert_accounted(known: Record) -> None:
    """Every message to somebody with an address went by a channel, waits for its hour, or says why it need not go."""
    ways: dict[int, list[Any]] = {}
    for copy in known.copies:
        ways.setdefault(copy.message_id, []).append(copy)
    reachable = {person for person, _ in known.reached}
    assert {m.id for m in known.messages.values() if m.person_id in reachable} == set(ways)
    for copy in known.copies:
        message, delivery = known.messages[copy.message_id], known.deliveries.get(copy.delivery_id)
        if copy.dropped:
            assert copy.dropped in ("read already", "done already", "reader has left")
            assert copy.dropped != "read already" or message.read_at
            assert copy.dropped != "done already" or copy.step in PRESSING
        elif delivery is None:
            assert copy.due_at > text_of(known.now)
        else:
            assert delivery.sent_at
