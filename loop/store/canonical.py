"""Canonical JSON: the one text in which a value is stored and hashed, so that anyone can recompute a digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, check_circular=False, separators=(",", ":"))
_LEAVES = frozenset({str, int, bool, type(None)})


def canonical(value: Any) -> str:
    """`value` as JSON with sorted keys, no spaces and every character as itself.

    Raises TypeError for a float, a key that is not text, or anything that is not JSON: no two programs write such
    values alike. Raises ValueError for half a surrogate pair, which has no UTF-8 form.
    """
    _check(value)
    text = _ENCODER.encode(value)
    text.encode("utf-8")
    return text


def digest(text: str) -> str:
    """SHA-256 of the UTF-8 bytes of `text`, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _check(value: Any) -> None:
    # Most parts are leaves of the plain types, so those are told apart first and without a call.
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key of canonical JSON must be text, not {key!r}")
            if type(part) not in _LEAVES:
                _check(part)
    elif isinstance(value, list | tuple):
        for part in value:
            if type(part) not in _LEAVES:
                _check(part)
    elif value is not None and not isinstance(value, str | int):
        raise TypeError(f"canonical JSON has no form for {type(value).__name__} {value!r}")
