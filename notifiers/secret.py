"""Secrets of channels: shown nowhere, given among the settings or in a file of their own, and hidden in what others say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

import httpx
from pydantic import AfterValidator, SecretStr

from notifiers.words import one_line

LONGEST_QUOTE = 200
SEPARATORS = re.compile(r"[/?&=#:,;\s]")
TELLING = 6
"""Pieces of a secret address that are shorter than this say nothing: "send", "v2", "key"."""


def _some(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise ValueError("a secret can't be empty")
    return secret


def _web_address(secret: SecretStr) -> SecretStr:
    """Refuses without saying what was given: the address of a robot is its secret."""
    try:
        url = httpx.URL(secret.get_secret_value())
        readable = url.scheme in ("http", "https") and bool(url.host) and not url.userinfo
    except httpx.InvalidURL:
        readable = False
    if not readable:
        raise ValueError('the address is written "https://host/path", without a user in it')
    return secret


Secret = Annotated[SecretStr, AfterValidator(_some)]
SecretUrl = Annotated[SecretStr, AfterValidator(_web_address)]


def read_secret(path: str) -> str:
    """The content of a file as secret stores hand them over; raises ValueError where it can't be read."""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ValueError(f"{path} can't be read ({type(unreadable).__name__})") from unreadable


def quoted(text: str, *secrets: SecretStr) -> str:
    """What the other side said, fit to be shown: one line, not long, and without any of the secrets or their pieces."""
    given = {secret.get_secret_value() for secret in secrets}
    parts = {part for secret in given for part in SEPARATORS.split(secret)}
    pieces = given | {piece for part in parts for piece in (part, unquote(part)) if len(piece) >= TELLING}
    for piece in sorted(pieces - {""}, key=len, reverse=True):
        text = text.replace(piece, "…")
    return one_line(text)[:LONGEST_QUOTE]
