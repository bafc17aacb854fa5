"""E-mail through a real server: two parts, one thread for each finding, nothing that a title could bring in."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loop.kernel.messages import Letter
from notifiers.words import one_line
from tests.channel_makers import SENDER, mail, notice, refusal, to_li
from tests.channel_servers import Moving, mail_server

LI = "li@school.test"
URL = "https://loop.example.gov.cn/findings/330106-2026-0007"
HEADERS = {
    "To", "From", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "MIME-Version", "Content-Type",
}  # fmt: skip
SMUGGLED = (
    "题\r\nBcc: eve@evil.test\r\n\r\n另一封信", "题\nX-Evil: 1", "题\u2028Bcc: eve@evil.test", "\x00\x1b[2J题", "=?utf-8?q?",
    "=?utf-8?q?x=0D=0ABcc:_eve@evil.test?=", "=?utf-8?b?eA0KQmNjOiBlQHgudGVzdA0KDQpib2R5?=", "x" * 2000, "消" * 2000,
    "题 =?utf-8?q?=0D=0A=0D=0Abody?= 题", "=?us-ascii?q?a=00b?=", "\u202egnp.exe\u200b\ufeff", "\ud800题\udfff", " 题  间 ",
)  # fmt: skip


async def received(*letters: Letter, **options: Any) -> list[EmailMessage]:
    """What arrives of these letters."""
    async with mail_server() as office:
        channel = mail(office, **options)
        assert [await channel.send(told) for told in letters] == [False] * len(letters)
        return office.messages


def parts(message: EmailMessage) -> tuple[str, str]:
    """The text and the page, as a reader's program shows them."""
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert isinstance(text, EmailMessage)
    assert isinstance(page, EmailMessage)
    return text.get_content().replace("\r\n", "\n"), page.get_content().replace("\r\n", "\n")


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style", "lang", "charset", "href"}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += [data.strip()] if data.strip() else []


# ---- what arrives ----------------------------------------------------------------------------------------------------

LINES = [
    "浙督〔2026〕7号 示范小学《校园消防通道被占用》", "督导意见书已送达。",
    "整改方案须于 2026-03-23（周一）24 时前报送，还有 15 个工作日。", "请在期限内报送整改方案。",
]  # fmt: skip


async def test_a_letter_comes_as_text_and_as_a_page_that_say_the_same() -> None:
    (message,) = await received(to_li())
    assert set(message.keys()) == HEADERS
    assert message["To"] == LI
    assert message["From"] == SENDER
    assert message["Subject"] == "【整改闭环】待办：示范小学"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    text, page = parts(message)
    assert text.splitlines() == [*LINES, URL]
    assert Page(page).words == ["【整改闭环】待办：示范小学", *LINES, "查看"]
    assert Page(page).links == [URL]
    assert '<html lang="zh-CN">' in page


async def test_a_letter_in_english_is_english_throughout() -> None:
    told = notice("LOOP-1 “Exit”", said="It was served.", due="Due by Mon 2026-03-23.", ask="Hand it in.", urgent=True)
    (message,) = await received(to_li(told, language="en", subject=""))
    text, page = parts(message)
    assert message["Subject"] == "Education supervision: you have a new notice"
    assert text.splitlines()[0] == "[Urgent] LOOP-1 “Exit”"
    assert Page(page).words[-1] == "Open"
    assert '<html lang="en">' in page


async def test_only_what_is_urgent_is_marked_so() -> None:
    calm, urgent = await received(to_li(), to_li(notice(), notice("乙", urgent=True)))
    assert (calm["Importance"], calm["X-Priority"]) == (None, None)
    assert (urgent["Importance"], urgent["X-Priority"]) == ("high", "1")


async def test_a_digest_has_its_subject_on_top_and_what_is_urgent_first() -> None:
    told = [notice("甲"), notice("乙", urgent=True), notice("丙", url="")]
    (message,) = await received(to_li(*told, subject="【整改闭环】3 项待办"))
    text, page = parts(message)
    blocks = [block.splitlines()[0] for block in text.split("\n\n")]
    assert blocks == ["【整改闭环】3 项待办", "【紧急】乙", "甲", "丙"]
    assert [word for word in Page(page).words[1:] if word in blocks] == blocks
    assert Page(page).links == [URL, URL]


async def test_a_letter_without_notices_has_its_subject_alone() -> None:
    (message,) = await received(Letter(id="n-1", subject="测试 & <b>", address=LI))
    assert parts(message)[0].splitlines() == ["测试 & <b>"]
    assert Page(parts(message)[1]).words == ["测试 & <b>"] * 2
    assert message["References"] is None


@pytest.mark.parametrize(("count", "length"), [(2000, 1), (400, 300), (1, 200_000)])
async def test_a_digest_longer_than_any_program_shows_is_cut_and_the_rest_is_counted(count: int, length: int) -> None:
    told = [notice(f"N{n:03}", said="消" * length, ask="&" * length, due="", url="") for n in range(count)]
    ((text, page),) = map(parts, await received(to_li(*told)))
    for body in (text, page):
        shown = len(re.findall(r"N\d{3}", body))
        left = re.search(r"另有 (\d+) 项，请登录查看", body)
        assert shown
        assert shown + (int(left[1]) if left else 0) == count
        assert len(body.encode()) <= 100_001
    assert page.rstrip().endswith("</body></html>")


# ---- threads ---------------------------------------------------------------------------------------------------------


