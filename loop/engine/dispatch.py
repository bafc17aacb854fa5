"""Makes out the copies of messages: by which channels each goes, and from when on. What must be signed for goes again.

The message itself stands in its reader's inbox from the moment of the step; here it only learns its other ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from json import loads
from typing import Any

import structlog

from loop.kernel.calendar import Calendar
from loop.kernel.finding import NEVER, is_end
from loop.kernel.manners import Manners, may_go_at, repeats_at
from loop.kernel.messages import GROUP
from loop.kernel.routes import Liking, Route, Way, manner_of, route_of, ways_of
from loop.store import contacts, deliveries, mailbox, standings, told
from loop.store.deliveries import Copy
from loop.store.mailbox import Message
from loop.store.session import Tx
from loop.store.standings import Standing

LOG = structlog.get_logger(__name__)
BATCH = 200
HOUR = timedelta(hours=1)
UNREADABLE = (LookupError, ValueError, TypeError)
"""What is raised where a message says nothing that can be understood."""
NOBODY = Liking()


@dataclass(frozen=True, slots=True, kw_only=True)
class Postage:
    """What an office has laid down about telling people: routes, ways, hours, and where its pages are reached."""

    routes: tuple[Route, ...] = ()
    ways: Mapping[str, Way] = field(default_factory=dict)
    manners: Manners = field(default_factory=Manners)
    base_url: str = ""
    link_life: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Makes out copies within a transaction that the outbox owns."""

    postage: Postage
    calendar: Calendar

    def route(self, tx: Tx, messages: Sequence[Message], now: datetime, real: datetime) -> None:
        """Make out the copies of messages just claimed, and settle them. One that cannot be read is put off an hour."""
        around = self._around(tx, messages)
        done: list[int] = []
        copies: list[Copy] = []
        for message in messages:
            try:
                route = self._route(message)
                copies += self._copies(message, route, around, now)
            except UNREADABLE as broken:
                LOG.exception("message.unroutable", key=message.key)
                mailbox.fail(tx, message.id, f"unroutable: {broken}"[:500], retry_at=real + HOUR)
                continue
            if route.receipt:
                mailbox.repeat(tx, message.id, repeats_at(now, self.postage.manners, self.calendar), 1)
            done.append(message.id)
        deliveries.add_copies(tx, copies)
        mailbox.settle(tx, done, at=now)

    def repeat(self, tx: Tx, now: datetime) -> int:
        """Make out copies anew of what should have been signed for by now; answers how many messages that were. One that
        cannot be read is put off an hour.
        """
        due = mailbox.to_repeat(tx, now, BATCH)
        around = self._around(tx, due)
        manners = self.postage.manners
        for message in due:
            standing = around.standings.get(message.chain)
            over = standing is not None and is_end(standing.state)
            if not over:
                try:
                    again = self._copies(message, self._route(message), around, now, f":{message.repeats}")
                except UNREADABLE:
                    LOG.exception("message.unrepeatable", key=message.key)
                    mailbox.repeat(tx, message.id, now + HOUR, message.repeats)
                    continue
                deliveries.add_copies(tx, [copy for copy in again if copy.person_id])
            last = over or message.repeats >= manners.repeat_most
            following = NEVER if last else repeats_at(now, manners, self.calendar)
            mailbox.repeat(tx, message.id, following, message.repeats + 1)
        return len(due)

    def other_ways(self, tx: Tx, messages: Sequence[Message], now: datetime) -> dict[int, list[Copy]]:
        """For each message, by id, copies by the next of its reader's own channels that has not been tried yet; none for one
        that cannot be read.
        """
        around, tried = self._around(tx, messages), told.channels_of(tx, [message.id for message in messages])
        return {
            message.id: self._next(message, around, now, tried.get(message.id, frozenset())) for message in messages
        }

    def _next(self, message: Message, around: _Around, now: datetime, tried: frozenset[str]) -> list[Copy]:
        try:
            found = self._copies(message, self._route(message), around, now, broken=tried)
        except UNREADABLE:
            LOG.exception("message.unroutable", key=message.key)
            return []
        return [copy for copy in found if copy.person_id]

    def _route(self, message: Message) -> Route:
        danger = bool(loads(message.content).get("danger"))
        return route_of(self.postage.routes, message.step, message.role, danger=danger)

    def _copies(
        self, message: Message, route: Route, around: _Around, now: datetime, again: str = "",
        broken: frozenset[str] = frozenset(),
    ) -> list[Copy]:  # fmt: skip
        postage, liking = self.postage, around.likings.get(message.person_id, NOBODY)
        standing = around.standings.get(message.chain)
        names = ways_of(route, liking, postage.ways, office_region=standing.region if standing else "-", broken=broken)
        due_at = may_go_at(now, manner_of(route, liking), postage.manners, self.calendar) if names else now
        return [self._copy(message, name, route, due_at, again) for name in names]

    def _copy(self, message: Message, channel: str, route: Route, due_at: datetime, again: str) -> Copy:
        # A group hears of a step once, however many of its members are told.
        person = "" if self.postage.ways[channel].reaches == GROUP else message.person_id
        return Copy(
            key=f"{message.chain}:{message.seq}:{person}:{channel}{again}", message_id=message.id, chain=message.chain,
            seq=message.seq, step=message.step, person_id=person, channel=channel, urgent=route.when == "now",
            due_at=due_at,
        )  # fmt: skip

    def _around(self, tx: Tx, messages: Sequence[Message]) -> _Around:
        held = contacts.contacts_of(tx, {message.person_id for message in messages})
        chains = {message.chain for message in messages if ":" not in message.chain}
        return _Around(contacts.likings_of(tx, held), standings.standings(tx, chains))


@dataclass(frozen=True, slots=True)
class _Around:
    """What is known of the readers of some messages, and of the findings they are about."""

    likings: Mapping[str, Liking]
    standings: Mapping[str, Standing]


def said_of(message: Message) -> dict[str, Any]:
    """The content of a message."""
    said: dict[str, Any] = loads(message.content)
    return said
