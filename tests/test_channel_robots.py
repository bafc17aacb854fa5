"""Group robots against servers that do what their makers document: signatures, byte limits, rates, codes in the body."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from loop.kernel.labels import Label
from loop.kernel.messages import Channel, Letter, SendFailed
from notifiers import build, dingtalk, feishu
from tests.channel_makers import DingtalkServer, FeishuServer, WecomServer, letter, notice
from tests.channel_servers import Moving, Reply, Request, egress, http_server, reply

MINUTE = timedelta(minutes=1)
KINDS = ("wecom", "dingtalk", "feishu")
URL = "https://loop.example.gov.cn/findings/330106-2026-0007"
HOSTILE = (
    "**粗**_斜_~~删~~`码`# 题\n> 引\r\n## 题 [点我](https://evil.example/x) ![图](http://evil.example/p.png) <@all> @all "
    '@13800001111 <at user_id="all">所有人</at> <at id=all></at> <font color="warning">警</font> <https://evil.example> '
    "www.evil.example &lt;b&gt; \\*x\\* |表|格| \u202egnp.exe\u200b\u2028\x00\ud800"
)
MARKUP = set("*_~`#<>[]|\\@&")


@dataclass(frozen=True)
class Maker:
    """A maker's server, the clock of both sides, and where its robot is."""

    server: WecomServer | DingtalkServer | FeishuServer
    clock: Moving
    path: str
    secret: str = ""

    @property
    def taken(self) -> list[Any]:
        """Every message that was taken, in the form of its maker."""
        return list(self.server.taken)

    @property
    def texts(self) -> list[str]:
        """The markdown of every message that was taken."""
        return [text_of(told) for told in self.taken]

    @property
    def key(self) -> str:
        """What in the address is secret."""
        return re.split("[/=]", self.path)[-1]


def text_of(told: Any) -> str:
    """The markdown in a message of any maker."""
    if isinstance(told, str):
        return told
    found = told["markdown"]["text"] if "markdown" in told else told["card"]["elements"][0]["text"]["content"]
    return str(found)


def title_of(told: dict[str, Any]) -> str:
    """The title in a message of DingTalk or Feishu."""
    found = told["markdown"]["title"] if "markdown" in told else told["card"]["header"]["title"]["content"]
    return str(found)


def maker(kind: str) -> Maker:
    """One whose clock stands at noon."""
    clock = Moving()
    if kind == "wecom":
        return Maker(WecomServer(clock), clock, "/cgi-bin/webhook/send?key=693a91f6-7e0c-4bc4-97a0-0ec2sifa5aaa")
    if kind == "dingtalk":
        path = f"/robot/send?access_token={DingtalkServer.TOKEN}"
        return Maker(DingtalkServer(clock), clock, path, DingtalkServer.SECRET)
    path = f"/open-apis/bot/v2/hook/{FeishuServer.TOKEN}"
    return Maker(FeishuServer(clock), clock, path, FeishuServer.SECRET)


@asynccontextmanager
async def robot(
    kind: str, at: Maker, *, answering: Callable[[Request], Reply] | Reply | None = None, ours: Moving | None = None,
    **options: Any,
) -> AsyncIterator[Channel]:  # fmt: skip
    """A channel of this kind, which talks to that maker, or to one who answers so."""
    async with http_server(answering or at.server) as server:
        given = {"url": server.url(at.path)} | ({"secret": at.secret} if at.secret else {}) | options
        yield build("group", kind, given, egress(now=ours or at.clock))


async def refusal(channel: Channel, told: Letter | None = None) -> SendFailed:
    """How the channel says no."""
    with pytest.raises(SendFailed) as no:
        await channel.send(told or letter())
    return no.value


# ---- what arrives ----------------------------------------------------------------------------------------------------

