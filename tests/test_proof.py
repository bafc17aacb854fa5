"""The proof sheet of a period: each day with its reason, and always the same end as the arithmetic."""

import json
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop.kernel.calendar import end_day, remaining, resume_due
from loop.kernel.proof import Pause, Proof, proof
from tests.published import PERIODS, PUBLISHED, SOME_DAY, on


def sheet(start: str, number: int, unit: str, due: str, *pauses: Pause) -> Proof:
    return proof(on(start), number, unit, on(due), pauses, PUBLISHED, source="第九条")


def counted(found: Proof) -> list[date]:
    return [row.day.on for row in found.days if row.counts]


@pytest.mark.parametrize(("start", "number", "unit", "end"), PERIODS)
def test_the_last_row_that_counts_is_the_due_day(start: str, number: int, unit: str, end: str) -> None:
    found = sheet(start, number, unit, end)
    assert counted(found)[-1] == found.days[-1].day.on == found.by_rule == on(end)
    assert found.days[-1].number == found.days[-1].of == number
    assert not found.is_set
    if unit != "mo" and number:
        assert len(counted(found)) == number


def test_the_sheet_explains_each_day_of_the_spring_festival() -> None:
    found = sheet("2026-02-12", 4, "wd", "2026-02-25").as_dict("en")
    rows = found["days"]
    assert isinstance(rows, list)
    by_notice = "国务院办公厅关于2026年部分节假日安排的通知"
    assert [(row["day"], row["counts"], row["number_so_far"], row["why"]) for row in rows] == [
        ("2026-02-12", False, 0, "the day of the event does not count"),
        ("2026-02-13", True, 1, "working day"),
        ("2026-02-14", True, 2, f"make-up working day ({by_notice})"),
        *[(f"2026-02-{day}", False, 2, f"春节 ({by_notice})") for day in range(15, 24)],
        ("2026-02-24", True, 3, "working day"),
        ("2026-02-25", True, 4, "working day"),
    ]
    assert found["due_at"] == "2026-02-25T23:59:59+08:00"
    assert found["rule"] == {
        "number": 4,
        "unit": "wd",
        "text": "4 working days",
        "source": "第九条",
        "basis": "中华人民共和国民法典第二百零一条至第二百零三条",
    }
    assert json.loads(json.dumps(found)) == found


def test_the_sheet_shows_how_the_last_day_moved_on() -> None:
    rows = sheet("2026-03-04", 10, "d", "2026-03-16").as_dict("zh")["days"]
    assert isinstance(rows, list)
    assert [(row["day"], row["counts"], row["number_so_far"], row["why"]) for row in rows[-4:]] == [
        ("2026-03-13", True, 9, "逐日计入"),
        ("2026-03-14", False, 9, "最后一日不是工作日，顺延：周末"),
        ("2026-03-15", False, 9, "最后一日不是工作日，顺延：周末"),
        ("2026-03-16", True, 10, "由休息日顺延至此"),
    ]


def test_months_are_counted_as_they_end() -> None:
    found = sheet("2026-01-31", 2, "mo", "2026-03-31")
    assert {row.day.on: row.number for row in found.days if row.day.on.day in {27, 28, 30, 31}} == {
        on("2026-01-31"): 0,
        on("2026-02-27"): 0,
        on("2026-02-28"): 1,
        on("2026-03-27"): 1,
        on("2026-03-28"): 1,
        on("2026-03-30"): 1,
        on("2026-03-31"): 2,
    }


def test_a_pause_stands_in_the_sheet_with_its_reason() -> None:
    found = sheet("2026-03-02", 5, "wd", "2026-03-18", (on("2026-03-04"), on("2026-03-13"), "洪水"))
    assert counted(found) == [on(f"2026-03-{day}") for day in ("03", "04", "16", "17", "18")]
    paused = [row for row in found.days if row.why.en == "paused: 洪水"]
    assert [row.day.on.day for row in paused] == list(range(5, 14))
    assert {row.number for row in paused} == {2}
    assert found.pauses[0].as_dict() == {
        "since": "2026-03-04",
        "until": "2026-03-13",
        "reason": "洪水",
        "left": 3,
        "unit": "wd",
        "due_before": "2026-03-09",
        "due_after": "2026-03-18",
    }
    assert not found.is_set


def test_while_a_pause_lasts_the_count_stands_still() -> None:
    found = sheet("2026-03-02", 5, "wd", "2026-03-09", (on("2026-03-04"), None, "洪水"))
    assert counted(found) == [on("2026-03-03"), on("2026-03-04")]
    assert found.days[-1].why.en == "paused from this day until further notice: 洪水"
    assert found.pauses[0].left == 3
    assert found.pauses[0].due_after is None
    assert not found.is_set


def test_months_left_are_counted_in_days_after_a_pause() -> None:
    found = sheet("2026-03-10", 2, "mo", "2026-06-22", (on("2026-04-20"), on("2026-06-01"), "诉讼"))
    assert found.pauses[0].left == 21  # 10 May is a Sunday, so the end stood on Monday the 11th
    assert found.days[-1].unit == "d"
    assert found.days[-1].number == found.days[-1].of == 21
    assert counted(found)[-1] == on("2026-06-22")


