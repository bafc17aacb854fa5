"""Pages by keyset: a page says where the next one begins in an opaque cursor, and nothing is ever skipped by counting."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.sql.elements import ColumnElement

from loop.kernel.errors import Invalid
from loop.store.session import Tx

LARGEST = 200
"""No page is longer."""

_LARGEST_KEY = 2**63 - 1
T = TypeVar("T")
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and the cursor of the next page, None on the last."""

    items: tuple[T, ...]
    next: str | None = None


def cursor(scope: str, key: Key) -> str:
    """The opaque cursor that continues after `key` in the list and order named by `scope`."""
    body = json.dumps(list(key), ensure_ascii=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(scope, body) + body).decode().rstrip("=")


def key_of(scope: str, after: str, *types: type) -> Key:
    """The key inside a cursor, of these types in this order.

    Raises Invalid for anything that `cursor` did not make for this scope. The seal is no secret and needs none: what
    a reader may see is decided anew on every page.
    """
    try:
        raw = base64.urlsafe_b64decode(after.encode("ascii") + b"=" * (-len(after) % 4))
        seal, body = raw[:8], raw[8:]
        key = json.loads(body) if seal == _seal(scope, body) else None
    except (ValueError, binascii.Error, RecursionError):
        key = None
    if not isinstance(key, list) or len(key) != len(types) or not all(map(_fits, key, types)):
        raise Invalid.field("after", "不是本列表给出的翻页标记。", "is not a cursor of this list.", "cursor")
    return tuple(key)


def limit_of(limit: int) -> int:
    """`limit` if a page may be that long; raises Invalid."""
    if not 1 <= limit <= LARGEST:
        raise Invalid.field("limit", f"须在 1 到 {LARGEST} 之间。", f"must be from 1 to {LARGEST}.", "range")
    return limit


def page_by_id(
    tx: Tx, query: Select[Any], key: ColumnElement[Any], scope: str, *,
    after: str | None, limit: int, value: Callable[[Sequence[Any]], T],
) -> Page[T]:  # fmt: skip
    """One page of `query` in the order of the unique text column `key`, which must be its first column."""
    limit_of(limit)
    if after:
        query = query.where(key > key_of(scope, after, str)[0])
    rows = tx.select(query.order_by(key).limit(limit + 1))
    more = len(rows) > limit
    return Page(tuple(value(row) for row in rows[:limit]), cursor(scope, (rows[limit - 1][0],)) if more else None)


def _seal(scope: str, body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=8, key=scope.encode()).digest()


def _fits(value: object, kind: type) -> bool:
    if kind is int:
        return type(value) is int and -1 <= value <= _LARGEST_KEY
    return isinstance(value, str) and storable(value)


def storable(text: str) -> bool:
    """Whether both databases can hold `text`: no NUL, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
