"""The board counts what the ledger lists, leads to it, and shows nobody more than their region."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from loop.store import places, tallies
from tests.browsing import Browser, Node, Pages, Seen
from tests.browsing import pages_on_both as pages
from tests.cast import CITY, COUNTY, NEXT_DOOR, PROVINCE, ROOT, TOWN

__all__ = ["pages"]

HOSTILE = "<script>alert(1)</script>\"'&"
NOBODYS = ("school", "bureau", "inspector", "admin")


@pytest.fixture
def busy(pages: Pages) -> Pages:
    """Findings written off and late, high on the ladder, suspended, drafted, and next door; some relapsed."""
    world = pages.world
    done = world.passed(world.reported(world.executing()))
    world.act("chief", "write_off", done)
    world.sleep(95)
    file = world.attach("inspector", done)
    world.act("inspector", "relapse", done, evidence=[file], similar=True, rectify_by=world.day(30))
    late = world.executing(category="funding", unit="other_school")
    world.sleep(33)
    world.act("chief", "write_off", world.passed(world.reported(late)))
    still = world.received(unit="government")
    world.act("chief", "suspend", still, reason="等待鉴定结论", until=world.day(60))
    world.received()
    world.sleep(24)
    world.opened(unit="other_school")
    world.fed_back(category="pay")
    values = {"title": "邻县问题", "unit": "next_school", "category": "campus_safety", "source": "旧台账"}
    world.act("next_officer", "take_over", **values)
    return pages


def numbers(seen: Seen) -> Iterator[tuple[int, str]]:
    """Every number on the page that leads somewhere, with where."""
    for link in seen.root.all("a"):
        path = link.attrs.get("href", "")
        if path.startswith(("/findings?", "/board/months/")) and (n := _number(link)) is not None:
            yield n, path


def _number(link: Node) -> int | None:
    marked = [*link.all("span", class_="key-n"), *link.all("text", class_="box-count")]
    text = (marked[0] if marked else link).text().split()
    word = text[0].replace(",", "") if text else ""
    return int(word) if word.isdigit() else None


async def behind(pages: Pages, who: str, browser: Browser, path: str) -> int:
    """How many findings the list there holds: by the same question to the API's ledger, or the rows of a month."""
    if path.startswith("/board/"):
        return len((await browser.get(path)).root.all("tr")[1:])
    answer = await pages.get(who, f"{path}&count=true&limit=1")
    assert answer.status_code == 200, (path, answer.text)
    return int(answer.json()["total"])


@pytest.mark.parametrize("folded", [False, True])
async def test_every_number_is_what_the_list_behind_it_holds(busy: Pages, folded: bool) -> None:
    world = busy.world
    if folded:
        tallies.fold(world.parts.store, world.engine.book.calendar.zone)
    for who, region in (("officer", ""), ("auditor", ""), ("city_chief", ""), ("province_chief", f"?region={CITY}")):
        browser = await busy.browser(who)
        seen = await browser.get(f"/board{region}")
        assert seen.status == 200
        found = list(numbers(seen))
        assert len({path for n, path in found if n}) > 20
        wrong = [(n, path) for n, path in found if await behind(busy, who, browser, path) != n]
        assert wrong == [], who


async def test_the_ledger_lists_as_many_on_its_page(busy: Pages) -> None:
    browser = await busy.browser("director")
    seen = await browser.get("/board")
    for n, path in numbers(seen):
        if "light=" in path:
            listed = (await browser.get(path)).root.all("a")
            assert len({a.attrs["href"] for a in listed if a.attrs.get("href", "").startswith("/findings/YX")}) == n


def columns(seen: Seen, name: str) -> list[str]:
    """What the columns of a chart say."""
    (chart,) = [
        svg for svg in seen.root.all("svg", class_="chart") if svg.attrs.get("aria-labelledby") == f"{name}-title"
    ]
    return [link.attrs["aria-label"] for link in chart.all("a")]


async def test_what_falls_due_is_told_by_working_days(pages: Pages) -> None:
    world = pages.world
    world.opened()
    for days in (3, 4, 11):
        number = world.opened(title=f"{days} 日后")
        world.act("inspector", "issue_on_the_spot", number, opinion="当场整改", rectify_by=world.day(days + 7))
    world.sleep(7)
    seen = await (await pages.browser("chief")).get("/board")
    assert columns(seen, "week") == [
        "2026-03-09（周一）：0 项到期", "2026-03-10（周二）：0 项到期", "2026-03-11（周三）：0 项到期",
        "2026-03-12（周四）：2 项到期", "2026-03-13（周五）：1 项到期",
    ]  # fmt: skip


async def test_a_month_says_what_came_in_time_and_what_did_not_hold(busy: Pages) -> None:
    browser = await busy.browser("leader")
    seen = await browser.get("/board")
    told = [line for line in columns(seen, "punctual") if "销号 0 项" not in line]
    assert told == ["2026-03：销号 1 项，按期 1 项，逾期 0 项", "2026-07：销号 1 项，按期 0 项，逾期 1 项"]
    assert "2026-03 销号 1 项，其后反弹 1 项" in columns(seen, "relapsed")
    late = await browser.get(f"/board/months/2026-07?region={COUNTY}&what=late")
    assert "逾期" in late.root.all("tbody")[0].text()
    assert "没有符合的销号" in (await browser.get("/board/months/2026-07?what=relapsed")).text


async def test_the_regions_lead_closer_and_back(busy: Pages) -> None:
    browser = await busy.browser("city_chief")
    seen = await browser.get("/board")
    assert seen.links()["云溪县"] == f"/board?region={COUNTY}"
    county = await browser.get(seen.links()["云溪县"])
    assert county.links()["青禾市"] == f"/board?region={CITY}"
    assert county.links()["桐峰镇"] == f"/board?region={TOWN}"
    assert "松江省" not in county.links()


