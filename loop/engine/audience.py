"""Who is told: the roles a decision names, resolved to persons from the office tree as it stands at that moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from loop.kernel.finding import Finding
from loop.kernel.people import (
    AUTHOR,
    CHAIR,
    CHIEF,
    DEPARTMENT,
    DIRECTOR,
    LEADER,
    MEMBER,
    OFFICER,
    PROPOSER,
    REVIEWER,
    SUPERIOR,
    UNIT,
    Place,
)
from loop.store.people import Seat

FORMER_UNIT = "former_unit"
PERSONAL = frozenset({AUTHOR, REVIEWER, MEMBER, CHAIR, PROPOSER})


@dataclass(frozen=True, slots=True)
class Reach:
    """One person to be told. `gap` names the role that resolved to nobody, for which this person stands in."""

    person_id: str
    role: str
    gap: str = ""


def persons_of(finding: Finding, role: str) -> tuple[str, ...]:
    """The persons that the finding itself names for a part."""
    sheet = finding.sheet
    named: dict[str, Any] = {
        AUTHOR: [sheet.get("author")],
        REVIEWER: sheet.get("reviewers") or (),
        MEMBER: sheet.get("members") or (),
        CHAIR: [finding.part("interview").get("chair_id")],
        PROPOSER: [sheet.get("proposer")],
    }
    return tuple(person for person in named.get(role, ()) if person)


def places_of(before: Finding, after: Finding, roles: Iterable[str]) -> tuple[set[str], set[str], set[str]]:
    """Region codes, unit ids and person ids whose holders must be looked up to resolve `roles` and stand-ins."""
    place = after.place
    regions = {place.office_region[-1]} if place.office_region else set()
    if place.superior_region:
        regions.add(place.superior_region[-1])
    wanted = set(roles)
    if LEADER in wanted:
        regions.update(place.region[max(len(place.office_region) - 1, 0) :])
    units = {after.unit_id, before.unit_id} | ({after.department_id} if after.department_id else set())
    persons = {p for role in wanted & PERSONAL for p in persons_of(after, role)}
    return regions, units, persons


def resolve(
    before: Finding, after: Finding, roles: Iterable[str], seats: Iterable[Seat]
) -> tuple[list[Reach], list[str]]:
    """Everybody to be told, each once, and the roles that resolve to nobody at all.

    A role without a holder goes to the next office up (a unit's to the office itself) and the gap is shown. A unit that
    nothing governs has no department to tell, and above the highest office stands its director: neither is a gap.
    """
    held = tuple(seats)
    found: dict[str, Reach] = {}
    lost: list[str] = []
    for role in dict.fromkeys(known for role in roles if (known := _known(after.place, role))):
        persons = _holders(before, after, role, held)
        gap = "" if persons else role
        if not persons:
            persons = _stand_in(before, after, role, held)
        if not persons:
            lost.append(role)
        for person in persons:
            found.setdefault(person, Reach(person, role, gap))
    return list(found.values()), lost


def _known(place: Place, role: str) -> str:
    """The role that this one is here; empty where there is none."""
    if role == DEPARTMENT and place.department_id is None:
        return ""
    return DIRECTOR if role == SUPERIOR and place.superior_region is None else role


def _stand_in(before: Finding, after: Finding, role: str, held: tuple[Seat, ...]) -> list[str]:
    own = (CHIEF, OFFICER, DIRECTOR)
    steps = (*own, SUPERIOR) if role in (UNIT, DEPARTMENT, FORMER_UNIT, *PERSONAL) else (SUPERIOR, *own)
    for step in steps:
        if persons := _holders(before, after, step, held):
            return persons
    return []


def _holders(before: Finding, after: Finding, role: str, held: tuple[Seat, ...]) -> list[str]:
    if role in PERSONAL:
        wanted = set(persons_of(after, role))
        return sorted({seat.person_id for seat in held if seat.person_id in wanted})
    return sorted({seat.person_id for seat in held if _sits(before, after.place, role, seat)})


def _sits(before: Finding, place: Place, role: str, seat: Seat) -> bool:
    match role:
        case "unit" | "department" | "former_unit":
            wanted = {UNIT: place.unit_id, DEPARTMENT: place.department_id, FORMER_UNIT: before.unit_id}[role]
            kind = DEPARTMENT if role == DEPARTMENT else UNIT
            return seat.role == kind and seat.unit_id is not None and seat.unit_id == wanted
        case "superior":
            return seat.role in (CHIEF, DIRECTOR) and bool(seat.region) and seat.region == place.superior_region
        case "leader":
            return (
                seat.role == LEADER
                and len(seat.region) >= len(place.office_region)
                and place.region[: len(seat.region)] == seat.region
            )
        case _:
            return seat.role == role and bool(seat.region) and seat.region == place.office_region
