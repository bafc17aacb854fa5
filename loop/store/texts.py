"""Short texts as people type them into the registry: trimmed, bounded, and free of what a page or a database chokes on."""

from __future__ import annotations

import re
import unicodedata

from loop.kernel.errors import Invalid
from loop.store.paging import storable

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


def line(field: str, value: str, longest: int = 200) -> str:
    """One line of text, trimmed; raises Invalid if it is empty, too long or holds control characters."""
    kept = value.strip()
    if not kept:
        raise Invalid.field(field, "不能为空。", "must not be empty.", "empty")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in kept):
        raise Invalid.field(field, "含有不能使用的字符。", "holds characters that cannot be used.")
    return _bounded(field, kept, longest)


def passage(field: str, value: str, longest: int = 20_000) -> str:
    """Text of several lines, possibly empty; raises Invalid if it is too long or cannot be stored."""
    if not storable(value):
        raise Invalid.field(field, "含有不能使用的字符。", "holds characters that cannot be used.")
    return _bounded(field, value.strip(), longest)


def code(field: str, value: str) -> str:
    """A code: ASCII letters, digits, dot, dash and underscore, at most 32; raises Invalid."""
    if not _CODE.fullmatch(value):
        raise Invalid.field(
            field,
            "只能用英文字母、数字和 . - _，最多 32 个字符。",
            "takes ASCII letters, digits and . - _, at most 32.",
        )
    return value


def _bounded(field: str, value: str, longest: int) -> str:
    if len(value) > longest:
        raise Invalid.field(field, f"最多 {longest} 个字符。", f"takes at most {longest} characters.", "too_long")
    return value
