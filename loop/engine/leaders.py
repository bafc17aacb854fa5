"""What a leader's link is good for: a look at one finding, and one answer: read, or an instruction 批示 written.

Whoever holds the link acts as the leader it was made for, on this finding and in this one way only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from json import loads
from typing import Any

from loop.engine.door import Engine, Wish
from loop.engine.links import seal_of
from loop.kernel.calendar import local_day
from loop.kernel.errors import LoopError, NotFound
from loop.kernel.finding import Finding, is_end
from loop.kernel.people import Actor
from loop.store import findings, links, mailbox, people
from loop.store.links import Link
from loop.store.mailbox import Message
from loop.store.reach import may_see
from loop.store.session import Refused, Tx

INSTRUCT = "instruct"


@dataclass(frozen=True, slots=True)
class Glance:
    """What a link shows: to whom, about which message, the finding as it stands; whether an instruction may be written."""

    reader: Actor
    message: Message
    finding: Finding
    today: date
    may_instruct: bool

    @property
    def content(self) -> dict[str, Any]:
        """What the message says."""
        said: dict[str, Any] = loads(self.message.content)
        return said


@dataclass(frozen=True, slots=True)
class LeadersDesk:
    """Opens links. Whatever is wrong with one, it is not found."""

    engine: Engine

    def look(self, tx: Tx, token: str, real: datetime) -> Glance:
        """What the link shows; uses nothing up. Raises NotFound."""
        return self._glance(tx, self._link(tx, token, real))

    def answer(
        self, tx: Tx, token: str, real: datetime, instruction: Mapping[str, Any] | LoopError | None = None
    ) -> Glance | Refused:
        """Use the link up: the message counts as read and signed for, and an instruction, if one is given, is written.

        Raises NotFound, or the refusal of the instruction, with which the link is not used up.
        """
        link = self._link(tx, token, real)
        glance = self._glance(tx, link)
        if instruction is not None:
            wish = Wish(actor=glance.reader, action=INSTRUCT, number=link.chain, payload=instruction)
            done = self.engine.act_in(tx, wish, lambda tx, outcome: outcome.event.seq)
            if isinstance(done, Refused):
                return done
        # Used up last: a refused instruction leaves the link good, and of two at once the second undoes everything.
        if not links.use(tx, link.id, real):
            raise NotFound
        mailbox.acknowledge(tx, glance.message.id, link.person_id, self.engine.clock.now(tx))
        return glance

    def _link(self, tx: Tx, token: str, real: datetime) -> Link:
        seal = seal_of(tx)
        if seal is None:
            raise NotFound
        return seal.opened(tx, token, real)

    def _glance(self, tx: Tx, link: Link) -> Glance:
        today = local_day(self.engine.clock.now(tx), self.engine.book.calendar)
        reader = people.actor_of(tx, link.person_id, today)
        finding = findings.load(tx, link.chain, lock=False)
        message = mailbox.one(tx, link.message_id, link.person_id)
        if reader is None or finding is None or message is None or not may_see(reader, finding):
            raise NotFound
        offers = self.engine.offers(tx, reader, finding) if not is_end(finding.state) else ()
        able = any(offer.action.name == INSTRUCT and not offer.guard for offer in offers)
        return Glance(reader, message, finding, today, able)
