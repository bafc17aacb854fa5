"""Dates as people write them in ledgers: "2018年9月底", "收到函后3个月内", "11.15". Pure; what is unsure is said, never guessed.

A deadline is read against its base date, the day on which the demand was made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from loop.kernel.calendar import add_months

NEAR = timedelta(days=183)
"""A day without a year that lies before its base date may mean the next year if that is no farther away."""
SERIALS = range(20_000, 80_000)
"""Whole numbers that a spreadsheet means as days."""
SERIAL_EPOCH = date(1899, 12, 30)

_DIGITS = {c: n for n, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}


@dataclass(frozen=True, slots=True)
class Due:
    """What a cell says about a deadline. `doubt` is the code of what a person must decide, empty where `on` is sure.

    `kind` is one of date, immediate, relative, range, long_term, vague, invalid, ambiguous, missing.
    """

    kind: str
    on: date | None = None
    doubt: str = ""
    candidates: tuple[date, ...] = ()
    year_inferred: bool = False


@dataclass(frozen=True, slots=True)
class _Parts:
    """A day, month or longer span as written: `last` picks its last day, once the year is known."""

    year: int | None
    last: Callable[[int], date]


Workdays = Callable[[date, int], date]
_TIME = re.compile(r"(?:(?<=[日号])|[T\s]+)\d{1,2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?|[时点](?:\d{1,2}分?)?)")
"""A time of day, which no deadline here is counted in."""


def plain(text: str) -> str:
    """`text` in half-width characters, without blanks, Chinese numerals before a unit of time as digits."""
    narrow = re.sub(r"\s+", "", _TIME.sub("", unicodedata.normalize("NFKC", text)))
    return re.sub(r"[〇零一二两三四五六七八九十]+(?=个?(?:日|天|号|周|月|工作日|季度|年|旬))", _arabic, narrow)


def _arabic(match: re.Match[str]) -> str:
    text = match[0]
    if "十" not in text:
        return "".join(str(_DIGITS[c]) for c in text)
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        return text
    return str((_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0))


# ---- one certain day -----------------------------------------------------------------------------------------------

_FULL = re.compile(r"(\d{4})(?:年|[-/.])(\d{1,2})(?:月|[-/.])(\d{1,2})[日号]?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MONTH_ONLY = re.compile(r"\d{4}(?:年|[-/.])\d{1,2}月?")


def read_day(text: str) -> Due:
    """A cell that must hold one full date: kind date or missing, or a doubt (invalid_date, month_only, unreadable)."""
    cell = plain(text)
    if not cell:
        return Due("missing")
    for form in (_FULL, _COMPACT):
        if match := form.fullmatch(cell):
            return _certain(*(int(part) for part in match.groups()))
    if cell.isascii() and cell.isdigit() and int(cell[:6]) in SERIALS and len(cell) == 5:
        return Due("date", SERIAL_EPOCH + timedelta(days=int(cell)))
    return Due("invalid", doubt="month_only" if _MONTH_ONLY.fullmatch(cell) else "unreadable")


def _certain(year: int, month: int, day: int) -> Due:
    try:
        return Due("date", date(year, month, day))
    except ValueError:
        return Due("invalid", doubt="invalid_date")


# ---- a deadline ----------------------------------------------------------------------------------------------------

_LONG_TERM = re.compile(r"(?:长期|常态化|持续)(?:坚持|整改|推进|开展|进行|抓好|落实)?")
_AT_ONCE = re.compile(
    r"(?:立行立改|立即|即日起?|即知即改|即查即改|当场|立刻|马上)(?:整改|改正|完成|执行|落实|停止)?(?:到位)?"
)
_VAGUE = re.compile(r"尽快.*|尽早.*|限期.*|(?:在)?规定(?:时间|期限|时限)(?:内|之内)?.*|按期.*|按时.*|近期.*|适时.*")
_EVENT = re.compile(r".*(?:开学|暑假|寒假|放假|学期|学年|期末|期中|高考|中考|国庆|春节|元旦|五一|汛期|入冬).*")
_AFTER = re.compile(
    r"(?:(?:自|在)?(?:收到|接到|签收|下达|印发|发文|通知|文件|整改|反馈|检查|督导)\D*)?"
    r"(\d{1,3})(?:(个月)|(个?工作日|月|周|日|天|年)(?=之?内|以内))(?:之?内|以内)?(?:完成|整改到位|整改完成|整改)?"
)
_RANGE = re.compile(r"(.+?)(?:至|到|~|—|–|--|(?<=[日号])-)(.+)")
_DOTTED = re.compile(r"\d{1,2}\.\d{1,2}(?:前|之前)?")
_SEVERAL = re.compile(r"[、;；,，]|\d(?:和|及)\d|日(?:和|及)")
_TAIL = re.compile(r"(?:之前|以前|前|之内|内|止|完成|整改到位|整改完成|截止)+$")


def read_due(text: str, base: date | None, workdays: Workdays | None = None) -> Due:
    """What a cell says about a deadline, counted from `base`; `workdays` adds working days to a day."""
    cell = plain(text)
    if not cell:
        return Due("missing", doubt="missing")
    if _LONG_TERM.fullmatch(cell):
        return Due("long_term")
    if _AT_ONCE.fullmatch(cell):
        return Due("immediate", base) if base else Due("ambiguous", doubt="no_base_date")
    if _VAGUE.fullmatch(cell):
        return Due("vague", doubt="vague")
    if _DOTTED.fullmatch(cell):
        return Due("ambiguous", doubt="no_year_dot")
    if match := _AFTER.fullmatch(cell):
        return _relative(int(match[1]), match[2] or match[3], base, workdays)
    if (match := _RANGE.fullmatch(cell)) and (span := _range(match[1], match[2], base)):
        return span
    return _dated(cell, base)


def _relative(number: int, unit: str, base: date | None, workdays: Workdays | None) -> Due:
    if base is None:
        return Due("ambiguous", doubt="no_base_date")
    try:
        match unit.removeprefix("个"):
            case "工作日":
                on = workdays(base, number) if workdays else None
            case "月":
                on = add_months(base, number)
            case "年":
                on = add_months(base, 12 * number)
            case "周":
                on = base + timedelta(weeks=number)
            case _:
                on = base + timedelta(days=number)
    except (ValueError, OverflowError):
        on = None
    return Due("relative", on) if on else Due("ambiguous", doubt="unreadable")


def _range(first: str, last: str, base: date | None) -> Due | None:
    """From A to B: B counts; a B without a year takes A's, a B without a month A's month."""
    begins = _dated(first, base).on if not _AT_ONCE.fullmatch(first) else base
    if re.fullmatch(r"\d{1,2}[日号](?:前|止)?", last) and begins:
        last = f"{begins.month}月{last}"
    ends = _dated(last, begins or base)
    if ends.doubt == "unreadable":
        return None
    return Due("range", ends.on, ends.doubt, ends.candidates, ends.year_inferred) if ends.on else ends


def _dated(cell: str, base: date | None) -> Due:
    sure = read_day(cell)
    if sure.on or sure.doubt == "invalid_date":
        return sure
    bare = _TAIL.sub("", cell)
    if bare != cell and (sure := read_day(bare)).kind == "date":
        return sure
    try:
        found = next(_spans(bare, base), None)
        if found is not None:
            return _settled(found, base)
    except ValueError:
        return Due("invalid", doubt="invalid_date")
    if _SEVERAL.search(cell) and len(re.findall(r"\d{1,4}[年月/.-]", cell)) > 1:
        return Due("ambiguous", doubt="multiple_dates")
    if _EVENT.fullmatch(cell):
        return Due("vague", doubt="event_date")
    return Due("ambiguous", doubt="unreadable")


def _settled(found: _Parts, base: date | None) -> Due:
    if found.year is not None:
        return Due("date", found.last(found.year))
    if base is None:
        return Due("ambiguous", doubt="no_base_date")
    this = found.last(base.year)
    if this >= base:
        return Due("date", this, year_inferred=True)
    following = found.last(base.year + 1)
    if following - base <= NEAR:
        return Due("date", following, year_inferred=True)
    return Due("ambiguous", doubt="before_base", candidates=(this, following))


_YEAR = r"(?:(\d{4})年?度?|(今年|本年度?|当年|明年|次年))?"
_MONTH_DAY = re.compile(_YEAR + r"(\d{1,2})(?:月|[-/])(\d{1,2})[日号]?")
_MONTH = re.compile(_YEAR + r"[-/.]?(\d{1,2})月?(底|末|份|初|上旬|中旬|下旬)?")
_QUARTER = re.compile(_YEAR + r"(?:第?([1-4])季度?|(上半年|下半年|年?底|年末|年内|年终))(?:底|末)?")
_THIS_MONTH = re.compile(r"(本月|当月|下月|次月|下个月)(?:(底|末|上旬|中旬|下旬)|(\d{1,2})[日号])?")
_WHOLE_YEAR = re.compile(r"(\d{4})年度?")


def _spans(cell: str, base: date | None) -> Iterator[_Parts]:
    """The ways to read a cell that is no full date, the surest first; ValueError where it names no real day."""
    if match := _MONTH_DAY.fullmatch(cell):
        month, day = int(match[3]), int(match[4])
        _check_day(month, day)
        yield _Parts(_year(match, base), lambda year: _day_in(year, month, day))
    if match := _QUARTER.fullmatch(cell):
        end = int(match[3]) * 3 if match[3] else 6 if match[4] == "上半年" else 12
        yield _Parts(_year(match, base), lambda year: _month_end(year, end))
    if (match := _MONTH.fullmatch(cell)) and match[4] != "初" and ("月" in cell or match[1]):
        month, part = int(match[3]), match[4] or ""
        _check_day(month, 1)
        yield _Parts(_year(match, base), lambda year: _part_of(year, month, part))
    if base and (match := _THIS_MONTH.fullmatch(cell)):
        month_of = base if match[1] in ("本月", "当月") else add_months(base.replace(day=1), 1)
        day_, part = match[3], match[2] or ""
        if day_:
            yield _Parts(month_of.year, lambda year: date(year, month_of.month, int(day_)))
        else:
            yield _Parts(month_of.year, lambda year: _part_of(year, month_of.month, part))
    if match := _WHOLE_YEAR.fullmatch(cell):
        yield _Parts(int(match[1]), lambda year: date(year, 12, 31))


def _year(match: re.Match[str], base: date | None) -> int | None:
    if match[1]:
        return int(match[1])
    if match[2] and base:
        return base.year + (match[2] in ("明年", "次年"))
    return None


def _check_day(month: int, day: int) -> None:
    date(2024, month, day)  # a leap year: 29 February may be meant


def _day_in(year: int, month: int, day: int) -> date:
    return date(year, month, day)


def _month_end(year: int, month: int) -> date:
    return add_months(date(year, month, 1), 1) - timedelta(days=1)


def _part_of(year: int, month: int, part: str) -> date:
    match part:
        case "上旬":
            return date(year, month, 10)
        case "中旬":
            return date(year, month, 20)
        case _:
            return _month_end(year, month)
