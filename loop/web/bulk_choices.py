"""What can be done with several findings at once: by this reader, in their states, with one form for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from loop.engine.door import joins_units
from loop.kernel import decide
from loop.kernel.decide import Offer
from loop.kernel.facts import Facts
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.payloads import hints_of
from loop.kernel.workflow import Action
from loop.store import findings, reach
from loop.store.session import Tx
from loop.store.sight import sight_of
from loop.web import known
from loop.web.forms import Field, Form, Known
from loop.web.kinds import kind_of
from loop.web.page import Visitor
from loop.web.uploads import ATTACH

OWN = frozenset({"file", "paper", "act"})
"""What is chosen among things that belong to one finding alone."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An action that all of them allow, or only those with these `numbers`."""

    name: str
    label: Label
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What all allow, what only some do, what can be done for one unit at a time, and what must be done one by one."""

    whole: tuple[Choice, ...]
    partly: tuple[Choice, ...]
    by_unit: tuple[Label, ...]
    single: tuple[Label, ...]


def seen_of(tx: Tx, visitor: Visitor, numbers: Sequence[str]) -> tuple[Finding, ...]:
    """Those of these findings that there are and the visitor sees, in this order."""
    found = findings.load_many(tx, numbers, lock=False)
    return tuple(
        found[n] for n in dict.fromkeys(numbers) if n in found and reach.may_see(visitor.actor, found[n])
    )  # fmt: skip


def _may_hold(offer: Offer) -> bool:
    """Whether nothing holds it back but, perhaps, what only the preview finds out."""
    action = offer.action
    guards = (*action.guards, *((action.only,) if action.only else ()))
    return not offer.guard or any(one.code == offer.guard and one.needs for one in guards)


def choices(visitor: Visitor, chosen: Sequence[Finding]) -> Choices:
    """What can be done with them. Conditions that look at more than a finding itself are left to the preview."""
    book = visitor.service.book
    able: dict[str, list[Finding]] = {}
    for finding in chosen:
        for offer in decide.offers(book, finding, visitor.actor, Facts(), visitor.now):
            if _may_hold(offer):
                able.setdefault(offer.action.name, []).append(finding)
    whole: list[Choice] = []
    partly: list[Choice] = []
    by_unit: list[Label] = []
    single: list[Label] = []
    for action in (one for one in book.workflow.actions.values() if one.name in able):
        some = able[action.name]
        choice = Choice(action.name, action.label, tuple(finding.number for finding in some))
        if fits(visitor, action, some):
            (whole if len(some) == len(chosen) else partly).append(choice)
        elif len(some) > 1:
            (by_unit if joins_nothing(action, some) and shares(visitor, action, some[:1]) else single).append(
                action.label
            )
    return Choices(tuple(whole), tuple(partly), tuple(by_unit), tuple(single))


def fits(visitor: Visitor, action: Action, chosen: Sequence[Finding]) -> bool:
    """Whether one form and one paper can serve all of them."""
    return shares(visitor, action, chosen) and not joins_nothing(action, chosen)


def joins_nothing(action: Action, chosen: Sequence[Finding]) -> bool:
    """Whether they are about several units and a paper of this action goes to one alone."""
    return not joins_units(action) and len({finding.unit_id for finding in chosen}) > 1


def shares(visitor: Visitor, action: Action, chosen: Sequence[Finding]) -> bool:
    """Whether one form can serve all of them."""
    if action.creates or action.name == ATTACH or known.changes_what_is_recorded(action.payload):
        return False
    return not any(_own(action.payload)) and agreed(visitor, action.payload, chosen) is not None


def _own(model: type[BaseModel], *, inner: bool = False) -> Iterator[bool]:
    """Whether each field needs something that belongs to one finding alone."""
    for info in model.model_fields.values():
        yield hints_of(info).get("choose") in OWN and (inner or info.is_required())
        if rows := kind_of(info).model:
            yield from _own(rows, inner=True)


def agreed(visitor: Visitor, model: type[BaseModel], chosen: Sequence[Finding]) -> Mapping[str, Any] | None:
    """The recorded topics that the form's rows answer, where all findings have recorded the same; None where they differ."""
    topics = {
        topic for info in model.model_fields.values() for topic in str(hints_of(info).get("rows") or "").split()
    }  # fmt: skip
    if not topics:
        return {}
    if not all(sight_of(visitor.actor, finding).full for finding in chosen):
        return None
    sheet: dict[str, Any] = {}
    for topic in sorted(topics):
        part, _, name = topic.partition(".")
        held = [_recorded(finding, part, name) for finding in chosen]
        if any(one != held[0] for one in held):
            return None
        sheet.setdefault(part, {})[name] = held[0]
    return sheet


def _recorded(finding: Finding, part: str, name: str) -> Any:
    topic = finding.sheet.get(part)
    return topic.get(name) if isinstance(topic, Mapping) else None


def known_for_all(tx: Tx, visitor: Visitor, action: Action, chosen: Sequence[Finding]) -> Known:
    """What a form about all of them may offer."""
    mine = known.known_for(tx, visitor, chosen[0], action.payload)
    options = {sort: found for sort, found in mine.options.items() if sort not in OWN}
    return replace(mine, options=options, sheet=agreed(visitor, action.payload, chosen) or {})


def without_own(form: Form) -> Form:
    """The form without what could only be chosen for one finding."""
    return Form(tuple(one for one in form.fields if not _is_own(one)), form.wrong)


def _is_own(one: Field) -> bool:
    return one.chooses in OWN
