"""Idempotency-Key: the stored bytes of an earlier answer are given again, within the transaction of what they answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from loop.api.answers import Answer
from loop.kernel.errors import Invalid
from loop.store import requests
from loop.store.canonical import digest
from loop.store.session import Tx

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to one request, kept under its sender's key. `at` is the machine's time."""

    person_id: str
    key: str
    digest: str
    at: datetime

    def earlier(self, tx: Tx) -> Answer | None:
        """The answer given before; raises IdempotencyMismatch if it was to another request, Invalid for a bad key."""
        if not _KEY.fullmatch(self.key):
            raise Invalid.field(
                "Idempotency-Key",
                "须为 1 至 255 个可见的 ASCII 字符。",
                "takes 1 to 255 visible ASCII characters.",
                "pattern",
            )
        kept = requests.claim(tx, self.person_id, self.key, self.digest, self.at)
        return Answer(kept.answer, kept.status, json.loads(kept.headers)) if kept else None

    def keep(self, tx: Tx, answer: Answer) -> None:
        """Keep the answer for the next time."""
        headers = json.dumps(dict(answer.headers), sort_keys=True)
        requests.remember(
            tx, self.person_id, self.key, requests.Answer(self.digest, answer.status, headers, answer.text), self.at
        )


def digest_of(method: str, path: str, body: str) -> str:
    """What tells one request from another: method, path and canonical body."""
    return digest(f"{method} {path}\n{body}")
