"""Telling people as pages: channels are tried, letters found and sent again, gaps shown, programs subscribed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loop.engine import alarms
from loop.engine.audience import Reach
from loop.kernel.people import CHIEF
from loop.store import deliveries, staff
from loop.store.deliveries import Delivery
from loop.store.session import Tx
from tests.browsing import Browser, Form, Pages, Seen, sqlite_url
from tests.cast import COUNTY, ROOT
from tests.postal import CONSOLE, Post, postal_settings
from tests.receiver import Receiver, listening
from tests.web import HASHED
from tests.world import World

__all__ = ["sqlite_url"]

MAIL: dict[str, Any] = {
    "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": 1, "security": "none", "sender": "loop@example.cn",
}  # fmt: skip
"""A mail server that nobody runs."""
HOSTILE = '"><script>alert(1)</script>'
ROLES = ("inspector", "officer", "chief", "director", "leader", "auditor", "school", "bureau", "admin")


@pytest.fixture
async def pages(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """The pages of an office with a desk that takes everything, a mail server that is not there, and programs nearby."""
    settings = postal_settings(sqlite_url, tmp_path, CONSOLE, MAIL, attempts=1, allow_networks=("127.0.0.0/8",))
    made = Pages(World(settings))
    yield made
    await made.close()
    made.world.parts.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that listens."""
    with listening() as made:
        yield made


async def drained(pages: Pages) -> int:
    return await asyncio.to_thread(pages.world.parts.outbox.drain)


async def given_up(pages: Pages, who: str = "chief", findings: int = 1) -> list[Delivery]:
    """Letters to `who` that no server took."""
    Post(pages.world).reach(who, "mail")
    for _ in range(findings):
        number = pages.world.opened()
        pages.world.act("inspector", "submit_report", number)
        await drained(pages)
    return letters(pages)


def letters(pages: Pages) -> list[Delivery]:
    return pages.world.parts.store.read(lambda tx: deliveries.page(tx, limit=100, before=2**60))


async def forged(browser: Browser, form: Form, **given: Any) -> Seen:
    """The form of somebody else's page, sent with one's own csrf."""
    own = (await browser.get("/profile")).form("/profile/language")
    return await browser.send(form, csrf=dict(own.fields)["csrf"], **given)


# ---- who comes in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/admin/channels", {"admin"}), ("/admin/deliveries", {"admin", "auditor"}),
        ("/admin/deliveries?dead=true", {"admin", "auditor"}),
        ("/admin/gaps", {"admin", "auditor", "chief", "director", "officer"}), ("/webhooks", set(ROLES)),
    ],
)  # fmt: skip
async def test_each_page_opens_for_its_roles_alone(pages: Pages, path: str, who: set[str]) -> None:
    for name in ROLES:
        assert (await (await pages.browser(name)).get(path)).status == (200 if name in who else 403), name
    assert (await (await pages.browser()).get(path)).path.startswith("/sign-in")


async def test_whoever_watches_finds_the_gaps_from_the_inbox_and_the_audit_leads_to_letters(pages: Pages) -> None:
    for name in ROLES:
        links = (await (await pages.browser(name)).get("/inbox")).links()
        assert ("未通知到位" in links) is (name in {"admin", "auditor", "chief", "director", "officer"}), name
    audit = (await (await pages.browser("auditor")).get("/audit")).links()
    assert (audit["发送记录"], audit["未通知到位"]) == ("/admin/deliveries", "/admin/gaps")


async def test_administration_leads_to_channels_letters_and_gaps(pages: Pages) -> None:
    front = await (await pages.browser("admin")).get("/admin")
    assert {"/admin/channels", "/admin/deliveries", "/admin/gaps"} <= set(front.links().values())


# ---- channels ------------------------------------------------------------------------------------------------------


