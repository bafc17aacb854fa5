"""One action on several findings 批量办理: choose it, fill in one form, see what will happen, confirm. For all or for none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import loads
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from loop.engine.door import MOST_IN_A_BATCH, Aim, BatchRefused
from loop.engine.record import Outcome, hearing
from loop.kernel.decide import action_named, admitted
from loop.kernel.errors import Forbidden, Invalid, LoopError, NotFound
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.people import CAPACITIES, ROLES
from loop.kernel.workflow import Action
from loop.store import ledger, names
from loop.store.paging import storable
from loop.store.session import Tx
from loop.web.acting import FIND, LEDGER, MORE, STAY, payload_of
from loop.web.bulk_choices import choices, fits, known_for_all, seen_of, without_own
from loop.web.filled import Filled
from loop.web.forms import Form, FormMaker
from loop.web.ledger import with_unit
from loop.web.ledger_asked import asked_of
from loop.web.notices import ACTED
from loop.web.once import MARK
from loop.web.page import Crumb, Goto, Page, Visitor, change, service_of, show
from loop.web.places import finding_page
from loop.web.sent import CSRF, Sent, sent_of
from loop.web.times import Due

router = APIRouter()
PLACE = "/findings/bulk"
TITLE = Label("批量办理", "Act on several findings")
LEAD = Label("同一事项一次办理多个问题：全部办成，或全部不办。", "One action on all of them: for all, or for none.")
FINDING, BACK, ALL = "finding", "back", "all"
MOST_AT_ONCE = 200
"""So many of what the ledger answers are taken together."""
CHOSEN, STEP, VERSION = "_finding", "_step", "_version:"
PREVIEW, CONFIRM, EDIT = "preview", "confirm", "edit"
NOBODY_CHOSEN = Label("请至少保留一个问题。", "Keep at least one finding.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One of the findings: where it stands, and why it refuses, if it does. `kept` is False where it was left out."""

    number: str
    path: str
    title: str
    unit: str
    state: Label
    due: Due | None
    version: int
    kept: bool = True
    refusal: Label | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """An action to choose, where that leads, and how many of the findings it is for."""

    label: Label
    path: str
    count: int


@dataclass(frozen=True, slots=True)
class ChoosingView:
    """The first step: what can be done with all of the chosen findings, or with those of them that allow it."""

    targets: tuple[Target, ...]
    whole: tuple[Step, ...]
    partly: tuple[Step, ...]
    by_unit: tuple[Label, ...]
    single: tuple[Label, ...]
    back: str
    missing: int
    there_are_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FillingView:
    """The second step: the form of the action."""

    name: str
    path: str
    targets: tuple[Target, ...]
    form: Form
    refusal: Label | None
    papers: tuple[Label, ...]
    back: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What will become of one finding."""

    target: Target
    after: Label
    level: int
    due: Due | None


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who will be told, and as whom."""

    name: str
    role: Label
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """The third step: what will happen, and everything that was typed, to be sent again."""

    name: str
    path: str
    effects: tuple[Effect, ...]
    papers: tuple[Label, ...]
    told: tuple[Told, ...]
    messages: int
    people: int
    hidden: tuple[tuple[str, str], ...]


# ---- choosing --------------------------------------------------------------------------------------------------------


@router.get(PLACE)
async def choose(request: Request) -> Response:
    """The chosen findings, or all that the ledger answers, and what can be done with all of them."""
    ticked, back = _numbers(request.query_params.getlist(FINDING)), _back(request, request.query_params.get(BACK, ""))
    wants_all = ALL in request.query_params

    def build(tx: Tx, visitor: Visitor) -> Page:
        numbers, there_are_more = _matching(tx, visitor, back) if wants_all else (ticked, False)
        found = seen_of(tx, visitor, numbers)
        able = choices(visitor, found)
        view = ChoosingView(
            _targets(tx, visitor, found),
            tuple(Step(c.label, f"{PLACE}/{c.name}?{_query(c.numbers, back)}", len(c.numbers)) for c in able.whole),
            tuple(Step(c.label, f"{PLACE}?{_query(c.numbers, back)}", len(c.numbers)) for c in able.partly),
            able.by_unit, able.single, _ledger(back), len(numbers) - len(found), there_are_more,
        )  # fmt: skip
        return Page(template="bulk.html", title=TITLE, lead=LEAD, view=view, crumbs=(LEDGER,))

    return await show(request, build)


@router.get(f"{PLACE}/{{action}}")
async def ask(request: Request, action: str) -> Response:
    """The form, fresh."""
    numbers, back = _numbers(request.query_params.getlist(FINDING)), _back(request, request.query_params.get(BACK, ""))

    def build(tx: Tx, visitor: Visitor) -> Page:
        named, found = _admitted(tx, visitor, action, numbers)
        form = FormMaker(known_for_all(tx, visitor, named, found)).form(named.payload, None)
        return _filling(tx, visitor, named, found, form, back)

    return await show(request, build)


