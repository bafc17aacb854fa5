"""The outermost layer of every request: its number, its size limit, its line in the log, and the last net for faults."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import structlog
import uuid_utils
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loop.api.problems import INTERNAL, refusal
from loop.kernel.errors import LoopError, TooLarge

LOG = structlog.get_logger(__name__)
_GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
GONE = 499
"""Stands in the log for a caller who hung up before the request was whole."""
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'",
}


class Internal(LoopError):
    """A fault of the program. The caller learns a number, the log everything."""

    status = 500
    code = "internal"
    text = INTERNAL


SECRETS = ("/l/", "/report/")
"""What stands behind these opens something for whoever reads it: a leader's link, a receipt code."""


class Edge:
    """Wraps the application. `limit_of` answers the largest body, in bytes, that a path takes."""

    def __init__(self, app: ASGIApp, *, limit_of: Callable[[str], int]) -> None:
        self._app, self._limit_of = app, limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Exchange(self._app, scope, receive, send, self._limit_of(scope["path"])).serve()


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        self._app, self._scope, self._receive, self._send, self._limit = app, scope, receive, send, limit
        self._headers = Headers(scope=scope)
        given = self._headers.get("x-request-id", "")
        self._id = given if _GOOD_ID.fullmatch(given) else uuid_utils.uuid7().hex
        self._status = 0
        self._read = 0
        self._begun = time.perf_counter()
        scope["request_id"] = self._id

    async def serve(self) -> None:
        """Answer, whatever happens."""
        try:
            if self._declared() > self._limit:
                raise TooLarge(limit=self._limit)  # noqa: TRY301  answered below like all others
            await self._app(self._scope, self._limited, self._answered)
        except LoopError as error:
            await self._refuse(error)
        except ClientDisconnect:
            self._status = GONE
        except Exception:
            LOG.exception("request.failed", request_id=self._id, path=_told(self._scope["path"]))
            await self._refuse(Internal(request_id=self._id))
        self._log()

    def _declared(self) -> int:
        length = self._headers.get("content-length", "0")
        return int(length) if length.isdecimal() and len(length) < 16 else self._limit + (length != "0")

    async def _limited(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self._limit:
                raise TooLarge(limit=self._limit)
        return message

    async def _answered(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._id
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)

    async def _refuse(self, error: LoopError) -> None:
        if self._status:
            return  # the answer has begun; cutting it short is all that is left
        headers = {"Connection": "close"} if error.status == 413 else {}
        response = refusal(Request(self._scope), error, headers)
        await response(self._scope, self._receive, self._answered)

    def _log(self) -> None:
        path = self._scope["path"]
        if path in _QUIET:
            return
        took = round((time.perf_counter() - self._begun) * 1000, 1)
        LOG.info(
            "request", request_id=self._id, method=self._scope["method"], path=_told(path), status=self._status, ms=took,
            who=self._scope.get("state", {}).get("who"),
        )  # fmt: skip


def _told(path: str) -> str:
    """The path as the log may hold it."""
    return next((f"{begin}…" for begin in SECRETS if path.startswith(begin)), path)
