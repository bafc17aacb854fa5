"""Who and what lives in this database, as the model check wants to know it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import and_, select

from loop.kernel.model import Office, PeopleModel, Premises
from loop.kernel.people import DEPARTMENT, UNIT
from loop.store.core import table_of
from loop.store.registry import OfficeRow, PersonRow, PostRow
from loop.store.session import Tx
from loop.store.tables import FindingRow

_OFFICE, _POST, _PERSON, _FINDING = table_of(OfficeRow), table_of(PostRow), table_of(PersonRow), table_of(FindingRow)


def inhabited_states(tx: Tx, premises: Premises) -> Premises:
    """The premises with every state of both tracks in which a finding stands."""
    states = {row[0] for row in tx.select(select(_FINDING.c.state).distinct())}
    disputes = {row[0] for row in tx.select(select(_FINDING.c.dispute).distinct())}
    return replace(premises, inhabited=frozenset(states | disputes))


def people_model(tx: Tx) -> PeopleModel:
    """Every active office with the roles that active people hold at its region today.

    Units and departments are looked for when they are told; here they count as reached.
    """
    held: dict[str, set[str]] = {}
    seats = select(_POST.c.region, _POST.c.role).distinct().join_from(
        _POST, _PERSON, and_(_PERSON.c.id == _POST.c.person_id, _PERSON.c.active == 1)
    )  # fmt: skip
    for region, role in tx.select(seats.where(_POST.c.until_on == "9999-12-31")):
        held.setdefault(region or "", set()).add(role)
    rows = tx.select(
        select(_OFFICE.c.id, _OFFICE.c.name, _OFFICE.c.region, _OFFICE.c.superior_id).where(_OFFICE.c.active == 1)
    )
    beside = {UNIT, DEPARTMENT}
    return PeopleModel(
        tuple(
            Office(id_, name, frozenset(held.get(region, set()) | beside), above) for id_, name, region, above in rows
        )
    )
