"""Text messages through a gateway as an office describes it: what is filled in, how long it may be, what an answer means."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import ValidationError

from loop.kernel.labels import Label
from loop.kernel.messages import Channel, Letter, SendFailed
from notifiers import build
from tests.channel_makers import Gateway, letter, notice, refusal
from tests.channel_servers import Answering, HttpServer, Reply, Request, egress, http_server, reply

NUMBER = "13800001111"
KEY = "k3y-of-the-gateway"
TOLD = "浙督〔2026〕7号《校园消防通道被…》：督导意见书已送达。整改方案须于 2026-03-23（周一）24 时前报送，还有 15 个工作日。"
URL = "https://loop.example.gov.cn/findings/330106-2026-0007"
YES: dict[str, Any] = {"success": {"pattern": "."}}
BY_CODE: dict[str, Any] = {"success": {"path": "result.0.code", "equals": [0]}}
JSON_BODY = (
    '{"to": [{"phone": "{address}", "content": "【督导】{text}"}], "ref": "{id}", "n": 1, "deep": {"x": [null, true]}}'
)
FORM_BODY = "phone={address}&content=%E3%80%90督导%E3%80%91{text}&ref={id}&empty="
HOSTILE = (
    'a"b\\c/}{', "&phone=19900000000#x?y=1", "{secret} {address} {id} {text}", "%7Bsecret%7D %00 %0a +", "行\r\n二\t三\x00四",
    "\ud800\u202e\u200b", "', \"x\": \"", "<b>&amp;</b>", "😀🀄", "\\u0022,\\n", "a=b;c=d&&",
)  # fmt: skip


@asynccontextmanager
async def sms(
    answering: Answering | Reply, path: str = "/send", **options: Any
) -> AsyncIterator[tuple[Channel, HttpServer]]:
    """A channel to a gateway that answers so, and the gateway."""
    async with http_server(answering) as server:
        yield build("sms", "sms", {"url": server.url(path), **YES, **options}, egress()), server


def to_li(*notices: Any, **about: Any) -> Letter:
    """A letter to a telephone."""
    return letter(*notices, **{"address": NUMBER, **about})


def units(text: str) -> int:
    """Characters as telephones count them."""
    return len(text.encode("utf-16-le")) // 2


# ---- what is filled in -----------------------------------------------------------------------------------------------


async def test_a_gateway_gets_the_request_that_its_office_describes() -> None:
    headers = {"Authorization": "Bearer {secret}", "X-Request": "{id}"}
    async with sms(reply("ok"), body=JSON_BODY, headers=headers, secret=KEY) as (channel, server):
        assert await channel.send(to_li(id="n-1")) is False
        (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/send")
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert (request.headers["authorization"], request.headers["x-request"]) == (f"Bearer {KEY}", "n-1")
    to = {"phone": NUMBER, "content": f"【督导】{TOLD} {URL}"}
    assert request.json == {"to": [to], "ref": "n-1", "n": 1, "deep": {"x": [None, True]}}


async def test_a_form_is_filled_field_by_field() -> None:
    async with sms(reply("ok"), body=FORM_BODY, form="form", method="PUT") as (channel, server):
        await channel.send(to_li(id="n-1"))
        (request,) = server.requests
    assert (request.method, request.headers["content-type"]) == ("PUT", "application/x-www-form-urlencoded")
    told = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert told == [("phone", NUMBER), ("content", f"【督导】{TOLD} {URL}"), ("ref", "n-1"), ("empty", "")]


async def test_an_address_is_filled_and_a_request_may_have_no_body() -> None:
    path = "/send/{address}?msg={text}&key={secret}&fixed=a%2Fb"
    async with sms(reply("ok"), path, method="GET", secret="a/b&c=d") as (channel, server):
        await channel.send(to_li())
        (request,) = server.requests
    assert (request.method, request.path, request.body) == ("GET", f"/send/{NUMBER}", b"")
    assert request.query == {"msg": f"{TOLD} {URL}", "key": "a/b&c=d", "fixed": "a/b"}
    assert "key=a%2Fb%26c%3Dd&fixed=a%2Fb" in request.target


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_nothing_in_a_text_ends_a_field_or_begins_another(text: str) -> None:
    told = to_li(notice("", said=text, due="", ask="", url=""))
    inner = '{"p": "{\\"msg\\": \\"{text_json}\\"}", "{text}": "{text}"}'
    async with sms(reply("ok"), "/?a={text}&b=1", body=inner, secret=KEY) as (channel, server):
        await channel.send(told)
    async with sms(reply("ok"), body="a={text}&b=1", form="form", secret=KEY) as (channel, other):
        await channel.send(told)
    (first,), (second,) = server.requests, other.requests
    (in_form, _) = parse_qsl(second.body.decode("ascii"), strict_parsing=True)
    words = in_form[1]
    assert first.query == {"a": words, "b": "1"}
    assert set(first.json) == {"p", "{text}"}
    assert first.json["{text}"] == json.loads(first.json["p"])["msg"] == words
    assert KEY not in words
    assert len(words.splitlines()) == 1
    if not {"\r", "\ud800", "{"} & set(text):
        assert text in words


async def test_a_header_of_the_office_takes_the_place_of_ours() -> None:
    async with sms(reply("ok"), headers={"content-type": "text/json"}, body="{}") as (channel, server):
        await channel.send(to_li())
        assert server.requests[0].headers["content-type"] == "text/json"


@pytest.mark.parametrize("form", ["json", "form"])
async def test_a_letter_goes_through_a_gateway_that_checks_its_key_and_answers_in_the_body(form: str) -> None:
    gateway = Gateway()
    body = {"json": '{"to": [{"phone": "{address}", "content": "{text}"}]}', "form": "phone={address}&content={text}"}[
        form
    ]
    options: dict[str, Any] = {"form": form, "body": body, "headers": {"Authorization": "Bearer {secret}"}, **BY_CODE}
    async with sms(gateway, secret=KEY, **options) as (channel, _):
        assert await channel.send(to_li()) is False
        no = await refusal(channel, to_li(address="19900000000"))
    assert gateway.taken == [(NUMBER, f"{TOLD} {URL}")]
    assert no.permanent
    said = '{"result": [{"code": "BLACK", "words": "number … is black-listed"}]}'
    assert no.why == Label(f"127.0.0.1 拒绝接收：{said}", f"127.0.0.1 refused: {said}")
    async with sms(gateway, secret="old-key", **options) as (channel, _):
        no = await refusal(channel, to_li())
    assert (str(no), no.permanent, len(gateway.taken)) == ("127.0.0.1 answered 401", True, 1)


# ---- how long --------------------------------------------------------------------------------------------------------


async def text_of(told: Letter, longest: int) -> str:
    """The text that a telephone gets."""
    async with sms(reply("ok"), body='["{text}"]', longest=longest) as (channel, server):
        await channel.send(told)
        (text,) = server.requests[0].json
        return str(text)


@pytest.mark.parametrize("longest", [40, 67, 70, 134, 200, 500])
@pytest.mark.parametrize("filling", ["消", "a b", "😀", '"'])
@pytest.mark.parametrize("count", [0, 1, 2, 9, 1000])
async def test_a_text_is_never_longer_than_the_office_says_and_the_rest_is_counted(
    longest: int, filling: str, count: int
) -> None:
    told = tuple(notice("", said=f"〈{n}〉{filling * 60}", due="", ask="", url=URL) for n in range(count))
    for language in ("zh", "en"):
        text = await text_of(to_li(subject=filling * 300, language=language, notices=told), longest)
        left = re.search(r"另有 (\d+) 项|and (\d+) more", text)
        assert 0 < units(text) <= longest
        assert len(re.findall("〈[0-9]+〉", text)) + (int(left[1] or left[2]) if left else 0) == count
        assert "\ufffd" not in text


async def test_what_fits_to_the_character_is_sent_whole_and_one_less_cuts_it() -> None:
    told = to_li(notice("甲", said="整改" * 20 + "😀", due="", ask="", url=""))
    whole = await text_of(told, 500)
    assert await text_of(told, units(whole)) == whole
    shorter = await text_of(told, units(whole) - 1)
    assert shorter == whole[:-2] + "…" or shorter == whole[:-1] + "…"


async def test_the_deadline_outlives_the_unit_the_title_and_what_happened() -> None:
    said, due = "督导意见书已送达。", "整改方案须于 2026-03-23（周一）24 时前报送，还有 15 个工作日。"
    told = to_li(notice("浙督〔2026〕7号 示范小学《通道》", said=said, due=due))
    for longest, text in (
        (70, f"浙督〔2026〕7号 示范小学《通道》：{said}{due}"),
        (65, f"浙督〔2026〕7号《通道》：{said}{due}"),
        (60, f"浙督〔2026〕7号：{said}{due}"),
        (55, f"浙督〔2026〕7号《通道》：{due}"),
        (51, f"浙督〔2026〕7号：{due}"),
        (40, f"浙督〔2026〕7号：{due[:28]}…"),
    ):
        assert await text_of(told, longest) == text
    undated = to_li(notice("浙督〔2026〕7号《通道》", said=said * 20, due="", ask="请在期限内报送整改方案。", url=""))
    assert await text_of(undated, 200) == "浙督〔2026〕7号《通道》：请在期限内报送整改方案。"


async def test_an_address_is_added_where_one_thing_is_told_and_it_fits_whole() -> None:
    whole = f"{TOLD} {URL}"
    assert await text_of(to_li(), units(whole)) == whole
    assert await text_of(to_li(), units(whole) - 1) == TOLD
    assert URL not in await text_of(to_li(notice(), notice("乙")), 500)
    assert await text_of(to_li(notice(url="javascript:alert(1)")), 500) == TOLD


async def test_what_is_urgent_is_told_first_and_marked() -> None:
    told = [notice(name, said="请看", due="", ask="", urgent=name == "丙") for name in "甲乙丙"]
    assert await text_of(to_li(*told), 200) == "【紧急】丙：请看甲：请看乙：请看"
    assert await text_of(to_li(*told, language="en"), 200) == "[Urgent] 丙: 请看 甲: 请看 乙: 请看"


# ---- what an answer means --------------------------------------------------------------------------------------------

ALIYUN = {"success": {"path": "Code", "equals": ["OK"]}, "again": {"path": "Code", "equals": ["isp.RAM_BUSY"]}}
TENCENT = {"success": {"path": "Response.SendStatusSet.0.Code", "equals": ["Ok"]}}
PLAIN = {"success": {"pattern": r"^(0|100),"}, "again": {"pattern": "^(-1|busy)"}}

ANSWERS: list[tuple[dict[str, Any], Any, bool | None]] = [
    (ALIYUN, {"Code": "OK", "Message": "OK"}, None),
    (ALIYUN, {"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "非法手机号"}, True),
    (ALIYUN, {"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发分钟级流控Permits:1"}, False),
    (ALIYUN, {"Code": "isv.AMOUNT_NOT_ENOUGH", "Message": "账户余额不足"}, True),
    (ALIYUN, {"Code": "isp.RAM_BUSY", "Message": "稍后再试"}, False),
    (ALIYUN, {"code": "OK"}, True),
    (TENCENT, {"Response": {"SendStatusSet": [{"Code": "Ok"}]}}, None),
    (TENCENT, {"Response": {"SendStatusSet": [{"Code": "LimitExceeded.DeliveryFrequencyLimit"}]}}, False),
    (TENCENT, {"Response": {"SendStatusSet": []}}, True),
    (TENCENT, {"Response": {"SendStatusSet": {"0": {"Code": "Ok"}}}}, None),
    (TENCENT, {"Response": "Ok"}, True),
    (TENCENT, "maintenance", False),
    (PLAIN, "0,20260302120000", None),
    (PLAIN, "100,ok", None),
    (PLAIN, "10,0,bad sign", True),
    (PLAIN, "-1,try later", False),
    (PLAIN, "busy", False),
    (PLAIN, "", False),
    ({"success": {"path": "status", "equals": [0]}}, {"status": "0"}, None),
    ({"success": {"path": "status", "equals": ["0"]}}, {"status": 0}, None),
    ({"success": {"path": "status", "equals": [0]}}, {"status": False}, True),
    ({"success": {"path": "status", "equals": [True]}}, {"status": True}, None),
    ({"success": {"path": "status", "equals": [True]}}, {"status": 1}, True),
    ({"success": {"path": "status", "equals": [0, 200]}}, {"status": 200}, None),
    ({"success": {"path": "status"}}, {"status": 0}, None),
    ({"success": {"path": "status"}}, {"status": None}, True),
    ({"success": {"path": "status"}}, {"status": {"0": 0}}, True),
]


@pytest.mark.parametrize(("options", "body", "permanent"), ANSWERS)
async def test_the_body_decides_and_codes_mean_what_the_office_says(
    options: dict[str, Any], body: Any, permanent: bool | None
) -> None:
    async with sms(reply(body), **options) as (channel, _):
        if permanent is None:
            assert await channel.send(to_li()) is False
        else:
            assert (await refusal(channel, to_li())).permanent is permanent


async def test_a_page_of_an_error_is_no_yes_whatever_stands_in_it() -> None:
    async with sms(reply({"result": [{"code": 0}]}, 404), **BY_CODE) as (channel, _):
        no = await refusal(channel, to_li())
    assert (str(no), no.permanent) == ("127.0.0.1 answered 404", True)


# ---- what is told of it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [NUMBER, f"+86{NUMBER}", f"86{NUMBER}"])
@pytest.mark.parametrize("spelt", [NUMBER, f"+86{NUMBER}", f"86 {NUMBER}", "138-0000-1111", "138 0000 1111"])
async def test_a_number_is_shown_to_nobody_however_the_gateway_spells_it(number: str, spelt: str) -> None:
    for body in ({"code": 1, "msg": f"{spelt} is black-listed"}, f"{spelt} is black-listed"):
        async with sms(reply(body), **BY_CODE) as (channel, _):
            no = str(await refusal(channel, to_li(address=number)))
        assert "is black-listed" in no
        assert not any(part in no for part in ("1380", "0000", "1111"))


async def test_neither_secrets_nor_the_text_are_repeated_from_what_a_gateway_says() -> None:
    body = '{"apikey": "b0dy-k3y-42", "mode": "1", "words": "{text}", "sign": ["整改闭环办公室：{text}"]}'
    headers = {"X-Auth": "Token h3ad-k3y-42", "X-Version": "1"}
    path = "/s3cr3t-path/send?token=t0k3n%2B42&to={address}"
    options: dict[str, Any] = {"body": body, "headers": headers, "secret": "sm", "success": {"pattern": "^$"}}
    keys = "b0dy-k3y-42 h3ad-k3y-42 s3cr3t-path t0k3n+42 t0k3n%2B42 sm"

    def as_json(request: Request) -> Reply:
        return reply({"code": 1, "said": f"{keys} {request.json['words']} {request.json['sign'][0]} 整"})

    def as_text(request: Request) -> Reply:
        return reply(f"code 1: {keys} {request.json['words']} {request.json['sign'][0]} 整")

    for answering in (as_json, as_text):
        async with sms(answering, path, **options) as (channel, _):
            no = str(await refusal(channel, to_li(notice("甲", said='said "so" and so', due="", ask="", url=""))))
        assert "… … … … … … … …… 整" in no
        assert not any(word in no for word in ("k3y", "t0k3n", "s3cr3t", "sm", "so", "办公室"))
        assert "1" in no.removeprefix("127.0.0.1")


async def test_what_a_gateway_says_in_numbers_is_read_and_shown_short() -> None:
    async with sms(reply(b'{"m": "\\u4f59\\u989d\\u4e0d\\u8db3\\ud800' + b"x" * 900 + b'"}'), **BY_CODE) as (
        channel,
        _,
    ):
        no = str(await refusal(channel, to_li()))
    assert no.startswith('127.0.0.1 refused: {"m": "余额不足')
    assert len(no) == len("127.0.0.1 refused: ") + 200


GOOD = (NUMBER, "+8613800001111", "95588", "1" * 20)
BAD = (
    "",
    "1234",
    "1" * 21,
    "138 0000 1111",
    "138-0000",
    "+",
    "tel:138",
    "１３８００００１１１１",
    f"{NUMBER}\n",
    f"{NUMBER},199",
    "٣" * 11,
)


@pytest.mark.parametrize("number", GOOD)
async def test_a_number_may_have_that_of_its_country(number: str) -> None:
    async with sms(reply("ok"), body='["{address}"]') as (channel, server):
        assert channel.refuses(number) is None
        await channel.send(to_li(address=number))
        assert server.requests[0].json == [number]


@pytest.mark.parametrize("number", BAD, ids=range(len(BAD)))
async def test_what_is_no_number_is_refused_for_good_and_no_gateway_is_asked(number: str) -> None:
    async with sms(reply("ok")) as (channel, server):
        refused = channel.refuses(number)
        assert refused
        no = await refusal(channel, to_li(address=number))
        assert (str(no), no.permanent, server.requests) == (refused.en, True, [])


# ---- what an office may describe -------------------------------------------------------------------------------------

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("url", {"url": "https://{address}.evil.test/"}, "can't choose the host"),
    ("url", {"url": "https://a.test/?x={who}"}, "{who} means nothing here"),
    ("url", {"url": "ftp://a.test/s3cr3t"}, "https://host/path"),
    ("url", {"url": "https://loop:s3cr3t@a.test/"}, "without a user"),
    ("headers", {"headers": {"X-To": "{address}"}}, "{address} means nothing here; choose among secret, id"),
    ("headers", {"headers": {"X-Sign": "督导 s3cr3t"}}, "printable ASCII"),
    ("headers", {"headers": {"X\r\nEvil": "s3cr3t"}}, "printable ASCII"),
    ("headers", {"headers": {"X-A": "s3cr3t\r\nX-Evil: 1"}}, "printable ASCII"),
    ("headers", {"headers": {"X-A": "{secret}"}, "secret": "s3cr3t\r\nX-Evil: 1"}, "printable ASCII"),
    ("headers", {"headers": {"X-A": "{secret}"}, "secret": "督导"}, "printable ASCII"),
    ("headers", {"headers": {"Content-length": "0"}}, "Content-length is not for an office to set"),
    ("headers", {"headers": {"host": "evil.test"}}, "host is not for an office to set"),
    ("body", {"body": "{s3cr3t"}, "no JSON"),
    ("body", {"body": "[" * 100_000}, "no JSON"),
    ("body", {"body": '{"a": [{"b": "{texts}"}]}'}, "{texts} means nothing here"),
    ("body", {"body": "a={texts}&k=s3cr3t", "form": "form"}, "{texts} means nothing here"),
    ("body", {"body": "a=%7Btexts%7D", "form": "form"}, "{texts} means nothing here"),
    ("form", {"form": "xml"}, "'json' or 'form'"),
    ("method", {"method": "DELETE"}, "'POST', 'PUT' or 'GET'"),
    ("longest", {"longest": 39}, "greater than or equal to 40"),
    ("success", {"success": {}}, "a path or a pattern"),
    ("success", {"success": {"path": "a", "pattern": "b"}}, "a path or a pattern"),
    ("success", {"success": None}, "Sign"),
    ("success.pattern", {"success": {"pattern": "("}}, "is no regular expression"),
    ("again.equal", {"again": {"path": "a", "equal": [1]}}, "Extra inputs are not permitted"),
    ("key", {"key": "s3cr3t"}, "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("field", "given", "said"), WRONG, ids=lambda value: str(value)[:40] if value else None)
def test_a_description_that_can_not_work_is_refused_by_the_name_of_its_field(
    field: str, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as wrong:
        build("sms", "sms", {"url": "https://a.test/", **YES, **given}, egress())
    (error,) = wrong.value.errors(include_input=False, include_context=False)
    assert ".".join(map(str, error["loc"])) == field
    assert said in error["msg"]
    assert "s3cr3t" not in str(wrong.value)


async def test_a_gateway_inside_the_office_is_reached_only_where_its_network_is_open() -> None:
    async with http_server(reply("ok")) as server:
        channel = build("sms", "sms", {"url": server.url(), **YES}, egress(ip_network("10.0.0.0/8")))
        with pytest.raises(SendFailed, match="inside this network") as no:
            await channel.send(to_li())
        assert (no.value.permanent, server.requests) == (True, [])
        assert no.value.why.zh.startswith("127.0.0.1：该网址指向内部网络")
