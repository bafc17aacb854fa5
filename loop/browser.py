"""What a browser says of itself in its requests: shared by API and pages, which never meet."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "loop_session"
"""The cookie that holds a browser's session."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_foreign(request: Request) -> bool:
    """Whether a page of another site sent this request, as far as the browser says."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def keep_session(response: Response, clear: str, *, seconds: int, https_only: bool) -> None:
    """Let the browser hold its session for so many seconds, out of reach of scripts and of other sites' forms."""
    response.set_cookie(
        COOKIE, clear, max_age=seconds, path="/", httponly=True, samesite="lax", secure=https_only
    )  # fmt: skip


def drop_session(response: Response) -> None:
    """Let the browser forget its session."""
    response.delete_cookie(COOKIE, path="/")


def client_of(request: Request) -> str:
    """The address the request comes from."""
    return request.client.host if request.client else "unknown"
