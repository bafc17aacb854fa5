"""How people and programmes get in: tokens, browser sessions and stored passwords. Only digests of secrets are kept.

Hashing passwords and judging tries is the business of `loop.access`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update

from loop.kernel.errors import NotFound
from loop.store.chronicle import By, enter
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.places import new_id
from loop.store.registry import PersonRow, SessionRow, TokenRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.staff import person
from loop.store.texts import line

PREFIX = "loop_"
"""Begins every token, so that one left lying about is recognised."""

_TOKEN, _SESSION, _PERSON = table_of(TokenRow), table_of(SessionRow), table_of(PersonRow)


@dataclass(frozen=True, slots=True)
class Token:
    """A programme's access as the person who made it. `used_on` is the day of its last use."""

    id: str
    person_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_on: date | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A signed-in browser; `csrf` must come back with everything it sends."""

    digest: str
    person_id: str
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """What signing in needs: the person and the stored hash, empty where no password was set."""

    person_id: str
    password: str
    active: bool


def digest_of(secret: str) -> str:
    """What is stored instead of a secret that is random itself."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# ---- tokens ------------------------------------------------------------------------------------------------------

TOKEN_COLUMNS = (
    _TOKEN.c.id, _TOKEN.c.person_id, _TOKEN.c.name, _TOKEN.c.scopes, _TOKEN.c.created_at, _TOKEN.c.expires_at,
    _TOKEN.c.used_on, _TOKEN.c.revoked,
)  # fmt: skip
"""What `token_in` reads."""
_TOKEN_ADD = Prepared(_TOKEN.insert())
_TOKENS_OF = Prepared(select(*TOKEN_COLUMNS).where(_TOKEN.c.person_id == bindparam("person_id")).order_by(_TOKEN.c.id))
_TOKEN_BY_ID = Prepared(select(*TOKEN_COLUMNS).where(_TOKEN.c.id == bindparam("id")))
_TOKEN_VALID = Prepared(
    select(*TOKEN_COLUMNS)
    .join_from(_TOKEN, _PERSON, and_(_PERSON.c.id == _TOKEN.c.person_id, _PERSON.c.active == 1))
    .where(_TOKEN.c.digest == bindparam("digest"), _TOKEN.c.revoked == 0, _TOKEN.c.expires_at > bindparam("now"))
)
_TOKEN_USED = Prepared(
    update(_TOKEN)
    .where(_TOKEN.c.id == bindparam("id"), _TOKEN.c.used_on < bindparam("today"))
    .values(used_on=bindparam("today"))
)
_TOKEN_REVOKE = Prepared(update(_TOKEN).where(_TOKEN.c.id == bindparam("id")).values(revoked=1))


def create_token(
    tx: Tx, *, person_id: str, name: str, scopes: tuple[str, ...], expires_at: datetime, now: datetime
) -> tuple[Token, str]:
    """A new token and its clear text, which is told this once and stored nowhere. Raises NotFound or Invalid."""
    person(tx, person_id)
    clear = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        new_id(), person_id, line("name", name, 80), tuple(sorted(set(scopes))), now, expires_at, None, revoked=False
    )
    tx.run(
        _TOKEN_ADD, digest=digest_of(clear), id=token.id, person_id=person_id, name=token.name,
        scopes=" ".join(token.scopes), created_at=text_of(now), expires_at=text_of(expires_at), used_on="",
        revoked=0,
    )  # fmt: skip
    return token, clear


def token_of(tx: Tx, clear: str, now: datetime) -> Token | None:
    """The token with this clear text, if it is neither expired nor revoked and its person is active."""
    row = tx.one(_TOKEN_VALID, digest=digest_of(clear), now=text_of(now))
    return token_in(row) if row else None


def used(tx: Tx, token: Token, today: date) -> None:
    """Remember that a token was used today; writes at most once a day."""
    if token.used_on is None or token.used_on < today:
        tx.run(_TOKEN_USED, id=token.id, today=today.isoformat())


def tokens_of(tx: Tx, person_id: str) -> tuple[Token, ...]:
    """All tokens of a person, the revoked ones too, oldest first."""
    return tuple(token_in(row) for row in tx.all(_TOKENS_OF, person_id=person_id))


def token(tx: Tx, id_: str) -> Token:
    """The token with this id; raises NotFound."""
    row = tx.one(_TOKEN_BY_ID, id=id_)
    if row is None:
        raise NotFound
    return token_in(row)


def revoke_token(tx: Tx, id_: str) -> None:
    """End a token at once and for good; raises NotFound."""
    if not tx.run(_TOKEN_REVOKE, id=id_):
        raise NotFound


