"""Who is calling: a programme by its token, a browser by its session, a person by name and password.

Sessions, tokens and throttles run on the machine's time; which posts somebody holds today depends on the service's clock.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Annotated

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pydantic import Field

from loop.engine.door import Engine
from loop.kernel.calendar import Calendar, due_instant, local_day
from loop.kernel.errors import Forbidden, Invalid, Unauthenticated
from loop.kernel.labels import Label
from loop.kernel.payloads import Name, Payload, field
from loop.kernel.people import Actor
from loop.store import accounts, people
from loop.store.accounts import BrowserSession, Login, Token
from loop.store.session import Tx
from loop.throttle import Throttle

READ, WRITE, CALENDAR = "read", "write", "calendar"
SCOPES = (READ, WRITE, CALENDAR)
"""What a token may be good for; `write` includes `read`, `calendar` stands alone."""
FEED = "/api/v1/calendar.ics"

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256
WRONG_SIGN_IN = Label("登录名或密码不正确。", "The name or the password is wrong.")
NOT_FROM_HERE = Label(
    "请求不是从本系统页面发出的，或缺少 X-CSRF-Token；请刷新页面后重试。",
    "This request does not come from a page of this service, or lacks X-CSRF-Token; reload the page and try again.",
)
WRONG_PASSWORD = ("原密码不正确。", "this is not your current password.")
SCOPE_MISSING = Label("这个令牌没有所需的权限（{scope}）。", "This token lacks the scope {scope}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a request shows of its sender. `changes`: it may change something; `foreign`: another site's page sent it."""

    token: str | None = None
    cookie: str | None = None
    csrf: str | None = None
    changes: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The person who is calling, with the posts valid on the service's day, and how they got in."""

    actor: Actor
    now: datetime
    today: date
    token: Token | None = None
    session: BrowserSession | None = None


class SignIn(Payload):
    """A name and a password."""

    name: Name = field("登录名", "name")
    password: Annotated[str, Field(min_length=1, max_length=LONGEST_PASSWORD)] = field("密码", "password")


