"""Every page before every reader: who sees it, what a stranger and a wrong role get, and that no form can be forged."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.browsing import Seen
from tests.crawling import Crawler
from tests.page_crowd import OURS, Crowd, gathered, with_csrf
from tests.page_list import GUEST, LOOKS, SENDINGS, route_at, routes
from tests.page_matrix import LOOKING, SENDING, WHO, cells
from tests.page_scene import Scene, own_scene, scene, scene_on
from tests.page_tales import Teller

__all__ = ["own_scene", "scene"]

REFUSED = {"x": 403, "-": 404, ">": 401}
LOOKED_AT, SENT = cells(LOOKING), cells(SENDING)
LEAVES_ROWS = {
    "/sign-in", "/report/state", "/findings/columns", "/audit/verify", "/admin/channels/desk/test", "/admin/calendar/load",
}  # fmt: skip
"""What a form may do without a row changing at once: a look, a cookie, a preview, a work begun. `/sign-in` makes a session."""

GOOD_ONCE = "/l/{link}"
SEE_MUCH = ("officer", "chief", "director", "leader", "auditor", "city_chief", "admin")
FROM_ELSEWHERE = ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.test"})


@pytest.fixture
async def crowd(scene: Scene) -> AsyncIterator[Crowd]:
    """Everybody before pages that nobody changes."""
    async with gathered(scene) as made:
        yield made


@pytest.fixture
async def free_crowd(own_scene: Scene) -> AsyncIterator[Crowd]:
    """Everybody before pages that they may change."""
    async with gathered(own_scene) as made:
        for who in WHO:  # now, for one of them is going to change the password
            await made.of(who)
        yield made


# ---- nothing is left out -------------------------------------------------------------------------------------------


def test_every_page_is_in_the_list_and_every_line_of_the_list_is_a_page(scene: Scene) -> None:
    looked = {("GET", route_at("GET", scene.address(one))) for one in LOOKS if not one.startswith("/api/")}
    sent = {("POST", route_at("POST", scene.address(one))) for one in SENDINGS}
    assert looked | sent == routes()


def test_every_address_of_the_list_has_its_line_in_the_matrix() -> None:
    assert set(LOOKED_AT) == set(LOOKS)
    assert set(SENT) == set(SENDINGS)
    assert all(LOOKED_AT[address][who] in ".^" for address, who in LOOKS.items())
    assert all(SENT[address][one.who] == "." for address, one in SENDINGS.items())


# ---- looking -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
async def test_a_page_opens_for_those_whom_it_is_for_and_for_nobody_else(crowd: Crowd, who: str) -> None:
    browser = await crowd.of(who)
    got = {}
    for address in LOOKS:
        answer = await browser.http.get(crowd.scene.address(address), follow_redirects=False)
        got[address] = _mark(answer)
    assert got == {address: marks[who] for address, marks in LOOKED_AT.items()}


def _mark(answer: httpx.Response) -> str:
    if answer.status_code == 303:
        return ">" if answer.headers["location"].startswith("/sign-in?next=") else "^"
    return {200: ".", 401: "!", 403: "x", 404: "-"}.get(answer.status_code, str(answer.status_code))


# ---- sending -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
async def test_a_forged_form_is_refused_to_whom_it_is_not_for_and_changes_nothing(crowd: Crowd, who: str) -> None:
    refusals = {target: REFUSED[marks[who]] for target, marks in SENT.items() if marks[who] != "."}
    forms, csrf = await crowd.forms(), await crowd.csrf(who)
    before = crowd.scene.rows()
    got = {target: (await crowd.send(who, with_csrf(forms[target], csrf))).status_code for target in refusals}
    assert got == refusals
    assert crowd.scene.rows() == before


async def test_a_form_that_does_not_come_from_our_page_is_refused_and_changes_nothing(crowd: Crowd) -> None:
    forms = await crowd.forms()
    owners = {one.who for one in SENDINGS.values()}
    own = {who: await crowd.csrf(who) for who in owners}
    before = crowd.scene.rows()
    for target, form in forms.items():
        who = SENDINGS[target].who
        foreign = own["chief" if who != "chief" else "officer"]
        for forged in (with_csrf(form, None), with_csrf(form, ""), with_csrf(form, foreign)):
            assert (await crowd.send(who, forged)).status_code == 403, (target, forged)
        for headers in FROM_ELSEWHERE:
            assert (await crowd.send(who, with_csrf(form, own[who]), **headers)).status_code == 403, (target, headers)
    assert crowd.scene.rows() == before


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_a_forged_upload_is_refused_and_attached_nowhere(crowd: Crowd, kind: str) -> None:
    path, own = crowd.scene.address("/findings/{served}/actions/attach"), await crowd.csrf("school")
    forged: list[tuple[str, dict[str, str], dict[str, str]]] = [
        ("school", {}, {"origin": OURS}), ("school", {"csrf": await crowd.csrf("bureau")}, {"origin": OURS}),
        ("auditor", {"csrf": await crowd.csrf("auditor")}, {"origin": OURS}),
        *(("school", {"csrf": own}, headers) for headers in FROM_ELSEWHERE),
    ]  # fmt: skip
    strange = {"csrf": await crowd.csrf("other_school")}
    before = crowd.scene.rows()
    for who, fields, headers in forged:
        files = {"_files:": ("x.pdf", b"%PDF-1.7 forged", "application/pdf")}
        browser = await crowd.of(who)
        answer = await browser.http.post(path, data=fields, files=files, headers={"accept": kind, **headers})
        assert answer.status_code == 403, (who, fields, headers)
    files = {"_files:": ("x.pdf", b"%PDF-1.7", "application/pdf")}
    stranger = await crowd.of("other_school")
    assert (await stranger.http.post(path, data=strange, files=files, headers={"accept": kind})).status_code == 404
    assert crowd.scene.rows() == before


async def test_every_form_of_the_list_is_taken_from_its_owner(free_crowd: Crowd) -> None:
    for target, sending in SENDINGS.items():
        form = await free_crowd.form(target)
        before = free_crowd.scene.rows()
        answer = await free_crowd.send(sending.who, form)
        assert answer.status_code in (200, 204, 303), (target, answer.status_code, Seen(answer).text)
        assert (free_crowd.scene.rows() != before) or target in LEAVES_ROWS, target


async def test_a_form_is_refused_to_nobody_whom_it_is_for(free_crowd: Crowd) -> None:
    forms = await free_crowd.forms()
    for target in SENDINGS:
        others = [who for who, mark in SENT[target].items() if mark == "." and who != SENDINGS[target].who]
        for who in others[:1] if target == GOOD_ONCE else others:
            csrf = await free_crowd.csrf(who, as_guest=SENDINGS[target].who == GUEST)
            answer = await free_crowd.send(who, with_csrf(forms[target], csrf))
            assert answer.status_code in (200, 204, 303, 409, 412, 422, 429), (
                target,
                who,
                answer.status_code,
                answer.text,
            )


# ---- following -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lively(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene with findings in the middle of every story."""
    folder = tmp_path_factory.mktemp("lively")
    shutil.copy(sqlite_template, folder / "loop.db")
    with scene_on(f"sqlite:///{folder / 'loop.db'}", folder) as made:
        Teller(made.world).middles()
        yield made


