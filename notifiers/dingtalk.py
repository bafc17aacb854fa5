"""DingTalk group robots (钉钉 自定义机器人): markdown, signed where the robot asks for it.

Documented at open.dingtalk.com, 自定义机器人接入 and 自定义机器人安全设置.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

import httpx
from pydantic import SecretStr

from loop.kernel.messages import GROUP, Letter
from notifiers import robot
from notifiers.options import NO_SECRET, ChannelOptions, Configured, PerMinute
from notifiers.rendering import markdown, subject
from notifiers.secret import SecretUrl
from notifiers.words import cut, guarded, utf8_json

LONGEST = 18_000
"""Bytes of the text; the whole body may have 20,000."""
LONGEST_TITLE = 60
# More than 20 messages in a minute, and the robot is shut for ten.
DIALECT = robot.Dialect(
    code="errcode", text="errmsg", busy=frozenset({-1}), full=frozenset({130101}), rest=timedelta(minutes=10)
)


class DingtalkOptions(ChannelOptions):
    """`url` as the group shows it, with its access token; `secret` (SEC…) where the robot is set to signing."""

    url: SecretUrl
    secret: SecretStr = NO_SECRET
    per_minute: PerMinute = 20


class Dingtalk(Configured[DingtalkOptions]):
    """Reaches everybody in a DingTalk group."""

    kind = "dingtalk"
    reaches = GROUP
    Options = DingtalkOptions

    async def send(self, letter: Letter) -> bool:
        """Post the letter; the robot's yes means that it stands in the group."""
        title = cut(guarded(subject(letter)), LONGEST_TITLE)
        text = markdown(letter, LONGEST, measure=utf8_json, newline="  \n")
        payload = {"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": {"isAtAll": False}}
        await robot.post(self._egress, self._url(), payload, DIALECT, self._options.url, self._options.secret)
        return True

    async def knock(self) -> str:
        return await self._egress.knock(self._options.url.get_secret_value())

    def _url(self) -> str:
        url, secret = self._options.url.get_secret_value(), self._options.secret.get_secret_value()
        if not secret:
            return url
        stamp = int(self._egress.now().timestamp() * 1000)
        # httpx encodes for the address, once; a sign encoded twice is refused.
        return str(httpx.URL(url).copy_merge_params({"timestamp": str(stamp), "sign": sign(secret, stamp)}))


def sign(secret: str, stamp: int) -> str:
    """The signature for an instant in milliseconds, not yet encoded for an address."""
    digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()
