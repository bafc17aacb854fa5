"""The language switch: a plain link that works without a script and stays for a year."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.errors import NotFound
from loop.kernel.labels import LANGUAGES
from loop.web.page import LANGUAGE_COOKIE, Goto, local, redirect, service_of

router = APIRouter()
A_YEAR = 365 * 24 * 3600


@router.get("/language/{code}")
async def switch(request: Request, code: str) -> Response:
    """Read on in this language where one was."""
    if code not in LANGUAGES:
        raise NotFound
    return spoken(request, redirect(Goto(local(request.query_params.get("next", "/")))), code)


def spoken(request: Request, response: Response, code: str) -> Response:
    """`response`, with which the browser keeps the language."""
    secure = service_of(request).policy.https_only
    response.set_cookie(LANGUAGE_COOKIE, code, max_age=A_YEAR, path="/", httponly=True, samesite="lax", secure=secure)
    return response
