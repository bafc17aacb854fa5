"""The findings on the board that press most, each two taps from an instruction 批示 where the reader may give one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loop.kernel.labels import Label
from loop.kernel.people import LEADER, capacities
from loop.kernel.workflow import COURSE
from loop.store.pressing import Pressing
from loop.web.ledger_rows import waits_for
from loop.web.page import Visitor
from loop.web.places import action_page, finding_page
from loop.web.times import Due

INSTRUCT = "instruct"


@dataclass(frozen=True, slots=True)
class Item:
    """A finding that presses, and for whom it waits; `instruct` is the form for a leader's instruction, empty where they may
    give none.
    """

    path: str
    number: str
    title: str
    unit: str
    state: Label
    level: int
    due: Due | None
    suspended: bool
    waits: Label
    instruct: str


def items(ids: Sequence[int], found: Mapping[int, Pressing], visitor: Visitor) -> tuple[Item, ...]:
    """These findings in this order."""
    return tuple(_item(found[id_], visitor) for id_ in ids if id_ in found)


def _item(one: Pressing, visitor: Visitor) -> Item:
    state = visitor.service.book.workflow.states.get(one.state)
    return Item(
        path=finding_page(one.number), number=one.number, title=one.title, unit=one.unit,
        state=state.label if state else Label(one.state, one.state), level=one.level,
        due=visitor.times.due(one.due_at), suspended=one.suspended, waits=waits_for(one.waits_for),
        instruct=action_page(one.number, INSTRUCT) if _may_instruct(one, visitor) else "",
    )  # fmt: skip


def _may_instruct(one: Pressing, visitor: Visitor) -> bool:
    """As the engine decides it: somebody who leads where the finding lies, in a state that takes instructions."""
    book = visitor.service.book
    action = book.workflow.actions.get(INSTRUCT)
    if action is None or not book.table.targets(COURSE, one.state, INSTRUCT):
        return False
    return any(
        held.name == LEADER and held.name in action.by and held.post.role == LEADER
        for held in capacities(visitor.actor, one.place)
    )