async def test_a_test_letter_says_what_the_channel_answered(pages: Pages) -> None:
    browser = await pages.browser("admin")
    page = await browser.get("/admin/channels")
    taken = await browser.send(page.form("/admin/channels/desk/test"), address="somebody")
    assert "测试信已送达" in taken.text or "渠道已接收测试信" in taken.text
    refused = await browser.send(page.form("/admin/channels/mail/test"), address="somebody@example.cn")
    assert "测试信没有发出" in refused.text
    assert dict(refused.form("/admin/channels/mail/test").fields)["address"] == "somebody@example.cn"
    assert letters(pages) == []


@pytest.mark.parametrize("address", ["", "no address at all", HOSTILE])
async def test_an_address_that_cannot_be_is_kept_and_marked(pages: Pages, address: str) -> None:
    browser = await pages.browser("admin")
    page = await browser.get("/admin/channels")
    seen = await browser.send(page.form("/admin/channels/mail/test"), address=address)
    assert seen.status == 422
    assert dict(seen.form("/admin/channels/mail/test").fields)["address"] == address
    assert len(seen.root.all("p", class_="invalid-feedback")) == 1
    assert "<script>alert" not in seen.answer.text


async def test_nobody_else_sends_a_test_letter(pages: Pages) -> None:
    page = await (await pages.browser("admin")).get("/admin/channels")
    form = page.form("/admin/channels/desk/test")
    for name in ("chief", "auditor", "school"):
        assert (await forged(await pages.browser(name), form, address="x")).status == 403
    admin = await pages.browser("admin")
    assert (await admin.send(form, csrf="forged", address="x")).status == 403
    form.action = "/admin/channels/nothing/test"
    assert (await forged(admin, form, address="x")).status == 404


# ---- letters -------------------------------------------------------------------------------------------------------


async def test_what_was_given_up_is_found_with_its_cause_and_sent_again(pages: Pages) -> None:
    (letter,) = await given_up(pages)
    browser = await pages.browser("admin")
    listed = await browser.get("/admin/deliveries?dead=true")
    assert "发送失败" in listed.text
    assert "chief·某 chief" in listed.text
    assert letter.error
    assert letter.error.zh in listed.text
    whole = await browser.get(f"/admin/deliveries/{letter.key}")
    assert len(whole.root.all("ol", class_="tries")[0].all("li")) == 1
    again = await browser.send(listed.form(f"/admin/deliveries/{letter.key}/replay"))
    assert "已重新排队发送。" in again.text
    assert again.path.startswith("/admin/deliveries?dead=true")
    assert "没有发送失败的信" in again.text
    assert "待发送" in (await browser.get("/admin/deliveries")).text
    pages.world.clock += timedelta(days=1)
    await drained(pages)
    tried = (await browser.get(f"/admin/deliveries/{letter.key}")).root.all("ol", class_="tries")[0].all("li")
    assert len(tried) == 2
    gone = await browser.send(whole.form(f"/admin/deliveries/{letter.key}/replay"))
    assert gone.status == 200


async def test_all_that_was_given_up_goes_again_at_one_press(pages: Pages) -> None:
    assert len(await given_up(pages, findings=3)) == 3
    browser = await pages.browser("admin")
    listed = await browser.get("/admin/deliveries?dead=true")
    seen = await browser.send(listed.form("/admin/deliveries/replay"))
    assert "发送失败的信已重新排队。" in seen.text
    assert {letter.dead for letter in letters(pages)} == {0}
    assert "没有需要重发的信。" in (await browser.send(listed.form("/admin/deliveries/replay"))).text


async def test_letters_are_found_by_person_and_channel(pages: Pages) -> None:
    await given_up(pages)
    browser = await pages.browser("admin")
    form = (await browser.get("/admin/deliveries")).form("/admin/deliveries")
    assert "chief·某" in (await browser.send(form, person="chief", channel="mail")).text
    assert "chief·某" not in (await browser.send(form, person="officer")).text
    assert "chief·某" not in (await browser.send(form, channel="desk")).text
    stranger = await browser.send(form, person=HOSTILE)
    assert "没有这个登录名" in stranger.text
    assert dict(stranger.form("/admin/deliveries").fields)["person"] == HOSTILE
    assert "<script>alert" not in stranger.answer.text