LINES = (
    "**浙督〔2026〕7号 示范小学《校园消防通道被占用》**", "督导意见书已送达。",
    "整改方案须于 2026-03-23（周一）24 时前报送，还有 15 个工作日。", "请在期限内报送整改方案。", f"[查看]({URL})",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_a_letter_stands_in_the_group_as_it_was_written(kind: str) -> None:
    at = maker(kind)
    async with robot(kind, at) as channel:
        assert await channel.send(letter()) is True
    newline = "  \n" if kind == "dingtalk" else "\n"
    assert at.texts == [newline.join(LINES)]


async def test_each_maker_gets_the_form_that_it_documents() -> None:
    makers = {kind: maker(kind) for kind in KINDS}
    for kind, at in makers.items():
        async with robot(kind, at) as channel:
            await channel.send(letter(notice(urgent=True), subject="【整改闭环】紧急：示范小学"))
    (ding,), (card,) = makers["dingtalk"].taken, makers["feishu"].taken
    assert ding == {
        "msgtype": "markdown",
        "markdown": {"title": "【整改闭环】紧急：示范小学", "text": makers["dingtalk"].texts[0]},
        "at": {"isAtAll": False},
    }
    assert {name: card[name] for name in ("msg_type", "card", "timestamp")} == {
        "msg_type": "interactive", "timestamp": str(int(makers["feishu"].clock().timestamp())),
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {"title": {"tag": "plain_text", "content": "【整改闭环】紧急：示范小学"}, "template": "red"},
            "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": makers["feishu"].texts[0]}}],
        },
    }  # fmt: skip
    assert all(at.texts[0].startswith("**【紧急】浙督") for at in makers.values())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_letter_in_english_is_english_throughout(kind: str) -> None:
    at = maker(kind)
    told = notice("LOOP-1 “Exit”", said="It was served.", due="The plan is due by Mon 2026-03-23.", ask="Hand it in.")
    async with robot(kind, at) as channel:
        await channel.send(letter(told, *[notice("L", said="x" * 900)] * 40, language="en", subject=""))
    (text,) = at.texts
    assert text.startswith("**Education supervision: you have a new notice**\n\n**LOOP-1 “Exit”**")
    assert f"[Open]({URL})" in text
    assert re.search(r"\n\nand \d+ more; sign in to see them$", text)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_digest_has_its_subject_on_top_and_what_is_urgent_first(kind: str) -> None:
    at = maker(kind)
    async with robot(kind, at) as channel:
        told = (notice("甲"), notice("乙", urgent=True), notice("丙", url=""))
        await channel.send(letter(*told, subject="【整改闭环】3 项待办"))
    (text,) = at.texts
    assert re.findall(r"\*\*(.+?)\*\*", text) == ["【整改闭环】3 项待办", "【紧急】乙", "甲", "丙"]
    assert text.count("查看") == 2


# ---- signatures ------------------------------------------------------------------------------------------------------


def test_signatures_are_those_of_the_documents() -> None:
    assert dingtalk.sign("this is secret", 1577262236757) == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    assert feishu.sign("demo", 1599360473) == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
async def test_a_signature_survives_its_way_whatever_signs_are_in_it(kind: str) -> None:
    at = maker(kind)
    async with robot(kind, at) as channel:
        for _ in range(40):
            await channel.send(letter())
            at.clock.move(minutes=1, seconds=7, milliseconds=13)
    assert len(at.taken) == 40


@pytest.mark.parametrize(("kind", "code"), [("dingtalk", 310000), ("feishu", 19021)])
async def test_a_wrong_secret_and_a_wrong_clock_are_refused_for_good(kind: str, code: int) -> None:
    at = maker(kind)
    async with robot(kind, at, secret="SEC-another") as channel:
        no = await refusal(channel)
        assert (str(code) in str(no), no.permanent) == (True, True)
        assert "SEC-another" not in str(no)
    off = Moving(at.clock() - timedelta(minutes=61))
    async with robot(kind, at, ours=off) as channel:
        no = await refusal(channel)
        assert ("timestamp" in str(no), no.permanent) == (True, True)
        off.move(minutes=2)
        assert await channel.send(letter()) is True


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
async def test_a_robot_that_is_not_set_to_signing_is_sent_no_signature(kind: str) -> None:
    field = {"dingtalk": "errcode", "feishu": "code"}[kind]
    async with http_server(reply({field: 0})) as server:
        channel = build("group", kind, {"url": server.url("/x?access_token=t0ken%2B1")}, egress())
        assert await channel.send(letter()) is True
        assert server.requests[0].target == "/x?access_token=t0ken%2B1"
        assert not {"sign", "timestamp"} & set(server.requests[0].json)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_address_is_refused_for_good_and_its_key_is_told_nobody(kind: str) -> None:
    at = maker(kind)
    async with http_server(at.server) as server:
        options = {"url": server.url(f"{at.path}wrong")} | ({"secret": at.secret} if at.secret else {})
        no = await refusal(build("group", kind, options, egress()))
    assert no.permanent
    assert at.key not in str(no)
    assert "invalid" in str(no) or "not exist" in str(no)


# ---- limits ----------------------------------------------------------------------------------------------------------

LIMITS = [("wecom", 20, MINUTE, 45009), ("dingtalk", 20, 10 * MINUTE, 130101), ("feishu", 5, MINUTE, 11232)]


