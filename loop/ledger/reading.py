"""One record of a ledger as the payload of `take_over`: what was understood, what a person must decide, what is wrong."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from loop.kernel.labels import Label
from loop.kernel.vocabulary import CATEGORIES, KINDS, SEVERITIES
from loop.ledger.columns import SAME, YES_NO, bare
from loop.ledger.dates import Due, Workdays, read_day, read_due
from loop.ledger.sheet import Heading, Record, Sheet

UNDERSTOOD, AMBIGUOUS, WRONG = "understood", "ambiguous", "wrong"
LONGEST_TITLE = 80
"""Where a ledger has no titles, the beginning of the description serves as one."""

DOUBTS: Mapping[str, Label] = {
    "vague": Label("没有写明具体日期", "names no day"),
    "event_date": Label("时限挂在事件上，请写明日期", "hangs on an event; name the day"),
    "missing": Label("没有填写", "is empty"),
    "invalid_date": Label("没有这一天", "there is no such day"),
    "multiple_dates": Label("一格写了几个日期", "holds several dates"),
    "no_year_dot": Label("可能是月日，也可能是小数；请写明年月日", "may be a day or a number; write the whole date"),
    "before_base": Label("早于下达日期，请写明年份", "lies before the day of the demand; name the year"),
    "no_base_date": Label("须有下达日期或发现日期才能推算", "needs the day of the demand to be counted from"),
    "month_only": Label("只到月，请写明日期", "names a month only; name the day"),
    "unreadable": Label("看不懂", "cannot be read"),
    "status_unknown": Label("不认识这个状态", "is no known status"),
    "write_off_date_missing": Label("已完成的问题须有销号日期", "what is done needs its day of write-off"),
    "multi_unit": Label("一行有几个单位，请分行填写", "names several units; give each a line of its own"),
    "unit_many": Label("有几个同名单位，请填写单位编号", "several units have this name; give the unit's id"),
    "unit_blank": Label("没有填写单位；如与上一行相同请写“同上”", "is empty; write 同上 if it is the one above"),
    "ragged_row": Label("这一行的列数与表头不符", "has another number of cells than the heading"),
    "choice_unknown": Label("不认识这个词", "is no known word"),
    "category_missing": Label("没有类别；请填写，或在导入时指定", "no category; fill it in or name one for the import"),
    "known_number": Label("台账里已有这个编号", "is in the ledger already"),
}

_DONE = (
    "是",
    "已销号",
    "销号",
    "√",
    "✔",
    "✓",
    "☑",
    "完成",
    "已完成",
    "已整改",
    "已办结",
    "办结",
    "done",
    "yes",
    "closed",
)
_DONE_STARTS = ("完成", "已完成", "已整改", "已销号", "已办结")
_RUNNING = (
    "否", "未销号", "未完成", "未整改", "×", "✘", "✗", "x", "部分完成", "基本完成", "整改中", "推进中", "正在整改", "持续推进",
    "进行中", "no", "open", "running", "in progress",
)  # fmt: skip
_SEVERAL_UNITS = ("、", ";", "；", ",", "，", "\n")
_CHOICES: Mapping[str, Mapping[str, Label]] = {"categories": CATEGORIES, "kinds": KINDS, "severities": SEVERITIES}
_FIELDS = {"categories": "category", "kinds": "kind", "severities": "severity"}


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is not clear about one field, with the readings among which a person may choose."""

    field: str
    code: str
    candidates: tuple[str, ...] = ()
    label: Label | None = None

    @property
    def text(self) -> Label:
        """The sentence about it."""
        return self.label or DOUBTS[self.code]


@dataclass(slots=True)
class Row:
    """What one record says. `values` is the payload as far as it was understood, `unit` how the unit was named."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    its_number: str = ""
    doubts: list[Doubt] = field(default_factory=list)
    faults: list[Doubt] = field(default_factory=list)
    notes: list[Label] = field(default_factory=list)

    @property
    def status(self) -> str:
        """understood, ambiguous or wrong."""
        return WRONG if self.faults else AMBIGUOUS if self.doubts else UNDERSTOOD

    def doubt(self, name: str, code: str, *candidates: str) -> None:
        """Note that a field is not clear."""
        self.doubts.append(Doubt(name, code, candidates))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reader brings along: values where the file is silent, words for states, and how working days are added.

    `written_off` and `running` are the states' own words in either language.
    """

    defaults: Mapping[str, Any]
    written_off: frozenset[str]
    running: frozenset[str]
    workdays: Workdays | None = None


def read_sheet(sheet: Sheet, terms: Terms) -> list[Row]:
    """Every record of the sheet as a row."""
    rows: list[Row] = []
    above: dict[str, str] = {}
    for record in sheet.records:
        above = _with_above(_cells(record, sheet.headings), above)
        rows.append(_Reader(record, sheet.headings, above, terms).row())
    _note_duplicates(rows)
    return rows


def _cells(record: Record, headings: Sequence[Heading]) -> dict[str, str]:
    """The cells under known headings, by column; the first filled one where two headings mean the same."""
    found: dict[str, str] = {}
    for cell, heading in zip(record.cells, headings, strict=False):
        if heading.column and heading.column.reads and not found.get(heading.column.key):
            found[heading.column.key] = cell.strip()
    return found


def _with_above(cells: dict[str, str], above: Mapping[str, str]) -> dict[str, str]:
    """Bare cells, in which "as above" is replaced by what stands above."""
    return {key: above.get(key, "") if text in SAME else bare(text) for key, text in cells.items()}


