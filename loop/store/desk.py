"""Where somebody's work comes from: the offices and units at which they hold a role, today."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from loop.kernel.people import CHIEF, DIRECTOR, OFFICE_ROLES, SUPERIOR, UNIT_ROLES, Actor
from loop.store.core import table_of
from loop.store.registry import OfficeRow
from loop.store.session import Tx
from loop.store.sql import Prepared

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
