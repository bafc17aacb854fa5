"""Feishu and Lark group robots (飞书 自定义机器人): a card, signed where the robot asks for it.

Documented at open.feishu.cn, 自定义机器人使用指南. A robot takes 100 messages a minute, and 5 a second.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from loop.kernel.messages import GROUP, Letter
from notifiers import robot
from notifiers.options import NO_SECRET, ChannelOptions, Configured, PerMinute
from notifiers.rendering import markdown, subject, urgent
from notifiers.secret import SecretUrl
from notifiers.words import cut, one_line, utf8_json

LONGEST = 18_000
"""Bytes of the text; the whole body may have 20 KB."""
LONGEST_TITLE = 100
DIALECT = robot.Dialect(
    code="code", text="msg", busy=frozenset(), full=frozenset({11232}), rest=timedelta(minutes=1)
)  # fmt: skip


class FeishuOptions(ChannelOptions):
    """`url` as the group shows it, with its token; `secret` where the robot is set to verifying signatures."""

    url: SecretUrl
    secret: SecretStr = NO_SECRET
    per_minute: PerMinute = 100


class Feishu(Configured[FeishuOptions]):
    """Reaches everybody in a Feishu or Lark group."""

    kind = "feishu"
    reaches = GROUP
    Options = FeishuOptions

    async def send(self, letter: Letter) -> bool:
        """Post the letter; the robot's yes means that it stands in the group."""
        url, secret = self._options.url, self._options.secret
        payload = self._signature() | {"msg_type": "interactive", "card": card(letter)}
        await robot.post(self._egress, url.get_secret_value(), payload, DIALECT, url, secret)
        return True

    async def knock(self) -> str:
        return await self._egress.knock(self._options.url.get_secret_value())

    def _signature(self) -> dict[str, Any]:
        secret = self._options.secret.get_secret_value()
        if not secret:
            return {}
        stamp = int(self._egress.now().timestamp())
        return {"timestamp": str(stamp), "sign": sign(secret, stamp)}


def card(letter: Letter) -> dict[str, Any]:
    """The letter as a card; its title is plain text, in which nothing is markup."""
    title = {"tag": "plain_text", "content": cut(one_line(subject(letter)), LONGEST_TITLE)}
    text = {"tag": "lark_md", "content": markdown(letter, LONGEST, measure=utf8_json)}
    return {
        "config": {"wide_screen_mode": True},
        "header": {"title": title, "template": "red" if urgent(letter) else "blue"},
        "elements": [{"tag": "div", "text": text}],
    }


def sign(secret: str, stamp: int) -> str:
    """The signature for an instant in seconds: the text that others sign is the key here, and the message is empty."""
    digest = hmac.digest(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)
    return base64.b64encode(digest).decode()