def _admitted(tx: Tx, visitor: Visitor, action: str, numbers: Sequence[str]) -> tuple[Action, tuple[Finding, ...]]:
    """The action and the findings; raises NotFound, or Forbidden for an action that is not the visitor's to take or cannot be
    taken on several.
    """
    named, found = action_named(visitor.service.book, action), seen_of(tx, visitor, numbers)
    if not found:
        raise NotFound
    for finding in found:
        admitted(named, visitor.actor, finding)
    if not fits(visitor, named, found):
        raise Forbidden(Label("此事须逐项办理。", "This is done one finding at a time."))
    return named, found


# ---- doing -----------------------------------------------------------------------------------------------------------


@router.post(f"{PLACE}/{{action}}")
async def act(request: Request, action: str) -> Response:
    """Preview, then confirm; or go back to what was typed."""
    sent = await sent_of(request)
    kept, step = _numbers(sent.all(CHOSEN)), sent.get(STEP)
    back = _back(request, sent.get(BACK))

    def typed(tx: Tx, visitor: Visitor, error: LoopError | None = None) -> Page:
        return _typed(tx, visitor, action, sent, back, error)

    if sent.has(MORE) or step not in (PREVIEW, CONFIRM):
        return await change(request, sent, typed)

    def work(tx: Tx, visitor: Visitor) -> Goto | Page:
        named = action_named(visitor.service.book, action)
        if not kept:
            raise Invalid.field(FINDING, NOBODY_CHOSEN.zh, NOBODY_CHOSEN.en, "missing")
        _, before = _admitted(tx, visitor, action, kept)
        if step == PREVIEW:
            return visitor.service.engine.act_all_in(
                tx, visitor.actor, action, _aims(sent, kept), payload_of(tx, visitor, named.payload, sent),
                lambda tx, done: _preview(tx, visitor, named, before, done, sent), preview=True,
            )  # fmt: skip
        return visitor.service.engine.act_all_in(
            tx, visitor.actor, action, _aims(sent, kept), payload_of(tx, visitor, named.payload, sent),
            lambda tx, done: Goto(_ledger(back), f"{ACTED}{action}"),
        )  # fmt: skip

    return await change(request, sent, work, typed)


def _aims(sent: Sent, numbers: Sequence[str]) -> list[Aim]:
    return [Aim(number, _version(sent.get(f"{VERSION}{number}"))) for number in numbers]


