"""The page of a finding: where it stands in the loop, what is asked of whom by when, its story, files, papers and actions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from json import loads
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import covers, regions_of
from loop.kernel.finding import Finding, is_open
from loop.kernel.labels import Label
from loop.kernel.vocabulary import ACTS, CATEGORIES, KINDS, SEVERITIES
from loop.kernel.workflow import COURSE, Action
from loop.store import evidence, mailbox, names, papers, sight
from loop.store.evidence import Attachment
from loop.store.filetypes import PICTURES
from loop.store.lights import light
from loop.store.names import Names
from loop.store.session import Tx
from loop.store.sight import Sight
from loop.web.called import Called
from loop.web.clock import Clock, clocks_of, owners_in_words
from loop.web.page import Crumb, Page, Visitor, service_of, show, visitor_of
from loop.web.places import action_page, attachment_file, attachment_page, page_of
from loop.web.ring import Ring, ring, stages_ahead, stages_walked
from loop.web.sent import sent_of
from loop.web.story import Chapter, story
from loop.web.times import Due, Moment

router = APIRouter()
LEDGER = Crumb(Label("问题台账", "Ledger"), "/findings")
MOST_STEPS = 1_000
ASIDE = frozenset({"comment", "attach"})
"""Actions that have a place of their own on the page."""


@dataclass(frozen=True, slots=True)
class Button:
    """An action: possible now, or held back by `reason`."""

    name: str
    label: Label
    path: str
    reason: Label | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A piece of evidence."""

    path: str
    source: str
    name: str
    size: int
    is_picture: bool
    by: str
    at: Moment | None


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A paper of the finding."""

    id: str
    path: str
    title: Label
    number: str
    at: Moment | None
    internal: bool


@dataclass(frozen=True, slots=True)
class DisputeView:
    """The dispute: where it stands, and what can be or was disputed."""

    state: Label
    is_open: bool
    acts: tuple[tuple[Label, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """Everything that the page of one finding shows to one reader."""

    number: str
    names: Names
    state: Label
    stage: Label
    severity: Label
    category: Label
    kind: Label
    light: str
    level: int
    round: int
    relapses: int
    suspended: bool
    danger: bool
    ended: bool
    waits_for: tuple[Label, ...]
    due: Due | None
    clock: Clock | None
    what: tuple[Label, ...]
    """What would answer the nearest clock."""
    opened: Moment | None
    description: str
    responsible: str
    supervision: str
    facts: tuple[str, ...]
    bases: tuple[str, ...]
    demands: tuple[str, ...]
    ring: Ring
    walked: tuple[Label, ...]
    first: tuple[Button, ...]
    others: tuple[Button, ...]
    held_back: tuple[Button, ...]
    may_comment: bool
    may_attach: bool
    clocks: tuple[Clock, ...]
    chapters: tuple[Chapter, ...]
    files: tuple[File, ...]
    papers: tuple[PaperLine, ...]
    dispute: DisputeView


@router.get("/findings/{number}")
async def read(request: Request, number: str) -> Response:
    """The finding, as far as the reader may see it."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        finding = sight.seen(tx, visitor.actor, number)
        view = _view(tx, visitor, finding)
        title = Label(finding.title, finding.title)
        lead = Label(f"{view.number} · {view.names.unit}", f"{view.number} · {view.names.unit}")
        return Page(template="finding.html", title=title, lead=lead, view=view, crumbs=(LEDGER,))

    return await show(request, build)


@router.post("/findings/{number}/seen")
async def note_seen(request: Request, number: str) -> Response:
    """Whoever opened the finding has read what they were told about it; the page's script says so."""
    sent = await sent_of(request)

    def work(tx: Tx) -> None:
        visitor = visitor_of(request, tx, sent)
        finding = sight.seen(tx, visitor.actor, number)
        mailbox.mark_seen(tx, finding.number, visitor.actor.id, visitor.now)

    await asyncio.wrap_future(service_of(request).store.submit(work))
    return Response(status_code=204)


