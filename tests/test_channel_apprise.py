"""What goes by the library Apprise: the office chooses the service and its host, a person fills one place, and secrets stay shut."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from pydantic import ValidationError

from loop.kernel.labels import Label
from loop.kernel.messages import Channel, Letter, SendFailed
from notifiers import build
from tests.channel_makers import letter, notice, refusal
from tests.channel_servers import CUT_OFF, SILENCE, Answering, HttpServer, Reply, egress, http_server, reply

URL = "https://loop.example.gov.cn/findings/330106-2026-0007"
TEXT = (
    "浙督〔2026〕7号 示范小学《校园消防通道被占用》\n督导意见书已送达。\n"
    f"整改方案须于 2026-03-23（周一）24 时前报送，还有 15 个工作日。\n请在期限内报送整改方案。\n{URL}"
)


@asynccontextmanager
async def service(
    path: str = "/{address}", answering: Answering | Reply | None = None, user: str = "", **options: Any
) -> AsyncIterator[tuple[Channel, HttpServer]]:
    """A channel to a service of this office that takes JSON, and the service."""
    async with http_server(answering or reply()) as server:
        url = f"json://{user}127.0.0.1:{server.port}{path}"
        yield build("x", "apprise", {"url": url, **options}, egress()), server


def to_li(*notices: Any, **about: Any) -> Letter:
    """A letter to somebody's account."""
    return letter(*notices, **{"address": "li", **about})


