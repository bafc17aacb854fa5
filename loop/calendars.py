"""China's working calendar: the `holidays` library, year by year when needed, overridden by rows of our own table.

Also reads the file by which an office loads a newly published notice. Knows no database and no clock.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

import holidays

from loop.kernel.calendar import HOLIDAY, KINDS, MAKEUP, REST, WORK, WORKING, Arrangement, Calendar, Day
from loop.kernel.labels import Label

STATUTE = "全国年节及纪念日放假办法"
FIRST_YEAR, LAST_YEAR = 2003, 2100  # what the library is asked for
FIRST_EXACT = 2004  # earlier make-up days cannot be checked against a second source
FIXED = ((1, 1, "元旦"), (5, 1, "劳动节"), (5, 2, "劳动节"), (10, 1, "国庆节"), (10, 2, "国庆节"), (10, 3, "国庆节"))
SWAP = "调休"  # in the library's name of every weekday that was swapped for a weekend
USUAL_NAMES = {WORK: "工作日", REST: "休息日", HOLIDAY: "节假日", MAKEUP: "调休上班"}

_EXTENSION_2020 = "国务院办公厅关于延长2020年春节假期的通知"
_LABOUR_2019 = "国务院办公厅关于调整2019年劳动节假期安排的通知"
_VICTORY_2015 = "国务院关于中国人民抗日战争暨世界反法西斯战争胜利70周年纪念日调休放假的通知"
LATER_NOTICES = {
    **dict.fromkeys((date(2015, 9, 3), date(2015, 9, 4), date(2015, 9, 6)), _VICTORY_2015),
    **dict.fromkeys((date(2019, 4, 28), date(2019, 5, 2), date(2019, 5, 3), date(2019, 5, 5)), _LABOUR_2019),
    **dict.fromkeys((date(2020, 1, 31), date(2020, 2, 1), date(2020, 2, 2)), _EXTENSION_2020),
}


class DayRow(Protocol):
    """What a row that overrides the library must have; `loop.kernel.calendar.Day` is one."""

    @property
    def on(self) -> date: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...


def notice(on: date) -> str:
    """Name the State Council notice that arranges a special day; December belongs to the coming New Year."""
    year = on.year + 1 if on.month == 12 else on.year
    return LATER_NOTICES.get(on, f"国务院办公厅关于{year}年部分节假日安排的通知")


def build(
    overrides: Iterable[DayRow] = (), zone: str = "Asia/Shanghai", extra_official_years: Iterable[int] = ()
) -> Calendar:
    """Make the calendar of a zone; rows of `overrides` win over the library, the last one for a day over earlier ones.

    A year is official when a row or the library has a make-up day in it, or when it is named in
    `extra_official_years`; any other year has weekends and statutory days only and is provisional. A day the library
    merely expects to be off stays off until a row says otherwise, so a row of kind `work` takes it back.
    Raises ValueError for an unknown kind.
    """
    rows: dict[int, dict[date, DayRow]] = {}
    for row in overrides:
        if row.kind not in KINDS:
            raise ValueError(f"{row.on}: a day is one of {', '.join(sorted(KINDS))}, not {row.kind!r}")
        rows.setdefault(row.on.year, {})[row.on] = row
    declared = frozenset(extra_official_years)

    def arrange(year: int) -> Arrangement:
        published, days = _library(year)
        own = rows.get(year, {})
        official = published or year in declared or any(row.kind == MAKEUP for row in own.values())
        found = {
            on: Day(on, kind, name, notice(on) if published else STATUTE, not official)
            for on, (kind, name) in days.items()
        }
        found |= {on: Day(on, row.kind, row.name, row.source, not official) for on, row in own.items()}
        return Arrangement(official, found)

    return Calendar(ZoneInfo(zone), arrange)


@cache
def _library(year: int) -> tuple[bool, dict[date, tuple[str, str]]]:
    """Return whether the library knows the notice of a year, and its special days as (kind, name)."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return False, {date(year, month, day): (HOLIDAY, name) for month, day, name in FIXED}
    known = holidays.country_holidays("CN", years=year, language="zh_CN")
    # The library lists stray days of other years among these.
    makeups = {on for on in known.weekend_workdays if on.year == year and year >= FIRST_EXACT}
    days = {on: (HOLIDAY, name) for on, name in known.items() if makeups or SWAP not in name}
    return bool(makeups), days | dict.fromkeys(makeups, (MAKEUP, USUAL_NAMES[MAKEUP]))


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one line of a notice file."""

    line: int
    code: str
    value: str = ""

    @property
    def label(self) -> Label:
        """Say it, with its line."""
        what = COMPLAINTS[self.code].filled(value=self.value)
        return Label(f"第{self.line}行：{what.zh}", f"line {self.line}: {what.en}")


COMPLAINTS = {
    "columns": Label("表头缺少列：{value}", "the heading lacks {value}"),
    "empty": Label("没有任何日期", "no day in the file"),
    "cells": Label("单元格数目与表头不符：{value}", "not as many cells as the heading: {value}"),
    "day": Label("不是日期：{value}", "not a date (YYYY-MM-DD): {value}"),
    "kind": Label(
        "类型应为 work、rest、holiday 或 makeup：{value}", "kind must be work, rest, holiday or makeup: {value}"
    ),
    "twice": Label("日期重复：{value}", "{value} stands in the file twice"),
    "weekday": Label("{value} 不是周末，不能是调休上班日", "{value} is no weekend, so it cannot be a make-up day"),
    "weekend": Label("{value} 是周末，上班应写 makeup", "{value} is a weekend: one that is worked is of kind makeup"),
    "csv": Label("不是有效的 CSV：{value}", "not valid CSV: {value}"),
}


class NoticeError(ValueError):
    """A notice file that cannot be loaded; `complaints` has every wrong line."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("; ".join(complaint.label.en for complaint in self.complaints))


