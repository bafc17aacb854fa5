"""Webhooks against programs that verify them with the published library: signatures, rotation, and what each status means."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from loop.kernel.messages import Channel, Letter
from notifiers import build
from tests.channel_makers import Program, refusal
from tests.channel_servers import (
    DRIP,
    ENDLESS,
    SILENCE,
    Answering,
    HttpServer,
    Moving,
    Reply,
    Request,
    egress,
    http_server,
    reply,
)

SECRET = "whsec_" + base64.b64encode(b"the newest secret of these tests").decode()
OLD = "whsec_" + base64.b64encode(b"an older one that is still good!").decode()
BODY = '{"type":"finding.acted","data":{"number":"330106-2026-0007","title":"消防通道 \\"甲\\" 😀\\u2028"}}'
YES = reply(status=204)


def webhook(clock: Moving | None = None, timeout: float = 5.0) -> Channel:
    """The channel for programs; its clock is the real one, which the library looks at, unless given."""
    return build("webhook", "webhook", {}, egress(now=clock or Moving(datetime.now(UTC)), timeout=timeout))


def to_program(server: HttpServer, path: str = "/hook?of=loop", **about: Any) -> Letter:
    """A letter to the program there."""
    return Letter(**{"id": "msg_0195f1c2", "address": server.url(path), "body": BODY, "secrets": (SECRET,), **about})


@asynccontextmanager
async def program(answering: Answering | Reply = YES) -> AsyncIterator[HttpServer]:
    """A program that answers so."""
    async with http_server(answering) as server:
        yield server


def verified(request: Request, secret: str) -> Any:
    """What the published library makes of a request; raises WebhookVerificationError."""
    return Webhook(secret).verify(request.body, dict(request.headers))


# ---- signatures ------------------------------------------------------------------------------------------------------


async def test_a_program_reads_what_was_signed_and_gives_a_receipt() -> None:
    told = Program(SECRET)
    async with program(told) as server:
        assert await webhook().send(to_program(server)) is True
        (request,) = server.requests
    assert told.taken == [("msg_0195f1c2", json.loads(BODY))]
    assert (request.method, request.target, request.body) == ("POST", "/hook?of=loop", BODY.encode())
    assert set(request.headers) == {
        "host", "content-type", "content-length", "accept-encoding", "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


async def test_another_attempt_has_the_same_id_and_body_and_a_time_and_signature_of_its_own() -> None:
    answers = iter([reply(status=503), YES])
    clock = Moving(datetime.now(UTC))
    async with program(lambda _: next(answers)) as server:
        channel = webhook(clock)
        assert not (await refusal(channel, to_program(server))).permanent
        clock.move(seconds=40)
        await channel.send(to_program(server))
        first, again = server.requests
    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)
    assert int(again.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 40
    assert first.headers["webhook-signature"] != again.headers["webhook-signature"]
    assert verified(first, SECRET) == verified(again, SECRET) == json.loads(BODY)


async def test_during_a_rotation_the_program_may_know_either_secret() -> None:
    async with program() as server:
        await webhook().send(to_program(server, secrets=(SECRET, OLD)))
        await webhook().send(to_program(server, secrets=(SECRET,)))
        both, newest = server.requests
    first, second = both.headers["webhook-signature"].split(" ")
    assert first != second
    assert newest.headers["webhook-signature"].count(",") == 1
    assert verified(both, SECRET) == verified(both, OLD) == verified(newest, SECRET) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        verified(newest, OLD)


async def test_a_program_with_another_secret_refuses_for_good() -> None:
    told = Program(OLD)
    async with program(told) as server:
        no = await refusal(webhook(), to_program(server))
    assert (no.permanent, no.gone, told.taken) == (True, False, [])


async def test_the_time_is_that_of_the_clock_wherever_it_hangs() -> None:
    at = datetime.now(UTC).replace(microsecond=999_999)
    async with program() as server:
        await webhook(Moving(at.astimezone(timezone(timedelta(hours=8))))).send(to_program(server))
        (request,) = server.requests
    assert request.headers["webhook-timestamp"] == str(int(at.timestamp()))
    assert verified(request, SECRET) == json.loads(BODY)


async def test_a_secret_may_stand_without_its_prefix_and_its_padding() -> None:
    async with program() as server:
        for secret in (SECRET.removeprefix("whsec_"), SECRET.rstrip("=")):
            await webhook().send(to_program(server, secrets=(secret,)))
        assert [verified(request, SECRET) for request in server.requests] == [json.loads(BODY)] * 2


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_a",), ("whsec_督导",), (SECRET, "whsec_!!!!")])
async def test_what_can_not_be_signed_is_refused_for_good_and_goes_nowhere(secrets: tuple[str, ...]) -> None:
    async with program() as server:
        no = await refusal(webhook(), to_program(server, secrets=secrets))
        assert (no.permanent, no.gone, server.requests) == (True, False, [])
    assert not any(secret in str(no) for secret in secrets if secret)


async def test_a_body_that_is_no_text_is_refused_for_good() -> None:
    async with program() as server:
        no = await refusal(webhook(), to_program(server, body='{"a": "\ud800"}'))
        assert (no.permanent, server.requests) == (True, [])


# ---- answers ---------------------------------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
STATUSES: list[tuple[int, dict[str, Any], tuple[bool, timedelta | None, bool] | None]] = [
    (200, {}, None),
    (201, {}, None),
    (202, {}, None),
    (204, {}, None),
    (299, {}, None),
    (300, {}, (True, None, False)),
    (304, {}, (True, None, False)),
    (400, {}, (True, None, False)),
    (401, {"Retry_After": "60"}, (True, None, False)),
    (404, {}, (True, None, False)),
    (408, {}, (False, None, False)),
    (410, {}, (True, None, True)),
    (410, {"Retry_After": "60"}, (True, None, True)),
    (413, {}, (True, None, False)),
    (425, {"Retry_After": "60"}, (False, MINUTE, False)),
    (429, {}, (False, None, False)),
    (429, {"Retry_After": "60"}, (False, MINUTE, False)),
    (
        429,
        {"Retry_After": "Mon, 02 Mar 2026 12:01:00 GMT", "Date": "Mon, 02 Mar 2026 12:00:00 GMT"},
        (False, MINUTE, False),
    ),
    (500, {}, (False, None, False)),
    (502, {}, (False, None, False)),
    (503, {"Retry_After": "60"}, (False, MINUTE, False)),
    (503, {"Retry_After": "999999999"}, (False, timedelta(days=1), False)),
    (503, {"Retry_After": "in a while"}, (False, None, False)),
    (599, {}, (False, None, False)),
]


@pytest.mark.parametrize(("status", "headers", "expected"), STATUSES)
async def test_the_status_alone_says_whether_to_try_again(
    status: int, headers: dict[str, Any], expected: tuple[bool, timedelta | None, bool] | None
) -> None:
    async with program(reply("" if status in (204, 304) else "the password is 42", status, **headers)) as server:
        if expected is None:
            assert await webhook().send(to_program(server)) is True
        else:
            no = await refusal(webhook(), to_program(server))
            assert (no.permanent, no.retry_after, no.gone) == expected
            assert str(no).startswith(f"127.0.0.1 answered {status}")
            assert "42" not in str(no).replace(str(status), "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_for_good_and_nobody_goes_there(status: int) -> None:
    async with program() as inside, program(reply("", status, Location=inside.url("/admin"))) as server:
        no = await refusal(webhook(), to_program(server))
        assert (no.permanent, no.gone, inside.requests) == (True, False, [])
    assert str(no) == f"127.0.0.1 answered {status}: redirects are not followed"


@pytest.mark.parametrize("answer", [DRIP, ENDLESS, reply("x", length=5000)], ids=["drip", "endless", "cut off"])
async def test_a_yes_is_a_receipt_before_its_body_has_ended(answer: Reply) -> None:
    async with program(answer) as server:
        assert await webhook(timeout=0.4).send(to_program(server)) is True


async def test_a_no_is_a_no_before_its_body_has_ended() -> None:
    async with program(reply("x" * 200_000, 410, length=10**9, held=True)) as server:
        assert (await refusal(webhook(), to_program(server))).gone


async def test_a_body_that_would_unpack_to_much_is_never_unpacked() -> None:
    async with program(reply(b"\x1f\x8b\x08\x00 no gzip", 200, Content_Encoding="gzip")) as server:
        assert await webhook().send(to_program(server)) is True
        assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_hints_before_the_answer_are_no_answer() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with program(Reply(hints + reply(status=410).raw)) as server:
        assert (await refusal(webhook(), to_program(server))).gone


async def test_a_program_that_is_slow_is_asked_again_later() -> None:
    async with program(SILENCE) as server:
        no = await refusal(webhook(timeout=0.2), to_program(server))
        assert len(server.requests) == 1
    assert (str(no), no.permanent, no.retry_after) == ("127.0.0.1 did not answer in time", False, None)


async def test_a_head_without_end_is_not_read_to_its_end() -> None:
    endless = Reply(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 500_000, held=True)
    async with program(endless) as server:
        no = await refusal(webhook(), to_program(server))
    assert (str(no), no.permanent) == ("127.0.0.1 broke off without a readable answer", False)


async def test_a_program_at_a_name_proves_it_and_reads_the_name() -> None:
    told = Program(SECRET)
    async with http_server(told, tls=True) as server:
        address = server.url("/hook", host="robot.test", scheme="https")
        assert await webhook().send(to_program(server, address=address)) is True
        assert server.requests[0].headers["host"] == f"robot.test:{server.port}"
