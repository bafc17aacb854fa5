"""Saved views: questions to the ledger that a person keeps under names of their own. Nobody else sees them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from loop.kernel.errors import Conflict, Invalid, NotFound
from loop.kernel.labels import Label
from loop.store.core import table_of
from loop.store.paging import storable
from loop.store.places import new_id
from loop.store.registry import SavedViewRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.texts import line

MOST = 30
"""A person keeps no more."""
LONGEST_NAME, LONGEST_QUERY = 40, 2_000

_VIEW = table_of(SavedViewRow)
_OF_PERSON = Prepared(
    select(_VIEW.c.id, _VIEW.c.name, _VIEW.c.query)
    .where(_VIEW.c.person_id == bindparam("person_id"))
    .order_by(_VIEW.c.id)
)
_KEEP = Prepared(upsert(_VIEW, ["person_id", "name"], sets=["query"]))
_RENAME = Prepared(
    update(_VIEW).where(_VIEW.c.id == bindparam("key"), _VIEW.c.person_id == bindparam("owner")), columns=["name"]
)
_FORGET = Prepared(delete(_VIEW).where(_VIEW.c.id == bindparam("key"), _VIEW.c.person_id == bindparam("owner")))


@dataclass(frozen=True, slots=True)
class SavedView:
    """A name and the query of the ledger that it stands for, as it stands in an address."""

    id: str
    name: str
    query: str


def of_person(tx: Tx, person_id: str) -> tuple[SavedView, ...]:
    """The views of a person, in the order in which they were first kept."""
    return tuple(SavedView(*row) for row in tx.all(_OF_PERSON, person_id=person_id))


def keep(tx: Tx, person_id: str, name: str, query: str) -> None:
    """Keep `query` under `name`; one of that name is replaced. Raises Invalid, or Conflict for one view too many."""
    kept = line("name", name, LONGEST_NAME)
    if len(query) > LONGEST_QUERY:
        raise Invalid.field("name", "筛选条件太多，无法保存。", "the filter is too long to be kept.", "too_long")
    known = of_person(tx, person_id)
    if len(known) >= MOST and kept not in {view.name for view in known}:
        raise Conflict(
            Label(
                f"最多保存 {MOST} 个视图；请先删除不用的。",
                f"{MOST} views is the most; delete one that you no longer need.",
            )
        )
    tx.run(_KEEP, id=new_id(), person_id=person_id, name=kept, query=query)


def rename(tx: Tx, person_id: str, id_: str, name: str) -> None:
    """Give a view another name; raises NotFound for somebody else's, Invalid for a name that is taken or is none."""
    kept = line("name", name, LONGEST_NAME)
    if any(view.name == kept and view.id != id_ for view in of_person(tx, person_id)):
        raise Invalid.field("name", "已有同名视图。", "is the name of another view.", "taken")
    if not storable(id_) or not tx.run(_RENAME, key=id_, owner=person_id, name=kept):
        raise NotFound


def forget(tx: Tx, person_id: str, id_: str) -> None:
    """Delete a view; raises NotFound for somebody else's."""
    if not storable(id_) or not tx.run(_FORGET, key=id_, owner=person_id):
        raise NotFound
