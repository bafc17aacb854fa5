"""The audit 审计: who changed what in the registry, whether every hash chain holds, and the chain of one finding. Read-only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import regions_of, require
from loop.engine.verify import Progress, Report, verify
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, AUDITOR, DIRECTOR, ROLES
from loop.store import journal, names, reach
from loop.store.chronicle import PEOPLE
from loop.store.journal import Entry
from loop.store.paging import cursor, key_of, storable
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.sight import seen
from loop.web.audit_runs import WHOLE, Result, Run, Runs, keep, kept, result_of
from loop.web.audit_words import Change, in_words, table_label
from loop.web.page import Crumb, Goto, Page, Visitor, admit, look, redirect, service_of, show
from loop.web.places import finding_page
from loop.web.sent import sent_of
from loop.web.telling import step_label
from loop.web.times import Moment

router = APIRouter()
AUDIT = "/audit"
TITLE = Label("审计", "Audit")
LEAD = Label(
    "每一步办理和每一次登记改动都留痕，不能抹去；这里可以核验。",
    "Every step and every change of the registry is on record for good; here it can be verified.",
)
VERIFIERS = (AUDITOR, ADMIN)
READERS = (AUDITOR, ADMIN, DIRECTOR)
SCOPE = "audit"
AT_A_TIME = 30
STEPS_AT_A_TIME = 200
LARGEST = 2**31 - 1
"""No chain is longer, whatever an address says."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verification found, in words."""

    ok: bool
    at: Moment | None
    by: str
    counts: tuple[tuple[Label, int], ...]
    fault: tuple[Label, str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """The last verification, the form for one finding, and the registry's latest changes."""

    may_verify: bool
    whole: bool
    running: int | None
    failed: bool
    checked: Checked | None
    sees_findings: bool
    sees_registry: bool
    changes: tuple[Change, ...]
    first: str
    following: str


@dataclass(frozen=True, slots=True)
class StepLine:
    """One entry of a chain with its hash."""

    seq: int
    what: Label
    who: str
    role: Label
    at: Moment | None
    to_state: Label | None
    hash: str


@dataclass(frozen=True, slots=True)
class ChainView:
    """The history of one finding with its hashes, and whether it holds."""

    number: str
    path: str
    steps: tuple[StepLine, ...]
    checked: Checked | None
    first: str
    following: str


# ---- the front page ------------------------------------------------------------------------------------------------


@router.get(AUDIT)
async def front(request: Request) -> Response:
    """The last verification and what was changed lately."""
    after, runs = request.query_params.get("after") or "", _runs(request)

    def build(tx: Tx, visitor: Visitor) -> Page:
        require(visitor.actor, *READERS)
        verifies = visitor.holds(*VERIFIERS)
        run = runs.of(_scope(visitor)) if verifies else None
        changes, following = _changes(tx, visitor, after) if verifies else ((), "")
        view = AuditView(
            may_verify=verifies, whole=_sees_all(visitor), running=run.percent if run and not run.ended else None,
            failed=bool(run and run.ended and run.result is None), checked=_last(tx, visitor, run) if verifies else None,
            sees_findings=visitor.holds(*SEES_REGION), sees_registry=verifies, changes=changes,
            first=AUDIT if after else "", following=following,
        )  # fmt: skip
        return Page(template="audit.html", title=TITLE, lead=LEAD, view=view)

    return await show(request, build)


def _changes(tx: Tx, visitor: Visitor, after: str) -> tuple[tuple[Change, ...], str]:
    """The registry's changes in the reader's regions, the latest first, and where to go on."""
    before = min(int(key_of(SCOPE, after, int)[0]), LARGEST) if after else LARGEST
    entries = journal.latest(tx, PEOPLE, before, AT_A_TIME + 1)
    page = entries[:AT_A_TIME]
    following = f"{AUDIT}?{urlencode({'after': cursor(SCOPE, (page[-1].seq,))})}" if len(entries) > AT_A_TIME else ""
    return in_words(tx, visitor, page, () if _sees_all(visitor) else regions_of(visitor.actor, *VERIFIERS)), following


def _last(tx: Tx, visitor: Visitor, run: Run | None) -> Checked | None:
    result = run.result if run and run.result else kept(tx) if _sees_all(visitor) else None
    return _checked(result, visitor) if result else None


# ---- verifying -----------------------------------------------------------------------------------------------------


@router.post(f"{AUDIT}/verify")
async def verify_all(request: Request) -> Response:
    """Start to verify everything, or all findings in one's reach; the page shows how far it is."""
    sent, service, runs = await sent_of(request), service_of(request), _runs(request)
    visitor = await admit(request, sent)
    require(visitor.actor, *VERIFIERS)
    whole, by, now = _sees_all(visitor), visitor.actor.full_name, service.access.real()

    def work(progress: Progress) -> Report:
        if not whole:
            numbers = service.store.read(lambda tx: reach.numbers(tx, visitor.actor))
            return verify(service.store, None, numbers, progress, book=service.book)
        report = verify(service.store, service.evidence, None, progress, book=service.book)
        service.store.write(lambda tx: keep(tx, result_of(report, now, by)))
        return report

    runs.begin(_scope(visitor), by, now, work)
    return redirect(Goto(AUDIT))


def _runs(request: Request) -> Runs:
    state = request.app.state
    if not hasattr(state, "audit_runs"):
        state.audit_runs = Runs()
    runs: Runs = state.audit_runs
    return runs


def _sees_all(visitor: Visitor) -> bool:
    """Whether the reader oversees the whole country."""
    return any(len(path) == 1 for path in regions_of(visitor.actor, *VERIFIERS))


def _scope(visitor: Visitor) -> str:
    return WHOLE if _sees_all(visitor) else visitor.actor.id


def _checked(result: Result, visitor: Visitor) -> Checked:
    fault = result.fault
    return Checked(
        fault is None, visitor.times.past(result.at), result.by,
        tuple((table_label(name), number) for name, number in sorted(result.checked.items()) if number),
        (table_label(fault[0]), fault[1], fault[2]) if fault else None,
    )  # fmt: skip


# ---- the chain of one finding --------------------------------------------------------------------------------------


@router.get(f"{AUDIT}/findings")
async def find(request: Request) -> Response:
    """On to the finding whose number was typed."""
    number = request.query_params.get("number", "").strip()[:100]
    return redirect(Goto(f"{AUDIT}{finding_page(number)}" if number else AUDIT))


@router.get(f"{AUDIT}/findings/{{number}}")
async def chain(request: Request, number: str) -> Response:
    """Every step with its hash; auditors and administrators see at once whether the chain holds."""
    service, after = service_of(request), request.query_params.get("after") or ""

    def admitted(tx: Tx, visitor: Visitor) -> bool:
        require(visitor.actor, *READERS)
        if not storable(number):
            raise NotFound
        seen(tx, visitor.actor, number)
        return visitor.holds(*VERIFIERS)

    verifies = await look(request, admitted)
    report = await asyncio.to_thread(verify, service.store, None, [number]) if verifies else None

    def build(tx: Tx, visitor: Visitor) -> Page:
        seen(tx, visitor.actor, number)
        start = min(int(key_of(f"{SCOPE}:{number}", after, int)[0]), LARGEST) if after else 0
        found = journal.trail(tx, number, start, STEPS_AT_A_TIME + 1)
        page = found[:STEPS_AT_A_TIME]
        here = f"{AUDIT}{finding_page(number)}"
        onward = cursor(f"{SCOPE}:{number}", (page[-1].seq,)) if len(found) > STEPS_AT_A_TIME else ""
        result = result_of(report, service.access.real(), "") if report else None
        view = ChainView(
            number, finding_page(number), _steps(tx, visitor, page), _checked(result, visitor) if result else None,
            here if after else "", f"{here}?{urlencode({'after': onward})}" if onward else "",
        )  # fmt: skip
        title = Label(f"留痕：{number}", f"On record: {number}")
        return Page(template="audit_chain.html", title=title, crumbs=(Crumb(TITLE, AUDIT),), view=view)

    return await show(request, build)


def _steps(tx: Tx, visitor: Visitor, entries: list[Entry]) -> tuple[StepLine, ...]:
    called = names.of_people(tx, (entry.actor_id for entry in entries))
    flow = visitor.service.book.workflow
    return tuple(
        StepLine(
            one.seq, step_label(one.action, flow), called.get(one.actor_id, ("", ""))[1],
            ROLES.get(one.actor_role, Label(one.actor_role, one.actor_role)), visitor.times.past(one.at),
            flow.states[one.to_state].label if one.to_state in flow.states and one.to_state != one.from_state else None,
            one.hash,
        )
        for one in entries
    )  # fmt: skip
