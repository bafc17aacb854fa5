"""The ledger in a real browser: searched while somebody types, with an input method as well, ticked, on a telephone too."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.screen import DESKTOP, PHONE, Stage, browser, stage

__all__ = ["browser", "stage"]
LINES = "tbody th.col-finding a"


def ledger_of(stage: Stage, name: str, **how: object) -> Page:
    """The ledger before somebody, with two findings."""
    stage.world.received(title="消防通道堵塞")
    stage.world.received(title="厨房灶台油污", unit="other_school")
    page = stage.person(name, **how)  # type: ignore[arg-type]
    page.goto("/findings")
    expect(page.locator(LINES)).to_have_count(2)
    return page


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_ledger_follows_what_is_typed_and_the_address_follows_it(stage: Stage, size: dict[str, int]) -> None:
    page = ledger_of(stage, "officer", size=size)
    page.focus("#filter-q")
    page.keyboard.type("灶台")
    expect(page.locator(LINES)).to_have_text(["厨房灶台油污"])
    expect(page.locator("#ledger-count")).to_have_text("共 1 项")
    page.wait_for_url("**/findings?q=*")
    assert page.evaluate("document.activeElement.id") == "filter-q"
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    expect(page.locator(LINES)).to_have_count(2)
    page.wait_for_url("**/findings")
    page.check("input[name=overdue]")
    expect(page.locator("#ledger")).to_contain_text("没有符合条件的问题")
    page.go_back()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert stage.complaints == []


def test_letters_that_an_input_method_still_composes_are_not_searched_for(stage: Stage) -> None:
    page = ledger_of(stage, "officer", size=DESKTOP)
    page.clock.install()
    page.reload()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/findings?" in request.url else None)
    typing = page.context.new_cdp_session(page)
    page.focus("#filter-q")
    for letters in ("z", "zao", "zao tai"):
        typing.send("Input.imeSetComposition", {"text": letters, "selectionStart": len(letters), "selectionEnd": 0})
        page.clock.run_for(1_000)
    assert asked == []
    typing.send("Input.insertText", {"text": "灶台"})
    page.clock.run_for(1_000)
    expect(page.locator(LINES)).to_have_text(["厨房灶台油污"])


def test_names_of_units_are_offered_while_one_types_and_the_chosen_one_filters(stage: Stage) -> None:
    page = ledger_of(stage, "officer", size=DESKTOP)
    page.click(".filter-more summary")
    page.focus("#filter-unit")
    page.keyboard.type("第二")
    expect(page.locator("#filter-units option")).to_have_attribute("value", "云溪县第二中学")
    expect(page.locator(LINES)).to_have_count(2)
    page.fill("#filter-unit", "云溪县第二中学")
    page.keyboard.press("Tab")
    expect(page.locator(LINES)).to_have_text(["厨房灶台油污"])
    expect(page.locator(".chip")).to_contain_text("单位：云溪县第二中学")
    assert stage.complaints == []


def test_a_region_once_chosen_offers_what_lies_in_it(stage: Stage) -> None:
    page = ledger_of(stage, "province_chief", size=DESKTOP)
    page.click(".filter-more summary")
    regions = page.locator("#filter-region option")
    expect(regions).to_have_text(["不限", "松江省", "\u3000青禾市"])
    page.focus("#filter-region")
    page.select_option("#filter-region", "930100")
    expect(regions).to_have_text(["不限", "松江省", "\u3000青禾市", "\u3000\u3000云溪县", "\u3000\u3000石桥县"])
    assert page.input_value("#filter-region") == "930100"
    assert page.evaluate("document.activeElement.id") == "filter-region"
    expect(page.locator("#filter-more-count")).to_contain_text("1")
    page.select_option("#filter-region", "930108")
    expect(page.locator("#ledger")).to_contain_text("没有符合条件的问题")
    assert stage.complaints == []


def test_what_is_ticked_is_counted_and_taken_along(stage: Stage) -> None:
    page = ledger_of(stage, "officer", size=PHONE)
    act = page.locator("#bulk button")
    expect(act).to_be_disabled()
    page.check("[data-choose-all]")
    expect(page.locator("[data-chosen-count]")).to_have_text("已选 2 项")
    page.locator("input[name=finding]").first.uncheck()
    expect(page.locator("[data-chosen-count]")).to_have_text("已选 1 项")
    act.click()
    expect(page.locator("h1")).to_have_text("批量办理")
    expect(page.locator("main")).to_contain_text("所选问题（1 项）")
    assert stage.complaints == []


def test_a_session_that_ended_meanwhile_leads_to_the_way_in(stage: Stage) -> None:
    page = ledger_of(stage, "officer", size=DESKTOP)
    page.context.clear_cookies(name="loop_session")
    page.focus("#filter-q")
    page.keyboard.type("灶台")
    page.wait_for_url("**/sign-in?next=*")


def test_without_scripts_the_form_is_sent_and_everything_can_be_acted_on(stage: Stage) -> None:
    page = ledger_of(stage, "officer", size=PHONE, scripts=False)
    page.fill("#filter-q", "通道")
    page.click("#filter button[type=submit]")
    expect(page.locator(LINES)).to_have_text(["消防通道堵塞"])
    page.check("input[name=finding]")
    page.click("#bulk button")
    expect(page.locator("main")).to_contain_text("所选问题（1 项）")
