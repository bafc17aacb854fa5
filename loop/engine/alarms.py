"""Tells an office that telling people went wrong: a budget was used up, a program's endpoint was switched off.

Each office has a chain of alarms, so that an alarm is as provable as any other message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from loop.engine.audience import Reach
from loop.engine.record import tell, told_values
from loop.kernel.calendar import local_day
from loop.kernel.decide import Book
from loop.kernel.people import CHIEF, SYSTEM, THE_SYSTEM
from loop.store import journal, names, offices, people, settings_kept, standings
from loop.store.canonical import canonical, digest
from loop.store.deliveries import Copy
from loop.store.session import Tx

CHAIN = "alarm:"
BUDGET_REACHED, ENDPOINT_OFF = "budget_reached", "endpoint_off"


def budget_reached(tx: Tx, book: Book, copy: Copy, budget: int, now: datetime) -> None:
    """Tell the chief of the finding's office, once a day for each person, that the rest waits for the morning."""
    day = local_day(now, book.calendar).isoformat()
    known = f"{BUDGET_REACHED}:{copy.person_id}"
    standing = standings.standings(tx, [copy.chain]).get(copy.chain)
    if standing is None or settings_kept.get(tx, known) == day:
        return
    settings_kept.put(tx, known, day)
    called = names.of_people(tx, [copy.person_id]).get(copy.person_id, ("", ""))
    office = offices.office(tx, standing.office_id)
    seats = people.audience(tx, regions=[office.region[-1]], units=[], today=local_day(now, book.calendar))
    told = [
        Reach(seat.person_id, CHIEF)
        for seat in seats
        if seat.role == CHIEF and seat.region == office.region and seat.person_id != copy.person_id
    ]
    raise_alarm(tx, book, BUDGET_REACHED, office.id, told, {"person": called[0], "budget": budget, "day": day}, now)


def raise_alarm(
    tx: Tx, book: Book, name: str, office_id: str, told: list[Reach], about: Mapping[str, Any], now: datetime
) -> None:
    """Record an alarm of this office and tell these persons."""
    chain = f"{CHAIN}{office_id}"
    letter = canonical({"chain": chain, "action": name, **about})
    entry = journal.extend(
        tx, chain, action=name, actor_id=THE_SYSTEM.id, actor_name=THE_SYSTEM.name, actor_role=SYSTEM, at=now,
        payload=about, rules=book.workflow.version,
        effects={"messages": [told_values(reach) for reach in told], "letter": digest(letter) if told else ""},
    )  # fmt: skip
    tell(tx, list(dict.fromkeys(told)), [], entry, letter, office_id)