async def crawled(scene: Scene, who: str) -> Crawler:
    made = Crawler(await scene.pages.browser(who))
    await made.from_(*(scene.address(address) for address, marks in LOOKED_AT.items() if marks[who] == "."))
    return made


@pytest.mark.parametrize("who", WHO)
async def test_no_link_that_a_reader_sees_leads_nowhere(lively: Scene, who: str) -> None:
    crawler = await crawled(lively, who)
    assert crawler.dead() == {}
    assert len(crawler.answers) > (100 if who in SEE_MUCH else 10)
    await crawler.browser.http.aclose()


async def test_a_unit_reads_that_a_finding_is_no_longer_theirs_and_gets_no_link_to_it(own_scene: Scene) -> None:
    number = Teller(own_scene.world).tell("from the report to the archive and back", 11)
    assert own_scene.world.finding(number).unit_id == "other_school"
    browser = await own_scene.pages.browser("school")
    inbox = await browser.get("/inbox")
    assert f"/findings/{number}" not in inbox.links().values()
    assert "此事已不在您的查看范围内" in inbox.text
    assert own_scene.address("/findings/{served}") in inbox.links().values()
    await browser.http.aclose()


OFTEN = ("", "officer", "chief", "leader", "school", "admin")
"""Who presses every button each time; the others do in the long proofs."""


@pytest.mark.parametrize("who", [who if who in OFTEN else pytest.param(who, marks=pytest.mark.prove) for who in WHO])
async def test_every_form_that_a_reader_sees_may_be_sent_by_them(own_scene: Scene, who: str) -> None:
    crawler = await crawled(own_scene, who)
    pressed = await crawler.press_all()
    assert {action: got for action, got in pressed.items() if got[0] not in (200, 204, 409, 422)} == {}
    assert len(pressed) > (10 if who else 2)
    await crawler.browser.http.aclose()
