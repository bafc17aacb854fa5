"""What a browser says of itself in its requests: shared by API and pages, which never meet."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

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


def client_of(request: Request) -> str:
    """The address the request comes from."""
    return request.client.host if request.client else "unknown"
