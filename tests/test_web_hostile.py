"""Whatever people type, it comes out as text: no element, no attribute, no template code, no broken page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from html import escape
from urllib.parse import quote

import httpx
import pytest

from loop.store import papers, reach
from tests import hostile
from tests.browsing import Browser, Form, Seen
from tests.each_action import CREATING, STORIES, steps
from tests.hostile import LONG, MIDDLE, SHORT, TINY, wrong_with
from tests.page_crowd import gathered, with_csrf
from tests.page_list import GUEST, LOOKS, SENDINGS, routes
from tests.page_matrix import LOOKING, WHO, cells
from tests.page_scene import Scene, own_scene
from tests.page_troll import Troll, trolled

__all__ = ["own_scene", "trolled"]

SAID_AGAIN = {
    "title", "text", "matter", "name", "unit", "full_name", "code", "notice", "url", "lead", "report", "doc_prefix",
}  # fmt: skip
"""Fields that a form that was refused shows as they were typed."""
ANSWERS: tuple[tuple[str, dict[str, str], tuple[str, str]], ...] = (
    ("/report/state", {"code": "answered"}, ("", "")),
    ("/tip-offs/{tip_off}/identity", {}, ("", "")),
    ("/findings/bulk/comment", {"text": LONG}, ("_step", "preview")),
    ("/admin/calendar/load", {"notice": f"day,kind,name\n2029-01-03,holiday,{TINY}", "reason": MIDDLE}, ("", "")),
    ("/admin/calendar/load", {"notice": f"{LONG}\n{LONG}"}, ("", "")),
    ("/admin/channels/desk/test", {"address": MIDDLE}, ("", "")),
)
"""Forms that answer with a page: what is typed into them and which button is pressed."""
ASKED = (
    "q", "after", "region", "unit", "office", "status", "person", "channel", "parent", "done", "next", "year", "what", "tip_off",
)  # fmt: skip
"""What one page or another reads from its address."""


async def faults(browser: Browser, addresses: Iterable[str]) -> dict[str, list[str]]:
    """What is wrong with these pages, by address."""
    found = {}
    for address in addresses:
        seen = await browser.get(address)
        if is_page(seen) and (wrong := ([] if seen.status == 200 else [f"answers {seen.status}"]) + wrong_with(seen)):
            found[address] = wrong
    return found


def is_page(seen: Seen) -> bool:
    return str(seen.answer.headers.get("content-type", "")).startswith("text/html")


# ---- the measure itself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (f"<p>{escape(LONG)}</p>", False), (f'<p title="{escape(LONG)}">{escape(LONG[:50])}…</p>', False),
        (f"<p>{LONG}</p>", True), (f'<p title="{LONG}"></p>', True), (f"<p>{escape(LONG).replace('{{7*7}}', '49')}</p>", True),
        (f"<p>{escape(escape(LONG))}</p>", True), ("<p><b></p>", True), ('<p onclick="f()"></p>', True),
        ("<script>1</script>", True), (f"<!-- {escape(LONG)} -->", True), (f"<p>{escape(SHORT)}</p>", False),
    ],
)  # fmt: skip
def test_what_is_no_mere_text_is_noticed(body: str, wrong: bool) -> None:
    answer = httpx.Response(200, html=body, request=httpx.Request("GET", "http://loop.test/"))
    assert bool(wrong_with(Seen(answer))) is wrong


# ---- what was typed before -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
async def test_every_page_shows_it_as_text_to_all_who_see_it(trolled: Scene, who: str) -> None:
    browser = await trolled.pages.browser(who)
    mine = [trolled.address(address) for address, marks in cells(LOOKING).items() if marks[who] == "."]
    assert await faults(browser, mine) == {}
    await browser.http.aclose()


@pytest.mark.parametrize("who", ["officer", "auditor", "school", "other_school", "bureau"])
async def test_the_pages_of_every_story_show_it_as_text(trolled: Scene, who: str) -> None:
    browser, actor, store = await trolled.pages.browser(who), trolled.world.actor(who), trolled.world.parts.store
    told = 0
    for number in sorted(trolled.numbers):
        if not reach.may_see(actor, trolled.world.finding(number)):
            continue
        page = await browser.get(f"/findings/{number}")
        told += hostile.count(page)
        made = store.read(lambda tx, of=number: papers.of_finding(tx, of))  # type: ignore[misc]
        shown = {link for link in page.links().values() if link.startswith("/papers/")}
        assert len(shown) <= len(made)
        chain = [f"/audit/findings/{number}"] if who == "auditor" else []
        assert await faults(browser, [f"/findings/{number}", *sorted(shown), *chain]) == {}
    assert told > 100
    await browser.http.aclose()


@pytest.mark.parametrize("story", STORIES)
async def test_the_form_of_every_step_shows_what_was_typed_in_the_steps_before(own_scene: Scene, story: str) -> None:
    told = Troll(own_scene).teller.told(steps(story))
    browsers: dict[str, Browser] = {}
    while taken := await asyncio.to_thread(next, told, None):
        step, number = taken
        if step.who == "wait" or step.what in CREATING:
            continue
        if step.who not in browsers:
            browsers[step.who] = await own_scene.pages.browser(step.who)
        assert await faults(browsers[step.who], [f"/findings/{number}/actions/{step.what}"]) == {}, step
    for browser in browsers.values():
        await browser.http.aclose()


async def test_what_a_form_answers_with_is_text(trolled: Scene) -> None:
    async with gathered(trolled) as crowd:
        for target, typed, button in ANSWERS:
            who = SENDINGS[target].who
            form = await crowd.form(target)
            given = typed | dict([button])
            fields = [(name, value) for name, value in form.fields if name not in given]
            fields += [(name, trolled.keys.get(value, value)) for name, value in given.items()]
            seen = Seen(await crowd.send(who, Form(form.action, "post", fields)))
            assert seen.status in (200, 422), (target, seen.text)
            assert wrong_with(seen) == [], target
            assert hostile.count(seen) > (2 if who else 0), target


# ---- what is typed now ---------------------------------------------------------------------------------------------


async def test_a_form_full_of_it_is_refused_or_taken_as_text_and_forgets_nothing(own_scene: Scene) -> None:
    async with gathered(own_scene) as crowd:
        forms = await crowd.forms()
        for target, form in forms.items():
            who = SENDINGS[target].who
            whole, some = {name for name, _ in form.fields}, set(SENDINGS[target].typed)
            for names in (whole, some) if some else (whole,):
                csrf = await crowd.csrf(who, as_guest=who == GUEST)
                fields = [(name, LONG if name in names - {"csrf"} else value) for name, value in form.fields]
                seen = Seen(await crowd.send(who, with_csrf(Form(form.action, "post", fields), csrf)))
                assert seen.status in (200, 204, 303, 401, 404, 409, 412, 422), (target, seen.status)
                assert not is_page(seen) or wrong_with(seen) == [], target
                if seen.status == 422 and names & SAID_AGAIN:
                    assert hostile.count(seen), (target, seen.text)


async def test_a_question_full_of_it_is_answered(own_scene: Scene) -> None:
    async with gathered(own_scene) as crowd:
        for address, who in LOOKS.items():
            browser = await crowd.of(who)
            page = await browser.get(own_scene.address(address))
            asked = {name for form in page.forms() if form.method == "get" for name in form.names}
            names = sorted(asked | set(ASKED))
            seen = await browser.get(own_scene.address(address).partition("?")[0], params=dict.fromkeys(names, LONG))
            assert seen.status in (200, 403, 404, 422), (address, seen.status)
            assert not is_page(seen) or wrong_with(seen) == [], address
            for name in sorted(asked | {"after", "region", "unit"}):
                seen = await browser.get(own_scene.address(address).partition("?")[0], params={name: LONG})
                assert seen.status in (200, 403, 404, 422), (address, name, seen.status)
                assert not is_page(seen) or wrong_with(seen) == [], (address, name)


async def test_an_address_made_of_it_is_not_found(own_scene: Scene) -> None:
    async with gathered(own_scene) as crowd:
        for method, route in sorted(routes()):
            if method != "GET" or "{" not in route:
                continue
            for who in ("", "officer", "admin"):
                seen = await (await crowd.of(who)).get(re.sub(r"\{[^}]+\}", quote(LONG, safe=""), route))
                assert seen.status in (200, 403, 404), (route, who, seen.status)
                assert not is_page(seen) or wrong_with(seen) == [], (route, who)
