"""The working calendar: what a day is, where a period ends, what a pause leaves."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop.calendars import NoticeError, build, notice, parse_notice
from loop.kernel.calendar import (
    Arrangement,
    Calendar,
    Day,
    add_months,
    at_local,
    due_after,
    due_instant,
    end_day,
    local_day,
    remaining,
    resume_due,
)
from tests.published import MAKEUPS_2026, PERIODS, PUBLISHED, SOME_DAY, days_off_2026, notice_2026, on


def every_day(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]


# ---- what a day is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", range(2020, 2027))
def test_every_day_agrees_with_a_second_source(year: int) -> None:
    try:
        theirs = [chinese_calendar.is_workday(day) for day in every_day(year)]
    except NotImplementedError:
        pytest.skip(f"the second source does not know {year} yet")
    assert [PUBLISHED.is_workday(day) for day in every_day(year)] == theirs


def test_the_library_alone_knows_what_was_published() -> None:
    alone = build()
    known = [year for year in range(2020, 2027) if alone.official(year)]
    assert known[:6] == [2020, 2021, 2022, 2023, 2024, 2025]
    for year in known:
        assert [alone.is_workday(day) for day in every_day(year)] == [
            PUBLISHED.is_workday(day) for day in every_day(year)
        ]


def test_2026_is_worked_exactly_as_the_notice_says() -> None:
    off, makeups = days_off_2026(), {on(day) for day in MAKEUPS_2026}
    for day in every_day(2026):
        assert PUBLISHED.is_workday(day) == (day in makeups or (day.weekday() < 5 and day not in off)), day
    assert {day for day in every_day(2026) if PUBLISHED.day(day).kind == "makeup"} == makeups
    assert sum(PUBLISHED.is_workday(day) for day in every_day(2026)) == PUBLISHED.workdays_between(
        on("2025-12-31"), on("2026-12-31")
    )


def test_a_day_names_its_text() -> None:
    assert PUBLISHED.day(on("2026-02-14")) == Day(
        on("2026-02-14"), "makeup", "调休上班", "国务院办公厅关于2026年部分节假日安排的通知", provisional=False
    )
    assert PUBLISHED.day(on("2025-10-01")).source == "国务院办公厅关于2025年部分节假日安排的通知"
    assert PUBLISHED.day(on("2026-03-02")).kind == "work"
    assert PUBLISHED.day(on("2026-03-01")).kind == "rest"
    # New Year begins in the old year, by the new year's notice; some days rest on a later notice of their own.
    assert PUBLISHED.day(on("2018-12-29")).source == "国务院办公厅关于2019年部分节假日安排的通知"
    assert PUBLISHED.day(on("2020-01-31")).source == "国务院办公厅关于延长2020年春节假期的通知"


@pytest.mark.parametrize("year", [1, 1990, 2003, 2027, 2100, 2101, 9999])
def test_an_unpublished_year_has_weekends_and_statutory_days_and_says_so(year: int) -> None:
    calendar = build()
    days = [calendar.day(day) for day in every_day(year)] if year < 9999 else [calendar.day(date(9999, 12, 31))]
    assert not calendar.official(year)
    assert all(day.provisional for day in days)
    assert not [day for day in days if day.kind == "makeup"]
    if year in {2027, 2100, 2101}:
        kinds = {day.on: day.kind for day in days}
        assert {kinds[date(year, month, day)] for month, day in ((1, 1), (5, 1), (10, 1), (10, 2), (10, 3))} == {
            "holiday"
        }
    assert calendar.is_provisional(date(year, 6, 1))


def test_moon_festivals_of_an_unpublished_year_are_statutory_too() -> None:
    assert PUBLISHED.day(on("2027-02-08")).name == "春节"
    assert not PUBLISHED.is_workday(on("2027-02-08"))
    assert PUBLISHED.is_workday(on("2027-02-20")) is False  # whether this Saturday is worked is not published


def test_a_row_wins_and_a_makeup_day_makes_its_year_official() -> None:
    notice_2027 = parse_notice("day,kind\n2027-02-20,makeup\n2027-02-09,work\n2027-03-01,rest\n")
    calendar = build(notice_2027)
    assert calendar.official(2027)
    assert not calendar.official(2028)
    assert calendar.is_workday(on("2027-02-20"))
    assert calendar.is_workday(on("2027-02-09"))
    assert not calendar.is_workday(on("2027-03-01"))
    assert not calendar.is_workday(on("2027-02-08"))
    assert not calendar.is_provisional(on("2027-01-01"), on("2027-12-31"))
    assert calendar.is_provisional(on("2027-12-31"), on("2028-01-01"))
    assert build([Day(on("2027-03-01"), "rest", "校庆", "本单位")]).official(2027) is False
    assert build(extra_official_years=[2027]).official(2027)
    with pytest.raises(ValueError, match="not 'sunday'"):
        build([Day(on("2027-03-01"), "sunday", "", "")])


# ---- counting ---------------------------------------------------------------------------------------------------------


def walked(start: date, n: int) -> date:
    """The n-th working day by walking, one day at a time."""
    step = timedelta(days=1 if n > 0 else -1)
    day = start
    while n:
        day += step
        if PUBLISHED.is_workday(day):
            n -= 1 if n > 0 else -1
    return day


def rolled(day: date) -> date:
    while not PUBLISHED.is_workday(day):
        day += timedelta(days=1)
    return day


@given(start=SOME_DAY, n=st.integers(-400, 400))
@settings(deadline=None)
def test_working_days_are_those_one_meets_by_walking(start: date, n: int) -> None:
    found = PUBLISHED.add_workdays(start, n)
    assert found == walked(start, n)
    if n > 0:
        assert PUBLISHED.workdays_between(start, found) == n
        assert PUBLISHED.workdays_between(found, start) == -n


@given(a=SOME_DAY, b=SOME_DAY)
@settings(deadline=None)
def test_working_days_between_are_counted_once_each(a: date, b: date) -> None:
    low, high = sorted((a, b))
    count = sum(PUBLISHED.is_workday(low + timedelta(days=n)) for n in range(1, (high - low).days + 1))
    assert PUBLISHED.workdays_between(low, high) == count
    assert PUBLISHED.workdays_between(high, low) == -count


@given(start=SOME_DAY, number=st.integers(0, 200), unit=st.sampled_from(["d", "wd", "mo"]))
@settings(deadline=None)
def test_periods_end_where_a_naive_count_ends(start: date, number: int, unit: str) -> None:
    match unit:
        case "d":
            expected = rolled(start + timedelta(days=number))
        case "wd":
            expected = rolled(walked(start, number))
        case _:
            month = start.month + number
            first = date(start.year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
            last = [
                d
                for d in (first + timedelta(days=n) for n in range(31))
                if d.month == first.month and d.day <= start.day
            ]
            expected = rolled(last[-1])
    assert end_day(start, number, unit, PUBLISHED) == expected
    assert PUBLISHED.is_workday(expected)


@pytest.mark.parametrize(("start", "number", "unit", "end"), PERIODS)
def test_periods_end_as_the_table_says(start: str, number: int, unit: str, end: str) -> None:
    assert end_day(on(start), number, unit, PUBLISHED) == on(end)


@pytest.mark.parametrize(("number", "unit"), [(-1, "d"), (-1, "wd"), (-1, "mo"), (1, "y"), (1, "h"), (1, "")])
def test_a_period_that_is_none_is_refused(number: int, unit: str) -> None:
    with pytest.raises(ValueError, match="period"):
        end_day(on("2026-03-02"), number, unit, PUBLISHED)


@pytest.mark.parametrize("unit", ["d", "wd", "mo"])
def test_the_end_of_all_dates_is_an_error_one_can_catch(unit: str) -> None:
    with pytest.raises(ValueError, match=r"no year|no date"):
        end_day(on("9999-12-20"), 40, unit, PUBLISHED)


def test_months_backwards_and_over_the_year() -> None:
    assert add_months(on("2026-03-31"), -1) == on("2026-02-28")
    assert add_months(on("2026-01-15"), -1) == on("2025-12-15")
    assert add_months(on("2025-12-31"), 14) == on("2027-02-28")


def test_past_the_last_published_year_a_deadline_is_provisional_until_the_notice_is_loaded() -> None:
    start = on("2027-01-20")
    before = end_day(start, 15, "wd", PUBLISHED)
    assert PUBLISHED.is_provisional(start, before)
    loaded = build([*notice_2026(), *parse_notice("day,kind\n2027-01-31,makeup\n2027-02-20,makeup\n")])
    after = end_day(start, 15, "wd", loaded)
    assert not loaded.is_provisional(start, after)
    assert after != before
    assert loaded.workdays_between(start, after) == PUBLISHED.workdays_between(start, before) == 15


# ---- instants ---------------------------------------------------------------------------------------------------------


def test_a_period_ends_with_the_last_second_of_the_local_day() -> None:
    assert due_instant(on("2026-03-12"), PUBLISHED) == datetime(2026, 3, 12, 15, 59, 59, tzinfo=UTC)
    assert due_instant(on("2026-03-12"), PUBLISHED).tzinfo is UTC
    late_evening = datetime(2026, 3, 2, 23, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert due_after(late_evening, 10, "d", PUBLISHED) == datetime(2026, 3, 12, 15, 59, 59, tzinfo=UTC)
    # 16:30 UTC is already the next local day
    assert due_after(datetime(2026, 3, 2, 16, 30, tzinfo=UTC), 1, "wd", PUBLISHED) == due_instant(
        on("2026-03-04"), PUBLISHED
    )


def test_the_local_day_turns_at_local_midnight_and_at_new_year() -> None:
    assert local_day(datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC), PUBLISHED) == on("2025-12-31")
    assert local_day(datetime(2025, 12, 31, 16, 0, 0, tzinfo=UTC), PUBLISHED) == on("2026-01-01")
    elsewhere = build(zone="UTC")
    assert local_day(datetime(2025, 12, 31, 16, 0, 0, tzinfo=UTC), elsewhere) == on("2025-12-31")


def test_hours_run_exactly() -> None:
    start = datetime(2026, 2, 14, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert due_after(start, 24, "h", PUBLISHED) == datetime(2026, 2, 15, 1, 30, tzinfo=UTC)
    assert due_after(start, 0, "h", PUBLISHED) == start
    with pytest.raises(ValueError, match="negative"):
        due_after(start, -1, "h", PUBLISHED)
    with pytest.raises(ValueError, match="no date"):
        due_after(start, 10**9, "h", PUBLISHED)


def test_a_naive_instant_is_refused() -> None:
    naive = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="needs a zone"):
        due_after(naive, 1, "d", PUBLISHED)
    with pytest.raises(ValueError, match="needs a zone"):
        due_after(naive, 1, "h", PUBLISHED)
    with pytest.raises(ValueError, match="needs a zone"):
        local_day(naive, PUBLISHED)


def test_a_time_of_day_is_local() -> None:
    assert at_local(on("2026-03-02"), "09:00", PUBLISHED) == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    assert at_local(on("2026-03-02"), "00:30", PUBLISHED) == datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    for wrong in ("24:00", "9:00", "0900", "09:60", "", "ab:cd"):
        with pytest.raises(ValueError):
            at_local(on("2026-03-02"), wrong, PUBLISHED)


# ---- suspension -------------------------------------------------------------------------------------------------------

PAUSES = [
    # unit, due, suspended on, left, resumed on, due again
    ("d", "2026-03-12", "2026-03-06", 6, "2026-04-10", "2026-04-16"),
    ("d", "2026-03-12", "2026-03-06", 6, "2026-04-12", "2026-04-20"),  # Saturday the 18th moves on
    ("mo", "2026-04-30", "2026-04-10", 20, "2026-06-01", "2026-06-22"),  # the 21st ends the Dragon Boat days
    ("wd", "2026-02-27", "2026-02-13", 5, "2026-03-02", "2026-03-09"),
    ("wd", "2026-02-27", "2026-02-18", 4, "2026-09-18", "2026-09-23"),  # the make-up Sunday counts
    ("d", "2026-03-12", "2026-03-12", 0, "2026-03-20", "2026-03-20"),
    ("d", "2026-03-12", "2026-03-12", 0, "2026-03-21", "2026-03-23"),
    ("wd", "2026-03-12", "2026-03-12", 0, "2026-03-21", "2026-03-23"),
    # overdue stays as overdue, and is not moved to a working day
    ("d", "2026-03-12", "2026-03-17", -5, "2026-04-10", "2026-04-05"),
    ("wd", "2026-03-12", "2026-03-17", -3, "2026-04-10", "2026-04-07"),
    ("wd", "2026-03-13", "2026-03-14", -1, "2026-04-10", "2026-04-09"),  # overdue though no working day has passed
]


@pytest.mark.parametrize(("unit", "due", "now", "left", "resumed", "again"), PAUSES)
def test_what_was_left_is_left_after_a_suspension(
    unit: str, due: str, now: str, left: int, resumed: str, again: str
) -> None:
    assert remaining(on(now), on(due), unit, PUBLISHED) == left
    assert resume_due(on(resumed), left, unit, PUBLISHED) == on(again)


@given(start=SOME_DAY, number=st.integers(1, 90), unit=st.sampled_from(["d", "wd", "mo"]), later=st.integers(-20, 120))
@settings(deadline=None)
def test_a_pause_of_no_days_changes_nothing(start: date, number: int, unit: str, later: int) -> None:
    due = end_day(start, min(number, 12) if unit == "mo" else number, unit, PUBLISHED)
    now = start + timedelta(days=later)
    left = remaining(now, due, unit, PUBLISHED)
    assert (left < 0) == (due < now)
    assert resume_due(now, left, unit, PUBLISHED) == due


def test_hours_cannot_be_suspended_by_days() -> None:
    with pytest.raises(ValueError, match="suspended"):
        remaining(on("2026-03-02"), on("2026-03-03"), "h", PUBLISHED)
    with pytest.raises(ValueError, match="suspended"):
        resume_due(on("2026-03-02"), 1, "h", PUBLISHED)


# ---- the notice file --------------------------------------------------------------------------------------------------


def test_a_notice_is_read_whatever_wrote_it() -> None:
    text = "\ufeff日期,类型,名称,来源\r\n2027/2/20,调休上班,,\r\n\r\n2027-02-06,节假日,春节,甲通知\r\n"
    assert parse_notice(text) == [
        Day(on("2027-02-06"), "holiday", "春节", "甲通知"),
        Day(on("2027-02-20"), "makeup", "调休上班", notice(on("2027-02-20"))),
    ]
    assert parse_notice("kind,day\nrest,2027-03-01", source="乙文件")[0].source == "乙文件"


def test_every_wrong_line_is_named() -> None:
    text = (
        "day,kind,name,source\n2027-02-30,holiday,,\n2027-02-20,makeup,,\n2027-02-20,rest,,\n"
        "2027-02-22,makeup,,\n2027-02-21,work,,\n2027-02-23,sunny,,\n2027-02-24\n"
    )
    with pytest.raises(NoticeError) as refused:
        parse_notice(text)
    assert [(complaint.line, complaint.code) for complaint in refused.value.complaints] == [
        (2, "day"),
        (4, "twice"),
        (5, "weekday"),
        (6, "weekend"),
        (7, "kind"),
        (8, "cells"),
    ]
    assert refused.value.complaints[0].label == (
        "第2行：不是日期：2027-02-30",
        "line 2: not a date (YYYY-MM-DD): 2027-02-30",
    )
    assert "line 8: " in str(refused.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("day,kind\n", "empty"), ("date,what\n2027-01-01,x\n", "columns"), ('day,kind\n"2027', "csv")],
)
def test_a_file_that_is_no_notice_is_refused(text: str, code: str) -> None:
    with pytest.raises(NoticeError) as refused:
        parse_notice(text)
    assert [complaint.code for complaint in refused.value.complaints] == [code]


def test_the_calendar_takes_any_function_for_its_years() -> None:
    """The kernel knows no library: a calendar without a single holiday is a calendar."""
    plain = Calendar(ZoneInfo("UTC"), lambda _: Arrangement(official=True, days={}))
    assert plain.add_workdays(on("2026-02-13"), 1) == on("2026-02-16")
