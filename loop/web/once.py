"""A form that is sent twice is done once: it carries a mark, and the second sending is led to where the first one went.

Only the very same form counts as sent twice. Whoever goes back in the browser, types something else and sends that means it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request

from loop.store import requests
from loop.store.canonical import digest
from loop.store.requests import Answer
from loop.store.session import Tx
from loop.web.sent import CSRF, Sent

MARK = "_once"
PAGE = "page "
"""Begins the keys of forms: no key of the API holds a blank."""
DONE = 303


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of a marked form by one person. `at` is the machine's time."""

    person_id: str
    digest: str
    at: datetime

    def part(self, name: str) -> Sending:
        """A piece of it that is done in a transaction of its own."""
        return replace(self, digest=digest(f"{self.digest}\n{name}"))

    def went_to(self, tx: Tx) -> str:
        """What the same sending led to before; empty where this is the first."""
        kept = requests.claim(tx, self.person_id, PAGE + self.digest, self.digest, self.at)
        return kept.answer if kept else ""

    def keep(self, tx: Tx, address: str) -> None:
        """It was done, and leads there."""
        answer = Answer(self.digest, DONE, "{}", address)
        requests.remember(tx, self.person_id, PAGE + self.digest, answer, self.at)

    def give_up(self, tx: Tx) -> None:
        """It was not done; what is committed all the same keeps the next one from nothing."""
        requests.give_up(tx, self.person_id, PAGE + self.digest)


def sending_of(request: Request, sent: Sent, person_id: str, at: datetime) -> Sending | None:
    """What makes a second sending of this form harmless; None for a form without a mark."""
    if not sent.get(MARK):
        return None
    said = [pair for pair in sent.pairs if pair[0] != CSRF]
    return Sending(person_id, digest(f"{request.url.path}\n{json.dumps(said)}"), at)
