"""Channels by kind: how a letter reaches somebody. Adding a channel is one file here and one entry in `KINDS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loop.kernel.messages import Channel
from notifiers.apprise_service import AppriseService
from notifiers.console import Console
from notifiers.dingtalk import Dingtalk
from notifiers.egress import Egress
from notifiers.feishu import Feishu
from notifiers.inbox import Inbox
from notifiers.mail import Mail
from notifiers.options import Configured
from notifiers.sms import Sms
from notifiers.webhook import Webhook
from notifiers.wecom import Wecom

__all__ = ["KINDS", "Egress", "build"]

KINDS: dict[str, type[Configured[Any]]] = {
    "inbox": Inbox,
    "console": Console,
    "mail": Mail,
    "sms": Sms,
    "wecom": Wecom,
    "dingtalk": Dingtalk,
    "feishu": Feishu,
    "webhook": Webhook,
    "apprise": AppriseService,
}


def build(name: str, kind: str, options: Mapping[str, Any], egress: Egress) -> Channel:
    """A channel of a kind in `KINDS`; raises pydantic's ValidationError for an option that is wrong."""
    cls = KINDS[kind]
    return cls(name, cls.Options.read(options), egress)
