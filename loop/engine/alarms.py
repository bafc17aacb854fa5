"""Tells an office that telling people went wrong: a budget was used up, letters were given up, an endpoint was switched off.

Each office has a chain of alarms, so that an alarm is as provable as any other message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from loop.engine.audience import Reach
from loop.engine.record import tell, told_values
from loop.kernel.calendar import local_day
from loop.kernel.decide import Book
from loop.kernel.people import CHIEF, DIRECTOR, OFFICER, SYSTEM, THE_SYSTEM
from loop.store import journal, names, offices, people, settings_kept, standings
from loop.store.canonical import canonical, digest
from loop.store.deliveries import Copy
from loop.store.session import Tx

CHAIN = "alarm:"
KEEPERS = (CHIEF, DIRECTOR, OFFICER)
BUDGET_REACHED, ENDPOINT_OFF, GIVEN_UP = "budget_reached", "endpoint_off", "letters_given_up"


def budget_reached(tx: Tx, book: Book, group: Sequence[Copy], budget: int, now: datetime) -> None:
    """Tell the office of what waits, once a day for each person, that it waits for the morning."""
    day, person = local_day(now, book.calendar).isoformat(), group[0].person_id
    known = f"{BUDGET_REACHED}:{person}"
    office_id = "" if settings_kept.get(tx, known) == day else office_of(tx, [copy.chain for copy in group])
    if not office_id:
        return
    settings_kept.put(tx, known, day)
    called = names.of_people(tx, [person]).get(person, ("", ""))
    told = keepers(tx, book, office_id, now, but=person)
    raise_alarm(tx, book, BUDGET_REACHED, office_id, told, {"person": called[0], "budget": budget, "day": day}, now)


def given_up(tx: Tx, book: Book, channel: str, office_id: str, now: datetime) -> None:
    """Tell an office, once a day for each channel, that letters were given up."""
    day, known = local_day(now, book.calendar).isoformat(), f"{GIVEN_UP}:{office_id}:{channel}"
    if office_id and settings_kept.get(tx, known) != day:
        settings_kept.put(tx, known, day)
        told = keepers(tx, book, office_id, now)
        raise_alarm(tx, book, GIVEN_UP, office_id, told, {"channel": channel, "day": day}, now)


def office_of(tx: Tx, chains: Sequence[str]) -> str:
    """The office that the first of these chains belongs to, empty where none is known."""
    known = standings.standings(tx, chains)
    alarms = (chain.removeprefix(CHAIN) for chain in chains if chain.startswith(CHAIN))
    return next((known[chain].office_id for chain in chains if chain in known), next(alarms, ""))


def keepers(tx: Tx, book: Book, office_id: str, now: datetime, *, but: str = "") -> list[Reach]:
    """Who hears that telling went wrong: the chiefs of an office, or where there is none but `but` its directors or officers."""
    office, today = offices.office(tx, office_id), local_day(now, book.calendar)
    seats = people.audience(tx, regions=[office.region[-1]], units=[], today=today)
    held = [Reach(s.person_id, s.role) for s in seats if s.region == office.region and s.person_id != but]
    return next((found for role in KEEPERS if (found := [one for one in held if one.role == role])), [])


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