def _view(tx: Tx, visitor: Visitor, finding: Finding) -> FindingView:
    flow, seen = visitor.service.book.workflow, sight.sight_of(visitor.actor, finding)
    steps = list(islice(sight.steps(tx, finding.number, seen), MOST_STEPS))
    shown = None if seen.full else frozenset(step.entry.seq for step in steps if step.open)
    clocks = clocks_of(tx, visitor, finding.number, seen)
    walked = stages_walked(flow, [s.entry.to_state for s in steps if s.entry.track == COURSE])
    sheet = sight.sheet_for(tx, finding, seen)
    held = [one for one in evidence.of_finding(tx, finding.number) if shown is None or one.seq in shown]
    lines = _papers(tx, visitor, finding, seen, shown)
    known = _known(visitor, held, lines, sheet)
    chapters = story(tx, visitor, finding.number, steps, full=seen.full, known=known)
    return FindingView(
        **_head(visitor, finding, clocks), **_words(sheet), **_buttons(tx, visitor, finding), names=names.of_finding(tx, finding),
        ring=ring(flow, walked, stages_ahead(flow, finding.state)), walked=tuple(flow.stages[name] for name in walked),
        clocks=clocks, chapters=chapters, files=_files(held, chapters), papers=lines,
        dispute=_dispute(visitor, finding, sheet),
    )  # fmt: skip


def _head(visitor: Visitor, finding: Finding, clocks: tuple[Clock, ...]) -> dict[str, Any]:
    flow, times = visitor.service.book.workflow, visitor.times
    open_ = is_open(finding.state)
    colour = light(
        is_open=open_, suspended_at=finding.suspended_at, due_at=finding.due_at, level=finding.level, now=visitor.now
    )
    due = times.due(finding.due_at)
    same = (one for one in clocks if one.running and one.rule == finding.due_rule)
    nearest = next((one for one in same if due and one.due == due), None)
    return {
        "number": finding.number, "state": flow.states[finding.state].label, "stage": flow.stages[finding.stage],
        "severity": SEVERITIES[finding.severity], "category": CATEGORIES[finding.category], "kind": KINDS[finding.kind],
        "light": colour, "level": finding.level, "round": finding.round, "relapses": finding.relapse_count,
        "suspended": finding.suspended, "danger": finding.danger_to_life, "ended": flow.states[finding.state].end,
        "waits_for": owners_in_words(finding.waits_for), "due": due, "clock": nearest, "what": _what(visitor, finding),
        "opened": times.past(finding.opened_at),
        "description": finding.description, "responsible": finding.responsible_person,
        "supervision": _supervision(visitor, finding),
    }  # fmt: skip


def _supervision(visitor: Visitor, finding: Finding) -> str:
    """Where the supervision is read to which the finding belongs, by whoever may."""
    may_read = covers(regions_of(visitor.actor), finding.place.office_region)
    return page_of(f"supervision:{finding.supervision_id}") if finding.supervision_id and may_read else ""


def _what(visitor: Visitor, finding: Finding) -> tuple[Label, ...]:
    """The actions that answer the nearest clock from here, whoever may take them; those that lead on first."""
    flow = visitor.service.book.workflow
    found = [
        one for one in flow.actions.values() if finding.due_rule in one.answers and flow.targets(one, finding.state)
    ]
    return tuple(one.label for one in sorted(found, key=lambda one: not _goes_on(visitor, finding, one)))


def _words(sheet: dict[str, Any]) -> dict[str, Any]:
    """What was found, what it rests on, and what is demanded."""
    opinion = sheet.get("opinion") or {}
    return {
        "facts": tuple(str(one["text"]) for one in sheet.get("facts") or ()),
        "bases": tuple(f"{one['title']} {one.get('article') or ''}".strip() for one in sheet.get("legal_basis") or ()),
        "demands": tuple(str(one["text"]) for one in opinion.get("demands") or ()),
    }


