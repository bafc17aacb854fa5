"""Letters for channels, and who takes them: the makers of robots, a gateway and a program as their documents say that they behave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from loop.kernel.messages import Channel, Letter, Notice, SendFailed
from notifiers import build
from tests.channel_servers import MailServer, Moving, Reply, Request, egress, reply

HOUR = timedelta(hours=1)
SENDER = "教育督导办公室 <office@edu.test>"


def notice(headline: str = "浙督〔2026〕7号 示范小学《校园消防通道被占用》", **said: Any) -> Notice:
    """Something that somebody is told."""
    words = {
        "said": "督导意见书已送达。", "due": "整改方案须于 2026-03-23（周一）24 时前报送，还有 15 个工作日。",
        "ask": "请在期限内报送整改方案。", "url": "https://loop.example.gov.cn/findings/330106-2026-0007",
    }  # fmt: skip
    return Notice(**{"thread": "330106-2026-0007", "headline": headline, **words, **said})


def letter(*notices: Notice, **about: Any) -> Letter:
    """A letter of these notices, or of one."""
    words = {"id": "group-0195f1c2-7d11-7000-8000-000000000001", "subject": "【整改闭环】待办：示范小学"}
    return Letter(**{**words, "notices": notices or (notice(),), **about})


def to_li(*notices: Notice, **about: Any) -> Letter:
    """A letter to somebody at the school."""
    return letter(*notices, **{"address": "li@school.test", **about})


def mail(office: MailServer, *, ours: Moving | None = None, **options: Any) -> Channel:
    """A channel to this post office, over an open line unless told otherwise."""
    told = {"host": "127.0.0.1", "port": office.port, "security": "none", "sender": SENDER, **options}
    return build("mail", "mail", told, egress(now=ours))


async def refusal(channel: Channel, told: Letter) -> SendFailed:
    """How the channel says no."""
    with pytest.raises(SendFailed) as no:
        await channel.send(told)
    return no.value


@dataclass
class Window:
    """Counts what came within a time, on a clock of its own; what was refused does not count."""

    now: Callable[[], datetime]
    most: int
    span: timedelta
    taken: list[datetime] = field(default_factory=list)

    def full(self) -> bool:
        """Whether one more is too many; if not, it is counted."""
        self.taken = [at for at in self.taken if at > self.now() - self.span]
        if len(self.taken) >= self.most:
            return True
        self.taken.append(self.now())
        return False


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


class WecomServer:
    """qyapi.weixin.qq.com: the key, 4096 bytes of markdown, 20 messages a minute."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self.minute = Window(now or Moving(), 20, timedelta(minutes=1))
        self.taken: list[str] = []

    def __call__(self, request: Request) -> Reply:
        if (
            request.path != "/cgi-bin/webhook/send"
            or request.query.get("key") != "693a91f6-7e0c-4bc4-97a0-0ec2sifa5aaa"
        ):
            return self.said(93000, f"invalid webhook url, hint: [{request.target}]")
        if not request.headers["content-type"].startswith("application/json"):
            return self.said(40035, "invalid content type")
        content = request.json["markdown"]["content"]
        if len(content.encode()) > 4096:
            return self.said(40058, "markdown.content exceed max length 4096")
        if self.minute.full():
            return self.said(45009, "api freq out of limit")
        self.taken.append(content)
        return self.said(0, "ok")

    @staticmethod
    def said(code: int, text: str) -> Reply:
        """An answer in its form."""
        return reply({"errcode": code, "errmsg": text})


class DingtalkServer:
    """oapi.dingtalk.com: token, signature within the hour, 20 messages a minute and then shut for ten."""

    TOKEN, SECRET = "566cc69da782ec33e42541c3c7d2c3dc4e3c", "SEC0f2f8a1b"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.minute = Window(now, 20, timedelta(minutes=1))
        self.shut_until: datetime | None = None
        self.taken: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Reply:
        query = request.query
        if request.path != "/robot/send" or query.get("access_token") != self.TOKEN:
            return self.said(300001, "token is not exist")
        stamp = int(query.get("timestamp", "0"))
        if abs(self.now().timestamp() - stamp / 1000) > HOUR.total_seconds():
            return self.said(310000, "invalid timestamp")
        if query.get("sign") != _hmac(self.SECRET, f"{stamp}\n{self.SECRET}"):
            return self.said(310000, "sign not match")
        if len(request.body) > 20_000:
            return self.said(460101, "message too long")
        if self._shut():
            return self.said(130101, "send too fast, exceed 20 times per minute")
        self.taken.append(request.json)
        return self.said(0, "ok")

    def _shut(self) -> bool:
        if self.shut_until and self.now() < self.shut_until:
            return True
        if self.minute.full():
            self.shut_until = self.now() + timedelta(minutes=10)
            return True
        return False

    said = staticmethod(WecomServer.said)


class FeishuServer:
    """open.feishu.cn: token, signature within the hour, 20 KB, 100 messages a minute and 5 a second."""

    TOKEN, SECRET = "1d0f3b54-5aca-4ff9-8c5f-77a1d4a8b2c1", "demoSecret77"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.windows = (Window(now, 5, timedelta(seconds=1)), Window(now, 100, timedelta(minutes=1)))
        self.taken: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Reply:
        if request.path != f"/open-apis/bot/v2/hook/{self.TOKEN}":
            return reply({"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}, 400)
        if len(request.body) > 20 * 1024:
            return self.said(9499, "Bad Request")
        told = request.json
        stamp = told.get("timestamp", "0")
        late = abs(self.now().timestamp() - int(stamp)) > HOUR.total_seconds()
        if late or told.get("sign") != _hmac(f"{stamp}\n{self.SECRET}", ""):
            return self.said(19021, "sign match fail or timestamp is not within one hour from current time")
        if any(window.full() for window in self.windows):
            return self.said(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
        self.taken.append(told)
        return reply({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})

    @staticmethod
    def said(code: int, text: str) -> Reply:
        """An answer in its form."""
        return reply({"code": code, "msg": text, "data": {}})


class Gateway:
    """A gateway for text messages, in JSON or as a form, with a key in a header; refuses numbers it does not know."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer k3y-of-the-gateway":
            return reply({"result": [{"code": "AUTH"}]}, 401)
        if request.headers["content-type"].startswith("application/json"):
            told = json.loads(request.body)["to"][0]
        else:
            told = dict(parse_qsl(request.body.decode("ascii"), strict_parsing=True))
        if told["phone"] == "19900000000":
            return reply({"result": [{"code": "BLACK", "words": f"number {told['phone']} is black-listed"}]})
        self.taken.append((told["phone"], told["content"]))
        return reply({"result": [{"code": 0}]})


class Program:
    """A program that takes webhooks and verifies them with the library that the standard publishes."""

    def __init__(self, secret: str) -> None:
        self.signer = Webhook(secret)
        self.taken: list[tuple[str, Any]] = []

    def __call__(self, request: Request) -> Reply:
        try:
            told = self.signer.verify(request.body, dict(request.headers))
        except WebhookVerificationError as wrong:
            return reply(str(wrong), 401)
        self.taken.append((request.headers["webhook-id"], told))
        return reply(status=204)