def _version(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


# ---- pages -----------------------------------------------------------------------------------------------------------


def _typed(tx: Tx, visitor: Visitor, action: str, sent: Sent, back: str, error: LoopError | None) -> Page:
    """The form once more, with what was typed and each finding's own refusal beside it."""
    numbers = _numbers([name.removeprefix(VERSION) for name in sent.names() if name.startswith(VERSION)])
    named, found = _admitted(tx, visitor, action, numbers)
    kept = set(_numbers(sent.all(CHOSEN)))
    faults = [fault for fault in error.faults if fault.field != FINDING] if isinstance(error, Invalid) else []
    maker = FormMaker(known_for_all(tx, visitor, named, found), faults)
    values = Filled(sent, visitor.service.calendar.zone).values(named.payload)
    form = maker.form(named.payload, values, more=sent.get(MORE))
    refusals = _refusals(error)
    left = kept - set(refusals)
    said = None if error is None else FIND if faults else _said(error, len(refusals), none_left=not left)
    # Where nobody was told yet that a finding moved on, the form still is for what it was.
    stated = {aim.number: aim.expected for aim in _aims(sent, numbers) if aim.expected and aim.number not in refusals}
    return _filling(
        tx,
        visitor,
        named,
        found,
        form,
        back,
        kept=left or kept,  # where all refuse it is mostly one word of the form that is wrong
        refusals=refusals,
        refusal=said,
        versions=stated,
    )


def _refusals(error: LoopError | None) -> dict[str, Label]:
    if not isinstance(error, BatchRefused):
        return {}
    return {str(one["number"]): one["label"] for one in _failures(error)}


def _failures(error: BatchRefused) -> Sequence[Mapping[str, Any]]:
    found = error.facts["failures"]
    return found if isinstance(found, list) else ()


def _said(error: LoopError, failing: int, *, none_left: bool) -> Label:
    if failing and none_left:
        return Label(
            "所选问题都不符合条件，均未办理；原因见下表。您填写的内容已保留。",
            "All of them refuse, so nothing was done; the reasons stand below. What you typed is kept.",
        )
    if failing:
        return Label(
            f"有 {failing} 个问题不符合条件，全部未办理；原因见下表，已取消勾选。您填写的内容已保留。",
            f"{failing} of them refuse, so nothing was done. The reasons stand below; they are no longer ticked. "
            "What you typed is kept.",
        )
    if isinstance(error, Invalid):
        return error.faults[0].label
    return Label(f"{error.label.zh}{STAY.zh}", f"{error.label.en} {STAY.en}")


def _filling(
    tx: Tx, visitor: Visitor, action: Action, found: Sequence[Finding], form: Form, back: str, *,
    kept: set[str] | None = None, refusals: Mapping[str, Label] | None = None, refusal: Label | None = None,
    versions: Mapping[str, int] | None = None,
) -> Page:  # fmt: skip
    view = FillingView(
        name=action.name, path=f"{PLACE}/{action.name}", targets=_targets(tx, visitor, found, kept, refusals, versions),
        form=without_own(form), refusal=refusal,
        papers=tuple(paper.label for paper in action.papers), back=back,
    )  # fmt: skip
    several = Crumb(TITLE, f"{PLACE}?{_query([f.number for f in found], back)}")
    return Page(
        template="bulk_form.html", title=action.label.as_heading(), lead=LEAD, view=view, crumbs=(LEDGER, several)
    )


def _preview(
    tx: Tx, visitor: Visitor, action: Action, before: Sequence[Finding], done: Sequence[Outcome], sent: Sent
) -> Page:
    targets = {one.number: one for one in _targets(tx, visitor, before)}
    states, hears = visitor.service.book.workflow.states, hearing(done)
    papers = {paper.id: loads(paper.content)["title"] for outcome in done for paper in outcome.documents}
    view = PreviewView(
        name=action.name, path=f"{PLACE}/{action.name}",
        effects=tuple(
            Effect(targets[f.number], states[f.state].label, f.level, visitor.times.due(f.due_at))
            for f in (outcome.finding for outcome in done)
        ),
        papers=tuple(Label(title["zh"], title["en"]) for title in papers.values()),
        told=_told(tx, done, hears), messages=len(hears), people=len(set(hears)),
        hidden=tuple(pair for pair in sent.pairs if pair[0] not in (CSRF, STEP, MARK)),
    )  # fmt: skip
    title = Label(f"预览：{action.label.zh}", f"Preview: {action.label.en}")
    return Page(template="bulk_preview.html", title=title, view=view, crumbs=(LEDGER,))


def _told(tx: Tx, done: Sequence[Outcome], hears: Sequence[str]) -> tuple[Told, ...]:
    called, messages = names.of_people(tx, hears), Counter(hears)
    roles = {reach.person_id: reach.role for outcome in done for reach in outcome.told}
    return tuple(
        Told(called[id_][1], ROLES.get(roles[id_]) or CAPACITIES.get(roles[id_]) or Label("", ""), n)
        for id_, n in messages.items()
        if id_ in called
    )


def _targets(
    tx: Tx, visitor: Visitor, found: Sequence[Finding], kept: set[str] | None = None,
    refusals: Mapping[str, Label] | None = None, versions: Mapping[str, int] | None = None,
) -> tuple[Target, ...]:  # fmt: skip
    units, states = names.of_units(tx, [f.unit_id for f in found]), visitor.service.book.workflow.states
    return tuple(
        Target(
            number=f.number, path=finding_page(f.number), title=f.title, unit=units.get(f.unit_id, ""),
            state=states[f.state].label, due=visitor.times.due(f.due_at), version=(versions or {}).get(f.number, f.version),
            kept=kept is None or f.number in kept, refusal=(refusals or {}).get(f.number),
        )
        for f in found
    )  # fmt: skip


# ---- addresses -------------------------------------------------------------------------------------------------------


def _numbers(values: Sequence[str]) -> list[str]:
    """The numbers of findings among these, each once; not more than a batch takes."""
    return [value for value in dict.fromkeys(values) if value and len(value) <= 64 and storable(value)][
        :MOST_IN_A_BATCH
    ]


def _matching(tx: Tx, visitor: Visitor, back: str) -> tuple[list[str], bool]:
    """The first findings that the question answers, and whether there are more of them."""
    asked, _ = with_unit(tx, visitor, asked_of(QueryParams(back), visitor.service.book.workflow))
    if asked.wrong:
        return [], False
    query = asked.query
    chosen = query.chosen(visitor.service.calendar)
    rows = ledger.page(tx, visitor.actor, chosen, now=visitor.now, sort=query.sort, limit=MOST_AT_ONCE)
    return [row.number for row in rows.items], rows.next is not None


def _back(request: Request, query: str) -> str:
    """The question to the ledger from which the reader came."""
    return asked_of(QueryParams(query[:4_000]), service_of(request).book.workflow).text


def _ledger(back: str) -> str:
    return f"/findings?{back}" if back else "/findings"


def _query(numbers: Sequence[str], back: str) -> str:
    return urlencode([*((FINDING, number) for number in numbers), *([(BACK, back)] if back else [])])
