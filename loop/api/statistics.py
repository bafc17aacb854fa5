"""Simple counts and rates over the findings in scope; each count says by which filters of the ledger it can be looked up.

Counted by finding. What was only to be commended is counted, but left out of the rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer
from loop.api.calls import looking
from loop.api.deps import query_of, service_of
from loop.api.describe import REFUSALS_OF_READING, parameters, said
from loop.api.shapes import LabelOut, Shape
from loop.api.views import both, instant
from loop.kernel.calendar import Calendar, at_local
from loop.kernel.finding import WITHDRAWN, is_open, is_written_off
from loop.kernel.labels import Label
from loop.kernel.vocabulary import CATEGORIES, KINDS, SEVERITIES
from loop.kernel.workflow import Workflow
from loop.ledger.query import Moment, Word, Words
from loop.store import figures
from loop.store.figures import Cell, InRegion, Punctuality
from loop.store.ledger_filter import LedgerFilter
from loop.store.session import Tx

router = APIRouter(tags=["statistics"])
LISTS = frozenset({"category", "kind", "severity"})
Filter = Mapping[str, Any]


class StatisticsQuery(BaseModel):
    """Which findings to count: opened within a span, in a region, of a unit, office or supervision, of which sort."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    opened_after: Moment | None = None
    opened_before: Moment | None = None
    region: Word | None = None
    unit: Word | None = None
    office: Word | None = None
    supervision: Word | None = None
    category: Words = []
    kind: Words = []
    severity: Words = []

    def chosen(self, calendar: Calendar) -> LedgerFilter:
        """The same as a filter of the ledger; a date means the beginning of that day."""
        values = {name: _value(value, calendar) for name, value in self.model_dump().items()}
        return LedgerFilter(**values)

    def given(self, calendar: Calendar) -> dict[str, Any]:
        """What was asked, as query parameters."""
        values = {name: _value(value, calendar) for name, value in self.model_dump().items() if value}
        return {
            n: v.isoformat() if isinstance(v, datetime) else list(v) if isinstance(v, tuple) else v
            for n, v in values.items()
        }


def _value(value: Any, calendar: Calendar) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return at_local(value, "00:00", calendar)
    return tuple(value) if isinstance(value, list) else value


class Figure(Shape):
    """A count. `filter` holds the query parameters with which `GET /findings` lists what was counted, where it can."""

    value: int
    filter: dict[str, Any] | None


class Rate(Shape):
    """`part` of `of`; null where there is nothing to be a part of."""

    part: int
    of: int
    rate: float | None = Field(ge=0, le=1)


class Share(Shape):
    """The findings that have one value in common. `filter` is null for those of a region that are in none below it."""

    key: str
    label: LabelOut
    found: int
    open: int
    overdue: int
    filter: dict[str, Any] | None


class Statistics(Shape):
    """Counts, rates and breakdowns as they stand at `as_of`."""

    as_of: str
    filter: dict[str, Any]
    counts: dict[str, Figure]
    rates: dict[str, Rate]
    by: dict[str, list[Share]]


@router.get(
    "/statistics", summary="Counts and rates of the findings in scope", openapi_extra=parameters(StatisticsQuery, LISTS),
    responses={**said(Statistics), **REFUSALS_OF_READING},
)  # fmt: skip
async def statistics(request: Request) -> Response:
    """Counts found, notified, open, overdue, written off, relapsed, withdrawn; rates of completion, punctuality, first
    pass and relapse; breakdowns by state, stage, severity, category, kind and region.
    """
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, StatisticsQuery, lists=LISTS)
        chosen = asked.chosen(service.calendar)
        cells = figures.cells(tx, caller.actor, chosen, now=caller.now)
        regions = figures.by_region(tx, caller.actor, chosen, now=caller.now)
        punctual = figures.punctuality(tx, caller.actor, chosen, now=caller.now)
        base = asked.given(service.calendar)
        return json_answer(
            {
                "as_of": instant(caller.now, service.calendar), "filter": base, "counts": counts(cells, base),
                "rates": rates(cells, punctual), "by": breakdowns(cells, regions, base, service.book.workflow),
            }
        )  # fmt: skip

    return await looking(request, work)


