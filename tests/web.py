"""The world of the stories behind its HTTP API: everybody has a token and a password, calls go through the whole app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from loop.access import Access, Passwords
from loop.api.app import create_app
from loop.service import Policy, Service
from loop.store import accounts
from loop.store.session import Tx
from tests.world import World

API = "/api/v1"
PASSWORD = "correct horse battery"
CHEAP = Passwords(PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
HASHED = CHEAP.hash(PASSWORD)
UPLOAD_LIMIT = 4 * 1024 * 1024


class Site:
    """The API over one world, and everybody's way in."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.real = datetime.now(UTC)
        """The machine's time as sessions, tokens and limits see it."""
        access = Access(
            world.engine, timedelta(hours=12), 5, timedelta(minutes=15), passwords=CHEAP, real=lambda: self.real
        )
        self.service = Service(
            engine=world.engine, evidence=world.parts.evidence, access=access, outbox=world.parts.outbox,
            policy=Policy(body_limit=1024 * 1024, upload_limit=UPLOAD_LIMIT),
        )  # fmt: skip
        self.app = create_app(self.service)
        self.tokens: dict[str, str] = world.parts.store.write(self._tokens)
        self.http = self.client()

    def _tokens(self, tx: Tx) -> dict[str, str]:
        return {name: self.token(tx, name) for name in self.world.cast.ids}

    def give_passwords(self, tx: Tx) -> None:
        """The same password for everybody."""
        for id_ in self.world.cast.ids.values():
            accounts.renew_hash(tx, id_, HASHED)

    def token(self, tx: Tx, name: str, *scopes: str, days: int = 30) -> str:
        """A new token of `name`."""
        _, clear = accounts.create_token(
            tx, person_id=self.world.cast.ids[name], name="test", scopes=scopes or ("read", "write"),
            expires_at=self.real + timedelta(days=days), now=self.real,
        )  # fmt: skip
        return clear

    def client(self) -> httpx.AsyncClient:
        """A browser of its own, with its own cookies."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://loop.test")

    async def call(
        self,
        who: str | None,
        method: str,
        path: str,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """One call by `who`, with their token; `path` is relative to the API unless it begins with the host's root."""
        sent = dict(headers or {})
        if who:
            sent.setdefault("Authorization", f"Bearer {self.tokens[who]}")
        if json is not None:
            more["json"] = json
        target = path if path.startswith(("/openapi", "/api", "/healthz", "/readyz")) else API + path
        return await self.http.request(method, target, headers=sent, **more)

    async def get(self, who: str | None, path: str, **more: Any) -> httpx.Response:
        """Read."""
        return await self.call(who, "GET", path, **more)

    async def post(self, who: str | None, path: str, json: Any = None, **more: Any) -> httpx.Response:
        """Post."""
        return await self.call(who, "POST", path, json, **more)

    async def act(self, who: str, number: str, action: str, /, **payload: Any) -> httpx.Response:
        """Take an action by HTTP."""
        return await self.post(who, f"/findings/{number}/actions/{action}", payload)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, after checking that it is one of this status and code."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    """The API over the world, on SQLite and on PostgreSQL."""
    made = Site(world)
    world.parts.store.write(made.give_passwords)
    yield made
    await made.http.aclose()