COLUMNS = {"日期": "day", "类型": "kind", "名称": "name", "来源": "source"}
KIND_WORDS = {"工作日": WORK, "休息日": REST, "节假日": HOLIDAY, "放假": HOLIDAY, "调休上班": MAKEUP, "上班": MAKEUP}


def parse_notice(text: str, source: str = "") -> list[Day]:
    """Read a notice file: CSV with the columns day, kind, name, source (or 日期, 类型, 名称, 来源) in any order.

    `name` and `source` may be left out: the name is then the usual one of its kind, the source is the argument or
    else the State Council notice for that day. Raises NoticeError with all wrong lines.
    """
    lines = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
    days: dict[date, Day] = {}
    complaints: list[Complaint] = []
    heading: list[str] = []
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if not heading:
                heading = _heading(cells, lines.line_num)
                continue
            found = _read(lines.line_num, heading, [cell.strip() for cell in cells], source)
            if isinstance(found, Day) and found.on in days:
                found = Complaint(lines.line_num, "twice", found.on.isoformat())
            if isinstance(found, Day):
                days[found.on] = found
            else:
                complaints.append(found)
    except csv.Error as error:
        complaints.append(Complaint(lines.line_num, "csv", str(error)))
    if not days and not complaints:
        complaints.append(Complaint(lines.line_num, "empty"))
    if complaints:
        raise NoticeError(complaints)
    return [days[on] for on in sorted(days)]


def _heading(cells: list[str], line: int) -> list[str]:
    names = [COLUMNS.get(cell.strip(), cell.strip().lower()) for cell in cells]
    if missing := [name for name in ("day", "kind") if name not in names]:
        raise NoticeError([Complaint(line, "columns", ", ".join(missing))])
    return names


def _read(line: int, heading: list[str], cells: list[str], source: str) -> Day | Complaint:
    if len(cells) != len(heading):
        return Complaint(line, "cells", ",".join(cells))
    row = dict(zip(heading, cells, strict=True))
    on = _date(row["day"])
    if on is None:
        return Complaint(line, "day", row["day"])
    kind = KIND_WORDS.get(row["kind"], row["kind"].lower())
    if kind not in KINDS:
        return Complaint(line, "kind", row["kind"])
    if kind in WORKING and (kind == MAKEUP) != (on.weekday() > 4):
        return Complaint(line, "weekday" if kind == MAKEUP else "weekend", on.isoformat())
    return Day(on, kind, row.get("name") or USUAL_NAMES[kind], row.get("source") or source or notice(on))


def _date(text: str) -> date | None:
    """Read 2027-02-06, and 2027/2/6 as spreadsheets write it."""
    try:
        year, month, day = (int(part) for part in text.replace("/", "-").split("-"))
        return date(year, month, day)
    except ValueError:
        return None
