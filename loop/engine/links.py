"""Leaders' links: signed, so that nobody can make one up; expiring; good for one answer. Looking uses nothing up.

The signature is computed from what the link is about and a secret of this installation, so that a delivery that is
tried again after a crash carries the same link, and the database holds no link that works.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from loop.kernel.errors import NotFound
from loop.store import links, settings_kept
from loop.store.canonical import digest
from loop.store.links import Link
from loop.store.session import Tx

SECRET = "link_secret"  # noqa: S105  the name under which it is kept
ID_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs links with one secret."""

    secret: bytes

    def token(self, link: Link) -> str:
        """What stands in the address of a link."""
        return f"{link.id}.{self._sign(link)}"

    def opened(self, tx: Tx, token: str, now: datetime) -> Link:
        """The link of a token; raises NotFound, all the same whether it is forged, expired, used or never was."""
        id_, _, signature = token.partition(".")
        link = links.get(tx, id_) if id_.isalnum() and len(id_) == ID_LENGTH else None
        if link is None or not hmac.compare_digest(self._sign(link).encode(), signature.encode("utf-8", "replace")):
            raise NotFound
        if link.used_at is not None or link.expires_at <= now:
            raise NotFound
        return link

    def _sign(self, link: Link) -> str:
        return self.sign(f"{link.id}:{link.person_id}:{link.chain}:{link.message_id}:{link.expires_at.isoformat()}")

    def sign(self, about: str) -> str:
        """What proves that this installation has said just that."""
        mac = hmac.new(self.secret, about.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def seal_of(tx: Tx) -> Seal | None:
    """The seal of this installation, where its secret was made already."""
    kept = settings_kept.get(tx, SECRET)
    return Seal(bytes.fromhex(kept)) if kept else None


def make_seal(tx: Tx) -> Seal:
    """The seal of this installation, its secret made at first need."""
    found = seal_of(tx)
    if found is None:
        found = Seal(secrets.token_bytes(32))
        settings_kept.put(tx, SECRET, found.secret.hex())
    return found


def link_for(person_id: str, message_id: int, chain: str, *, life: timedelta, now: datetime) -> Link:
    """A link to `chain` for this person; the same message gets the same link. Instants are the machine's."""
    id_ = digest(f"{person_id}:{message_id}")[:ID_LENGTH]
    return Link(id=id_, person_id=person_id, message_id=message_id, chain=chain, made_at=now, expires_at=now + life)
