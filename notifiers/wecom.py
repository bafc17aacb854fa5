"""WeCom group robots (企业微信 群机器人): markdown; the address is the secret, nothing is signed.

Documented at developer.work.weixin.qq.com, document/path/91770 and 99110.
"""

from __future__ import annotations

from datetime import timedelta

from loop.kernel.messages import GROUP, Letter
from notifiers import robot
from notifiers.options import ChannelOptions, Configured, PerMinute
from notifiers.rendering import markdown
from notifiers.secret import SecretUrl

LONGEST = 4096
"""Bytes of the markdown content."""
DIALECT = robot.Dialect(
    code="errcode", text="errmsg", busy=frozenset({-1}), full=frozenset({45009}), rest=timedelta(minutes=1)
)


class WecomOptions(ChannelOptions):
    """`url` as the group shows it, with its key. A robot takes 20 messages a minute."""

    url: SecretUrl
    per_minute: PerMinute = 20


class Wecom(Configured[WecomOptions]):
    """Reaches everybody in a WeCom group."""

    kind = "wecom"
    reaches = GROUP
    Options = WecomOptions

    async def send(self, letter: Letter) -> bool:
        """Post the letter; the robot's yes means that it stands in the group."""
        url = self._options.url
        payload = {"msgtype": "markdown", "markdown": {"content": markdown(letter, LONGEST)}}
        await robot.post(self._egress, url.get_secret_value(), payload, DIALECT, url)
        return True

    async def knock(self) -> str:
        return await self._egress.knock(self._options.url.get_secret_value())
