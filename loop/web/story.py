"""The history of a finding as a story: who did what, when, with which words, and who was told of it and has read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from json import loads
from typing import Any

from loop.documents.content import Field, fields_of
from loop.kernel.labels import Label
from loop.kernel.payloads import Nothing, Payload, hints_of
from loop.kernel.people import CAPACITIES, ROLES, SYSTEM
from loop.kernel.workflow import DISPUTE
from loop.store import names, told
from loop.store.session import Tx
from loop.store.sight import Step
from loop.store.told import Told
from loop.web.called import PERSON, Called, accounts_in, in_words
from loop.web.page import Visitor
from loop.web.times import Moment

QUIET = frozenset({"attachment", "sha256", "size", "type"})
"""What an upload records besides its name; the list of files shows it."""
NAMED_ELSEWHERE = frozenset({"unit", "supervision"})
"""Sorts of things that the page names in another place; a payload has only their ids."""


@dataclass(frozen=True, slots=True)
class Hearer:
    """Somebody who was told of a step, when they read it and signed for it."""

    name: str
    role: Label
    read: Moment | None
    signed: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One step of the story; `open` where its words are shown to this reader."""

    seq: int
    label: Label
    at: Moment | None
    by: str
    role: Label | None
    stands_in: str
    by_system: bool
    source: Label | None
    target: Label | None
    late: bool
    internal: bool
    open: bool
    fields: tuple[Field, ...]
    hash: str
    hearers: tuple[Hearer, ...]
    read_count: int
    alike: tuple[Chapter, ...] = ()
    """The same said before by the system, with nothing in between."""


def story(
    tx: Tx, visitor: Visitor, number: str, steps: Iterable[Step], *, full: bool, known: Called
) -> tuple[Chapter, ...]:  # fmt: skip
    """The steps as chapters, the latest first. Who was told is shown to whoever sees the whole, to others only themselves.
    `known` names the things of the finding that steps speak of by their ids.
    """
    shown = list(steps)
    heard: dict[int, list[Told]] = {}
    for one in told.told_of(tx, number):
        if full or one.message.person_id == visitor.actor.id:
            heard.setdefault(one.message.seq, []).append(one)
    ids = {one.message.person_id for many in heard.values() for one in many}
    called = names.of_people(
        tx, ids | {id_ for step in shown for id_ in (step.entry.actor_id, step.entry.for_id) if id_}
    )
    spoken_of = {account for step in shown for account in accounts_in(_values(step), _model(visitor, step))}
    known = {**known, PERSON: names.of_accounts(tx, spoken_of) if spoken_of else {}}
    chapters = (_chapter(visitor, step, heard.get(step.entry.seq, []), called, known) for step in reversed(shown))
    return tuple(_folded(chapters))


def _folded(chapters: Iterable[Chapter]) -> Iterator[Chapter]:
    """Reminders that follow each other as one chapter, so that what people did stands out."""
    for _, run in groupby(chapters, key=lambda one: one.label if one.by_system and one.target is None else one.seq):
        first, *rest = run
        yield replace(first, alike=tuple(rest))


def _chapter(
    visitor: Visitor, step: Step, heard: list[Told], called: Mapping[str, tuple[str, str]], known: Called
) -> Chapter:  # fmt: skip
    entry, flow = step.entry, visitor.service.book.workflow
    action = flow.actions.get(entry.action)
    hearers = tuple(_hearer(visitor, one, called) for one in heard)
    remarks: Mapping[str, Any] = step.effects.get("remarks") or {}
    moved = entry.from_state != entry.to_state
    return Chapter(
        seq=entry.seq, label=action.label if action else Label(entry.action, entry.action), at=visitor.times.past(entry.at),
        by=called.get(entry.actor_id, ("", entry.actor_name))[1],
        role=ROLES.get(entry.actor_role) or CAPACITIES.get(entry.actor_role),
        stands_in=called.get(entry.for_id or "", ("", ""))[1], by_system=entry.actor_role == SYSTEM,
        source=_state(visitor, entry.track, entry.from_state) if moved else None,
        target=_state(visitor, entry.track, entry.to_state) if moved else None, late=bool(remarks.get("late")),
        internal=bool(remarks.get("internal")), open=step.open,
        fields=_fields(visitor, step, known), hash=entry.hash, hearers=hearers,
        read_count=sum(one.read is not None for one in hearers),
    )  # fmt: skip


def _fields(visitor: Visitor, step: Step, known: Called) -> tuple[Field, ...]:
    """What was handed in, field by field, to whoever may see it."""
    model = _model(visitor, step)
    aside = {
        name for name, info in model.model_fields.items() if hints_of(info).get("choose") in NAMED_ELSEWHERE
    } | QUIET
    values = {name: value for name, value in _values(step).items() if name not in aside and value is not False}
    return tuple(fields_of(in_words(values, model, known), model, visitor.language))


def _values(step: Step) -> dict[str, Any]:
    """What was handed in, as far as the reader may see it."""
    values: dict[str, Any] = loads(step.entry.payload) if step.open else {}
    return values


def _model(visitor: Visitor, step: Step) -> type[Payload]:
    action = visitor.service.book.workflow.actions.get(step.entry.action)
    return action.payload if action else Nothing


def _state(visitor: Visitor, track: str, name: str) -> Label | None:
    flow = visitor.service.book.workflow
    if track == DISPUTE:
        return flow.dispute_states.get(name)
    return flow.states[name].label if name in flow.states else None


def _hearer(visitor: Visitor, one: Told, called: Mapping[str, tuple[str, str]]) -> Hearer:
    message = one.message
    role = ROLES.get(message.role) or CAPACITIES.get(message.role) or Label(message.role, message.role)
    return Hearer(
        called.get(message.person_id, ("", "—"))[1],
        role,
        visitor.times.past(message.read_at),
        visitor.times.past(message.signed_at),
    )
