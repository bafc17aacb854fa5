"""What the group robots share: JSON out, a code in the body that decides, whatever the status says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from loop.kernel.messages import SendFailed
from notifiers import reasons
from notifiers.answer import Answer
from notifiers.egress import Egress
from notifiers.secret import quoted

JSON = {"Content-Type": "application/json; charset=utf-8"}
FREQUENCY = re.compile(r"frequen|\bfreq\b|too (fast|many|often)|rate.?limit|throttl|频|过快|限流|流控", re.IGNORECASE)
"""How a robot says that it was asked too often when its code is not one that is known."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one maker's robots answer: where code and text stand, which codes pass, how long to spare one that is full."""

    code: str
    text: str
    busy: frozenset[int]
    full: frozenset[int]
    rest: timedelta

    def judge(self, answer: Answer, *secrets: SecretStr) -> None:
        """Raise `SendFailed` unless the answer says that the message was taken."""
        if answer.status == 429 or answer.status >= 500:
            answer.check()
        told = answer.json if isinstance(answer.json, dict) else {}
        code = told.get(self.code)
        if type(code) is not int or (code == 0 and not answer.accepted):
            answer.check()
            raise SendFailed(reasons.NOT_UNDERSTOOD.filled(host=answer.host))
        if code == 0:
            return
        said = quoted(str(told.get(self.text, "")), *secrets)
        full = code in self.full or (code not in self.busy and FREQUENCY.search(said) is not None)
        raise SendFailed(
            reasons.REFUSED_WITH.filled(host=answer.host, code=code, said=said),
            permanent=not full and code not in self.busy,
            retry_after=(answer.retry_after or self.rest) if full else None,
        )


async def post(
    egress: Egress, url: str, payload: Mapping[str, Any], dialect: Dialect, *secrets: SecretStr
) -> None:  # fmt: skip
    """Hand a message to a robot; raises `SendFailed`."""
    body = json.dumps(payload, ensure_ascii=False).encode()
    dialect.judge(await egress.request(url, content=body, headers=JSON), *secrets)