class Passwords:
    """Hashes and checks passwords in threads of their own: argon2 takes time and memory on purpose."""

    def __init__(self, hasher: PasswordHash | None = None) -> None:
        self._hasher = hasher or PasswordHash((Argon2Hasher(),))
        self._threads = ThreadPoolExecutor(2, "loop-password")

    @cached_property
    def _nobodys(self) -> str:
        """What is checked where nobody has the name, so that it takes as long."""
        return self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """A hash fit to be stored; raises Invalid for a password that is too short or too long."""
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise Invalid.field(
                "password", f"须为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符。",
                f"takes {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", "length",
            )  # fmt: skip
        try:
            return self._hasher.hash(password)
        except UnicodeEncodeError:
            raise Invalid.field("password", "含有不能使用的字符。", "holds a character that cannot be used.") from None

    async def check(self, password: str, login: Login | None) -> tuple[bool, str | None]:
        """Whether `password` belongs to `login`, and a newer hash where the stored one is outdated.

        Takes as long for a name that nobody has.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._check, password, login)

    def _check(self, password: str, login: Login | None) -> tuple[bool, str | None]:
        known = login is not None and login.active and bool(login.password)
        stored = login.password if login and known else self._nobodys
        try:
            right, newer = self._hasher.verify_and_update(password, stored)
        except (UnknownHashError, UnicodeEncodeError):
            return False, None
        return right and known, newer


class Access:
    """Turns credentials into callers, and signs browsers in and out."""

    def __init__(
        self, engine: Engine, session: timedelta, attempts: int, window: timedelta, *,
        passwords: Passwords | None = None, real: Callable[[], datetime] | None = None,
    ) -> None:  # fmt: skip
        self._engine, self._session = engine, session
        self._throttle = Throttle(attempts, window)
        self._public: dict[str, Throttle] = {}
        self.passwords = passwords or Passwords()
        self.real = real or (lambda: datetime.now(UTC))
        """The machine's time, on which sessions, tokens and limits run."""

    # ---- every request -----------------------------------------------------------------------------------------------

    def caller(self, tx: Tx, shown: Credentials) -> Caller:
        """Who calls; raises `Unauthenticated`, or `Forbidden` for a token without the scope or a forged request."""
        if shown.token is not None:
            return self._by_token(tx, shown.token, shown)
        if shown.cookie is not None:
            return self._by_session(tx, shown.cookie, shown)
        raise Unauthenticated

    def _by_token(self, tx: Tx, clear: str, shown: Credentials) -> Caller:
        token = accounts.token_of(tx, clear, self.real())
        if token is None:
            raise Unauthenticated
        caller = self._person(tx, token.person_id, token=token)
        needed = WRITE if shown.changes else READ
        if not {needed, WRITE} & set(token.scopes):
            raise Forbidden(SCOPE_MISSING.filled(scope=needed), scope=needed)
        return caller

    def subscriber(self, tx: Tx, clear: str) -> Caller:
        """Whose calendar the token `clear` opens; raises `Unauthenticated`, or `Forbidden` for a token that is good for
        anything else: it stands in an address, which passes through logs and the servers of others.
        """
        token = accounts.token_of(tx, clear, self.real())
        if token is None:
            raise Unauthenticated
        caller = self._person(tx, token.person_id, token=token)
        if token.scopes != (CALENDAR,):
            raise Forbidden(SCOPE_MISSING.filled(scope=CALENDAR), scope=CALENDAR)
        return caller

    def _by_session(self, tx: Tx, clear: str, shown: Credentials) -> Caller:
        session = accounts.session_of(tx, clear, self.real())
        if session is None:
            raise Unauthenticated
        if shown.changes and (shown.foreign or not _same(shown.csrf, session.csrf)):
            raise Forbidden(NOT_FROM_HERE)
        return self.of_session(tx, session)

    def of_session(self, tx: Tx, session: BrowserSession) -> Caller:
        """The person who signed in."""
        return self._person(tx, session.person_id, session=session)

    def _person(
        self, tx: Tx, person_id: str, *, token: Token | None = None, session: BrowserSession | None = None
    ) -> Caller:
        now = self._engine.clock.now(tx)
        today = local_day(now, self._engine.book.calendar)
        actor = people.actor_of(tx, person_id, today)
        if actor is None:
            raise Unauthenticated
        return Caller(actor=actor, now=now, today=today, token=token, session=session)

    def note_use(self, tx: Tx, token: Token) -> None:
        """Remember that a token was used; writes at most once a day."""
        accounts.used(tx, token, self._real_day())

    def use_is_noted(self, token: Token) -> bool:
        """Whether this token's use of today is on record already."""
        return token.used_on is not None and token.used_on >= self._real_day()

    def _real_day(self) -> date:
        return local_day(self.real(), self._engine.book.calendar)

    def count_public(self, what: str, address: str, limit: int, window: timedelta) -> None:
        """Count that somebody who is not signed in does `what`; raises `RateLimited` after `limit` tries of an address."""
        self._public.setdefault(what, Throttle(limit, window)).take(address, self.real())

    # ---- signing in and out ------------------------------------------------------------------------------------------

    async def sign_in(
        self, name: str, password: str, address: str, replaces: str | None = None
    ) -> tuple[BrowserSession, str]:
        """A new session and the clear text for its cookie; raises `Unauthenticated` or `RateLimited`. `replaces` is the
        cookie that the browser has so far: nobody could sign that session out any more.

        Failures count against the name and against the address; a success clears the name and takes back its own try.
        """
        by_name, by_address = ("name", name.casefold()), ("address", address)
        now = self.real()
        self._throttle.take(by_address, now)
        self._throttle.take(by_name, now)
        login = await asyncio.wrap_future(self._engine.store.submit_read(lambda tx: accounts.login_of(tx, name)))
        right, newer = await self.passwords.check(password, login)
        if login is None or not right:
            raise Unauthenticated(WRONG_SIGN_IN)
        self._throttle.give_back(by_address)
        self._throttle.forget(by_name)

        def begin(tx: Tx) -> tuple[BrowserSession, str]:
            if newer:
                accounts.renew_hash(tx, login.person_id, newer)
            if replaces:
                accounts.end_session(tx, replaces)
            return self.begin(tx, login.person_id)

        return await asyncio.wrap_future(self._engine.store.submit(begin))

    async def confirm(self, actor: Actor, field_: str, password: str) -> None:
        """Raises Invalid on the field `field_` unless this is the actor's own password, `RateLimited` after too many tries."""
        key = ("confirm", actor.id)
        self._throttle.take(key, self.real())
        login = await asyncio.wrap_future(self._engine.store.submit_read(lambda tx: accounts.login_of(tx, actor.name)))
        right, _ = await self.passwords.check(password, login)
        if not right:
            raise Invalid.field(field_, *WRONG_PASSWORD, "wrong")
        self._throttle.forget(key)

    def begin(self, tx: Tx, person_id: str) -> tuple[BrowserSession, str]:
        """A new session of this person and the clear text for its cookie; what has expired is forgotten."""
        now = self.real()
        accounts.forget_sessions(tx, now)
        return accounts.open_session(tx, person_id=person_id, expires_at=now + self._session)

    @property
    def session_seconds(self) -> int:
        """How long a session lasts."""
        return int(self._session.total_seconds())


def issue_token(
    tx: Tx, *, person_id: str, name: str, scopes: Sequence[str], life: timedelta, now: datetime, calendar: Calendar,
    expires_on: date | None = None,
) -> tuple[Token, str]:  # fmt: skip
    """A new token and its clear text, told this once; good for `life` or until `expires_on`. Raises Invalid or NotFound."""
    if strange := sorted(set(scopes) - set(SCOPES)):
        raise Invalid.field("scopes", f"没有 {strange[0]}。", f"there is no {strange[0]}.", "unknown")
    if CALENDAR in scopes and set(scopes) != {CALENDAR}:
        raise Invalid.field(
            "scopes", "calendar 只能单独使用。", "`calendar` stands alone: it is written into an address.", "alone"
        )
    ends = now + life
    if expires_on:
        asked = due_instant(expires_on, calendar)
        if not now < asked <= ends + timedelta(days=1):
            last = local_day(ends, calendar).isoformat()
            raise Invalid.field(
                "expires_on", f"须在今天之后、{last} 之前。", f"must lie between today and {last}.", "range"
            )
        ends = asked
    return accounts.create_token(
        tx, person_id=person_id, name=name, scopes=tuple(scopes), expires_at=ends, now=now
    )  # fmt: skip


def _same(shown: str | None, kept: str) -> bool:
    return shown is not None and hmac.compare_digest(shown.encode("utf-8", "replace"), kept.encode())
