"""One contract over every channel: it takes a letter, or says one of two kinds of no, whatever the other side does."""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loop.kernel.messages import GROUP, PERSON, PROGRAM, Channel, SendFailed
from notifiers import KINDS, build
from tests.channel_makers import letter
from tests.channel_servers import (
    CERTIFICATE,
    CUT,
    CUT_IN_BODY,
    CUT_OFF,
    DRIP,
    ENDLESS,
    GARBAGE,
    SILENCE,
    Reply,
    egress,
    http_server,
    mail_server,
    reply,
)

QUICK = 0.4
"""Seconds after which a channel under test gives up."""
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
ROBOT_TOKEN = "tok-0123456789"


@dataclass(frozen=True)
class Outcome:
    """What a channel must say; None where it must take the letter."""

    permanent: bool
    retry_after: timedelta | None = None


NOW, GOOD = Outcome(permanent=False), Outcome(permanent=True)
LATER = Outcome(permanent=False, retry_after=timedelta(seconds=77))

Manners = dict[str, tuple[Reply, Outcome | None]]

HTTP: Manners = {
    "silent": (SILENCE, NOW),
    "cut off in the head": (CUT_OFF, NOW),
    "no HTTP at all": (GARBAGE, NOW),
    "redirect": (reply(status=302, Location="http://127.0.0.1:1/"), GOOD),
    "not found": (reply("nothing here", 404), GOOD),
    "forbidden": (reply("<h1>no</h1>", 403, Content_Type="text/html"), GOOD),
    "broken": (reply("sorry", 500), NOW),
    "away": (reply("", 503, Retry_After="77"), LATER),
    "asked too often": (reply("", 429, Retry_After="77"), LATER),
    "too slow itself": (reply("", 408), NOW),
}
UNREADABLE: Manners = {
    "cut off in the body": (CUT_IN_BODY, NOW),
    "endless": (ENDLESS, NOW),
    "a drip": (DRIP, NOW),
    "no JSON": (reply("ok"), NOW),
    "empty": (reply(""), NOW),
    "other JSON": (reply(b"[1, 2]"), NOW),
    "nested without end": (reply(b"[" * 60_000), NOW),
    "a yes that is no number": (reply({"errcode": False, "code": False}), NOW),
}


def robot(field: str, text: str, *, full: int, rest: timedelta, gone: int, busy: int | None) -> Manners:
    """How a maker's robots answer in their own codes, all with HTTP 200."""
    own: dict[str, tuple[Reply, Outcome | None]] = {
        "yes": (reply({field: 0, text: "ok"}), None),
        "yes in a wrong character set": (reply(b'{"%s": 0, "%s": "\xb3\xc9\xb9\xa6"}' % (field.encode(), text.encode())), None),
        "yes of an error page": (reply({field: 0, text: "ok"}, 404), GOOD),
        "no": (reply({field: gone, text: "invalid"}), GOOD),
        "no with another status": (reply({field: gone, text: "invalid"}, 400), GOOD),
        "unknown code": (reply({field: 987654, text: "something new"}), GOOD),
        "unknown code about frequency": (reply({field: 987654, text: "request frequency too high"}), Outcome(permanent=False, retry_after=rest)),
        "full": (reply({field: full, text: "slow down"}), Outcome(permanent=False, retry_after=rest)),
        "full, and says for how long": (reply({field: full, text: "slow down"}, Retry_After="77"), LATER),
    }  # fmt: skip
    return {**HTTP, **UNREADABLE, **own} | ({"busy": (reply({field: busy, text: "busy"}), NOW)} if busy else {})


MINUTE = timedelta(minutes=1)
SMS_OPTIONS = {
    "body": '{"to": "{address}", "words": "{text}"}', "success": {"path": "code", "equals": ["OK"]},
    "again": {"pattern": "later"},
}  # fmt: skip
KINDS_OF_MANNERS: dict[str, Manners] = {
    "wecom": robot("errcode", "errmsg", full=45009, rest=MINUTE, gone=93000, busy=-1),
    "dingtalk": robot("errcode", "errmsg", full=130101, rest=timedelta(minutes=10), gone=310000, busy=-1),
    "feishu": robot("code", "msg", full=11232, rest=MINUTE, gone=19024, busy=None),
    "sms": {
        **HTTP,
        **UNREADABLE,
        "other JSON": (reply(b"[1, 2]"), GOOD),
        "a yes that is no number": (reply({"code": False}), GOOD),
        "yes": (reply({"code": "OK"}), None),
        "no": (reply({"code": "BLACKLISTED"}), GOOD),
        "no, too often": (reply({"code": "LIMIT", "words": "触发分钟级频率限制"}), NOW),
        "later": (reply({"code": "X", "words": "come later"}, 400, Retry_After="77"), LATER),
    },
    "webhook": {
        **HTTP,
        **{name: (answer, None) for name, (answer, _) in UNREADABLE.items()},
        "yes": (reply(status=204), None),
        "gone": (reply(status=410), GOOD),
        "too early": (reply(status=425), NOW),
    },
    "apprise": {
        "yes": (reply(), None),
        "cut off": (Reply(b""), NOW),
        **{name: (HTTP[name][0], NOW) for name in ("no HTTP at all", "not found", "broken", "away")},
    },
}  # fmt: skip
HTTP_CASES = [(kind, manner) for kind, manners in KINDS_OF_MANNERS.items() for manner in manners]

