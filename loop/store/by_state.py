"""How many findings of a reader's reach are in each state: off the tally where their posts allow it, else counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import bindparam, func, select

from loop.kernel.people import DEPARTMENT, UNIT, Actor
from loop.store import reach
from loop.store.board import place_of
from loop.store.core import table_of
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import FindingRow
from loop.store.tallies import EVERYWHERE, STATE, told_above, told_to
from loop.store.tally import ShiftRow, TallyRow

_FINDING, _TALLY, _SHIFT = table_of(FindingRow), table_of(TallyRow), table_of(ShiftRow)
_ADDED = Prepared(
    select(_TALLY.c.part, _TALLY.c.n).where(
        _TALLY.c.place.in_(bindparam("places", expanding=True)), _TALLY.c.measure == STATE
    )
)
_WAITING = Prepared(select(_SHIFT.c.places, _SHIFT.c.part, _SHIFT.c.n).where(_SHIFT.c.measure == STATE))


def in_states(tx: Tx, actor: Actor) -> Mapping[str, int]:
    """By state how many findings `actor` sees; states without any are left out."""
    regions = reach.regions(actor)
    told = [told_to(id_) for id_ in reach.at_units(actor, UNIT)]
    told += [told_above(id_) for id_ in reach.at_units(actor, DEPARTMENT)]
    if not regions and not told:
        return {}
    if bool(regions) + len(told) > 1:  # what is seen on two grounds must not be counted twice
        return _counted(tx, actor)
    places = [place_of(path) for path in regions] or told
    found: Counter[str] = Counter()
    for part, n in tx.all(_ADDED, places=places):
        found[part] += n
    for where, part, n in tx.all(_WAITING):
        found[part] += n * len({EVERYWHERE, *where.split()}.intersection(places))
    return +found


def _counted(tx: Tx, actor: Actor) -> Mapping[str, int]:
    query = select(_FINDING.c.state, func.count()).where(reach.in_reach(actor)).group_by(_FINDING.c.state)
    return {state: int(n) for state, n in tx.select(query)}
