"""The query of `GET /findings` as one checked value, and as the ledger's filter."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from loop.kernel.calendar import Calendar, at_local
from loop.kernel.errors import Fault, Invalid
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Instant
from loop.kernel.workflow import Workflow
from loop.store.ledger_filter import LedgerFilter
from loop.store.lights import LIGHTS
from loop.store.paging import storable

EXAMPLE = "2026-03-02T09:00:00+08:00"
_LOST_PLUS = re.compile(r"(.+T.+) (\d{2}:\d{2})")


_MOMENT: TypeAdapter[date | datetime] = TypeAdapter(Day | Instant)


def _moment(value: object) -> date | datetime:
    """A day, or an instant with its offset; a `+` that nobody escaped arrives as a blank."""
    text = _LOST_PLUS.sub(r"\1+\2", value) if isinstance(value, str) else value
    try:
        return _MOMENT.validate_python(text)
    except ValidationError:
        raise ValueError(f"must be a day such as 2026-03-02 or an instant such as {EXAMPLE}") from None


def _storable(text: str) -> str:
    if not storable(text):
        raise ValueError("contains control characters")
    return text


Word = Annotated[str, AfterValidator(_storable), Field(max_length=100)]
Moment = Annotated[Any, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Words = Annotated[list[Word], Field(max_length=50)]


class LedgerQuery(BaseModel):
    """Filters, order and page. Lists may be repeated or joined by commas; a date means the beginning of that day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open: bool | None = None
    stage: Words = []
    state: Words = []
    dispute: Words = []
    level_min: Annotated[int, Field(ge=-1000, le=1000)] | None = None
    unit: Word | None = None
    region: Word | None = None
    office: Word | None = None
    supervision: Word | None = None
    category: Words = []
    severity: Words = []
    kind: Words = []
    light: Words = []
    overdue: bool | None = None
    suspended: bool | None = None
    due_before: Moment | None = None
    due_after: Moment | None = None
    opened_after: Moment | None = None
    opened_before: Moment | None = None
    changed_after: Moment | None = None
    mine: bool = False
    q: Word = ""
    sort: Word = "due_at"
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=1000)] | None = None
    count: bool = False

    def chosen(self, calendar: Calendar) -> LedgerFilter:
        """The filter, days read as the local beginning of the day."""
        values: dict[str, Any] = self.model_dump(exclude={"sort", "limit", "after", "count"})
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = tuple(value)
            elif isinstance(value, date) and not isinstance(value, datetime):
                values[name] = at_local(value, "00:00", calendar)
        return LedgerFilter(**values)


LISTS = frozenset(name for name, info in LedgerQuery.model_fields.items() if info.annotation is not None and list in (
    getattr(info.annotation, "__origin__", None), *(getattr(a, "__origin__", None) for a in get_args(info.annotation))
))  # fmt: skip


def check_words(workflow: Workflow, asked: LedgerQuery) -> None:
    """Raises Invalid for a stage, state or dispute that the workflow does not have, and for a light that is none."""
    known = {
        "stage": workflow.stages, "state": workflow.states, "dispute": workflow.dispute_states, "light": LIGHTS,
    }  # fmt: skip
    faults = [
        Fault(name, "unknown", Label(f"没有 {', '.join(strange)}。", f"there is no {', '.join(strange)}"))
        for name, words in known.items()
        if (strange := sorted(set(getattr(asked, name)) - set(words)))
    ]
    if faults:
        raise Invalid(faults)
