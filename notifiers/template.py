"""Templates of a request as an office writes them, and the safe way to fill them.

A placeholder is `{address}`, `{text}`, `{id}` or `{secret}`; `{text_json}` is the text for a string that holds JSON itself.
A template is taken apart first and filled after, so that nothing in a text can end a string or begin a field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

PLACEHOLDER = re.compile(r"\{(\w+)\}")
KNOWN = ("address", "text", "text_json", "id", "secret")

Values = Mapping[str, str]


def values(*, address: str, text: str, id_: str, secret: str) -> Values:
    """What each placeholder stands for."""
    inside = json.dumps(text, ensure_ascii=False)[1:-1]
    return {"address": address, "text": text, "text_json": inside, "id": id_, "secret": secret}


def known_only(template: str, known: tuple[str, ...] = KNOWN) -> str:
    """The template, or ValueError naming a placeholder that means nothing."""
    if strange := sorted({found for found in PLACEHOLDER.findall(template) if found not in known}):
        raise ValueError(f"{{{strange[0]}}} means nothing here; choose among {', '.join(known)}")
    return template


def texts(body: str, form: str) -> list[str]:
    """The texts of a body in which alone something is filled; raises ValueError where it can't be read."""
    if not body or form == "form":
        return [value for _, value in parse_qsl(body, keep_blank_values=True)]
    return list(_strings(json.loads(body)))


def fixed(template: str) -> str:
    """What stands in a template besides its placeholders."""
    return PLACEHOLDER.sub(" ", template).strip()


def filled(template: str, given: Values) -> str:
    """Plain text with its placeholders replaced, each once: what is put in is not read again."""
    return PLACEHOLDER.sub(lambda found: given[found[1]], template)


def filled_address(template: str, given: Values) -> str:
    """An address with its placeholders replaced by percent-encoded values."""
    return PLACEHOLDER.sub(lambda found: quote(given[found[1]], safe=""), template)


def filled_form(template: str, given: Values) -> bytes:
    """A form body, `a={address}&b={text}`, with its values replaced and encoded."""
    pairs = parse_qsl(template, keep_blank_values=True)
    return urlencode([(name, filled(value, given)) for name, value in pairs]).encode("ascii")


def filled_json(template: str, given: Values) -> bytes:
    """A JSON body with the strings in it replaced, names of fields apart."""
    return json.dumps(_replaced(json.loads(template), given), ensure_ascii=False).encode()


def _strings(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list | dict):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from _strings(item)


def _replaced(tree: Any, given: Values) -> Any:
    if isinstance(tree, str):
        return filled(tree, given)
    if isinstance(tree, list):
        return [_replaced(item, given) for item in tree]
    if isinstance(tree, dict):
        return {name: _replaced(item, given) for name, item in tree.items()}
    return tree
