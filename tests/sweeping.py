"""Hostile calls: what goes wrong, by accident or on purpose, with any operation of an API; and what the tables hold."""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import select
from sqlmodel import SQLModel

from loop.store.session import Store
from tests.fuzzing import Sent

METHODS = ("DELETE", "PUT", "PATCH", "GET", "POST", "TRACE")
JSON = "application/json"
MIB_10 = b'{"text": "' + b"x" * 10_000_000 + b'"}'
DEEP = b"[" * 10_000 + b"]" * 10_000
RAW = {
    "malformed JSON": b'{"text": ', "no UTF-8": '{"text": "错"}'.encode("gb18030"), "a member twice": b'{"text": 1, "text": 2}',
    "10,000 brackets": DEEP, "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "5,000 digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "not a number": b'{"a": NaN}', "10 MB": MIB_10, "NUL bytes": b"\x00" * 50, "no object": b'["text"]', "a lone surrogate": b'"\\udfff"',
}  # fmt: skip
PATHS = ("%00", "x%ED%A0%80", "x%00y", "%FF%FE", "9" * 400, "..%2F..%2Fetc%2Fpasswd", "%5B" * 2_000, "'%20OR%201=1--")
QUERIES = ("9" * 400, "[" * 2_000, "\U0010ffff", "-1e999")
FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%%PDF-1.7 x\r\n--x--\r\n'
FORMS = {
    "no end": b'--x\r\nContent-Disposition: form-data; name="file"', "no file": b"--x--\r\n", "another field": PART % (b"text", b"a.pdf"),
    "a name of NUL": PART % (b"file", b"\x00.exe"), "no UTF-8 name": PART % (b"file", b"\xff\xfe\xed\xa0\x80"),
    "a field of NUL": PART % (b"\x00", b"a.pdf"),
    "a note of NUL": b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\na\x00b\r\n' + PART % (b"file", b"a.pdf"),
    "a note that is no UTF-8": b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n\xed\xa0\x80\r\n' + PART % (b"file", b"a.pdf"),
    "10 MB": MIB_10,
}  # fmt: skip
HEADERS = {
    "a key of blanks": {"Idempotency-Key": b"  "}, "a key of NUL": {"Idempotency-Key": b"a\x00b"}, "a long key": {"Idempotency-Key": b"k" * 5_000},
    "a key that is no ASCII": {"Idempotency-Key": "键".encode()}, "a strange version": {"If-Match": b'"' + b"9" * 400 + b'"'},
    "a token of NUL": {"Authorization": b"Bearer a\x00b"}, "a token that is no UTF-8": {"Authorization": b"Bearer \xff\xed\xa0\x80"},
    "another scheme": {"Authorization": b"Basic YTpi"}, "a cookie of NUL": {"Authorization": b"", "Cookie": b"loop_session=a\x00\xff"},
    "a long language": {"Accept-Language": b"en;q=" + b"9" * 5_000, "Authorization": b"Bearer x"},
}  # fmt: skip


@dataclass(slots=True)
class Hostile:
    """One call that goes wrong. `must` where it has to be refused, and not merely survived."""

    name: str
    method: str
    address: str
    content: bytes = b""
    headers: dict[str, bytes] = field(default_factory=dict)
    token: bool = True
    must: bool = True


def address(operation: Any, sent: Sent, query: str = "", **other: str) -> str:
    """The address of a call; `other` parts of the path stand as they are written."""
    parts = {name: quote(value, safe="") for name, value in sent.path.items()} | other
    path = str(operation.path).format(**parts)
    return f"{path}?{query}" if query else path


def is_public(operation: Any) -> bool:
    """Whether the operation says of itself that it needs no signing in."""
    return bool(operation.definition.raw.get("security") == [])