def _buttons(tx: Tx, visitor: Visitor, finding: Finding) -> dict[str, Any]:
    """What the reader may do now, what answers a running clock first; and what is held back, with its sentence."""
    offers = visitor.service.engine.offers(tx, visitor.actor, finding)
    running = {timer.rule for timer in finding.timers}
    free = [offer.action for offer in offers if not offer.guard]
    first = sorted(
        (one for one in free if running & set(one.answers)), key=lambda one: not _goes_on(visitor, finding, one)
    )
    others = [one for one in free if one not in first and one.name not in ASIDE]
    held = [(offer.action, offer.reason) for offer in offers if offer.guard and offer.action.name not in ASIDE]
    allowed = {one.name for one in free}
    return {
        "first": tuple(_button(finding, one, goes_on=_goes_on(visitor, finding, one)) for one in first),
        "others": tuple(_button(finding, one) for one in others),
        "held_back": tuple(_button(finding, one, reason) for one, reason in held),
        "may_comment": "comment" in allowed, "may_attach": "attach" in allowed,
    }  # fmt: skip


def _button(finding: Finding, action: Action, reason: Label | None = None, *, goes_on: bool = False) -> Button:
    return Button(action.name, action.label, action_page(finding.number, action.name), reason, goes_on)


def _goes_on(visitor: Visitor, finding: Finding, action: Action) -> bool:
    """Whether an action leads on round the loop, and not back to a state before this one."""
    order = list(visitor.service.book.workflow.states)
    targets = visitor.service.book.workflow.targets(action, finding.state)
    return any(order.index(name) >= order.index(finding.state) for name in targets)


def _known(
    visitor: Visitor, held: Iterable[Attachment], lines: Iterable[PaperLine], sheet: Mapping[str, Any]
) -> Called:  # fmt: skip
    """What the story calls the files, papers and acts of the finding that this reader may see."""
    language = visitor.language
    return {
        "file": {one.id: one.name for one in held},
        "paper": {line.id: f"{line.title.in_(language)} {line.number}".strip() for line in lines},
        "act": {
            one: _act(act["kind"]).in_(language) for act in sheet.get("acts") or () for one in (act["key"], act["kind"])
        },
    }


def _act(kind: str) -> Label:
    return ACTS.get(kind, Label(kind, kind))


def _files(held: Iterable[Attachment], chapters: Iterable[Chapter]) -> tuple[File, ...]:
    told = {one.seq: one for one in chapters}
    return tuple(
        File(
            attachment_page(one.id), attachment_file(one.id), one.name, one.size, one.type in PICTURES,
            told[one.seq].by if one.seq in told else "", told[one.seq].at if one.seq in told else None,
        )
        for one in held
    )  # fmt: skip


def _papers(
    tx: Tx, visitor: Visitor, finding: Finding, seen: Sight, shown: frozenset[int] | None
) -> tuple[PaperLine, ...]:
    held = papers.of_finding(tx, finding.number)
    lines = []
    for paper, seq in held:
        if shown is None or (seq in shown and not paper.internal):
            title = loads(paper.content)["title"]
            at = visitor.times.past(paper.issued_at)
            lines.append(
                PaperLine(
                    paper.id, f"/papers/{paper.id}", Label(title["zh"], title["en"]), paper.number, at, paper.internal
                )
            )
    return tuple(lines)


def _dispute(visitor: Visitor, finding: Finding, sheet: dict[str, Any]) -> DisputeView:
    states = visitor.service.book.workflow.dispute_states
    acts = tuple((_act(act["kind"]), bool(act.get("disputed"))) for act in sheet.get("acts") or ())
    quiet = (states["none"], states["final"])
    return DisputeView(states[finding.dispute], states[finding.dispute] not in quiet, acts)
