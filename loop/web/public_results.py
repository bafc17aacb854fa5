"""Results that offices published: anybody reads them, the newest first, until they are taken down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.workflow import Workflow
from loop.service import Service
from loop.store import names, public
from loop.store.instants import instant_of, text_of
from loop.store.paging import cursor, key_of, storable
from loop.store.public import Shown
from loop.store.session import Tx
from loop.web.guest import Guest, greet_reading
from loop.web.page import Crumb, Page, service_of
from loop.web.times import Moment, Times

router = APIRouter()
RESULTS = "/results"
TITLE = Label("公开结果", "Published results")
LEAD = Label("教育督导机构依法公开的督导意见、通报和公示。", "What education supervision offices have made public.")
SCOPE = "results"
AT_A_TIME = 20
PREVIEW = 160
"""Characters of a text that the list shows."""
PRAISED = Label(
    "拟对{unit}予以激励，公示期 {first} 至 {last}。有异议的，可在公示期内反映。",
    "{unit} is to be commended; public notice from {first} to {last}. Whoever objects may say so in that time.",
)
SOMEBODY = Label("有关单位", "A unit")


@dataclass(frozen=True, slots=True)
class Result:
    """A published paper: what it is, whose, its text; `cut` where the list shows only its beginning."""

    path: str
    title: Label
    office: str
    number: str
    day: Moment
    text: Label
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ResultsView:
    """One page of them."""

    items: tuple[Result, ...]
    first: str
    following: str


@router.get(RESULTS)
async def results(request: Request) -> Response:
    """The newest first."""
    service, after = service_of(request), request.query_params.get("after") or ""

    def build(tx: Tx, guest: Guest) -> Page:
        start = None
        if after:
            at, id_ = key_of(SCOPE, after, str, str)
            start = (instant_of(str(at)), str(id_))
        found, following = public.page(tx, limit=AT_A_TIME, after=start)
        called = names.of_offices(tx, (one.office_id for one in found))
        times, flow = _times(tx, service), service.book.workflow
        items = tuple(_result(one, called, times, flow, PREVIEW) for one in found)
        onward = (
            f"{RESULTS}?{urlencode({'after': cursor(SCOPE, (text_of(following[0]), following[1]))})}"
            if following
            else ""
        )
        return Page(
            template="public_results.html", title=TITLE, lead=LEAD, view=ResultsView(items, RESULTS if after else "", onward)
        )  # fmt: skip

    return await greet_reading(request, build)


@router.get(f"{RESULTS}/{{id}}")
async def result(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """One of them, whole."""
    service = service_of(request)

    def build(tx: Tx, guest: Guest) -> Page:
        found = public.one(tx, id) if storable(id) else None
        if found is None:
            raise NotFound
        called = names.of_offices(tx, [found.office_id])
        shown = _result(found, called, _times(tx, service), service.book.workflow)
        return Page(template="public_result.html", title=shown.title, crumbs=(Crumb(TITLE, RESULTS),), view=shown)

    return await greet_reading(request, build)


def _times(tx: Tx, service: Service) -> Times:
    return Times(service.calendar, service.engine.clock.now(tx))


def _result(shown: Shown, offices: Mapping[str, str], times: Times, flow: Workflow, longest: int = 0) -> Result:
    text = _text(shown)
    cut = bool(longest) and len(text.zh) > longest
    day = times.day(shown.issued_at.astimezone(times.calendar.zone).date())
    return Result(
        f"{RESULTS}/{quote(shown.id, safe='')}", _title(shown.what, flow), offices.get(shown.office_id, ""), shown.number, day,
        Label(text.zh[:longest], text.en[:longest]) if cut else text, cut,
    )  # fmt: skip


def _text(shown: Shown) -> Label:
    if shown.from_on is None or shown.until_on is None:
        return Label(shown.text, shown.text)
    unit = Label(shown.unit, shown.unit) if shown.unit else SOMEBODY
    span = {"first": shown.from_on.isoformat(), "last": shown.until_on.isoformat()}
    return Label(PRAISED.zh.format(unit=unit.zh, **span), PRAISED.en.format(unit=unit.en, **span))


def _title(kind: str, flow: Workflow) -> Label:
    """What a kind of paper is called."""
    papers = (paper for action in flow.actions.values() for paper in action.papers)
    return next((paper.label for paper in papers if paper.kind == kind), Label("公告", "publication")).as_heading()
