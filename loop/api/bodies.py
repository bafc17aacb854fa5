"""Request bodies as values: JSON read strictly, its faults kept until the order of refusals comes to them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from loop.kernel.errors import Invalid, LoopError, UnsupportedFile
from loop.kernel.labels import Label

NOT_JSON = Label("请求体须是 JSON（识别为 {type}）。", "The body must be JSON, not {type}.")
LONGEST_TYPE = 80


@dataclass(frozen=True, slots=True)
class Body:
    """A body: its JSON `value`, or the `fault` that keeps it from being read. `canonical` stands for it in digests."""

    value: Any
    canonical: str
    fault: LoopError | None = None

    @property
    def members(self) -> dict[str, Any] | LoopError:
        """The members of the object that the body is, or what is wrong with it."""
        if self.fault is None and not isinstance(self.value, dict):
            return Invalid.field("body", "须是 JSON 对象。", "must be a JSON object.", "object")
        return self.fault or self.value

    @property
    def wanted(self) -> Any:
        """The value; raises what is wrong with the body."""
        if self.fault:
            raise self.fault
        return self.value


async def body_of(request: Request) -> Body:
    """The body of this request; an empty one is the empty object. Raises only TooLarge."""
    raw = await request.body()
    stated = request.headers.get("content-type", "")
    kind = stated.partition(";")[0].strip().lower()
    if raw and kind and kind != "application/json" and not kind.endswith("+json"):
        shown = kind.encode("ascii", "replace").decode()[:LONGEST_TYPE]
        return _broken(raw, UnsupportedFile(NOT_JSON.filled(type=shown), type=shown, accepted="application/json"))
    return read_json(raw)


def read_json(raw: bytes) -> Body:
    """UTF-8 JSON; what is not, or says a thing twice or a number that is none, becomes a fault."""
    if not raw.strip():
        return Body({}, "{}")
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_each_once)
        return Body(value, json.dumps(value, sort_keys=True, separators=(",", ":")))
    except UnicodeDecodeError:
        return _broken(raw, Invalid.field("body", "不是 UTF-8 编码。", "is not UTF-8.", "encoding"))
    except _Twice as twice:
        said = str(twice)[:LONGEST_TYPE]
        return _broken(raw, Invalid.field(said, "出现了两次。", "is given twice.", "repeated"))
    except (ValueError, RecursionError) as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}" if isinstance(wrong, json.JSONDecodeError) else ""
        return _broken(raw, Invalid.field("body", f"不是正确的 JSON {where}", f"is not JSON {where}".strip(), "json"))


class _Twice(Exception):
    """An object names one member twice."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        raise _Twice(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return found


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _broken(raw: bytes, fault: LoopError) -> Body:
    return Body(None, hashlib.sha256(raw).hexdigest(), fault)