async def test_all_letters_about_one_finding_stand_in_one_thread_and_each_has_a_name_of_its_own() -> None:
    told = notice(thread="330106-2026-0007")
    first, second, other = await received(
        to_li(told, id="a-1"), to_li(told, told, id="a-2"), to_li(notice(thread="330106-2026-0008"), id="a-3")
    )
    assert first["References"] == first["In-Reply-To"] == second["References"] == "<finding-330106-2026-0007@edu.test>"
    assert other["References"] == "<finding-330106-2026-0008@edu.test>"
    assert [message["Message-ID"] for message in (first, second, other)] == [f"<a-{n}@edu.test>" for n in (1, 2, 3)]


async def test_a_digest_about_several_findings_belongs_to_no_thread() -> None:
    (message,) = await received(to_li(notice(thread="a"), notice(thread="b")))
    assert set(message.keys()) == HEADERS - {"References", "In-Reply-To"}


async def test_another_attempt_is_the_same_letter_by_name_and_thread() -> None:
    clock = Moving()
    async with mail_server({"DATA": "451 4.7.1 try again later"}) as office:
        channel = mail(office, ours=clock)
        assert not (await refusal(channel, to_li())).permanent
        del office.answers["DATA"]
        await channel.send(to_li())
        clock.move(minutes=5)
        await channel.send(to_li())
    first, again = office.messages
    assert [first[name] for name in ("Message-ID", "References", "Subject")] == [
        again[name] for name in ("Message-ID", "References", "Subject")
    ]
    assert parts(first) == parts(again)
    assert first["Date"].datetime == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert again["Date"].datetime == datetime(2026, 3, 2, 12, 5, tzinfo=UTC)


async def test_a_name_that_could_not_stand_in_a_header_is_replaced_always_in_the_same_way() -> None:
    odd = ("a b", "a>\r\nBcc: eve@evil.test", "督导", "x" * 2000, "", "\ud800")
    once = await received(*(to_li(notice(thread=name), id=name) for name in odd))
    again = await received(*(to_li(notice(thread=name), id=name) for name in odd))
    names = [str(message["Message-ID"]) for message in once]
    assert names == [str(message["Message-ID"]) for message in again]
    assert len(set(names)) == len(odd)
    assert names[2] == f"<{hashlib.sha256('督导'.encode()).hexdigest()}@edu.test>"
    for message in once:
        assert set(message.keys()) == HEADERS
        for header in ("Message-ID", "References"):
            assert re.fullmatch(r"<[A-Za-z0-9_-]+@edu\.test>", str(message[header]))


# ---- what others wrote -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", SMUGGLED, ids=range(len(SMUGGLED)))
async def test_a_title_brings_in_neither_headers_nor_readers_nor_a_text_of_its_own(title: str) -> None:
    async with mail_server() as office:
        await mail(office).send(to_li(notice(title, said=title, due=title, ask=title), subject=title))
    (message,), (envelope,) = office.messages, office.envelopes
    text, page = parts(message)
    assert envelope.rcpt_tos == [LI]
    assert set(message.keys()) == HEADERS
    assert message["Subject"] == one_line(title) or message["Subject"] == "教育督导整改：有新的通知"
    assert text.splitlines()[-1] == URL
    assert len(text.splitlines()) == len(Page(page).words) - 1 <= 5
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\u200b\u2028\u202e\ufeff\ud800-\udfff]", text + page)
    assert all(len(row) <= 998 and row.isascii() for row in (envelope.original_content or b"").splitlines())


WORDS = st.lists(
    st.one_of(
        st.text(max_size=12), st.sampled_from([" ", "=?utf-8?q?a?=", "?=", "=?", "x" * 80, "整改" * 30, "é", '"', ",", "<", "@"])
    ),
    max_size=20,
).map("".join)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(title=WORDS)
def test_whatever_a_subject_says_is_read_as_it_was_written(title: str) -> None:
    (message,) = asyncio.run(received(to_li(subject=title)))
    assert str(message["Subject"]) == (one_line(title) or "教育督导整改：有新的通知")
    assert set(message.keys()) == HEADERS


async def test_a_page_holds_no_markup_but_its_own() -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=1>\"'&lt;b&gt;<!--</style></body>"
    told = notice(hostile, said=hostile, due=hostile, ask=hostile, url=f"{URL}?a=\"><script>'&b=<i>")
    ((_, page),) = map(parts, await received(to_li(told, notice(url="javascript:alert(1)"), subject=hostile)))
    found = Page(page)
    assert found.tags == {"html", "head", "meta", "title", "body", "h1", "h2", "div", "p", "a"}
    assert found.links == [f"{URL}?a=%22%3E%3Cscript%3E'&b=%3Ci%3E"]
    assert found.words.count(hostile) == 6


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("office@edu.test", ""),
        ("浙江省人民政府教育督导委员会办公室（整改闭环）<office@edu.test>", "浙江省人民政府教育督导委员会办公室（整改闭环）"),
        ('"督导, 一科: \\"甲\\"" <office@edu.test>', '督导, 一科: "甲"'),
    ],
)  # fmt: skip
async def test_the_name_of_an_office_is_read_as_it_was_written(sender: str, name: str) -> None:
    async with mail_server() as office:
        await mail(office, sender=sender).send(to_li())
        (envelope,) = office.envelopes
    assert envelope.mail_from == "office@edu.test"
    # The plain old parser: the newer one reads a name that was broken over two lines with a space in it.
    encoded, address = parseaddr(message_from_bytes(envelope.original_content or b"")["From"])
    assert (str(make_header(decode_header(encoded))), address) == (name, "office@edu.test")