@pytest.mark.parametrize(("kind", "most", "rest", "code"), LIMITS)
async def test_a_robot_that_is_asked_too_often_is_spared_as_long_as_it_needs(
    kind: str, most: int, rest: timedelta, code: int
) -> None:
    at = maker(kind)
    async with robot(kind, at) as channel:
        assert [await channel.send(letter()) for _ in range(most)] == [True] * most
        no = await refusal(channel)
        assert (str(code) in str(no), no.permanent, no.retry_after) == (True, False, rest)
        at.clock.move(seconds=rest.total_seconds())
        assert await channel.send(letter()) is True
    assert len(at.taken) == most + 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("filling", ["消", "\"'\\", "a", "😀", "&<*", "\u0001x"])
@pytest.mark.parametrize(("count", "length"), [(1, 30), (1, 8_000), (2, 700), (30, 120), (400, 40)])
async def test_whatever_is_told_fits_and_what_does_not_is_counted(
    kind: str, filling: str, count: int, length: int
) -> None:
    at, long = maker(kind), filling * (length // len(filling))
    told = [notice(f"N{n:03} {long}", said=long, due=long, ask=long, url=f"{URL}-{n:03}") for n in range(count)]
    async with robot(kind, at) as channel:
        assert await channel.send(letter(*told, subject=f"【整改闭环】{long}")) is True
    (text,) = at.texts
    shown = re.findall(r"\*\*N(\d{3}) ", text)
    assert shown == [f"{n:03}" for n in range(len(shown))]
    left = re.search(r"\n\n另有 (\d+) 项，请登录查看$", text)
    assert len(shown) + (int(left[1]) if left else 0) == count
    assert shown


async def test_what_fits_to_the_byte_is_sent_whole_and_one_byte_more_is_not() -> None:
    frame = len(b"****\n")
    for extra in (0, 1):
        at = maker("wecom")
        async with robot("wecom", at) as channel:
            told = notice("题" * 300, said="a" * (4096 - frame - 900 + extra), due="", ask="", url="")
            assert await channel.send(letter(told)) is True
        (text,) = at.texts
        assert (len(text.encode()) == 4096) is not bool(extra)
        assert text.endswith("…") is bool(extra)


# ---- what others wrote -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_title_can_neither_format_nor_link_nor_call_anybody(kind: str) -> None:
    at = maker(kind)
    async with robot(kind, at) as channel:
        told = notice(
            HOSTILE, said=HOSTILE, due=HOSTILE, ask=HOSTILE, url=f"{URL}?a=1)[x](http://evil.example/ \n<@all>"
        )
        await channel.send(letter(told, notice(), subject=HOSTILE))
    (text,), (whole,) = at.texts, at.taken
    links = re.findall(r"\[查看\]\(([^()\s]*)\)", text)
    assert links == [f"{URL}?a=1%29[x]%28http://evil.example/%20%0A%3C@all%3E", URL]
    without_ours = re.sub(r"\[查看\]\([^()\s]*\)|^\*\*|\*\* *$", "", text, flags=re.MULTILINE)
    assert not MARKUP & set(without_ours)
    assert "://" not in without_ours
    assert not re.search(r"www\.", without_ours)
    assert not re.search("[\x00-\x09\x0b-\x1f\u200b\u2028\u202e\ud800]", text)
    assert len(text.splitlines()) == 1 + 1 + 5 + 1 + 5
    assert "所有人" in text
    if kind == "dingtalk":
        assert not MARKUP & set(title_of(whole))
        assert whole["at"] == {"isAtAll": False}
    if kind == "feishu":
        assert whole["card"]["header"]["title"]["tag"] == "plain_text"
        assert "\n" not in title_of(whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "https:///x", "ftp://evil.example/", ""])
async def test_what_is_no_address_of_a_page_becomes_no_link(kind: str, url: str) -> None:
    at = maker(kind)
    async with robot(kind, at) as channel:
        await channel.send(letter(notice(url=url)))
    assert "查看" not in at.texts[0]
    assert url == "" or url not in at.texts[0]


# ---- answers ---------------------------------------------------------------------------------------------------------

CODES = [
    ("wecom", 93000, "invalid webhook url, hint: [1], from ip: 203.0.113.7", True, None),
    ("wecom", 40058, "markdown.content exceed max length 4096", True, None),
    ("wecom", 45009, "api freq out of limit", False, MINUTE),
    ("wecom", -1, "system busy", False, None),
    ("dingtalk", 310000, "keywords not in content", True, None),
    ("dingtalk", 310000, "sign not match", True, None),
    ("dingtalk", 310000, "invalid timestamp", True, None),
    ("dingtalk", 310000, "ip 203.0.113.7 not in whitelist", True, None),
    ("dingtalk", 130101, "send too fast, exceed 20 times per minute", False, 10 * MINUTE),
    ("dingtalk", -1, "系统繁忙", False, None),
    ("feishu", 9499, "Bad Request", True, None),
    ("feishu", 19001, "param invalid: incoming webhook access token invalid", True, None),
    ("feishu", 19021, "sign match fail or timestamp is not within one hour from current time", True, None),
    ("feishu", 19022, "Ip Not Allowed", True, None),
    ("feishu", 19024, "Key Words Not Found", True, None),
    ("feishu", 11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]", False, MINUTE),
    ("feishu", 99991400, "request trigger frequency limit", False, MINUTE),
    ("wecom", 45033, "接口并发调用超过限制，请限频", False, MINUTE),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "code", "text", "permanent", "spare"), CODES)