class _Reader:
    """Reads one record into one row."""

    def __init__(self, record: Record, headings: Sequence[Heading], cells: Mapping[str, str], terms: Terms) -> None:
        self._record, self._headings, self._cells, self._terms = record, headings, cells, terms
        self._row = Row(record.number)

    def row(self) -> Row:
        """The record as understood."""
        row = self._row
        row.its_number = self._cells.get("number", "")
        if len(self._record.cells) != len(self._headings):
            row.doubt("", "ragged_row")
        if len(self._record.cells) > len(self._headings):
            return row  # cells have shifted: whatever stands under a heading may belong elsewhere
        self._texts()
        self._unit()
        self._words()
        base = self._days()
        self._deadline(base)
        self._status()
        for name, value in self._terms.defaults.items():
            row.values.setdefault(name, value)
        if "category" not in row.values and not any(d.field == "category" for d in row.doubts):
            row.doubt("category", "category_missing")
        return row

    def _texts(self) -> None:
        values = self._row.values
        for name in ("title", "description", "source", "letter_no", "responsible_person"):
            if text := self._cells.get(name):
                values[name] = text
        if listed := self._cells.get("cooperating_units"):
            values["cooperating_units"] = [part for part in _split(listed) if part]
        more = [f"{h.text}：{cell.strip()}" for cell, h in self._unread()]
        if more:
            values["description"] = "\n".join([*filter(None, [values.get("description")]), *more])
        if not values.get("title"):
            words = " ".join(self._cells.get("description", "").split())
            values["title"] = words if len(words) <= LONGEST_TITLE else f"{words[: LONGEST_TITLE - 1]}…"

    def _unread(self) -> Iterable[tuple[str, Heading]]:
        """Cells under headings that the ledger does not know: they are kept as text."""
        pairs = zip(self._record.cells, self._headings, strict=False)
        return [(bare(cell), h) for cell, h in pairs if h.text and h.column is None and cell.strip()]

    def _unit(self) -> None:
        row = self._row
        if id_ := self._cells.get("unit_id"):
            row.values["unit"] = id_
            return
        row.unit = self._cells.get("unit", "")
        if not row.unit:
            row.doubt("unit", "unit_blank")
        elif len(names := [part for part in _split(row.unit) if part]) > 1:
            row.doubt("unit", "multi_unit", *names)

    def _words(self) -> None:
        for kind, choices in _CHOICES.items():
            name = _FIELDS[kind]
            if text := self._cells.get(name):
                chosen = _chosen(text, choices)
                if chosen:
                    self._row.values[name] = chosen
                else:
                    self._row.doubt(name, "choice_unknown", *(label.zh for label in choices.values()))
        for name in ("long_term", "danger_to_life"):
            if text := self._cells.get(name):
                flag = next((value for value, label in YES_NO.items() if _folded(text) in label), None)
                if flag is None:
                    self._row.doubt(name, "choice_unknown", *(label.zh for label in YES_NO.values()))
                else:
                    self._row.values[name] = flag

    def _days(self) -> date | None:
        """Read the days; answers the one from which deadlines count."""
        read: dict[str, Due] = {}
        for name in ("received_on", "found_on", "written_off_on"):
            day = read[name] = read_day(self._cells.get(name, ""))
            if day.on:
                self._row.values[name] = day.on.isoformat()
            elif day.doubt:
                self._row.doubt(name, day.doubt)
        return read["received_on"].on or read["found_on"].on

    def _deadline(self, base: date | None) -> None:
        row, due = self._row, read_due(self._cells.get("rectify_by", ""), base, self._terms.workdays)
        if due.on:
            row.values["rectify_by"] = due.on.isoformat()
            if due.year_inferred:
                row.notes.append(Label(f"整改期限按 {due.on} 理解", f"the deadline is read as {due.on}"))
        elif due.kind == "long_term":
            row.values["long_term"] = True
        elif due.doubt and not (due.kind == "missing" and self._needs_no_deadline()):
            row.doubt("rectify_by", due.doubt, *(day.isoformat() for day in due.candidates))

    def _needs_no_deadline(self) -> bool:
        return bool(self._row.values.get("written_off_on") or self._row.values.get("long_term"))

    def _status(self) -> None:
        text = self._cells.get("state", "")
        if not text:
            return
        done = self._done(_folded(text))
        if done is None:
            self._row.doubt("state", "status_unknown")
        elif done and "written_off_on" not in self._row.values:
            self._row.doubt("written_off_on", "write_off_date_missing")
        elif not done:
            self._row.values.pop("written_off_on", None)

    def _done(self, word: str) -> bool | None:
        if word in self._terms.written_off or word in _DONE or word.startswith(_DONE_STARTS):
            return True
        return False if word in self._terms.running or word in _RUNNING else None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().lower()


def _split(text: str) -> list[str]:
    for mark in _SEVERAL_UNITS[1:]:
        text = text.replace(mark, _SEVERAL_UNITS[0])
    return [part.strip() for part in text.split(_SEVERAL_UNITS[0])]


def _chosen(text: str, choices: Mapping[str, Label]) -> str | None:
    word = _folded(text)
    return next((key for key, label in choices.items() if word in (key, label.zh, label.en)), None)


def _note_duplicates(rows: Sequence[Row]) -> None:
    """Say where the same matter of the same unit stands twice; both still count."""
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        key = (row.unit or row.values.get("unit"), row.values.get("title"), row.values.get("description"))
        first = seen.setdefault(key, row.number)
        if first != row.number:
            row.notes.append(Label(f"与第 {first} 行重复", f"the same as record {first}"))