def test_a_pause_on_the_last_day_and_one_after_it() -> None:
    on_last = sheet("2026-03-02", 10, "d", "2026-03-20", (on("2026-03-12"), on("2026-03-20"), "洪水"))
    assert on_last.pauses[0].left == 0
    assert counted(on_last)[-1] == on_last.days[-1].day.on == on("2026-03-20")
    assert not on_last.is_set
    late = sheet("2026-03-02", 10, "d", "2026-04-05", (on("2026-03-17"), on("2026-04-10"), "洪水"))
    assert late.pauses[0].left == -5
    assert counted(late)[-1] == on("2026-04-05")
    assert not late.is_set


def test_a_date_that_was_set_is_told_from_one_that_was_counted() -> None:
    found = sheet("2026-03-02", 90, "d", "2026-04-30")
    assert found.is_set
    assert found.by_rule == on("2026-06-01")
    assert counted(found)[-1] == on("2026-04-30")
    assert found.days[-1].why.en == "the end is a date that was set"
    past = sheet("2026-03-02", 90, "d", "2026-02-27")
    assert past.is_set
    assert counted(past) == [on("2026-02-27")]
    assert counted(sheet("2026-03-02", 90, "d", "2026-02-27", (on("2026-03-04"), on("2026-03-10"), "洪水"))) == [
        on("2026-02-27")
    ]


def test_a_date_set_after_a_pause_shows_the_pause_but_is_not_moved_by_it() -> None:
    pause = (on("2026-03-04"), on("2026-03-10"), "洪水")
    found = sheet("2026-03-02", 90, "d", "2026-03-13", pause)
    assert [(row.day.on.day, row.counts, row.number) for row in found.days] == [
        (2, False, 0),
        (3, True, 1),
        (4, True, 2),
        *[(day, False, 2) for day in range(5, 11)],
        (11, True, 3),
        (12, True, 4),
        (13, True, 5),
    ]
    assert found.pauses[0].left is None
    moved = proof(on("2026-03-02"), 90, "d", on("2026-03-13"), [pause], PUBLISHED, set_on=on("2026-03-07"))
    assert moved.pauses[0].left == 3
    assert counted(moved) == [on(f"2026-03-{day}") for day in ("03", "04", "11", "12", "13")]


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=3)


@given(start=SOME_DAY, number=st.integers(0, 60), unit=st.sampled_from(["d", "wd", "mo"]), spans=SPANS)
@settings(deadline=None, max_examples=200)
def test_any_sheet_ends_on_the_day_that_suspending_and_resuming_led_to(
    start: date, number: int, unit: str, spans: Sequence[tuple[int, int]]
) -> None:
    number = number % 7 if unit == "mo" else number
    due, at = end_day(start, number, unit, PUBLISHED), start
    pauses: list[Pause] = []
    for gap, length in spans:
        since = at + timedelta(days=gap)
        at = since + timedelta(days=length)
        due = resume_due(at, remaining(since, due, unit, PUBLISHED), unit, PUBLISHED)
        pauses.append((since, at, "停"))
    found = proof(start, number, unit, due, pauses, PUBLISHED)
    assert not found.is_set
    assert found.by_rule == due
    assert counted(found)[-1] == due
    assert json.dumps(found.as_dict("en"))
    if unit == "wd" and number and all(pause.left and pause.left > 0 for pause in found.pauses):
        assert len(counted(found)) == number
        assert all(PUBLISHED.is_workday(day) for day in counted(found))


@given(start=SOME_DAY, later=st.integers(-5, 90), spans=SPANS)
@settings(deadline=None)
def test_a_set_date_with_pauses_still_has_a_sheet_that_ends_on_it(
    start: date, later: int, spans: Sequence[tuple[int, int]]
) -> None:
    due, at = start + timedelta(days=later), start
    pauses: list[Pause] = []
    first = due
    for gap, length in spans:
        since = at + timedelta(days=gap)
        at = since + timedelta(days=length)
        due = resume_due(at, remaining(since, due, "d", PUBLISHED), "d", PUBLISHED)
        pauses.append((since, at, "停"))
    for found in (
        proof(start, 400, "d", due, pauses, PUBLISHED, set_on=first),
        proof(start, 400, "d", due, pauses, PUBLISHED),
    ):
        assert found.is_set
        assert counted(found)[-1] == due


def test_a_sheet_that_rests_on_an_unpublished_year_says_so() -> None:
    assert not sheet("2026-12-01", 5, "wd", "2026-12-08").provisional
    found = sheet("2026-12-28", 5, "wd", "2027-01-05")
    assert found.provisional
    assert {row.day.on.year: row.day.provisional for row in found.days} == {2026: False, 2027: True}


def test_two_pauses_that_began_on_one_day_are_counted_though_the_second_still_lasts() -> None:
    start = date(2026, 3, 2)
    pauses = [(date(2026, 3, 4), None, "等待鉴定"), (date(2026, 3, 4), date(2026, 3, 4), "当日恢复")]
    sheet = proof(start, 15, "wd", date(2026, 3, 23), pauses, PUBLISHED)
    assert [(row.since, row.until) for row in sheet.pauses][-1] == (date(2026, 3, 4), None)