async def test_a_letter_comes_to_the_place_that_the_person_filled() -> None:
    async with service("/app/{address}/inbox") as (channel, server):
        assert await channel.send(to_li()) is False
        (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/app/li/inbox")
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert (request.json["title"], request.json["message"]) == ("【整改闭环】待办：示范小学", TEXT)


async def test_a_digest_has_its_subject_on_top_what_is_urgent_first_and_a_bound() -> None:
    told = [notice(f"N{n}", said="消" * 400, urgent=n == 5) for n in range(9)]
    async with service() as (channel, server):
        await channel.send(to_li(*told, subject="Nine things", language="en"))
        text = server.requests[0].json["message"]
    assert text.startswith("Nine things\n\n[Urgent] N5\n")
    assert text.endswith("more; sign in to see them")
    assert len(text.encode()) <= 4096


async def test_a_title_can_neither_format_nor_link_nor_call_anybody() -> None:
    hostile = "**粗** [点我](https://evil.example) <@all> @all `x` www.evil.example <b>&\u202e\r\n# 题"
    async with service() as (channel, server):
        await channel.send(to_li(notice(hostile, said=hostile, ask=hostile, url=""), subject=hostile))
        told = server.requests[0].json
    for text in (told["title"], told["message"]):
        assert not set("*_~`#<>[]|\\@&\u202e\r") & set(text)
        assert "://" not in text
        assert "www." not in text
    assert len(told["message"].splitlines()) == 4


# ---- the person's part -----------------------------------------------------------------------------------------------

GOOD = ("li", "li.wang+1@school.test", "督导", "+8613800001111", "#office", "UID_0123", "a:b", "ou_1=2~3", "....x")
BAD = (
    "", ".", "..", "...", "../admin", "a/b", "a\\b", "li,wang", "li;wang", "li?x=1", "li&x=1", "li%2fwang", "li wang", " li", "li\n",
    "li\r\nX-Evil: 1", "l\u200bi", "l\u202ei", "\ud800", "\x00", "http://evil.test/", "li\u2028",
)  # fmt: skip


@pytest.mark.parametrize("address", GOOD)
async def test_a_part_stands_in_its_place_and_nowhere_else(address: str) -> None:
    async with service("/a/{address}/z?-k=v") as (channel, server):
        assert channel.refuses(address) is None
        await channel.send(to_li(address=address))
        (request,) = server.requests
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.query == {"k": "v"}
    assert request.path.split("/")[1::2] == ["a", "z"]


@pytest.mark.parametrize("address", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("path", ["/a/{address}", "/?+X-To={address}"])
async def test_what_is_more_than_one_part_is_refused_for_good_and_goes_nowhere(address: str, path: str) -> None:
    async with service(path) as (channel, server):
        refused = channel.refuses(address)
        assert refused
        no = await refusal(channel, to_li(address=address))
        assert (str(no), no.permanent, server.requests) == (refused.en, True, [])


async def test_a_part_that_the_service_does_not_know_is_refused_for_good() -> None:
    channel = build("x", "apprise", {"url": "pushplus://{address}"}, egress())
    assert channel.refuses("li")
    assert channel.refuses("0123456789abcdef" * 2) is None
    assert (await refusal(channel, to_li())).permanent


# ---- what an office may choose ---------------------------------------------------------------------------------------

WRONG = [
    ("json://{address}/s3cr3t", "can't choose the host"),
    ("json://{address}.example.test/s3cr3t", "can't choose the host"),
    ("json://a:{address}/s3cr3t", "can't choose the host"),
    ("json://loop:s3cr3t@{address}/", "can't choose the host"),
    ("json://loop:s3cr3t@x@{address}/", "can't choose the host"),
    ("json:///{address}/s3cr3t", "can't choose the host"),
    ("json://:8080/{address}", "can't choose the host"),
    ("json://loop:s3cr3t@/{address}", "can't choose the host"),
    ("JSONS://a\\@{address}/s3cr3t", "can't choose the host"),
    ("mailto://{address}", "can't choose the host"),
    ("json://a.test/s3cr3t json://{address}/", "write one service"),
    ("json://a.test/s3cr3t,json://{address}/", "write one service"),
    ("json://a.test/s3cr3t; json://{address}/", "write one service"),
    ("json://a.test/s3cr3t", "write one service"),
    ("json://a.test/{address}/{address}", "write one service"),
    ("s3cr3t/{address}", "write one service"),
    ("nosuch://a.test/s3cr3t/{address}", "Apprise knows no service nosuch"),
    ("", "can't be empty"),
]


@pytest.mark.parametrize(("url", "said"), WRONG, ids=range(len(WRONG)))
def test_a_person_can_not_choose_the_host_and_a_wrong_address_is_not_repeated(url: str, said: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        build("x", "apprise", {"url": url}, egress())
    (error,) = wrong.value.errors(include_input=False, include_context=False)
    assert error["loc"] == ("url",)
    assert said in error["msg"]
    assert "s3cr3t" not in str(wrong.value)


@pytest.mark.parametrize("timeout", [0, -1, "soon"])
def test_a_time_that_is_none_is_refused(timeout: Any) -> None:
    with pytest.raises(ValidationError, match="timeout"):
        build("x", "apprise", {"url": "json://a.test/{address}", "timeout": timeout}, egress())


# ---- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [reply("no", 500), reply("no", 404), Reply(b"")], ids=["broken", "unknown", "cut off"]
)
async def test_a_letter_that_was_not_taken_is_tried_again(answer: Reply) -> None:
    async with service("/{address}?rto=2&cto=2", answer) as (channel, _):
        no = await refusal(channel, to_li())
    assert (str(no), no.permanent, no.retry_after) == ("the service did not take the letter", False, None)


async def test_a_service_that_is_slow_is_left() -> None:
    async with service("/{address}?rto=0.5", SILENCE, timeout=0.1) as (channel, _):
        no = await refusal(channel, to_li())
    assert (no.why, no.permanent) == (Label("通知服务未在限定时间内答复", "the service did not answer in time"), False)


@pytest.mark.parametrize(
    "answer", [reply("no", 403), reply(), CUT_OFF, Reply(b"")], ids=["no", "yes", "garbled", "cut off"]
)
async def test_secrets_stand_in_no_log_however_much_is_logged(answer: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with service("/s3cr3t-path/{address}?-k=s3cr3t-key", answer, user="loop:s3cr3t@") as (channel, server):
        with suppress(SendFailed):
            await channel.send(to_li())
        assert server.requests[0].path == "/s3cr3t-path/li"
    assert "apprise" in {record.name for record in caplog.records}
    assert "s3cr3t" not in caplog.text