async def test_a_strangers_region_is_not_found(busy: Pages) -> None:
    browser = await busy.browser("officer")
    for region in (NEXT_DOOR, CITY, PROVINCE, "nowhere", "%00", "a'--"):
        assert (await browser.get(f"/board?region={region}")).status == 404, region
        assert (await browser.get(f"/board/months/2026-03?region={region}")).status == 404, region
    for path in (
        "/board/months/2026-13",
        "/board/months/2026-3",
        "/board/months/2026-03?what=anything",
        "/board/months/%00",
    ):
        assert (await browser.get(path)).status == 404, path
    for cursor in ("%00", "x", "eyJ4IjoxfQ"):
        assert (await browser.get(f"/board/months/2026-03?after={cursor}")).status == 422, cursor
    assert "邻县问题" not in (await browser.get("/board")).text


async def test_who_has_no_board_is_refused_and_not_led_there(busy: Pages) -> None:
    for who in NOBODYS:
        browser = await busy.browser(who)
        assert "/board" not in (await browser.get("/")).links().values(), who
        for path in ("/board", f"/board?region={COUNTY}", "/board/months/2026-03"):
            assert (await browser.get(path)).status == 403, (who, path)
    for who in ("leader", "director", "chief", "officer", "auditor"):
        assert "/board" in (await (await busy.browser(who)).get("/")).links().values(), who
    assert (await (await busy.browser()).get("/board")).path.startswith("/sign-in")


async def test_a_region_without_findings_says_so(pages: Pages) -> None:
    seen = await (await pages.browser("next_officer")).get("/board")
    assert seen.status == 200
    assert "该地区还没有问题" in seen.text
    english = await (await pages.browser("city_chief", "en")).get(f"/board?region={NEXT_DOOR}")
    assert "No findings in this region" in english.text
    assert f"/board?region={CITY}" in english.links().values()


async def test_what_presses_says_for_whom_it_waits_so_that_no_school_is_blamed_for_an_office(pages: Pages) -> None:
    world = pages.world
    silent, handed_in = world.received(title="学校未报方案"), world.received(title="方案未审核")
    world.act("school", "submit_plan", handed_in, **world.plan())
    world.sleep(32)
    seen = await (await pages.browser("leader")).get("/board")
    lists = {
        card.all("h2")[0].text().strip(): [line.text() for line in card.all("ol", class_="pressing")[0].all("li")]
        for card in seen.root.all("section", class_="card")
        if card.all("ol", class_="pressing")
    }
    (of_school,) = [line for line in lists["逾期最久"] if silent in line]
    (of_office,) = [line for line in lists["逾期最久"] if handed_in in line]
    assert "待谁办理：被督导单位" in of_school
    assert "待谁办理：督导办经办人" in of_office
    assert ["待谁办理" in line for line in lists["督促升级（三级以上）"]] == [True]
    assert "级别高的在前，同级的新登记的在前。" in seen.text
    english = await (await pages.browser("leader", "en")).get("/board")
    assert "Waits for: officer" in english.text


async def test_a_leader_instructs_in_two_taps_and_nobody_else_is_offered_it(busy: Pages) -> None:
    buttons = {}
    for who in ("leader", "director", "officer", "auditor"):
        seen = await (await busy.browser(who)).get("/board")
        buttons[who] = {
            a.attrs["href"] for a in seen.root.all("a") if a.attrs.get("href", "").endswith("/actions/instruct")
        }
    assert buttons["leader"]
    assert not (buttons["director"] | buttons["officer"] | buttons["auditor"])
    browser = await busy.browser("leader")
    for path in buttons["leader"]:
        form = await browser.get(path)
        assert form.status == 200
        assert form.form(path).method == "post"


async def test_each_chart_has_words_and_a_table(busy: Pages) -> None:
    seen = await (await busy.browser("director")).get("/board")
    charts = seen.root.all("svg", class_="chart")
    assert len(charts) == 4
    for chart in charts:
        ids = {node.attrs.get("id") for tag in ("title", "desc") for node in chart.all(tag)}
        assert {chart.attrs["aria-labelledby"], chart.attrs["aria-describedby"]} <= ids
    cards = [card for card in seen.root.all("section", class_="card") if card.all("svg", class_="chart")]
    assert [bool(card.all("details") and card.all("table")) for card in cards] == [True] * 3
    assert 'style="' not in seen.answer.text
    assert "<style" not in seen.answer.text


async def test_names_are_words_whatever_they_hold(pages: Pages) -> None:
    world = pages.world
    for work in (
        lambda tx: places.change_unit(tx, ROOT, "school", {"name": HOSTILE}),
        lambda tx: places.change_region(tx, ROOT, TOWN, {"name": HOSTILE}),
    ):
        world.parts.store.write(work)
    world.received(title=HOSTILE)
    world.sleep(40)
    seen = await (await pages.browser("leader")).get("/board")
    assert seen.text.count(HOSTILE) >= 4
    assert "<script>alert" not in seen.answer.text


async def test_the_board_costs_the_same_number_of_questions(pages: Pages) -> None:
    world = pages.world
    browser = await pages.browser("city_chief")

    async def asked() -> int:
        said: list[Any] = []
        world.parts.store.trace = lambda text, _values: said.append(text)
        seen = await browser.get("/board")
        world.parts.store.trace = None
        assert seen.status == 200
        return len(said)

    world.received()
    world.sleep(30)
    few = await asked()
    for unit in ("school", "other_school", "government") * 3:
        world.received(unit=unit)
    world.sleep(30)
    assert await asked() == few