async def test_a_documented_code_within_a_yes_of_http_means_what_the_document_says(
    kind: str, code: int, text: str, permanent: bool, spare: timedelta | None
) -> None:
    names = ("code", "msg") if kind == "feishu" else ("errcode", "errmsg")
    said = {names[0]: code, names[1]: text, "StatusCode": 0}
    async with robot(kind, maker(kind), answering=reply(said)) as channel:
        no = await refusal(channel)
    # Pieces of the address are hidden, whatever they are.
    hidden = text.replace("webhook", "…") if kind == "wecom" else text
    assert no.why == Label(f"127.0.0.1 拒绝接收，代码 {code}：{hidden}", f"127.0.0.1 refused with {code}: {hidden}")
    assert (no.permanent, no.retry_after, no.gone) == (permanent, spare, False)


RESTS = [
    ({"Retry_After": "30"}, timedelta(seconds=30)),
    ({"Retry_After": "0"}, timedelta()),
    ({"Retry_After": "Mon, 02 Mar 2026 12:02:00 GMT"}, timedelta(minutes=2)),
    ({"Retry_After": "Mon, 02 Mar 2026 12:02:00 GMT", "Date": "Mon, 02 Mar 2026 12:01:30 GMT"}, timedelta(seconds=30)),
    ({"Retry_After": "Mon, 02 Mar 2026 11:00:00 GMT"}, timedelta()),
    ({"Retry_After": "Mon, 02 Mar 2026 12:02:00 -0000"}, timedelta(minutes=2)),
    ({"Retry_After": "86400000"}, timedelta(days=1)),
    ({"Retry_After": "9" * 5000}, None),
    ({"Retry_After": "soon"}, None),
    ({"Retry_After": "-5"}, None),
    ({"Retry_After": "Mon, 02 Mar 2026 12:02:00 +99999999999999999999"}, None),
    ({"Retry_After": "Mon, 02 Mar 2026 12:02:00 GMT", "Date": "Mon, 02 Mar 2026 12:00:00 +99999999999999999999"}, 2 * MINUTE),
    ({}, None),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "spare"), RESTS)
async def test_how_long_a_server_asks_to_be_spared_is_read_and_never_believed_beyond_a_day(
    headers: dict[str, Any], spare: timedelta | None
) -> None:
    async with robot("wecom", maker("wecom"), answering=reply("", 429, **headers)) as channel:
        no = await refusal(channel)
    assert (no.permanent, no.retry_after) == (False, spare)


async def test_an_answer_in_the_character_set_of_the_gateway_is_read() -> None:
    told = json.dumps({"errcode": 1, "errmsg": "机器人已停用"}, ensure_ascii=False)
    for charset in ("gbk", "GB2312", '"gb18030"'):
        answer = reply(told.encode("gb18030"), Content_Type=f"application/json; charset={charset}")
        async with robot("wecom", maker("wecom"), answering=answer) as channel:
            assert str(await refusal(channel)).endswith("机器人已停用")
    for charset in ("utf-7", "punycode", "nonsense"):
        answer = reply(told.encode(), Content_Type=f"application/json; charset={charset}")
        async with robot("wecom", maker("wecom"), answering=answer) as channel:
            assert str(await refusal(channel)).endswith("机器人已停用")


async def test_what_the_other_side_says_is_quoted_short_on_one_line_and_without_the_secrets() -> None:
    at = maker("dingtalk")
    said = f"见\n{at.path} {at.secret} \u202e" + "长" * 500
    async with robot("dingtalk", at, answering=reply({"errcode": 1, "errmsg": said})) as channel:
        no = str(await refusal(channel))
    assert at.secret not in no
    assert at.key not in no
    assert no.startswith("127.0.0.1 refused with 1: 见 ")
    assert "\u202e" not in no
    assert len(no) < 260


async def test_a_robot_over_tls_proves_its_name() -> None:
    async with http_server(WecomServer(), tls=True) as server:
        path = maker("wecom").path
        channel = build("group", "wecom", {"url": server.url(path, host="robot.test", scheme="https")}, egress())
        assert await channel.send(letter()) is True
        assert server.requests[0].headers["host"] == f"robot.test:{server.port}"
