"""How a finding comes into being: the blank row that `open` and `take_over` then fill, with its office, place and number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from loop.kernel.calendar import local_day
from loop.kernel.decide import Book
from loop.kernel.errors import Forbidden, GuardFailed, LoopError, NotFound
from loop.kernel.facts import UnitFact
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.payloads import Payload, read
from loop.kernel.people import Actor
from loop.kernel.workflow import START, Action
from loop.store import findings, offices, places
from loop.store.offices import Office
from loop.store.session import Tx

NOT_YOURS = Label(
    "没有这个单位，或不在您的督导范围内；请核对单位编号。",
    "No such unit within your supervision; check its id.",
)


@dataclass(frozen=True, slots=True)
class Birth:
    """The blank finding, already a row, and the payload that will fill it."""

    finding: Finding
    payload: Payload


def may_create(action: Action, actor: Actor) -> None:
    """Raises `NotFound` for an action that creates nothing, `Forbidden` where no post of the caller may take it."""
    if not action.creates:
        raise NotFound
    if not can_create(action, actor):
        raise Forbidden


def can_create(action: Action, actor: Actor) -> bool:
    """Whether a post of the caller may bring a finding into being by this action."""
    return action.creates and any(post.role in action.by for post in actor.posts)


def payload_for(action: Action, values: Mapping[str, Any] | Payload | LoopError) -> Payload:
    """What was handed in, as the action's payload; raises `Invalid`, or the error that kept it from being read at all."""
    if isinstance(values, LoopError):
        raise values
    return values if isinstance(values, Payload) else read(action.payload, values)


def blank(
    tx: Tx, book: Book, action: Action, actor: Actor, values: Mapping[str, Any] | Payload | LoopError, now: datetime
) -> Birth:
    """Insert the blank row. Raises `Invalid`, or `GuardFailed` where the unit is not the caller's to inspect."""
    payload = payload_for(action, values)
    unit = places.unit_fact(tx, str(getattr(payload, "unit", "")))
    office = _office_for(tx, action, actor, unit) if unit else None
    if unit is None or office is None:
        raise GuardFailed(NOT_YOURS, guard="unit_in_scope")
    place = findings.place_of(tx, office.id, unit.id, unit.department_id)
    if place is None:
        raise GuardFailed(NOT_YOURS, guard="unit_in_scope")
    number = findings.next_number(tx, office.id, office.code, local_day(now, book.calendar).year)
    finding = Finding(
        id=0, number=number, office_id=office.id, unit_id=unit.id, unit_kind=unit.kind,
        department_id=unit.department_id, supervision_id=None, title="", description="", kind="", category="",
        severity="", state=START, opened_at=now, place=place,
    )  # fmt: skip
    return Birth(replace(finding, id=findings.create(tx, finding, changed_at=now)), payload)


def _office_for(tx: Tx, action: Action, actor: Actor, unit: UnitFact) -> Office | None:
    """The office of the caller's first post that may act on this unit."""
    for post in actor.posts:
        if post.role in action.by and post.covers(unit.region):
            office = offices.office_at(tx, post.region[-1])
            if office is not None:
                return office
    return None