async def test_an_auditor_reads_letters_and_sends_none_and_another_region_sees_none(pages: Pages) -> None:
    (letter,) = await given_up(pages)
    admin = await pages.browser("admin")
    form = (await admin.get(f"/admin/deliveries/{letter.key}")).form(f"/admin/deliveries/{letter.key}/replay")
    auditor = await pages.browser("auditor")
    seen = await auditor.get(f"/admin/deliveries/{letter.key}")
    assert seen.status == 200
    assert not any(one.action.endswith("/replay") for one in seen.forms())
    assert (await forged(auditor, form)).status == 403
    assert (await admin.send(form, csrf=None)).status == 403

    def neighbour(tx: Tx) -> str:
        person, _ = staff.enrol(
            tx, ROOT, name="neighbour", full_name="邻县", role="admin", region="930108", from_on=pages.world.today,
            password=HASHED,
        )  # fmt: skip
        return person.id

    pages.world.cast.ids["neighbour"] = pages.world.parts.store.write(neighbour)
    browser = await pages.browser("neighbour")
    assert "chief·某" not in (await browser.get("/admin/deliveries")).text
    assert (await browser.get(f"/admin/deliveries/{letter.key}")).status == 404
    assert (await forged(browser, form)).status == 404
    assert {one.dead for one in letters(pages)} == {1}


async def counting(pages: Pages, browser: Browser, path: str) -> tuple[int, Seen]:
    said: list[str] = []
    pages.world.parts.store.trace = lambda text, values: said.append(text)
    seen = await browser.get(path)
    pages.world.parts.store.trace = None
    return len(said), seen


async def test_letters_come_in_pages_by_the_same_few_questions(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loop.web.telling_deliveries.AT_A_TIME", 2)
    await given_up(pages, findings=3)
    browser = await pages.browser("admin")
    counts, read, path = [], [], "/admin/deliveries"
    while path:
        asked, seen = await counting(pages, browser, path)
        counts.append(asked)
        read += [a.attrs["href"] for a in seen.root.all("a") if "/admin/deliveries/" in a.attrs.get("href", "")]
        path = seen.links().get("下一页", "")
    assert len(read) == len(set(read)) == 3
    assert max(counts) <= min(counts) + 1


# ---- gaps ----------------------------------------------------------------------------------------------------------


async def test_a_gap_says_why_and_what_to_do_and_later_how_it_was_made_good(pages: Pages) -> None:
    world = pages.world
    world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, world.cast.ids["officer"], {"active": False}))
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    browser = await pages.browser("chief")
    seen = await browser.get("/admin/gaps")
    assert "由他人代收" in seen.text
    assert "放弃申辩" in seen.text
    assert "督导办经办人" in seen.text
    assert seen.links()[f"放弃申辩 {number}"] == f"/findings/{number}"
    assert "有人任职后系统会自动补发" in seen.text
    assert number not in (await (await pages.browser("next_chief")).get("/admin/gaps")).text

    def succeed(tx: Tx) -> None:
        staff.enrol(tx, ROOT, name="officer2", full_name="继任", role="officer", region=COUNTY, from_on=world.today)

    world.parts.store.write(succeed)
    world.clock += timedelta(days=1, hours=1)
    await asyncio.to_thread(world.parts.reconciliation.run)
    assert number not in (await browser.get("/admin/gaps")).text
    healed = await browser.get("/admin/gaps?healed=true")
    assert number in healed.text
    assert "补发给接任人员" in healed.text


async def test_an_alarm_in_the_inbox_leads_to_where_it_is_dealt_with(pages: Pages) -> None:
    world = pages.world

    def alarm(tx: Tx) -> None:
        told = [Reach(world.cast.ids["chief"], CHIEF)]
        about = {"person": "officer", "budget": 10, "day": world.day()}
        alarms.raise_alarm(tx, world.engine.book, alarms.BUDGET_REACHED, world.cast.office_id, told, about, world.clock)

    world.parts.store.write(alarm)
    browser = await pages.browser("chief")
    seen = await browser.get("/inbox")
    assert seen.status == 200
    assert "/admin/gaps" in seen.links().values()


