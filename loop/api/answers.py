"""What handlers answer: ready text with its status and headers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.responses import Response

_TAG = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: ready text, so that a repeated request gets the very same bytes."""

    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"

    def response(self) -> Response:
        """The answer on the wire."""
        return Response(self.text.encode(), self.status, dict(self.headers), self.media_type if self.text else None)


def json_text(value: Any) -> str:
    """`value` as compact JSON with every character as itself."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """`value` as a JSON answer."""
    return Answer(json_text(value), status, headers or {})


def listed(items: Sequence[Any], following: str | None = None, **more: Any) -> Answer:
    """A list as every list is answered: `{items, next}`."""
    return json_answer({"items": list(items), "next": following, **more})


def unchanged(request: Request, etag: str) -> bool:
    """Whether the caller has kept the answer with this `etag`, by `If-None-Match` as RFC 9110 compares it.

    Weakly, because a proxy that compresses marks tags as weak; `*` is any answer.
    """
    kept = ",".join(request.headers.getlist("if-none-match")).strip()
    return kept == "*" or etag.removeprefix("W/") in _TAG.findall(kept)