MAIL: dict[str, tuple[dict[str, str | None], Outcome | None]] = {
    "yes": ({}, None),
    "no such person": ({"RCPT": "550 5.1.1 no such user"}, GOOD),
    "mailbox full for now": ({"RCPT": "452 4.2.2 mailbox full"}, NOW),
    "greylisted": ({"RCPT": "451 4.7.1 try again later"}, NOW),
    "sender refused": ({"MAIL": "553 5.1.8 not yours"}, GOOD),
    "content refused": ({"DATA": "554 5.7.1 looks like spam"}, GOOD),
    "content later": ({"DATA": "421 4.3.2 shutting down"}, NOW),
    "silent": ({"DATA": None}, NOW),
    "cut off": ({"DATA": CUT}, NOW),
    "cut off early": ({"MAIL": CUT}, NOW),
    "malformed": ({"DATA": "fine, thank you"}, NOW),
    "huge": ({"DATA": "250 " + "x" * 100_000}, NOW),
}
ALWAYS = ("inbox", "console")


def options_of(kind: str, url: str) -> dict[str, Any]:
    """What the kind needs to talk to a server at `url`."""
    if kind == "sms":
        return {"url": url, **SMS_OPTIONS}
    if kind == "apprise":
        return {"url": url.replace("http", "json") + "{address}?rto=2&cto=2", "timeout": 3}
    if kind == "mail":
        return {"host": "127.0.0.1", "port": int(url.rstrip("/").rpartition(":")[2]), "sender": "office@edu.test"}
    if kind in ("webhook", "inbox", "console"):
        return {}
    return {"url": f"{url}?key={ROBOT_TOKEN}"}


def address_of(kind: str, url: str) -> str:
    """An address that the kind can have."""
    return {"webhook": url, "sms": "13800001111", "mail": "li@school.test", "apprise": "li"}.get(kind, "")


@asynccontextmanager
async def talking_to(kind: str, answer: Reply) -> AsyncIterator[tuple[Channel, str]]:
    """A channel of this kind and an address, at a server that answers so."""
    async with http_server(answer) as server:
        yield build("x", kind, options_of(kind, server.url()), egress(timeout=QUICK)), address_of(kind, server.url())


async def outcome_of(channel: Channel, address: str) -> Outcome | None:
    """Send once; no other exception may come out."""
    try:
        arrived = await channel.send(letter(address=address, body='{"n":1}', secrets=(SECRET,)))
    except SendFailed as no:
        failed = no
    else:
        assert arrived is (channel.reaches != PERSON or channel.kind == "inbox")
        return None
    assert str(failed)
    assert ROBOT_TOKEN not in str(failed)
    return Outcome(failed.permanent, failed.retry_after)


@pytest.mark.parametrize(("kind", "manner"), HTTP_CASES, ids=lambda case: str(case).replace(" ", "_"))
async def test_an_answer_over_http_is_taken_for_what_it_is(kind: str, manner: str) -> None:
    answer, expected = KINDS_OF_MANNERS[kind][manner]
    async with talking_to(kind, answer) as (channel, address):
        assert await outcome_of(channel, address) == expected


@pytest.mark.parametrize("manner", MAIL, ids=lambda case: str(case).replace(" ", "_"))
async def test_an_answer_over_smtp_is_taken_for_what_it_is(manner: str, tmp_path: Path) -> None:
    answers, expected = MAIL[manner]
    (tmp_path / "ca.pem").write_text(CERTIFICATE, "ascii")
    async with mail_server(answers, tls="tls") as office:
        options = {
            "host": "127.0.0.1", "port": office.port, "sender": "督导办 <office@edu.test>", "timeout": QUICK,
            "ca_file": tmp_path / "ca.pem",
        }  # fmt: skip
        assert await outcome_of(build("x", "mail", options, egress()), "li@school.test") == expected
        assert len(office.messages) == (expected is None or manner == "huge")