def hostile(operation: Any, sent: Sent, methods: set[str]) -> Iterator[Hostile]:
    """What may go wrong with a call that would be right, each once."""
    method, where, body, typed = _right(operation, sent)
    content = _content(operation)
    yield Hostile("another method", next(m for m in METHODS if m not in methods), where, body, typed)
    if not is_public(operation):
        yield Hostile("no token", method, where, body, typed, token=False)
    for name in sent.path:
        for part in PATHS[:2]:
            yield Hostile(f"{name} {part}", method, address(operation, sent, **{name: part}), body, typed)
    if method == "GET":
        for parameter in operation.query:
            yield Hostile(f"{parameter.name} of NUL", method, address(operation, sent, f"{parameter.name}=%00"))
    kind = {"Content-Type": (JSON if JSON in content or not content else min(content)).encode()}
    for name, raw in RAW.items():
        must = JSON in content or (name == "10 MB" and bool(content))
        yield Hostile(name, method, where, raw, kind, must=must)
    if JSON in content:
        yield from _spoilt(method, where, sent.body)
    if content:
        yield Hostile("another type", method, where, body or b"<x/>", {"Content-Type": b"text/xml"})


def strange(operation: Any, sent: Sent) -> Iterator[Hostile]:
    """What may be odd about a call beyond that: names, questions, headers, forms."""
    method, where, body, typed = _right(operation, sent)
    for name in sent.path:
        for part in PATHS[2:]:
            yield Hostile(f"{name} {part[:20]}", method, address(operation, sent, **{name: part}), body, typed)
    for parameter in operation.query:
        for value in QUERIES:
            query = urlencode({parameter.name: value})
            yield Hostile(f"{query[:30]}", method, address(operation, sent, query), body, typed, must=False)
    if any(kind.startswith("multipart/") for kind in _content(operation)):
        form = {"Content-Type": FORM.encode()}
        yield from (Hostile(name, method, where, raw, form, must=False) for name, raw in FORMS.items())
        yield Hostile("no boundary", method, where, b"x", {"Content-Type": b"multipart/form-data"})
    if not is_public(operation):
        for name, more in HEADERS.items():
            yield Hostile(name, method, where, body, {**typed, **more}, must=False)


def _content(operation: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = operation.definition.raw.get("requestBody", {}).get("content", {})
    return found


def _right(operation: Any, sent: Sent) -> tuple[str, str, bytes, dict[str, bytes]]:
    """The right call: method, address, body and its type."""
    body = json.dumps(sent.body).encode() if sent.kind == JSON else b""
    typed = {"Content-Type": JSON.encode()} if body else {}
    return operation.method.upper(), address(operation, sent), body, typed


def _spoilt(method: str, where: str, body: Any) -> Iterator[Hostile]:
    """The right body with all its texts, or all its values, replaced."""
    texts, values = _leaves(body, str), _leaves(body, object)
    spoils: dict[str, tuple[Callable[[Any], Any], bool]] = {
        "texts of half a surrogate": (lambda v: "a\ud800b" if isinstance(v, str) else v, bool(texts)),
        "texts of NUL": (lambda v: "a\x00b" if isinstance(v, str) else v, bool(texts)),
        "huge numbers": (lambda v: 10**30, bool(values)), "negative numbers": (lambda v: -(10**30), bool(values)),
        "fractions": (lambda v: 1e308, bool(values)), "objects": (lambda v: {"$ne": None}, bool(values)),
        "nested texts": (lambda v: json.loads("[" * 100 + "]" * 100), bool(values)),
    }  # fmt: skip
    for name, (spoil, must) in spoils.items():
        spoilt = json.dumps(_mapped(body, spoil)).encode()
        yield Hostile(name, method, where, spoilt, {"Content-Type": JSON.encode()}, must=must)


def _leaves(value: Any, kind: type) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in _leaves(one, kind)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in _leaves(one, kind)]
    return [value] if isinstance(value, kind) else []


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_mapped(one, change) for one in value]
    return change(value)


def digest(store: Store) -> str:
    """A digest of everything in all tables."""
    whole = hashlib.blake2b()
    statements = [select(table).order_by(*table.primary_key) for table in SQLModel.metadata.sorted_tables]
    for rows in store.read(lambda tx: [tx.select(statement) for statement in statements]):
        whole.update(marshal.dumps(rows))
    return whole.hexdigest()
