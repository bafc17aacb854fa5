"""How findings stand, in a few columns, for whoever looks again before pressing somebody about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, select

from loop.store.core import table_of
from loop.store.registry import OfficeRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import FindingRow

_FINDING, _OFFICE = table_of(FindingRow), table_of(OfficeRow)


class Standing(NamedTuple):
    """Where a finding stands and whose it is. `region` is the code of its office's region."""

    number: str
    state: str
    office_id: str
    region: str


_OF = Prepared(
    select(_FINDING.c.number, _FINDING.c.state, _FINDING.c.office_id, _OFFICE.c.region)
    .join_from(_FINDING, _OFFICE, _OFFICE.c.id == _FINDING.c.office_id)
    .where(_FINDING.c.number.in_(bindparam("numbers", expanding=True)))
)


def standings(tx: Tx, numbers: Iterable[str]) -> dict[str, Standing]:
    """The standing of each of these findings that exists, by number."""
    wanted = sorted(set(numbers))
    return {row[0]: Standing(*row) for row in (tx.all(_OF, numbers=wanted) if wanted else ())}
