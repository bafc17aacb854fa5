"""Channels by name: how a message reaches a person. Adding a channel is one file here and one entry in `CHANNELS`."""

from __future__ import annotations

from loop.kernel.messages import Channel
from notifiers.inbox import Inbox

CHANNELS: dict[str, type[Channel]] = {"inbox": Inbox}
