"""Puts deliveries into words just before they are sent, and looks again whether they are still needed.

A closed finding needs no reminder, a message that was read needs no copy, and a program whose owner may no longer see
a finding is told nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from json import loads
from typing import Any

from loop.engine.dispatch import Postage
from loop.engine.links import Seal, link_for, make_seal
from loop.engine.reasons import DONE, LEFT, OUT_OF_SIGHT, READ, SWITCHED_OFF
from loop.kernel.calendar import local_day
from loop.kernel.decide import Book
from loop.kernel.finding import is_end
from loop.kernel.messages import Letter, Notice
from loop.kernel.people import LEADER
from loop.kernel.wording import notice_of, subject_of
from loop.store import findings, journal, links, mailbox, people, standings, timers, webhooks
from loop.store.canonical import canonical
from loop.store.deliveries import Copy, Delivery
from loop.store.journal import Entry
from loop.store.links import Link
from loop.store.mailbox import Message
from loop.store.people import Reader
from loop.store.reach import may_see
from loop.store.session import Tx
from loop.store.standings import Standing
from loop.store.webhooks import Webhook

PRESSING = frozenset({"warn", "urge", "remind"})
"""Steps that only press for what runs: once that is done, nobody need hear of them."""
NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at the database shows about some copies: messages, standings, running rules, readers, programs."""

    messages: Mapping[int, Message]
    standings: Mapping[str, Standing]
    running: Mapping[str, frozenset[str]]
    readers: Mapping[str, Reader]
    hooks: Mapping[str, Webhook]
    visible: Callable[[Webhook, str], bool]

    def why_not(self, copy: Copy) -> str:
        """Why this copy need not be sent any more; empty where it must be."""
        if copy.webhook_id:
            hook = self.hooks.get(copy.webhook_id)
            if hook is None or not hook.active or (hook.actions and copy.step not in hook.actions):
                return SWITCHED_OFF
            return "" if self.visible(hook, copy.chain) else OUT_OF_SIGHT
        if copy.person_id and copy.person_id not in self.readers:
            return LEFT
        message = self.messages[copy.message_id or 0]
        if copy.person_id and (message.signed_at or (message.read_at and not message.repeats)):
            return READ
        return DONE if self._is_done(copy, message) else ""

    def _is_done(self, copy: Copy, message: Message) -> bool:
        if copy.step not in PRESSING:
            return False
        standing = self.standings.get(copy.chain)
        over = standing is not None and is_end(standing.state)
        return over or str(loads(message.content).get("due_rule", "")) not in self.running.get(copy.chain, frozenset())


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes letters in the words of the workflow."""

    book: Book
    postage: Postage

    def look(self, tx: Tx, copies: Sequence[Copy], now: datetime) -> Seen:
        """Look again at everything these copies are about."""
        today = local_day(now, self.book.calendar)
        chains = {copy.chain for copy in copies}
        pressing = sorted({copy.chain for copy in copies if copy.step in PRESSING})
        running = timers.running_of(tx, pressing)
        return Seen(
            messages=mailbox.among(tx, (copy.message_id for copy in copies if copy.message_id)),
            standings=standings.standings(tx, chains),
            running={chain: frozenset(t.rule for t in running.get(chain, ())) for chain in pressing},
            readers=people.readers(tx, (copy.person_id for copy in copies), today),
            hooks=webhooks.among(tx, (copy.webhook_id for copy in copies)),
            visible=_eyes(tx, today),
        )

    def letters(
        self, tx: Tx, parcels: Sequence[tuple[Delivery, Sequence[Copy]]], seen: Seen, now: datetime, real: datetime
    ) -> list[Letter]:
        """One letter for each delivery with its copies, in the same order."""
        steps = journal.at(tx, [(c.chain, c.seq) for _, copies in parcels for c in copies if c.webhook_id])
        urls = self._urls(tx, [copy for _, copies in parcels for copy in copies], seen, real)
        today = local_day(now, self.book.calendar)
        return [
            self._program(delivery, copies[0], seen, steps, real)
            if delivery.webhook_id
            else self._letter(delivery, copies, seen, urls, today)
            for delivery, copies in parcels
        ]

    def _letter(
        self, delivery: Delivery, copies: Sequence[Copy], seen: Seen, urls: Mapping[int, str], today: date
    ) -> Letter:
        reader = seen.readers.get(delivery.person_id)
        language = reader.language if reader else "zh"
        notices = tuple(self._notice(copy, seen, language, urls.get(copy.id, ""), today) for copy in copies)
        return Letter(
            id=delivery.key, subject=subject_of(notices, language), notices=notices, person_id=delivery.person_id,
            address=delivery.address, language=language,
        )  # fmt: skip

    def _notice(self, copy: Copy, seen: Seen, language: str, url: str, today: date) -> Notice:
        message = seen.messages[copy.message_id or 0]
        # A group is no one role's: what it hears is for the information of all of them.
        role, gap = (message.role, message.gap) if copy.person_id else ("", "")
        content, standing = loads(message.content), seen.standings.get(copy.chain)
        if standing is not None and content.get("state") != standing.state:
            # The finding has moved on: what this step asked for is done, and its deadline no longer the one that runs.
            content |= {"waits_for": NOBODY, "due_rule": ""}
        return notice_of(
            content, step=message.step, role=role, gap=gap, language=language,
            workflow=self.book.workflow, calendar=self.book.calendar, today=today, url=url,
        )  # fmt: skip

    # ---- where a letter leads ----------------------------------------------------------------------------------------

    def _urls(self, tx: Tx, copies: Sequence[Copy], seen: Seen, real: datetime) -> dict[int, str]:
        """For each copy, by id, the address to go to: of the finding, or for a leader a link that needs no sign-in."""
        base = self.postage.base_url.rstrip("/")
        if not base:
            return {}
        found = {copy.id: f"{base}/findings/{copy.chain}" for copy in copies if ":" not in copy.chain}
        led = [c for c in copies if c.id in found and c.person_id and seen.messages[c.message_id or 0].role == LEADER]
        for copy, token in self._links(tx, led, real):
            found[copy.id] = f"{base}/l/{token}"
        return found

    def _links(self, tx: Tx, copies: Sequence[Copy], real: datetime) -> list[tuple[Copy, str]]:
        if not copies:
            return []
        seal: Seal = make_seal(tx)
        fresh: dict[int, Link] = {
            copy.id: link_for(copy.person_id, copy.message_id or 0, copy.chain, life=self.postage.link_life, now=real)
            for copy in copies
        }
        links.add(tx, fresh.values())
        kept = links.among(tx, (link.id for link in fresh.values()))
        return [(copy, seal.token(kept[fresh[copy.id].id])) for copy in copies]

    # ---- programs ----------------------------------------------------------------------------------------------------

    def _program(
        self, delivery: Delivery, copy: Copy, seen: Seen, steps: Mapping[tuple[str, int], Entry], real: datetime
    ) -> Letter:
        hook = seen.hooks[copy.webhook_id]
        secrets = tuple(secret.text for secret in hook.secrets if secret.until is None or secret.until > real)
        body = canonical(self._happened(steps[copy.chain, copy.seq]))
        return Letter(id=delivery.key, address=delivery.address, body=body, secrets=secrets)

    def _happened(self, entry: Entry) -> dict[str, Any]:
        """A step as programs are told of it: what changed, and no more than anybody sees who sees the finding."""
        zone = self.book.calendar.zone
        return {
            "type": f"finding.{entry.action}",
            "timestamp": entry.at.astimezone(zone).isoformat(),
            "data": {
                "number": entry.chain, "seq": entry.seq, "track": entry.track, "action": entry.action,
                "from": entry.from_state, "to": entry.to_state, "role": entry.actor_role, "hash": entry.hash,
                "due_at": entry.due_at.astimezone(zone).isoformat() if entry.due_at else None,
            },
        }  # fmt: skip


def _eyes(tx: Tx, today: date) -> Callable[[Webhook, str], bool]:
    """Whether the owner of a program may see a finding today; asked once for each owner and finding."""
    known: dict[tuple[str, str], bool] = {}

    def visible(hook: Webhook, chain: str) -> bool:
        key = (hook.person_id, chain)
        if key not in known:
            owner = people.actor_of(tx, hook.person_id, today)
            finding = findings.load(tx, chain, lock=False) if owner else None
            known[key] = owner is not None and finding is not None and may_see(owner, finding)
        return known[key]

    return visible