@pytest.mark.parametrize("kind", [*KINDS_OF_MANNERS, "mail"])
async def test_nobody_there_is_a_no_for_now(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    channel = build("x", kind, options_of(kind, url), egress(timeout=QUICK))
    assert await outcome_of(channel, address_of(kind, url)) == NOW


KNOCKED = ("wecom", "dingtalk", "feishu", "sms")


@pytest.mark.parametrize("kind", KNOCKED)
async def test_a_channel_that_is_knocked_at_sends_nothing(kind: str) -> None:
    async with http_server(SILENCE) as server:
        assert await build("x", kind, options_of(kind, server.url()), egress(timeout=QUICK)).knock() == "127.0.0.1"
    assert server.requests == []


@pytest.mark.parametrize(("password", "why"), [("right", ""), ("wrong", "127.0.0.1 answered 535")])
async def test_a_post_office_that_is_knocked_at_lets_sign_in_and_gets_no_letter(password: str, why: str) -> None:
    async with mail_server(password="right") as office:
        options = options_of("mail", f":{office.port}") | {"security": "none", "user": "loop", "password": password}
        channel = build("x", "mail", options, egress())
        if why:
            with pytest.raises(SendFailed, match=why):
                await channel.knock()
        else:
            assert await channel.knock() == "127.0.0.1"
        assert (set(office.logins), office.envelopes) == ({"loop"}, [])


@pytest.mark.parametrize("kind", [*KNOCKED, "mail"])
async def test_knocking_where_nobody_is_fails_for_now(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    channel = build("x", kind, options_of(kind, f"http://127.0.0.1:{port}/"), egress(timeout=QUICK))
    with pytest.raises(SendFailed) as no:
        await channel.knock()
    assert "127.0.0.1" in str(no.value)
    assert ROBOT_TOKEN not in str(no.value)
    assert not no.value.permanent


@pytest.mark.parametrize("kind", ["inbox", "console", "webhook", "apprise"])
async def test_where_no_host_is_known_before_a_letter_is_there_is_nowhere_to_knock(kind: str) -> None:
    assert await build("x", kind, options_of(kind, "http://127.0.0.1:1/"), egress()).knock() == ""


@pytest.mark.parametrize("kind", ALWAYS)
async def test_what_needs_nobody_else_takes_everything(kind: str) -> None:
    channel = build("x", kind, {}, egress())
    assert await outcome_of(channel, "anything") is None
    assert channel.refuses("anything") is None


@pytest.mark.parametrize("kind", ["mail", "sms", "webhook", "apprise"])
async def test_an_address_that_can_be_none_is_refused_for_good_without_asking_anybody(kind: str) -> None:
    channel = build("x", kind, options_of(kind, "http://127.0.0.1:1/"), egress())
    refusal = channel.refuses("")
    assert refusal
    assert refusal.zh
    assert refusal.en
    assert await outcome_of(channel, "") == GOOD
    assert channel.refuses(address_of(kind, "http://127.0.0.1:1/")) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_whom_it_reaches_and_how_much_it_carries(kind: str) -> None:
    given = options_of(kind, "http://127.0.0.1:1/")
    channel = build("its-name", kind, given, egress())
    groups = {"wecom": 20, "dingtalk": 20, "feishu": 100}
    assert (channel.name, channel.kind) == ("its-name", kind)
    assert channel.reaches == (GROUP if kind in groups else PROGRAM if kind == "webhook" else PERSON)
    assert channel.per_minute == groups.get(kind, 0)
    assert build("x", kind, given | {"per_minute": 7}, egress()).per_minute == 7
    assert inspect.iscoroutinefunction(channel.send)


async def test_many_letters_go_through_one_channel_at_the_same_time() -> None:
    async with talking_to("wecom", reply({"errcode": 0})) as (channel, _):
        assert await asyncio.gather(*(channel.send(letter()) for _ in range(20))) == [True] * 20


def test_a_channel_works_in_one_event_loop_after_the_other() -> None:
    channels: list[Channel] = []

    async def once() -> bool:
        async with http_server(reply({"errcode": 0})) as server:
            options = options_of("wecom", server.url())
            channels.append(build("x", "wecom", options, channels[0]._egress if channels else egress()))  # type: ignore[attr-defined]
            return await channels[-1].send(letter())

    assert [asyncio.run(once()) for _ in range(2)] == [True, True]
