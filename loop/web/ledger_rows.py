"""The lines of the ledger as a page shows them, and the columns that a reader may choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.kernel.people import CAPACITIES, ROLES
from loop.kernel.vocabulary import CATEGORIES, KINDS, SEVERITIES
from loop.store.ledger import LedgerRow
from loop.web.ledger_asked import PLACE, USUAL_SORT, Asked
from loop.web.page import Visitor
from loop.web.places import finding_page
from loop.web.times import Due, Moment

NONE = Label("", "")
AND = Label("、", ", ")
DANGER, LONG_TERM, POSITIVE = (
    Label("危及生命", "danger to life"),
    Label("长期", "long-term"),
    Label("正面", "commendable"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that may be shown; `sort` is its order in the ledger, where there is one."""

    label: Label
    sort: str = ""
    usual: bool = True


COLUMNS: Mapping[str, Column] = {
    "light": Column(Label("亮灯", "Light")),
    "finding": Column(Label("编号与问题", "Number and title"), "number"),
    "unit": Column(Label("被督导单位", "Unit")),
    "state": Column(Label("状态", "State")),
    "due": Column(Label("办理期限", "Due"), "due_at"),
    "waits": Column(Label("待谁办理", "Waits for")),
    "level": Column(Label("督促级别", "Level"), "level"),
    "severity": Column(Label("严重程度", "Severity")),
    "category": Column(Label("类别", "Category")),
    "kind": Column(Label("来源", "Kind"), usual=False),
    "region": Column(Label("地区", "Region"), usual=False),
    "office": Column(Label("督导机构", "Office"), usual=False),
    "dispute": Column(Label("争议", "Dispute"), usual=False),
    "responsible": Column(Label("责任人", "Responsible"), usual=False),
    "round": Column(Label("轮次", "Round"), usual=False),
    "opened": Column(Label("登记时间", "Opened"), "opened_at"),
    "changed": Column(Label("最近变动", "Changed"), usual=False),
}
"""In the order in which they stand. What a finding is and its number cannot be left out."""
ALWAYS = "finding"
USUAL = tuple(name for name, column in COLUMNS.items() if column.usual)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column; `order` is ascending or descending where the ledger is sorted by it."""

    name: str
    label: Label
    path: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A finding as one line. `marks` are what makes it special; `waits` is empty where nobody owes anything."""

    number: str
    path: str
    title: str
    marks: tuple[Label, ...]
    light: str
    unit: str
    unit_path: str
    region: str
    office: str
    state: Label
    dispute: Label
    due: Due | None
    due_reason: Label
    suspended: bool
    waits: Label
    level: int
    severity: Label
    category: Label
    kind: Label
    round: int
    responsible: str
    opened: Moment | None
    changed: Moment | None


def chosen_columns(text: str) -> tuple[str, ...]:
    """The columns named in a text, joined by dots; the usual ones where it names none."""
    named = {name for name in text.split(".") if name in COLUMNS}
    return tuple(name for name in COLUMNS if name in named or name == ALWAYS) if named else USUAL


def heads(asked: Asked, columns: Iterable[str]) -> tuple[Head, ...]:
    """The heads of these columns; choosing one sorts by it, choosing it again turns the order round."""
    return tuple(_head(asked, name) for name in columns)


def _head(asked: Asked, name: str) -> Head:
    column, now = COLUMNS[name], asked.first("sort") or USUAL_SORT
    if not column.sort:
        return Head(name, column.label)
    # Few ask for the lowest level or the oldest finding first.
    first, second = (column.sort, f"-{column.sort}")
    if name in ("level", "opened"):
        first, second = second, first
    path = asked.with_("sort", second if now == first else first)
    order = "" if now.removeprefix("-") != column.sort else "descending" if now.startswith("-") else "ascending"
    return Head(name, column.label, path, order)


def line_of(row: LedgerRow, visitor: Visitor) -> Line:
    """A row of the ledger in the reader's words."""
    flow, times = visitor.service.book.workflow, visitor.times
    marks = ((row.danger_to_life, DANGER), (row.long_term, LONG_TERM), (row.positive, POSITIVE))
    rule, suspended = flow.timers.get(row.due_rule), row.suspended_at != NEVER
    return Line(
        number=row.number, path=finding_page(row.number), title=row.title, marks=tuple(m for is_so, m in marks if is_so),
        light=row.light, unit=row.unit.name, unit_path=f"{PLACE}?{urlencode({'unit': row.unit.id})}",
        region=row.region.name, office=row.office.name, state=flow.states[row.state].label,
        dispute=flow.dispute_states[row.dispute] if row.dispute != "none" else NONE,
        due=None if suspended else times.due(row.due_at), due_reason=rule.label if rule else NONE, suspended=suspended,
        waits=waits_for(row.waits_for), level=row.level, severity=SEVERITIES.get(row.severity, NONE),
        category=CATEGORIES.get(row.category, NONE), kind=KINDS.get(row.kind, NONE), round=row.round,
        responsible=row.responsible_person, opened=times.past(row.opened_at), changed=times.past(row.changed_at),
    )  # fmt: skip


def waits_for(roles: str) -> Label:
    """Who owes the next step, in words."""
    known = [ROLES.get(role) or CAPACITIES.get(role) or Label(role, role) for role in roles.split(",") if role]
    return Label(AND.zh.join(one.zh for one in known), AND.en.join(one.en for one in known))