# ---- what the numbers mean -----------------------------------------------------------------------------------------


def counts(cells: Sequence[Cell], base: Filter) -> dict[str, Any]:
    """The counts, each with the filters that list what it counted."""
    return {
        "found": _figure(cells, base, lambda cell: cell.found),
        "notified": _figure(cells, None, lambda cell: cell.served),
        "open": _figure(cells, {**base, "open": True}, lambda cell: cell.found * is_open(cell.state)),
        "overdue": _figure(cells, {**base, "open": True, "overdue": True}, lambda cell: cell.overdue),
        "written_off": _figure(
            cells, {**base, "stage": ["lookback", "archived"]}, lambda cell: cell.found * is_written_off(cell.state)
        ),
        "relapsed": _figure(cells, None, lambda cell: cell.relapsed),
        "withdrawn": _figure(cells, {**base, "state": [WITHDRAWN]}, lambda cell: cell.found * (cell.state == WITHDRAWN)),
        "positive": _figure(cells, None, lambda cell: cell.found * cell.positive),
    }  # fmt: skip


def _figure(cells: Sequence[Cell], found_by: Filter | None, of: Callable[[Cell], int]) -> dict[str, Any]:
    return {"value": sum(of(cell) for cell in cells), "filter": found_by}


def rates(cells: Sequence[Cell], punctual: Punctuality) -> dict[str, Any]:
    """The rates: of completion, of punctuality by the first and by the last date set, of first pass, of relapse."""
    to_do = [cell for cell in cells if not cell.positive]
    off = sum(cell.found for cell in to_do if is_written_off(cell.state))
    told = sum(cell.served for cell in to_do if cell.state != WITHDRAWN)
    due = punctual.dated + sum(cell.late_running for cell in to_do)
    first = sum(cell.first_pass for cell in to_do if is_written_off(cell.state))
    relapsed = sum(cell.relapsed for cell in to_do)
    reopened = sum(cell.relapsed for cell in to_do if not is_written_off(cell.state))
    return {
        "completion": _rate(off, told),
        "on_time_original": _rate(punctual.by_first_date, due),
        "on_time_extended": _rate(punctual.by_last_date, due),
        "first_pass": _rate(first, off),
        "relapse": _rate(relapsed, off + reopened),
    }


def _rate(part: int, of: int) -> dict[str, Any]:
    return {"part": part, "of": of, "rate": round(min(part / of, 1.0), 4) if of else None}


def breakdowns(
    cells: Sequence[Cell], regions: Sequence[InRegion], base: Filter, flow: Workflow
) -> dict[str, list[dict[str, Any]]]:
    """The findings by what they have in common, in the order in which the workflow and the lists name it."""
    states = {name: state.label for name, state in flow.states.items()}
    return {
        "state": _shares(cells, states, lambda cell: cell.state, base, "state"),
        "stage": _shares(cells, flow.stages, lambda cell: cell.state.partition(".")[0], base, "stage"),
        "severity": _shares(cells, SEVERITIES, lambda cell: cell.severity, base, "severity"),
        "category": _shares(cells, CATEGORIES, lambda cell: cell.category, base, "category"),
        "kind": _shares(cells, KINDS, lambda cell: cell.kind, base, "kind"),
        "region": [_of_region(one, base) for one in regions],
    }


def _shares(
    cells: Sequence[Cell], labels: Mapping[str, Label], of: Callable[[Cell], str], base: Filter, name: str
) -> list[dict[str, Any]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(of(cell), []).append(cell)
    order = [key for key in labels if key in groups] + sorted(groups.keys() - labels.keys())
    return [
        {
            "key": key, "label": both(labels.get(key, Label(key, key))), "found": sum(c.found for c in groups[key]),
            "open": sum(c.found for c in groups[key] if is_open(c.state)), "overdue": sum(c.overdue for c in groups[key]),
            "filter": {**base, name: [key]},
        }
        for key in order
    ]  # fmt: skip


def _of_region(one: InRegion, base: Filter) -> dict[str, Any]:
    return {
        "key": one.code, "label": both(Label(one.name, one.name)), "found": one.found, "open": one.open,
        "overdue": one.overdue, "filter": {**base, "region": one.code} if one.below else None,
    }  # fmt: skip
