"""What an address asks of the ledger: checked field by field, and turned into the addresses next to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from loop.kernel.errors import Invalid
from loop.kernel.labels import Label
from loop.kernel.payloads import fault_of
from loop.kernel.vocabulary import CATEGORIES, KINDS, SEVERITIES
from loop.kernel.workflow import Workflow
from loop.ledger.query import LISTS, LedgerQuery, check_words
from loop.store.ledger import ORDERS
from loop.store.paging import storable

PLACE = "/findings"
AFTER = "after"
USUAL_SORT = "due_at"
FIELDS: Mapping[str, Label] = {
    "q": Label("搜索", "Search"),
    "open": Label("办理情况", "Progress"),
    "light": Label("亮灯", "Light"),
    "stage": Label("环节", "Stage"),
    "state": Label("状态", "State"),
    "overdue": Label("逾期", "Overdue"),
    "mine": Label("与我有关", "Mine"),
    "severity": Label("严重程度", "Severity"),
    "category": Label("类别", "Category"),
    "kind": Label("来源", "Kind"),
    "dispute": Label("争议", "Dispute"),
    "level_min": Label("督促级别不低于", "Level at least"),
    "suspended": Label("中止计时", "Suspended"),
    "unit": Label("单位", "Unit"),
    "region": Label("地区", "Region"),
    "office": Label("督导机构", "Office"),
    "supervision": Label("督导活动", "Supervision"),
    "due_after": Label("到期日不早于", "Due on or after"),
    "due_before": Label("到期日早于", "Due before"),
    "opened_after": Label("登记日不早于", "Opened on or after"),
    "opened_before": Label("登记日早于", "Opened before"),
    "changed_after": Label("变动日不早于", "Changed on or after"),
}
"""What can be asked, in the order in which it is told."""
WORDS: Mapping[str, Mapping[str, Label]] = {"severity": SEVERITIES, "category": CATEGORIES, "kind": KINDS}
MOMENTS = frozenset(name for name in FIELDS if name.endswith(("_after", "_before")))
MANNERS = {"sort": Label("排序", "Order"), "limit": Label("每页", "Per page"), AFTER: Label("翻页", "Page")}
STRANGE = Label("含有不能使用的字符", "holds a character that cannot be used")
NO_DAY = Label("须是日期，如 2026-03-02", "is a day such as 2026-03-02")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the ledger. `given` are its parameters as they came, the known ones only, each in its place; `wrong`
    says by field what cannot be asked, and `query` is the rest.
    """

    given: tuple[tuple[str, str], ...]
    query: LedgerQuery
    wrong: Mapping[str, Label]

    def all(self, name: str) -> tuple[str, ...]:
        """The values of a field as they came."""
        return tuple(value for key, value in self.given if key == name)

    def first(self, name: str) -> str:
        """The first value of a field, empty where it has none."""
        return next(iter(self.all(name)), "")

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return any(name in FIELDS for name, _ in self.given)

    @property
    def address(self) -> str:
        """Where this question is answered, from its first page on."""
        return address(self.given)

    @property
    def text(self) -> str:
        """The question as it stands in an address."""
        return urlencode(self.given)

    def without(self, name: str, value: str) -> str:
        """The address without one value of a field."""
        return address(pair for pair in self.given if pair != (name, value))

    def with_(self, name: str, value: str) -> str:
        """The address with another value of a field in place of those it has."""
        return address((*(pair for pair in self.given if pair[0] != name), (name, value)))

    @property
    def cleared(self) -> str:
        """The address that leaves nothing out; order and length stay."""
        return address(pair for pair in self.given if pair[0] not in FIELDS)

    @property
    def refusal(self) -> Label | None:
        """What cannot be asked, in one sentence."""
        if not self.wrong:
            return None
        names: dict[str, Label] = {**FIELDS, **MANNERS}
        said = [(names.get(name, Label(name, name)), why) for name, why in self.wrong.items()]
        return Label(
            "；".join(f"“{name.zh}”{why.zh.rstrip('。')}" for name, why in said) + "。请更正或去掉后再查。",
            "; ".join(f"{name.as_heading().en}: {why.en.rstrip('.')}" for name, why in said)
            + ". Correct it or leave it out.",
        )


def address(pairs: Iterable[tuple[str, str]]) -> str:
    """The ledger with these parameters."""
    text = urlencode([*pairs])
    return f"{PLACE}?{text}" if text else PLACE


def is_untidy(params: QueryParams) -> bool:
    """Whether a form was sent with fields left empty, which would make a long address that says little."""
    return any(name in FIELDS and not value for name, value in params.multi_items()) or (
        params.get("sort") in ("", USUAL_SORT)
    )


def asked_of(params: QueryParams, flow: Workflow, after: str | None = None) -> Asked:
    """The question in these parameters; what is none of the ledger's is left out."""
    given: list[tuple[str, str]] = []
    wrong: dict[str, Label] = {}
    for name in (*FIELDS, "sort", "limit"):
        values = [value.strip() for value in params.getlist(name)]
        if not all(map(storable, values)):
            wrong[name] = STRANGE
            continue
        if name in LISTS:
            values = [part for value in values for part in value.split(",")]
        kept = [value for value in dict.fromkeys(values) if value]
        given += [(name, value) for value in (kept if name in LISTS else kept[-1:])]
    given = [pair for pair in given if pair != ("sort", USUAL_SORT)]
    query, faults = _checked(given, flow, after)
    return Asked(tuple(given), query, wrong | faults)


def _checked(
    given: Iterable[tuple[str, str]], flow: Workflow, after: str | None
) -> tuple[LedgerQuery, dict[str, Label]]:  # fmt: skip
    values: dict[str, object] = {}
    for name, value in given:
        if name in LISTS:
            values[name] = [*_list(values.get(name)), value]
        else:
            values[name] = value
    if after:
        values[AFTER] = after
    wrong = _wrong(values, flow)
    right = {name: value for name, value in values.items() if name not in wrong}
    return LedgerQuery.model_validate(right), wrong


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _wrong(values: Mapping[str, object], flow: Workflow) -> dict[str, Label]:
    """By field, why its value cannot be asked."""
    found: dict[str, Label] = {}
    try:
        LedgerQuery.model_validate(values)
    except ValidationError as error:
        faults = [fault_of(one) for one in error.errors(include_url=False, include_input=False)]
        found = {fault.field.partition(".")[0]: fault.label for fault in faults}
        found |= {name: NO_DAY for name in found if name in MOMENTS}
    found |= _unknown({name: value for name, value in values.items() if name not in found}, flow)
    if str(values.get("sort", USUAL_SORT)).removeprefix("-") not in ORDERS:
        found["sort"] = Label("没有这种排序", "is no order of the ledger")
    return found


def _unknown(values: Mapping[str, object], flow: Workflow) -> dict[str, Label]:
    """Words that the workflow or the ledger does not have."""
    found: dict[str, Label] = {}
    try:
        check_words(flow, LedgerQuery.model_validate(values))
    except Invalid as error:
        found = {fault.field: fault.label for fault in error.faults}
    for name, known in WORDS.items():
        if strange := [str(word) for word in _list(values.get(name)) if word not in known]:
            found[name] = Label(f"没有 {'、'.join(strange)}", f"has no {', '.join(strange)}")
    return found
