"""The whole life of a finding by seven people in seven browsers: with a mouse and on a telephone, in both languages, and once
without scripts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.screen import DESKTOP, PHONE, Stage, browser, stage

__all__ = ["browser", "stage"]

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
TITLE = "消防通道堆放课桌椅"


class Life:
    """One finding's life, told by what people do on their screens."""

    def __init__(self, stage: Stage, folder: Path, **how: Any) -> None:
        self.stage, self.world, self.how = stage, stage.world, how
        self.number = ""
        self.people: dict[str, Page] = {}
        self.picture = folder / "现场 照片.png"
        self.picture.write_bytes(PICTURE)

    def page(self, who: str) -> Page:
        if who not in self.people:
            self.people[who] = self.stage.person(who, **self.how)
        return self.people[who]

    def record(self, who: str) -> None:
        page = self.page(who)
        page.goto("/findings/new")
        page.fill("[name=title]", TITLE)
        page.fill("[name=unit]", "桐峰镇中心小学")
        page.select_option("[name=category]", "campus_safety")
        page.fill("[name=description]", "二层东侧疏散通道堆放课桌椅，宽度不足一米。")
        page.set_input_files("[name='_files:']", str(self.picture))
        page.click("details > summary:has-text('更多'), details > summary:has-text('More')")
        page.fill("[name='facts.0.text']", "二层东侧疏散通道堆放课桌椅")
        page.click("button[value=facts]")
        # The browser cannot choose a file a second time by itself; it was kept.
        assert page.locator("text=现场 照片.png").count() == 1
        page.fill("[name='legal_basis.0.title']", "中小学幼儿园安全管理办法")
        page.click("main form button.btn-primary")
        page.wait_for_url("**/findings/*done=acted.open*")
        self.number = page.url.partition("?")[0].rpartition("/")[2]
        assert page.locator("h1").inner_text() == TITLE
        assert page.locator("section:has(#files) >> text=现场 照片.png").count() == 1

    def act(self, who: str, action: str, *ticks: str, **fields: str) -> Page:
        """Open the finding, press the button of the action, fill in its form, confirm."""
        page = self.page(who)
        page.goto(f"/findings/{self.number}")
        page.click(f"main a[href$='/actions/{action}']")
        for name, text in fields.items():
            self.fill(page, name, text)
        for box in ticks:
            name, _, value = box.partition("=")
            page.check(f"[name='{name}'][value='{value}']")
        page.click("main form button.btn-primary")
        page.wait_for_url(f"**/findings/{self.number}?done=acted.{action}*")
        assert self.world.actions(self.number)[-1] == action
        return page

    def fill(self, page: Page, name: str, text: str) -> None:
        place = page.locator(f"[name='{name.replace('__', '.')}']")
        if place.evaluate("one => one.tagName") == "SELECT":
            place.select_option(text)
        else:
            place.fill(text)

    def upload(self, who: str, action: str, field: str) -> None:
        """Add a picture to a form: at once with scripts, with the form without them."""
        page = self.page(who)
        page.set_input_files(f"[name='_files:{field}']", str(self.picture))
        if self.how["scripts"]:
            page.wait_for_selector(f"[data-boxes='{field}'] input:checked")


def live(life: Life) -> None:
    """From the spot where it was seen to the look-back that finds it still mended."""
    world = life.world
    life.record("inspector")
    life.act("inspector", "submit_report")
    life.act("chief", "approve_report")
    life.act("school", "waive_defence")
    page = life.page("chief")
    page.goto(f"/findings/{life.number}/actions/serve_opinion")
    page.fill("[name=evaluation]", "安全责任落实不到位。")
    page.fill("[name='demands.0.text']", "清空通道")
    page.click("button[value=demands]")
    assert page.locator("[name='demands.0.text']").input_value() == "清空通道"
    page.fill("[name='demands.1.text']", "建立每日巡查制度")
    page.click("main form button.btn-primary")
    page.wait_for_url("**done=acted.serve_opinion*")
    life.act("school", "acknowledge", receiver__name="收发员")
    plan: dict[str, str] = {}
    for place in (0, 1):
        for name, text in (("problem", "堵塞"), ("task", "清理"), ("measure", "专人巡查"), ("responsible", "总务处")):
            plan[f"items__{place}__{name}"] = text
        plan[f"items__{place}__due"] = world.day(8)
    life.act("school", "submit_plan", cause="库房不足", target="全天畅通", finish_on=world.day(12), **plan)
    life.act("officer", "accept_plan")
    life.act("leader", "instruct", text="请尽快办结。")
    life.act("officer", "answer_instruction", text="已督促学校。")
    report(life)
    life.act("chief", "assign_review", "reviewers=inspector2", "reviewers=inspector3", on=world.day(2))
    checked = {f"items__{place}__verdict": "pass" for place in (0, 1)}
    life.act(
        "inspector2",
        "pass_review",
        "signed_by=inspector2",
        "signed_by=inspector3",
        comments="现场核查属实。",
        **checked,
    )
    life.act("chief", "write_off")
    world.sleep(100)
    life.act("inspector", "confirm_held", verdict="成效保持")
    assert world.state(life.number) == "lookback.watching"


