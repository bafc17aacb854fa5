"""Where somebody's work comes from: the offices and units at which they hold a role, today; and what waits there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select

from loop.kernel.errors import Invalid
from loop.kernel.people import CHIEF, DIRECTOR, OFFICE_ROLES, SUPERIOR, UNIT_ROLES, Actor
from loop.kernel.workflow import Workflow, owners, windows
from loop.store import timers
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.paging import Page, cursor, key_of, limit_of
from loop.store.registry import OfficeRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.timers import Todo

_OFFICE = table_of(OfficeRow)
_AT = Prepared(
    select(_OFFICE.c.region, _OFFICE.c.id).where(
        _OFFICE.c.region.in_(bindparam("regions", expanding=True)), _OFFICE.c.active == 1
    )
)
_BELOW = Prepared(select(_OFFICE.c.id).where(_OFFICE.c.superior_id.in_(bindparam("above", expanding=True))))


@dataclass(frozen=True, slots=True)
class Desk:
    """Pairs (id, role) of offices and units, and the persons for whom the actor works: themselves and whom they stand in
    for.
    """

    offices: tuple[tuple[str, str], ...]
    units: tuple[tuple[str, str], ...]
    persons: tuple[str, ...]


def desk_of(tx: Tx, actor: Actor) -> Desk:
    """The desk of `actor`. Chiefs and directors are also "superior" of the offices directly below theirs."""
    held = [(post.region[-1], post.role) for post in actor.posts if post.role in OFFICE_ROLES and post.region]
    ids = dict(tx.all(_AT, regions=sorted({region for region, _ in held}))) if held else {}
    offices = [(ids[region], role) for region, role in held if region in ids]
    above = sorted({id_ for id_, role in offices if role in (CHIEF, DIRECTOR)})
    below = [(row[0], SUPERIOR) for row in tx.all(_BELOW, above=above)] if above else []
    units = [(post.unit_id, post.role) for post in actor.posts if post.role in UNIT_ROLES and post.unit_id]
    persons = [actor.id, *(post.for_id for post in actor.posts if post.for_id)]
    return Desk(tuple(dict.fromkeys((*offices, *below))), tuple(dict.fromkeys(units)), tuple(dict.fromkeys(persons)))


SCOPE = "todo"


def page(
    tx: Tx, actor: Actor, workflow: Workflow, *, now: datetime, limit: int, after: str | None = None
) -> Page[Todo]:  # fmt: skip
    """One page of the running timers whose owner is `actor` or one of their posts, the most urgent first; a window that
    is over waits for nobody. Raises Invalid for a limit or a cursor that is none.
    """
    at = desk_of(tx, actor)
    found = timers.todo(
        tx, owners=owners(workflow), offices=at.offices, units=at.units, persons=at.persons,
        limit=limit_of(limit) + 1, after=_place(after), windows=windows(workflow), now=now,
    )  # fmt: skip
    shown = tuple(found[:limit])
    return Page(shown, cursor(SCOPE, (text_of(shown[-1].due_at), shown[-1].id)) if len(found) > limit else None)


def _place(after: str | None) -> tuple[datetime, str] | None:
    if not after:
        return None
    at, id_ = key_of(SCOPE, after, str, str)
    try:
        return instant_of(str(at)), str(id_)
    except ValueError:
        raise Invalid.field("after", "不是本列表给出的翻页标记。", "is not a cursor of this list.", "cursor") from None
