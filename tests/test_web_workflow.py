"""The page of the workflow: every state, action and deadline in both languages, with what the reader sees where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loop.kernel.labels import LANGUAGES
from loop.kernel.rules import Rule
from loop.settings import load_settings, rule_book
from loop.store import tallies
from loop.web.workflow_rules import CASES, LIMITS
from loop.web.workflow_sources import NATURES, source
from tests.browsing import Browser, Pages, Seen, pages, sqlite_url
from workflows import declared

__all__ = ["pages", "sqlite_url"]

FLOW = declared()
RULES = rule_book(load_settings())
STATES_NOW = ("现有", "Now")


async def counts(browser: Browser) -> dict[str, int]:
    """How many findings the page says are in each state."""
    seen = await browser.get("/workflow")
    assert seen.status == 200
    found = {}
    for row in seen.root.all("tr"):
        names = row.all("span", class_="code")
        numbers = [cell for cell in row.all("td") if cell.attrs.get("data-name") in STATES_NOW]
        if names and numbers:
            found[names[0].text().strip()] = int(numbers[0].text().split()[0])
    return found


async def listed(browser: Browser, path: str) -> int:
    """How many findings the ledger lists there."""
    seen = await browser.get(path)
    assert seen.status == 200, path
    return len(
        {node.attrs["href"] for node in seen.root.all("a") if node.attrs.get("href", "").startswith("/findings/YX")}
    )


@pytest.mark.parametrize("language", LANGUAGES)
async def test_everything_that_is_declared_stands_there_in_both_languages(pages: Pages, language: str) -> None:
    seen = await (await pages.browser("auditor", language)).get("/workflow")
    labels = [*(s.label for s in FLOW.states.values()), *(a.label for a in FLOW.actions.values())]
    labels += [*(t.label for t in FLOW.timers.values()), *FLOW.dispute_states.values(), *FLOW.stages.values()]
    assert [label.en for label in labels if label.in_(language) not in seen.text] == []


async def test_everyone_counts_what_they_see_before_and_after_the_tally_is_added_up(pages: Pages) -> None:
    world = pages.world
    world.opened(unit="other_school")
    world.fed_back()
    world.executing()
    expected = {
        "officer": (1, 1, 1),
        "auditor": (1, 1, 1),
        "school": (0, 1, 1),
        "bureau": (0, 1, 1),
        "next_officer": (0, 0, 0),
    }
    states = ("report.draft", "feedback.preliminary", "rectification.executing")
    for _ in range(2):
        for who, numbers in expected.items():
            browser = await pages.browser(who)
            found = await counts(browser)
            assert tuple(found[state] for state in states) == numbers, who
            assert sum(found.values()) == sum(numbers)
        tallies.fold(world.parts.store, world.engine.book.calendar.zone)


async def test_a_count_leads_to_just_these_findings(pages: Pages) -> None:
    pages.world.fed_back()
    pages.world.executing()
    browser = await pages.browser("officer")
    seen = await browser.get("/workflow")
    links = {node.attrs["href"] for node in seen.root.all("a") if node.attrs.get("href", "").startswith("/findings?")}
    assert links == {"/findings?state=feedback.preliminary", "/findings?state=rectification.executing"}
    for path in links:
        assert await listed(browser, path) == 1


async def test_who_sees_no_findings_is_shown_no_numbers(pages: Pages) -> None:
    pages.world.executing()
    browser = await pages.browser("admin")
    seen = await browser.get("/workflow")
    assert "提交审核" in seen.text
    assert await counts(browser) == {}
    assert "/workflow" in seen.links().values()


async def test_without_signing_in_there_is_no_page(pages: Pages) -> None:
    seen = await (await pages.browser()).get("/workflow")
    assert seen.path.startswith("/sign-in")


def deadline(seen: Seen, name: str) -> str:
    (row,) = seen.root.all("tr", id=f"timer-{name}")
    return row.text()


async def test_no_deadline_is_shown_without_what_it_rests_on(pages: Pages) -> None:
    seen = await (await pages.browser("school")).get("/workflow")
    for name, timer in FLOW.timers.items():
        for key in (name, *timer.variants):
            if rule := RULES.rules.get(key):
                told = deadline(seen, name)
                assert NATURES[rule.provenance].zh in told, name
                assert source(rule).zh in told, name
    assert "不是法定期限" in seen.text


async def test_what_this_product_made_up_is_never_said_to_be_verified(pages: Pages) -> None:
    seen = await (await pages.browser("school", "en")).get("/workflow")
    for name, timer in FLOW.timers.items():
        natures = {rule.provenance for key in (name, *timer.variants) if (rule := RULES.rules.get(key))}
        if natures and "V" not in natures:
            assert NATURES["V"].en not in deadline(seen, name), name


async def test_the_chart_has_its_tables_and_carries_no_style_of_its_own(pages: Pages) -> None:
    seen = await (await pages.browser("officer")).get("/workflow")
    (chart,) = seen.root.all("svg", class_="wf-picture")
    assert chart.all("title")
    assert chart.all("desc")
    named = {node.text().strip() for node in chart.all("text")}
    assert {state.label.zh for state in FLOW.states.values()} <= named
    assert not chart.all("style")
    assert not [node for tag in ("rect", "path", "text", "svg") for node in chart.all(tag) if "style" in node.attrs]


def test_every_limit_has_a_name() -> None:
    used = {key for timer in FLOW.timers.values() for key in (timer.name, *timer.variants)}
    assert {key for timer in FLOW.timers.values() for key in timer.variants} <= set(CASES)
    assert set(RULES.rules) - used == set(LIMITS)


def test_a_source_that_an_office_writes_is_shown_as_it_wrote_it() -> None:
    rule = Rule("plan_due", 10, "wd", "本省规定 & <b>", "O")
    assert source(rule) == ("本省规定 & <b>", "本省规定 & <b>")
    assert source(replace(rule, source_en="our rules")) == ("本省规定 & <b>", "our rules")


async def test_a_clock_says_in_the_readers_language_what_it_rests_on(pages: Pages) -> None:
    number = pages.world.received()
    clock = pages.world.timers(number)["plan_due"]
    assert clock.source == RULES.rule("plan_due").source
    told = {"zh": "产品默认：教育督导文件中未查到规定", "en": "product default: no rule found in education texts"}
    for language, words in told.items():
        school = await pages.browser("school", language)
        assert words in (await school.get(f"/findings/{number}")).text
        count = (await school.get(f"/findings/{number}/clocks/{clock.id}")).text
        assert all(part in count for part in words.replace("：", ": ").split(": "))


async def test_the_page_costs_the_same_number_of_questions(pages: Pages) -> None:
    world = pages.world
    browser = await pages.browser("officer")

    async def asked() -> int:
        said: list[Any] = []
        world.parts.store.trace = lambda text, _values: said.append(text)
        await browser.get("/workflow")
        world.parts.store.trace = None
        return len(said)

    world.executing()
    few = await asked()
    for _ in range(5):
        world.fed_back()
    assert await asked() == few