# ---- webhooks ------------------------------------------------------------------------------------------------------


async def subscribe(browser: Browser, url: str, **more: Any) -> Seen:
    page = await browser.get("/webhooks")
    return await browser.send(page.form("/webhooks"), **({"name": "督查平台", "url": url} | more))


async def test_a_program_is_subscribed_with_a_secret_told_once_and_told_of_every_step(
    pages: Pages, receiver: Receiver
) -> None:
    browser = await pages.browser("chief")
    made = await subscribe(browser, receiver.url, name=HOSTILE, actions=["open", "submit_report"])
    secret = made.root.all("textarea")[0].text().strip()
    assert secret.startswith("whsec_")
    assert "<script>alert" not in made.answer.text
    listed = await browser.get("/webhooks")
    assert secret not in listed.answer.text
    path = listed.links()[HOSTILE]
    pages.world.fed_back()
    await drained(pages)
    assert sorted(body["type"] for body in receiver.bodies) == ["finding.open", "finding.submit_report"]
    seen = await browser.get(path)
    assert seen.text.count("已送达") + seen.text.count("已发出") >= 2
    assert secret not in seen.answer.text
    turned = await browser.send(_form_with(seen, "rotate"), "do", "rotate", keep_hours=24)
    fresh = turned.root.all("textarea")[0].text().strip()
    assert fresh.startswith("whsec_")
    assert fresh != secret
    off = await browser.send(_form_with(await browser.get(path), "off"), "do", "off")
    assert "已停用" in off.text
    receiver.got.clear()
    pages.world.opened()
    await drained(pages)
    assert receiver.got == []


def _form_with(seen: Seen, button: str) -> Form:
    return next(form for form in seen.forms() if ("do", button) in form.buttons)


async def test_what_a_program_missed_is_sent_again(pages: Pages, receiver: Receiver) -> None:
    browser = await pages.browser("school")
    await subscribe(browser, receiver.url)
    path = (await browser.get("/webhooks")).links()["督查平台"]
    receiver.status = 400
    pages.world.fed_back()
    await drained(pages)
    seen = await browser.get(path)
    assert "发送失败" in seen.text
    receiver.status = 204
    again = next(form for form in seen.forms() if form.action.endswith("/replay"))
    assert "已重新排队发送。" in (await browser.send(again)).text
    await drained(pages)
    assert again.action.split("/")[-2] in receiver.ids
    stranger = await pages.browser("chief")
    assert (await stranger.get(path)).status == 404
    assert (await forged(stranger, again)).status == 404
    assert (await forged(stranger, _form_with(seen, "off"))).status == 404


@pytest.mark.parametrize(
    "given", [{"url": "http://10.0.0.1/hook"}, {"url": "x"}, {"name": " "}, {"actions": ["no_such_step"]}]
)
async def test_a_subscription_that_cannot_be_is_shown_again_as_it_was_typed(
    pages: Pages, given: dict[str, Any]
) -> None:
    browser = await pages.browser("chief")
    typed = {"name": HOSTILE, "url": "http://127.0.0.1:9/hook"} | given
    seen = await subscribe(browser, **typed)
    assert seen.status == 422
    kept = dict(seen.form("/webhooks").fields)
    assert (kept["name"], kept["url"]) == (typed["name"], typed["url"])
    assert "<script>alert" not in seen.answer.text
    assert "还没有订阅。" in seen.text


async def test_who_serves_nowhere_cannot_subscribe_and_no_other_site_can(pages: Pages, receiver: Receiver) -> None:
    admin = await pages.browser("admin")
    page = await admin.get("/webhooks")
    assert not any(form.action == "/webhooks" for form in page.forms())
    chief = await pages.browser("chief")
    form = (await chief.get("/webhooks")).form("/webhooks")
    assert (await forged(admin, form, name="x", url=receiver.url)).status == 422
    assert (await chief.send(form, csrf="forged", name="x", url=receiver.url)).status == 403
    assert "还没有订阅。" in (await chief.get("/webhooks")).text