def token_in(row: Sequence[Any]) -> Token:
    """The token whose `TOKEN_COLUMNS` are these."""
    id_, person_id, name, scopes, created_at, expires_at, used_on, revoked = row
    day = date.fromisoformat(used_on) if used_on else None
    made, ends = instant_of(created_at), instant_of(expires_at)
    return Token(id_, person_id, name, tuple(scopes.split()), made, ends, day, bool(revoked))


# ---- sessions ----------------------------------------------------------------------------------------------------

_SESSION_ADD = Prepared(_SESSION.insert())
_SESSION_VALID = Prepared(
    select(_SESSION)
    .join_from(_SESSION, _PERSON, and_(_PERSON.c.id == _SESSION.c.person_id, _PERSON.c.active == 1))
    .where(_SESSION.c.digest == bindparam("digest"), _SESSION.c.expires_at > bindparam("now"))
)
_SESSION_END = Prepared(delete(_SESSION).where(_SESSION.c.digest == bindparam("digest")))
_SESSIONS_END = Prepared(delete(_SESSION).where(_SESSION.c.person_id == bindparam("person_id")))
_OTHERS = (_SESSION.c.person_id == bindparam("person_id"), _SESSION.c.digest != bindparam("but"))
_OTHERS_END = Prepared(delete(_SESSION).where(*_OTHERS))
_OTHERS_COUNT = Prepared(
    select(func.count()).select_from(_SESSION).where(*_OTHERS, _SESSION.c.expires_at > bindparam("now"))
)
_SESSIONS_FORGET = Prepared(delete(_SESSION).where(_SESSION.c.expires_at <= bindparam("now")))


def open_session(tx: Tx, *, person_id: str, expires_at: datetime) -> tuple[BrowserSession, str]:
    """A new session and the clear text for its cookie."""
    clear = secrets.token_urlsafe(32)
    begun = BrowserSession(digest_of(clear), person_id, secrets.token_urlsafe(24), expires_at)
    tx.run(_SESSION_ADD, digest=begun.digest, person_id=person_id, csrf=begun.csrf, expires_at=text_of(expires_at))
    return begun, clear


def session_of(tx: Tx, clear: str, now: datetime) -> BrowserSession | None:
    """The running session with this clear text, if its person is active."""
    row = tx.one(_SESSION_VALID, digest=digest_of(clear), now=text_of(now))
    if row is None:
        return None
    digest, person_id, csrf, expires_at = row
    return BrowserSession(digest, person_id, csrf, instant_of(expires_at))


def end_session(tx: Tx, clear: str) -> None:
    """Sign this browser out; harmless where it is out already."""
    tx.run(_SESSION_END, digest=digest_of(clear))


def other_sessions(tx: Tx, session: BrowserSession, now: datetime) -> int:
    """In how many other browsers the person of this session is signed in."""
    return int(tx.all(_OTHERS_COUNT, person_id=session.person_id, but=session.digest, now=text_of(now))[0][0])


def end_other_sessions(tx: Tx, session: BrowserSession) -> int:
    """Sign the person of this session out everywhere else; in how many browsers."""
    return tx.run(_OTHERS_END, person_id=session.person_id, but=session.digest)


def end_sessions(tx: Tx, person_id: str) -> None:
    """Sign somebody out everywhere."""
    tx.run(_SESSIONS_END, person_id=person_id)


def forget_sessions(tx: Tx, now: datetime) -> int:
    """Delete what has expired; how many."""
    return tx.run(_SESSIONS_FORGET, now=text_of(now))


# ---- passwords ---------------------------------------------------------------------------------------------------

_LOGIN = Prepared(select(_PERSON.c.id, _PERSON.c.password, _PERSON.c.active).where(_PERSON.c.name == bindparam("name")))
_PASSWORD = Prepared(update(_PERSON).where(_PERSON.c.id == bindparam("key")), columns=["password"])


def login_of(tx: Tx, name: str) -> Login | None:
    """What is stored for this sign-in name."""
    row = tx.one(_LOGIN, name=name)
    return Login(row[0], row[1], bool(row[2])) if row else None


def set_password(tx: Tx, by: By, person_id: str, hashed: str) -> None:
    """Store a finished hash and sign the person out everywhere; raises NotFound. The hash is entered in no chain."""
    holder = person(tx, person_id)
    tx.run(_PASSWORD, key=person_id, password=hashed)
    tx.run(_SESSIONS_END, person_id=person_id)
    enter(tx, by, "set_password", payload={"person": holder.name}, effects={})


def renew_hash(tx: Tx, person_id: str, hashed: str) -> None:
    """Store the same password under newer hashing; nobody is signed out and nothing is entered."""
    tx.run(_PASSWORD, key=person_id, password=hashed)
