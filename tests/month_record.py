"""What the tables say of a month, read once and then only looked at: who had to be told, and how far each message got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from json import loads
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import SQLModel

from loop.store.core import table_of
from loop.store.instants import instant_of
from loop.store.postal import AttemptRow, ContactRow, CopyRow, DeliveryRow, GapRow
from loop.store.session import Tx
from loop.store.tables import EventRow, FindingRow, MessageRow
from tests.month import Month
from tests.post_office import Taken

ZONE = ZoneInfo("Asia/Shanghai")


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
        events=_rows(tx, EventRow),
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
