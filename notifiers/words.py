"""What somebody wrote, made fit to stand elsewhere: on one line, without hidden characters, without markup, cut to size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

Measure = Callable[[str], int]

HALF = re.compile("[\ud800-\udfff]")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
HIDDEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Characters that turn the direction of writing or show nothing: with them a text reads otherwise than it is."""
MARKUP = {ord(sign): chr(ord(sign) + 0xFEE0) for sign in "*_~`#<>[]|\\@&"}
"""Each sign that means something to a chat, with the full-width sign that looks like it and means nothing."""
LEADS_ON = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)


def one_line(text: str) -> str:
    """The text on one line, with single spaces and nothing that is not seen."""
    return " ".join(HIDDEN.sub("", CONTROL.sub(" ", HALF.sub("\ufffd", text))).split())


def guarded(text: str) -> str:
    """One line that no chat takes for a heading, a link, a picture or a call to everybody.

    The robots document no way to quote their signs, and each knows others; signs that only look alike are safe in all.
    """
    return LEADS_ON.sub(lambda sign: "：" if sign[0] == ":" else "．", one_line(text).translate(MARKUP))


def utf8(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode())


def utf8_json(text: str) -> int:
    """Bytes of a text inside a JSON string in UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


def utf16(text: str) -> int:
    """Characters of a text as telephones count them."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, most: int, measure: Measure = len) -> str:
    """The text, or as much of its beginning as leaves room for a "…" within `most`; nothing where not even that fits."""
    if measure(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle].rstrip() + "…") <= most else (low, middle - 1)
    return text[:low].rstrip() + "…" if low else ""
