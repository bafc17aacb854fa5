"""Templates and what they may call; a page as bytes with the headers that keep it safe."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import Response

from loop.kernel.labels import Label
from loop.web.chrome import LANGUAGE_TAGS, Chrome

if TYPE_CHECKING:
    from loop.web.page import Page

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Encoding",
}
SMALL = 1_000
"""Bytes below which compressing is not worth it."""


class Renderer:
    """Fills templates. Everything is escaped, an unknown name is an error."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._environment = Environment(
            loader=PackageLoader("loop.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._environment.globals.update(asset=addresses.__getitem__, t=_pair, mark=_mark)
        self._environment.filters["say"] = _say
        self._environment.filters["button"] = _button

    def html(self, template: str, page: Page, chrome: Chrome) -> str:
        """The whole page; the template sees `page`, `chrome`, `view` and the language."""
        return self._environment.get_template(template).render(
            page=page, chrome=chrome, view=page.view, language=chrome.language, language_tag=LANGUAGE_TAGS[chrome.language],
        )  # fmt: skip

    def fragment(self, template: str, **values: object) -> str:
        """A piece of a page, for a script to put in its place."""
        return self._environment.get_template(template).render(**values)


def _mark() -> str:
    """What tells one form that was shown from every other."""
    return secrets.token_urlsafe(12)


@pass_context
def _pair(context: Context, zh: str, en: str) -> str:
    """The Chinese or the English words: `{{ t("待办", "To do") }}`."""
    return en if context["language"] == "en" else zh


@pass_context
def _say(context: Context, label: Any) -> str:
    """A label in the reader's language: `{{ label|say }}`; nothing for none."""
    return label.in_(context["language"]) if isinstance(label, Label) else ""


@pass_context
def _button(context: Context, label: Any) -> str:
    """A label as it stands on a button: `{{ action.label|button }}`."""
    return _say(context, label.as_heading()) if isinstance(label, Label) else ""


def response(request: Request, html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page on the wire, compressed where the browser takes it."""
    body = html.encode("utf-8", "replace")
    more = HEADERS | dict(headers or {})
    if len(body) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body, more["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return Response(body, status, more, "text/html; charset=utf-8")
