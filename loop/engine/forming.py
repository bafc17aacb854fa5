"""Forms deliveries out of the copies that may go: one for each reader and channel, within the day's budget and the hours.

What is over the budget waits for the next morning, where it becomes one digest, and somebody is told that it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
import uuid_utils

from loop.engine import alarms
from loop.engine.dispatch import HOUR, Postage
from loop.engine.scribe import Scribe, Seen
from loop.kernel.decide import Book
from loop.kernel.errors import Unavailable
from loop.kernel.finding import NEVER
from loop.kernel.manners import day_began, is_quiet, may_go_at, next_morning
from loop.kernel.messages import PERSON
from loop.store import contacts, deliveries, leftovers, waiting
from loop.store.contacts import Contact
from loop.store.deliveries import Copy
from loop.store.session import Tx

LOG = structlog.get_logger(__name__)
MOST = 500
"""Copies looked at in one go, with whatever else waits for their readers."""
NO_ADDRESS = "no address"


@dataclass(frozen=True, slots=True)
class Former:
    """Forms deliveries within one transaction, alone."""

    book: Book
    postage: Postage
    scribe: Scribe

    def form(self, tx: Tx, now: datetime, real: datetime, left: dict[str, int]) -> int:
        """Form what may go now; answers how many copies were dealt with. `left` is what limited channels may carry."""
        spared = [name for name, most in left.items() if most <= 0]
        copies = waiting.due(tx, now, MOST, spared)
        if not copies:
            return 0
        seen, odd = self._look(tx, copies, now)
        needed = self._needed(tx, copies, seen, odd, now)
        held = contacts.contacts_of(tx, {copy.person_id for copy in needed})
        spent = deliveries.spent_since(tx, (c.person_id for c in needed), day_began(now, self.book.calendar))
        dealt = len(copies)
        for group in _groups(needed, odd):
            first = group[0]
            if left.get(first.channel, 1) <= 0:
                dealt -= len(group)
            elif not self._held_back(tx, group, spent, now) and self._form(tx, group, seen, held, now, real):
                # Danger to life costs nothing of the day's budget.
                spent[first.person_id] = spent.get(first.person_id, 0) + int(not first.urgent)
                if first.channel in left:
                    left[first.channel] -= 1
        return dealt

    def admit(self, tx: Tx, now: datetime, real: datetime) -> datetime:
        """Take in what could not go on its own day, as far as hours and budget of this one allow; answers since when a
        letter must have been queued to go now. A try that failed, a crash and a replay disturb nobody at night either.
        """
        manners, calendar = self.postage.manners, self.book.calendar
        if is_quiet(now, manners, calendar):
            return NEVER
        began = day_began(now, calendar)
        left = leftovers.left_over(tx, real, began)
        spent = deliveries.spent_since(tx, (person for _, person in left), began)
        most = max(manners.budget - 1, 1)  # one letter is kept for what is new
        taken: list[int] = []
        for id_, person in left:
            if not person or spent.get(person, 0) < most:
                spent[person] = spent.get(person, 0) + 1
                taken.append(id_)
        leftovers.renew(tx, taken, now)
        return began

    def _look(self, tx: Tx, copies: Sequence[Copy], now: datetime) -> tuple[Seen, frozenset[int]]:
        """What is seen of the copies, but for those that cannot be read: their ids."""
        try:
            return self._read(tx, copies, now), frozenset()
        except Unavailable:
            raise
        except Exception:
            LOG.exception("copies.unreadable")
        sound = [copy for copy in copies if self._is_sound(tx, copy, now)]
        odd = {copy.id for copy in copies} - {copy.id for copy in sound}
        return self.scribe.look(tx, sound, now), frozenset(odd)

    def _read(self, tx: Tx, copies: Sequence[Copy], now: datetime) -> Seen:
        with tx.attempt():
            seen = self.scribe.look(tx, copies, now)
            for copy in copies:
                seen.why_not(copy)
        return seen

    def _is_sound(self, tx: Tx, copy: Copy, now: datetime) -> bool:
        try:
            self._read(tx, [copy], now)
        except Unavailable:
            raise
        except Exception:
            LOG.exception("copy.unreadable", key=copy.key)
            return False
        return True

    def _needed(self, tx: Tx, copies: Sequence[Copy], seen: Seen, odd: frozenset[int], now: datetime) -> list[Copy]:
        """Those that must go. What cannot be read is put into a letter of its own, which fails and shows it; of a program even
        the address is unknown then, and it is put off an hour.
        """
        needed: list[Copy] = []
        dropped: dict[str, list[int]] = {}
        for copy in copies:
            why = "" if copy.id in odd else seen.why_not(copy)
            if why:
                dropped.setdefault(why, []).append(copy.id)
            elif copy.id not in odd or not copy.webhook_id:
                needed.append(copy)
        for why, ids in dropped.items():
            deliveries.drop(tx, ids, why)
        waiting.postpone(tx, [copy.id for copy in copies if copy.id in odd and copy.webhook_id], now + HOUR)
        return needed

    def _held_back(self, tx: Tx, group: Sequence[Copy], spent: Mapping[str, int], now: datetime) -> bool:
        """Whether this must wait: for the quiet hours to end, or because its reader has had enough for today."""
        first, manners, calendar = group[0], self.postage.manners, self.book.calendar
        if first.webhook_id or any(copy.urgent for copy in group):
            return False
        ids = [copy.id for copy in group]
        if is_quiet(now, manners, calendar):
            waiting.postpone(tx, ids, may_go_at(now, "day", manners, calendar))
            return True
        if first.person_id and spent.get(first.person_id, 0) >= manners.budget:
            waiting.postpone(tx, ids, next_morning(now, manners, calendar, skip=1))
            alarms.budget_reached(tx, self.book, group, manners.budget, now)
            return True
        return False

    def _form(
        self,
        tx: Tx,
        group: Sequence[Copy],
        seen: Seen,
        held: Mapping[str, Sequence[Contact]],
        now: datetime,
        real: datetime,
    ) -> bool:
        """Form one delivery; answers False where its reader has no address any more."""
        first = group[0]
        address = self._address(first, seen, held)
        if address is None:
            deliveries.drop(tx, [copy.id for copy in group], NO_ADDRESS)
            return False
        key = f"{first.channel}-{uuid_utils.uuid7()}"
        deliveries.form(tx, group, key=key, address=address, queued_at=now, not_before=real)
        return True

    def _address(self, copy: Copy, seen: Seen, held: Mapping[str, Sequence[Contact]]) -> str | None:
        """Where this channel reaches the reader today; None where it no longer does."""
        if copy.webhook_id:
            return seen.hooks[copy.webhook_id].url
        way = self.postage.ways.get(copy.channel)
        if way is not None and way.reaches != PERSON:
            return ""
        return next((c.address for c in held.get(copy.person_id, ()) if c.channel == copy.channel), None)


def _groups(copies: Iterable[Copy], odd: frozenset[int]) -> list[list[Copy]]:
    """Copies that go together: by one channel to one reader; programs are told of each step alone, danger goes alone, and so
    does what cannot be read.
    """
    found: dict[tuple[str, str, int, bool], list[Copy]] = {}
    for copy in copies:
        alone = copy.id if copy.webhook_id or copy.id in odd else 0
        found.setdefault((copy.channel, copy.person_id, alone, copy.urgent), []).append(copy)
    return list(found.values())
