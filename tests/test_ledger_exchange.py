"""The ledger out and in: what is written is read again the same, and what people write is understood, doubted or refused."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workflows
from loop import calendars
from loop.kernel.decide import Book
from loop.kernel.errors import Invalid
from loop.kernel.finding import NEVER
from loop.kernel.machine import compile_table
from loop.kernel.payloads import clean_line, clean_text
from loop.kernel.vocabulary import CATEGORIES, KINDS, SEVERITIES
from loop.ledger import exchange
from loop.ledger.columns import BY_HEADING, COLUMNS, Line, bare, cells, safe
from loop.ledger.dates import read_day, read_due
from loop.ledger.reading import DOUBTS, Terms, read_sheet
from loop.ledger.sheet import MOST_RECORDS, opened
from loop.settings import load_settings, rule_book
from loop.store.ledger import LedgerRow, Named
from tests.web import Site, refused, site
from tests.world import world
from workflows import fields

__all__ = ["site", "world"]
DATA = Path(__file__).parent / "data"
FLOW = workflows.declared()
BOOK = Book(FLOW, compile_table(FLOW), rule_book(load_settings()), calendars.build(zone="Asia/Shanghai"))
TERMS = Terms({}, frozenset(), frozenset())

# ---- dates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "base", "kind", "on"),
    [
        ("2023-06-09", None, "date", "2023-06-09"), ("2023年6月9日前", None, "date", "2023-06-09"),
        ("2023.6.9", None, "date", "2023-06-09"), ("２０２３／６／９", None, "date", "2023-06-09"),
        ("20230609", None, "date", "2023-06-09"), ("45086", None, "date", "2023-06-09"),
        ("2023-6-9 17:00", None, "date", "2023-06-09"), ("2023年9月底", None, "date", "2023-09-30"),
        ("2024年2月", None, "date", "2024-02-29"), ("2023年底前", None, "date", "2023-12-31"),
        ("2023年上半年", None, "date", "2023-06-30"), ("2023年第三季度", None, "date", "2023-09-30"),
        ("二〇二三年九月中旬", None, "date", "2023-09-20"), ("9月底前", "2023-06-09", "date", "2023-09-30"),
        ("3月1日前", "2023-11-20", "date", "2024-03-01"), ("十月十五日", "2023-09-01", "date", "2023-10-15"),
        ("本月底", "2023-06-09", "date", "2023-06-30"), ("下月5日前", "2023-12-09", "date", "2024-01-05"),
        ("明年3月底", "2023-12-01", "date", "2024-03-31"), ("三个月内", "2023-06-09", "relative", "2023-09-09"),
        ("收到函后15日内", "2023-06-09", "relative", "2023-06-24"), ("1个月内", "2023-01-31", "relative", "2023-02-28"),
        ("两周内", "2023-06-09", "relative", "2023-06-23"), ("立行立改", "2023-06-09", "immediate", "2023-06-09"),
        ("即日起至2023年9月1日", None, "range", "2023-09-01"), ("2023年9月1日至10月15日", None, "range", "2023-10-15"),
        ("2023年6月1日-15日", None, "range", "2023-06-15"), ("10个工作日内", "2023-06-09", "relative", "2023-06-26"),
    ],
)  # fmt: skip
def test_a_deadline_that_is_sure(text: str, base: str | None, kind: str, on: str) -> None:
    found = read_due(text, date.fromisoformat(base) if base else None, BOOK.calendar.add_workdays)
    assert (found.kind, found.on, found.doubt) == (kind, date.fromisoformat(on), "")


@pytest.mark.parametrize(
    ("text", "base", "doubt"),
    [
        ("", None, "missing"), ("尽快", None, "vague"), ("规定时间内", "2023-06-09", "vague"), ("春季开学前", "2023-06-09", "event_date"),
        ("11.15", "2023-06-09", "no_year_dot"), ("10.3", "2023-06-09", "no_year_dot"), ("2023-02-30", None, "invalid_date"),
        ("4月31日", "2023-01-01", "invalid_date"), ("5月底之前", "2018-07-06", "before_base"), ("3日内", None, "no_base_date"),
        ("立即", None, "no_base_date"), ("9月底", None, "no_base_date"), ("9月1日、10月1日", "2023-01-01", "multiple_dates"),
        ("看情况", None, "unreadable"), ("9" * 400, None, "unreadable"), ("2023-13-01", None, "invalid_date"),
    ],
)  # fmt: skip
def test_a_deadline_that_a_person_must_decide(text: str, base: str | None, doubt: str) -> None:
    found = read_due(text, date.fromisoformat(base) if base else None)
    assert (found.on, found.doubt) == (None, doubt)
    assert DOUBTS[doubt].zh


def test_long_term_is_no_deadline_and_no_doubt() -> None:
    assert (read_due("长期坚持", None).kind, read_due("长期坚持", None).doubt) == ("long_term", "")


def test_a_day_before_its_base_shows_both_readings() -> None:
    assert read_due("5月底", date(2018, 7, 6)).candidates == (date(2018, 5, 31), date(2019, 5, 31))


@settings(deadline=None)
@given(st.text(max_size=30), st.none() | st.dates(date(1990, 1, 1), date(2190, 1, 1)))
def test_no_text_breaks_the_reader_of_dates(text: str, base: date | None) -> None:
    for found in (read_due(text, base, BOOK.calendar.add_workdays), read_day(text)):
        assert (found.on is None) or not found.doubt


# ---- round trip ----------------------------------------------------------------------------------------------------

DAYS = st.dates(date(1990, 1, 1), date(2199, 12, 31))
_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@'\"，,、;\n\t\r同上✔"), max_size=60
)


def _clean(text: str, line: bool) -> bool:
    try:
        return (clean_line if line else clean_text)(text) == text and text != ""
    except ValueError:
        return False


LINES = _TEXT.map(lambda t: " ".join(t.split())).filter(lambda t: _clean(t, line=True))
TEXTS = _TEXT.map(str.strip).filter(lambda t: _clean(t, line=False))
NAMES = LINES.filter(lambda t: not set(t) & set("、;；,，"))


@st.composite
def lines(draw: st.DrawFn, language: str) -> Line:
    off = draw(st.booleans())
    at = datetime.combine(draw(DAYS), datetime.min.time(), BOOK.calendar.zone).astimezone(UTC) + timedelta(hours=9)
    opened_at = datetime(2026, 3, 2, tzinfo=UTC)
    row = LedgerRow(
        id=1, number=f"YX-2026-{draw(st.integers(1, 9999)):04}", title=draw(LINES), description=draw(TEXTS), dispute="none",
        state="lookback.watching" if off else "rectification.executing", level=0, round=1, relapse_count=0,
        severity=draw(st.sampled_from(sorted(SEVERITIES))), category=draw(st.sampled_from(sorted(CATEGORIES))),
        kind=draw(st.sampled_from(sorted(KINDS))), unit=Named("u-1", draw(LINES), "school"), department_id=None,
        office=Named("o", "县督导办"), region=Named("r", "云溪县"), supervision_id=None, opened_at=opened_at,
        due_at=draw(st.sampled_from([NEVER, at])), due_rule="rectify_by", waits_for="unit", overdue=draw(st.booleans()),
        light="green", is_open=not off, written_off_at=at if off else NEVER, suspended_at=NEVER, changed_at=opened_at,
        version=1, responsible_person=draw(st.just("") | LINES), positive=False, long_term=draw(st.booleans()),
        danger_to_life=draw(st.booleans()),
    )  # fmt: skip
    sheet = {
        "source": draw(st.just("") | LINES), "found_on": draw(DAYS).isoformat(), "rectify_by": draw(DAYS).isoformat(),
        "opinion": {"letter_no": draw(st.just("") | LINES), "received_on": draw(DAYS).isoformat()},
        "cooperating_units": draw(st.lists(NAMES, max_size=3)),
    }  # fmt: skip
    return Line(row, sheet, BOOK, language)


def file_of(*written: list[str], language: str = "zh") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(written)
    return (exchange.heading_text(language) + out.getvalue()).encode()


@pytest.mark.parametrize("language", ["zh", "en"])
@settings(deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_again_the_same(language: str, data: st.DataObject) -> None:
    line = data.draw(lines(language))
    (row,) = read_sheet(opened(file_of(cells(line), language=language)), exchange.terms(BOOK, {}))
    before, sheet = line.row, line.sheet
    values: dict[str, Any] = {
        "title": before.title, "description": before.description, "unit": "u-1", "category": before.category,
        "kind": before.kind, "severity": before.severity, "source": sheet["source"], "found_on": sheet["found_on"],
        "letter_no": sheet["opinion"]["letter_no"], "received_on": sheet["opinion"]["received_on"],
        "rectify_by": sheet["rectify_by"], "responsible_person": before.responsible_person, "long_term": before.long_term,
        "danger_to_life": before.danger_to_life, "cooperating_units": sheet["cooperating_units"],
    }  # fmt: skip
    if not before.is_open:
        values["written_off_on"] = line.day(before.written_off_at)
    assert row.status == "understood", row.doubts
    assert row.its_number == before.number
    assert row.values == {name: value for name, value in values.items() if value or isinstance(value, bool)}


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_cell_is_a_formula(text: str) -> None:
    assert bare(safe(text)) == text
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_the_ledger_and_the_workflow_use_the_same_words() -> None:
    for name, words in (("kind", KINDS), ("severity", SEVERITIES), ("category", CATEGORIES)):
        assert get_args(fields.NewFinding.model_fields[name].annotation) == tuple(words)


def test_no_heading_means_two_columns() -> None:
    names = [name for column in COLUMNS for name in {column.key, *column.heading, *column.aliases}]
    assert len(BY_HEADING) >= len({name.replace("_", "").replace(" ", "").lower() for name in names}) - len(COLUMNS)
    for column in COLUMNS:
        assert BY_HEADING[column.heading.zh] is column


# ---- what people write ---------------------------------------------------------------------------------------------


def read(text: str, **terms: Any) -> list[Any]:
    return read_sheet(opened(text.encode()), replace(TERMS, defaults={"category": "governance"}, **terms))


def test_a_ledger_as_people_keep_it() -> None:
    """A file as it comes: GB18030, title lines, a heading in the middle, apostrophes, ticks, a total, a note."""
    raw = (DATA / "ledger_gb18030.csv").read_bytes()
    sheet = opened(raw)
    assert sheet.encoding == "gb18030"
    assert [(s.number, s.why.en) for s in sheet.skipped] == [
        (1, "title"), (2, "empty line"), (3, "heading"), (8, "heading repeated"), (16, "total"), (17, "note")
    ]  # fmt: skip
    rows = {row.number: row for row in read_sheet(sheet, replace(TERMS, defaults={"category": "governance"}))}
    assert {n: (r.status, [d.code for d in r.doubts]) for n, r in rows.items()} == {
        4: ("understood", []), 5: ("understood", []), 6: ("understood", []), 7: ("ambiguous", ["before_base"]),
        9: ("ambiguous", ["vague"]), 10: ("ambiguous", ["multi_unit"]), 11: ("ambiguous", ["ragged_row"]),
        12: ("ambiguous", ["status_unknown"]), 13: ("ambiguous", ["ragged_row", "missing"]),
        14: ("ambiguous", ["write_off_date_missing"]), 15: ("understood", []),
    }  # fmt: skip
    assert rows[4].values["written_off_on"] == "2024-07-28"
    assert rows[5].values["rectify_by"] == "2024-09-30"
    assert "written_off_on" not in rows[6].values
    assert rows[6].unit == rows[5].unit == "海棠市第一小学"
    assert rows[5].values["description"] == "操场照明不足\n整改措施：换灯\n责任单位：总务处"
    assert rows[6].values["description"].startswith("分两行写的\n“旱厕”问题")
    assert rows[15].values["long_term"] is True


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(encoding: str) -> None:
    text = "单位\t存在问题\t整改时限\n青禾小学\t楼梯扶手松动𠮷\t2026年4月30日前\n"
    (row,) = read_sheet(opened(text.encode(encoding)), TERMS)
    assert row.unit == "青禾小学"
    assert row.values["title"] == "楼梯扶手松动𠮷"
    assert row.values["rectify_by"] == "2026-04-30"


def test_english_headings_and_semicolons() -> None:
    rows = read("School;Problem;Deadline;Status;Written off on\nHillside;No railing;2026-04-30;done;2026-04-02\n")
    assert (rows[0].unit, rows[0].values["written_off_on"], rows[0].status) == ("Hillside", "2026-04-02", "understood")


def test_a_long_description_gives_a_short_title() -> None:
    (row,) = read("单位,问题\n甲校," + "很长" * 100 + "\n")
    assert len(row.values["title"]) == 80
    assert row.values["title"].endswith("…")
    assert len(row.values["description"]) == 200


def test_twice_the_same_is_said_and_counted_twice() -> None:
    rows = read("单位,问题,时限\n甲校,漏水,2026-05-01\n甲校,漏水,2026-05-01\n")
    assert [len(row.notes) for row in rows] == [0, 1]
    assert rows[1].status == "understood"


def test_words_that_are_no_choice_are_doubted_with_the_choices() -> None:
    (row,) = read("单位,问题,时限,类别,严重程度,长期整改\n甲校,漏水,2026-05-01,水电,很重,也许\n")
    assert [(d.field, d.code) for d in row.doubts] == [
        ("category", "choice_unknown"), ("severity", "choice_unknown"), ("long_term", "choice_unknown")
    ]  # fmt: skip
    assert "校园安全" in row.doubts[0].candidates


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\xff\xfe\x00", b"\x81", b"PK\x03\x04\x00\x00", "甲,乙\n1,2\n".encode(), b"unit,description\n\"" + b"x" * 140_000,
        b"unit,description\n" + b"a,b\n" * MOST_RECORDS,
    ],
)  # fmt: skip
def test_what_is_no_ledger_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        opened(raw)


@settings(deadline=None)
@given(
    st.binary(max_size=300)
    | st.text(st.sampled_from("单位,问题\n\r\t;\"'=同上2026-04年月日✔是"), max_size=300).map(str.encode)
)
def test_no_file_breaks_the_reader(raw: bytes) -> None:
    for head in (b"", "单位,问题,时限,状态\n".encode()):
        try:
            rows = read_sheet(opened(head + raw), TERMS)
        except Invalid:
            continue
        assert all(row.status in ("understood", "ambiguous") for row in rows)


# ---- by HTTP -------------------------------------------------------------------------------------------------------

FILE = (
    "被督导单位,标题,问题描述,类别,签收日期,整改期限,状态,销号日期\n"
    "桐峰镇中心小学,扶手松动,二楼扶手松动,校园安全,2026-02-20,2026-04-30,整改中,\n"
    "云溪县第二中学,留样不全,食堂留样不全,卫生食堂,2026-01-05,2026-02-10,已销号,2026-02-08\n"
    "石桥县第一中学,别县的学校,不在范围内,校园安全,2026-02-20,2026-04-30,整改中,\n"
    "桐峰镇中心小学,没有时限,说不清,校园安全,2026-02-20,尽快,整改中,\n"
    "桐峰镇中心小学,日期在未来,未来销号,校园安全,2026-02-20,,已销号,2027-01-01\n"
)
CSV = {"Content-Type": "text/csv; charset=utf-8"}


async def sent(site: Site, who: str, query: str = "", raw: str | bytes = FILE, **more: Any) -> Any:
    content = raw.encode() if isinstance(raw, str) else raw
    return await site.call(who, "POST", f"/ledger/import{query}", **({"headers": CSV, "content": content} | more))


async def test_a_dry_run_says_everything_and_changes_nothing(site: Site) -> None:
    answer = (await sent(site, "officer", "?dry_run=true")).json()
    assert answer["counts"] == {"understood": 2, "ambiguous": 1, "wrong": 2, "skipped": 1}
    said = {row["record"]: [(s["field"], s["code"]) for s in row["said"]] for row in answer["rows"]}
    assert said == {
        2: [], 3: [], 4: [("unit", "unit_unknown")], 5: [("rectify_by", "vague")], 6: [("", "written_off_on_not_in_future")]
    }  # fmt: skip
    assert all(row["finding"] is None for row in answer["rows"])
    assert (await site.get("officer", "/findings?count=true")).json()["total"] == 0


async def test_the_rows_that_are_understood_become_findings(site: Site) -> None:
    answer = (await sent(site, "officer", "?source=旧台账")).json()
    made = {row["record"]: row["finding"] for row in answer["rows"]}
    assert made == {2: "YX-2026-0001", 3: "YX-2026-0002", 4: None, 5: None, 6: None}
    running, off = site.world.finding("YX-2026-0001"), site.world.finding("YX-2026-0002")
    assert (running.state, running.title, running.sheet["source"]) == ("rectification.executing", "扶手松动", "旧台账")
    assert site.world.due("YX-2026-0001", "rectify_by") == date(2026, 4, 30)
    assert (off.state, off.unit_id) == ("lookback.watching", "other_school")
    assert {t.rule for t in off.timers} >= {"lookback"}
    assert [m.step for m in site.world.inbox("school")] == ["take_over"]


async def test_a_repeated_import_makes_nothing_twice(site: Site) -> None:
    first = await sent(site, "officer", headers=CSV | {"Idempotency-Key": "i-1"})
    again = await sent(site, "officer", headers=CSV | {"Idempotency-Key": "i-1"})
    assert first.content == again.content
    assert (await site.get("officer", "/findings?count=true")).json()["total"] == 2
    other = await sent(site, "officer", "?source=别的", headers=CSV | {"Idempotency-Key": "i-1"})
    refused(other, 409, "idempotency_mismatch")


async def test_a_form_with_a_file_in_gb18030_and_a_category_for_all(site: Site) -> None:
    raw = "单位,问题,整改时限\n桐峰镇中心小学,围墙开裂,2026年5月底前\n".encode("gb18030")
    form: dict[str, Any] = {"files": {"file": ("台账.csv", raw, "text/csv")}, "headers": {}}
    query = "?category=campus_safety&kind=special&severity=major"
    answer = (await sent(site, "chief", query, **form, content=None)).json()
    assert answer["encoding"] == "gb18030"
    (row,) = answer["rows"]
    finding = site.world.finding(row["finding"])
    assert (finding.category, finding.severity, finding.kind) == ("campus_safety", "major", "special")
    assert finding.sheet["source"] == "台账导入：台账.csv"


async def test_what_went_out_comes_in_again_elsewhere_and_is_known_here(site: Site) -> None:
    number = site.world.executing(title="=1+1", description="+8613800000000\n“引号”,逗号")
    done = site.world.reported(site.world.executing(unit="other_school"))
    site.world.passed(done)
    site.world.act("chief", "write_off", done)
    out = await site.get("officer", "/ledger.csv?sort=number")
    assert out.headers["content-type"] == "text/csv; charset=utf-8"
    assert out.headers["content-disposition"].startswith('attachment; filename="ledger-2026-03-02.csv"')
    assert out.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(out.content.decode("utf-8-sig"), newline="")))
    assert [r["编号"] for r in rows] == [number, done]
    assert [r["标题"] for r in rows] == ["'=1+1", "消防通道堵塞"]
    answer = (await sent(site, "officer", "?dry_run=true", out.content)).json()
    assert [[s["code"] for s in row["said"]] for row in answer["rows"]] == [
        ["missing", "known_number"],
        ["known_number"],
    ]
    assert answer["rows"][0]["values"]["description"] == "+8613800000000\n“引号”,逗号"
    assert answer["rows"][1]["values"]["written_off_on"] == "2026-03-02"
    assert answer["rows"][0]["values"]["received_on"] == "2026-03-02"


@pytest.mark.parametrize("who", ["inspector", "director", "school", "bureau", "leader", "auditor", "admin"])
async def test_only_officers_and_chiefs_take_over(site: Site, who: str) -> None:
    refused(await sent(site, who), 403, "forbidden")


async def test_an_import_that_cannot_be(site: Site) -> None:
    for kind, status, code in (("application/json", 415, "unsupported_file"), ("multipart/form-data", 422, "invalid")):
        refused(await sent(site, "officer", headers={"Content-Type": kind}), status, code)
    refused(await sent(site, "officer", "?dry_run=perhaps"), 422, "invalid")
    refused(await sent(site, "officer", raw="甲,乙\n"), 422, "invalid")
    refused(await sent(site, "officer", raw=b"x" * (11 * 1024 * 1024)), 413, "too_large")
    file = "单位,问题,时限\n桐峰镇中心小学,坏\x07字,2026-05-01\n"
    bad = (await sent(site, "officer", "?category=nothing", file)).json()
    assert sorted(s["field"] for s in bad["rows"][0]["said"]) == ["category", "description", "title"]
