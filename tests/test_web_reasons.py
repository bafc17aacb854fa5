"""Why a letter did not go, as its reader reads it: Chinese words on a Chinese page, English ones by the switch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from loop.store import contacts, deliveries
from loop.store.contacts import Contact
from tests.browsing import Browser, Pages, Seen, sqlite_url
from tests.channel_servers import MailServer, mail_server
from tests.postal import Post, postal_settings
from tests.receiver import Receiver, listening
from tests.world import World

__all__ = ["sqlite_url"]

CHIEF = "chief@school.test"
SECRET = "pa55-w0rd-of-the-office"


@dataclass(frozen=True)
class Office:
    """Pages over a world whose one channel besides webhooks is this mail server."""

    pages: Pages
    server: MailServer

    async def refused(self) -> str:
        """A letter to the chief that the server refuses; answers where it is looked up."""
        world = self.pages.world
        chief = world.cast.ids["chief"]
        world.parts.store.write(lambda tx: contacts.wish(tx, chief, [Contact("mail", CHIEF)], off=(), digest=False))
        world.act("inspector", "submit_report", world.opened())
        await drained(self.pages)
        (letter,) = world.parts.store.read(lambda tx: deliveries.page(tx, limit=9, before=2**60, channel="mail"))
        return f"/admin/deliveries/{letter.key}"


@asynccontextmanager
async def office(url: str, folder: Path, **answers: str) -> AsyncIterator[Office]:
    """An office whose mail server answers so."""
    async with mail_server(dict(answers), password=SECRET, utf8=True) as server:
        mail: dict[str, Any] = {
            "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": server.port, "security": "none",
            "sender": "loop@example.cn", "user": "loop", "password": SECRET,
        }  # fmt: skip
        settings = postal_settings(url, folder, mail, attempts=1, allow_networks=("127.0.0.0/8",))
        made = Pages(World(settings))
        try:
            yield Office(made, server)
        finally:
            await made.close()
            made.world.parts.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that listens."""
    with listening() as made:
        yield made


async def drained(pages: Pages) -> int:
    return await asyncio.to_thread(pages.world.parts.outbox.drain)


async def in_english(browser: Browser) -> None:
    page = await browser.get("/profile")
    await browser.send(page.form("/profile/language"), language="en")


def errors(seen: Seen) -> list[str]:
    return [
        one.text().strip()
        for one in seen.root.all("p", class_="error-text") + seen.root.all("span", class_="error-text")
    ]


# ---- letters ---------------------------------------------------------------------------------------------------------


async def test_what_a_server_refused_reads_in_chinese_and_in_english(sqlite_url: str, tmp_path: Path) -> None:
    async with office(sqlite_url, tmp_path, RCPT="550 5.1.1 查无此人") as at:
        path = await at.refused()
        browser = await at.pages.browser("admin")
        zh, en = "127.0.0.1 返回 550：5.1.1 查无此人", "127.0.0.1 answered 550: 5.1.1 查无此人"
        assert errors(await browser.get(path)) == [zh, zh]
        assert errors(await browser.get("/admin/deliveries?dead=true")) == [zh]
        await in_english(browser)
        assert errors(await browser.get(path)) == [en, en]
        assert errors(await browser.get("/admin/deliveries?dead=true")) == [en]


async def test_what_a_server_says_brings_no_markup_and_no_secret_to_either_page(
    sqlite_url: str, tmp_path: Path
) -> None:
    said = f'550 <script>alert(1)</script>\u202e{{"zh":"{SECRET}"}} ' + "长" * 400
    async with office(sqlite_url, tmp_path, RCPT=said) as at:
        path = await at.refused()
        browser = await at.pages.browser("admin")
        for _ in "zh", "en":
            seen = await browser.get(path)
            assert "<script>alert" not in seen.answer.text
            assert "\u202e" not in seen.answer.text
            assert SECRET not in seen.answer.text
            (shown, tried) = errors(seen)
            assert shown == tried
            assert '<script>alert(1)</script>{"zh":"…"} 长' in shown
            assert len(shown) < 250
            await in_english(browser)


async def test_the_api_answers_the_caller_in_one_language(sqlite_url: str, tmp_path: Path) -> None:
    async with office(sqlite_url, tmp_path, RCPT="450 4.2.1 busy") as at:
        path = "/deliveries/" + (await at.refused()).rpartition("/")[2]
        for language, why in (("zh", "127.0.0.1 返回 450：4.2.1 busy"), ("en", "127.0.0.1 answered 450: 4.2.1 busy")):
            answer = await at.pages.get("admin", path, headers={"Accept-Language": language})
            told = answer.json()
            assert [told["error"], *(one["error"] for one in told["tries"])] == [why, why]


async def test_a_test_letter_tells_why_it_did_not_go_in_the_readers_language(sqlite_url: str, tmp_path: Path) -> None:
    async with office(sqlite_url, tmp_path, DATA="552 5.3.4 too big") as at:
        browser = await at.pages.browser("admin")
        for why in "127.0.0.1 返回 552：5.3.4 too big", "127.0.0.1 answered 552: 5.3.4 too big":
            page = await browser.get("/admin/channels")
            seen = await browser.send(page.form("/admin/channels/mail/test"), address=CHIEF)
            assert errors(seen) == [why]
            await in_english(browser)


async def test_a_letter_that_need_not_go_any_more_says_why_not(sqlite_url: str, tmp_path: Path) -> None:
    async with office(sqlite_url, tmp_path, RCPT="450 4.2.1 busy") as at:
        path = await at.refused()
        admin = await at.pages.browser("admin")
        await admin.send((await admin.get(path)).form(f"{path}/replay"))
        Post(at.pages.world).sign_all("chief")
        await drained(at.pages)
        assert errors(await admin.get(path))[0] == "收件人已读"
        await in_english(admin)
        assert errors(await admin.get(path))[0] == "read already"


# ---- webhooks --------------------------------------------------------------------------------------------------------


async def test_a_program_that_wants_nothing_more_is_switched_off_with_the_reason_in_both_languages(
    sqlite_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    receiver.status = 410
    async with office(sqlite_url, tmp_path) as at:
        browser = await at.pages.browser("chief")
        page = await browser.get("/webhooks")
        await browser.send(page.form("/webhooks"), name="督查平台", url=receiver.url)
        path = (await browser.get("/webhooks")).links()["督查平台"]
        at.pages.world.opened()
        await drained(at.pages)
        assert errors(await browser.get(path)) == ["127.0.0.1 返回状态码 410"] * 2
        await in_english(browser)
        assert errors(await browser.get(path)) == ["127.0.0.1 answered 410"] * 2