def report(life: Life) -> None:
    """The school reports what it did, with a picture for each measure."""
    page = life.page("school")
    path = f"/findings/{life.number}/actions/submit_rectification"
    page.goto(path)
    page.fill("[name=effect]", "通道畅通。")
    for place in (0, 1):
        page.select_option(f"[name='items.{place}.status']", "done")
        page.fill(f"[name='items.{place}.text']", "已清空，见照片。")
        life.upload("school", "submit_rectification", f"items.{place}.evidence")
    page.click("main form button.btn-primary")
    page.wait_for_url("**done=acted.submit_rectification*")


WAYS = {
    "desktop, Chinese": {"size": DESKTOP, "language": "zh", "scripts": True},
    "telephone, English": {"size": PHONE, "language": "en", "scripts": True},
    "desktop, without scripts": {"size": DESKTOP, "language": "zh", "scripts": False},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_finding_lives_its_whole_life_on_screens(stage: Stage, tmp_path: Path, way: str) -> None:
    life = Life(stage, tmp_path, **WAYS[way])
    live(life)
    assert len(life.people) == 6
    page = life.page("auditor")
    page.goto(f"/findings/{life.number}")
    told = page.locator("ol.story").inner_text()
    words = (
        ("成效保持", "现场核查属实", "请尽快办结") if WAYS[way]["language"] == "zh" else ("现场核查属实", "请尽快办结")
    )
    assert all(word in told for word in words)
    assert page.locator("ol.story .hash code").count() == life.world.version(life.number)
    assert page.locator("main a[href*='/actions/']:not([href$=comment]):not([href$=attach])").count() == 0
    assert stage.complaints == []


def test_what_was_typed_survives_a_lost_session_and_the_wrong_button(stage: Stage) -> None:
    number = stage.world.executing()
    page = stage.person("school", size=PHONE)
    path = f"/findings/{number}/actions/report_progress"
    page.goto(path)
    page.fill("[name=text]", "库房已改造一半，通道每天有人巡查。")
    page.fill("[name=percent]", "50")
    page.context.clear_cookies(name="loop_session")
    page.click("main form button.btn-primary")
    assert "请先登录" in page.locator("h1").inner_text()
    page.click("text=登录后继续")
    page.fill('input[name="name"]', "school")
    page.fill('input[name="password"]', "correct horse battery")
    page.click('main button[type="submit"]')
    page.wait_for_url(f"**{path}*")
    assert page.input_value("[name=text]") == "库房已改造一半，通道每天有人巡查。"
    assert page.input_value("[name=percent]") == "50"
    page.click("main form button.btn-primary")
    page.wait_for_url("**done=acted.report_progress*")
    page.goto(path)
    assert page.input_value("[name=text]") == ""
    assert stage.complaints == []


def test_a_report_outlives_the_language_switch_in_its_tab_alone(stage: Stage) -> None:
    page = stage.guest(size=PHONE)
    page.goto("/report")
    page.fill("[name=matter]", "食堂使用过期食材。")
    page.fill("[name=contact]", "13800000000")
    page.select_option("[name=region]", "930106")
    page.click("a[href^='/language/en']")
    page.wait_for_url("**/report")
    assert page.locator("h1").inner_text() == "Report a problem"
    assert [page.input_value(f"[name={name}]") for name in ("matter", "contact", "region")] == [
        "食堂使用过期食材。", "13800000000", "930106",
    ]  # fmt: skip
    other = page.context.new_page()
    other.goto("/report")
    assert other.input_value("[name=matter]") == ""
    page.click("main form button.btn-primary")
    page.wait_for_url("**/report/received")
    code = page.input_value("#receipt")
    page.reload()
    assert page.input_value("#receipt") == code
    page.goto("/report")
    assert page.input_value("[name=matter]") == ""
    assert page.evaluate("localStorage.length") == 0
    assert stage.complaints == []


def test_everything_can_be_reached_and_done_by_keyboard(stage: Stage) -> None:
    number = stage.world.received()
    page = stage.person("school", size=DESKTOP)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == f"/findings/{number}/actions/submit_plan":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    page.wait_for_url("**/actions/submit_plan")
    page.keyboard.press("Tab")
    page.focus("main form button.btn-primary")
    page.keyboard.press("Enter")
    # The browser itself holds a form back whose required fields are empty, and puts the cursor into the first of them.
    assert page.evaluate("document.activeElement.name") == "cause"
