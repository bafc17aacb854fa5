"""A world whose people can be reached: configured channels, addresses, and what was sent to whom as the rows tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from loop.setting_sections import ChannelEntry
from loop.settings import Settings
from loop.store import contacts, deliveries, mailbox
from loop.store.contacts import Contact
from loop.store.deliveries import Copy, Delivery
from loop.store.session import Tx
from tests.world import World, settings_for

CONSOLE: dict[str, Any] = {"name": "desk", "kind": "console"}


def postal_settings(url: str, folder: Path, *channels: dict[str, Any], **told: Any) -> Settings:
    """The shipped settings with these channels, and these settings of telling people."""
    base = settings_for(url, folder)
    return base.model_copy(
        update={
            "channels": tuple(ChannelEntry(**channel) for channel in channels or (CONSOLE,)),
            "notifications": base.notifications.model_copy(update=told),
        }
    )


@dataclass(frozen=True)
class Sent:
    """One letter that went out: by which channel, when by the service's clock, and about which steps."""

    person: str
    channel: str
    at: datetime
    steps: tuple[str, ...]


class Post:
    """Addresses and letters of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def reach(self, name: str, *channels: str, off: Sequence[str] = (), digest: bool = False) -> None:
        """`name` wishes to be told by these channels, in this order."""
        wanted = [Contact(channel, f"{name}-at-{channel}") for channel in channels]
        person = self.world.cast.ids[name]
        self.world.parts.store.write(lambda tx: contacts.wish(tx, person, wanted, off=off, digest=digest))

    def drain(self) -> int:
        """Send what may be sent now."""
        return self.world.parts.outbox.drain()

    def sign_all(self, name: str) -> None:
        """`name` signs for everything in the inbox."""
        person, now = self.world.cast.ids[name], self.world.clock
        for message in self.world.inbox(name):
            self.world.parts.store.write(lambda tx, id_=message.id: mailbox.acknowledge(tx, id_, person, now))  # type: ignore[misc]

    def letters(self, name: str | None = None) -> list[Sent]:
        """Every letter that went out, to `name` alone if given, in the order in which they went."""
        names = {id_: name for name, id_ in self.world.cast.ids.items()}
        return [
            Sent(names.get(d.person_id, ""), d.channel, d.sent_at, tuple(copy.step for copy in copies))
            for d, copies in self.world.parts.store.read(_all)
            if d.sent_at and (name is None or d.person_id == self.world.cast.ids[name])
        ]

    def all(self) -> list[Delivery]:
        """Every delivery, whatever became of it."""
        return [delivery for delivery, _ in self.world.parts.store.read(_all)]


def _all(tx: Tx) -> list[tuple[Delivery, list[Copy]]]:
    found: list[Delivery] = []
    before = 2**60
    while page := deliveries.page(tx, limit=200, before=before):
        found += page
        before = page[-1].id
    carried = deliveries.of_deliveries(tx, [one.id for one in found])
    return [(one, carried.get(one.id, [])) for one in reversed(found)]
