"""Texts that somebody types who wishes the next reader ill, and what a page must look like that shows them as mere text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote_plus

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from loop.kernel.errors import Invalid
from loop.kernel.payloads import Payload, hints_of, read
from tests.browsing import VOID, Node, Seen

BEGIN, END = "⟦", "⟧"
"""Every such text stands between these, which are found nowhere else."""
FROM_RIGHT_TO_LEFT = "\u202eDCBA\u2067"
LONG_WORD = "W" * 40
LONG = (
    BEGIN + "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}{% raise %}'; DROP TABLE finding;--"
    "</textarea></title></option>&lt;b&gt;" + LONG_WORD + FROM_RIGHT_TO_LEFT + END
)
MIDDLE = BEGIN + "<script>1</script>\"'><img src=x onerror=2>{{7*7}}{%raise%}';DROP\u202e" + END
SHORT = BEGIN + "\"'><img onerror=1>{{7*7}}{%x%}\u202e" + END
TINY = BEGIN + "\"'><b>{{1}}" + END
TEXTS = (LONG, MIDDLE, SHORT, TINY)
ELLIPSIS = "…"


def fitting(longest: int) -> str:
    """The longest of these texts that a field takes."""
    return next(text for text in TEXTS if len(text) <= longest)


# ---- typing --------------------------------------------------------------------------------------------------------


def typed(model: type[Payload], payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with every free text in it replaced, those that were left out filled in; what is chosen from a list, dated
    or coded stays.
    """
    free = {name: "" for name, info in model.model_fields.items() if info.annotation is str and not _is_chosen(info)}
    found: dict[str, Any] = free | dict(payload)
    for path in list(_texts(model, found, ())):
        for text in TEXTS:
            changed = _set(found, path, text)
            try:
                read(model, changed)
            except Invalid:
                continue
            found = changed
            break
    return found


def _texts(
    model: type[BaseModel], value: Mapping[str, Any], path: tuple[str | int, ...]
) -> Iterator[tuple[str | int, ...]]:
    """Where the texts of a payload stand that nobody chose from a list."""
    for name, info in model.model_fields.items():
        if value.get(name) is not None and not _is_chosen(info):
            yield from _leaves(info.annotation, value[name], (*path, name))


def _is_chosen(info: FieldInfo) -> bool:
    return bool(hints_of(info).get("choose") or hints_of(info).get("words"))


def _leaves(kind: Any, value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    inner = _model_in(kind)
    if isinstance(value, str):
        yield path
    elif isinstance(value, Mapping) and inner:
        yield from _texts(inner, value, path)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _leaves(kind, one, (*path, place))


def _model_in(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for part in getattr(kind, "__args__", ()) if (found := _model_in(part))), None)


def _set(value: Any, path: tuple[str | int, ...], text: str) -> Any:
    if not path:
        return text
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [_set(one, rest, text) if place == step else one for place, one in enumerate(value)]
    return {**value, step: _set(value[step], rest, text)}


# ---- reading -------------------------------------------------------------------------------------------------------


class Nesting(HTMLParser):
    """Tells whether every element is closed, and closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in VOID:
            self.wrong.append(f"{self.getpos()}: </{tag}> while {self.open[-3:]} is open")


def wrong_with(seen: Seen) -> list[str]:
    """What is wrong with a page that shows such texts; nothing, where they are texts and no more."""
    nesting = Nesting()
    nesting.feed(seen.answer.text)
    found = nesting.wrong + [f"<{tag}> is never closed" for tag in nesting.open]
    found += [_short(node) for node in every(seen.root) if _acts(node)]
    strings = [text for node in every(seen.root) for text in _strings(node)]
    found += [text for one in strings for text in _mangled(one)]
    shown = sum(one.count(BEGIN) for one in strings)
    if (sent := seen.answer.text.count(BEGIN)) > shown:
        found.append(f"{sent - shown} of {sent} are neither text nor value")
    return found


def count(seen: Seen) -> int:
    """How many such texts the page shows."""
    return sum(text.count(BEGIN) for node in every(seen.root) for text in _strings(node))


def every(node: Node) -> Iterator[Node]:
    """The element and all within it."""
    yield node
    for child in node.children:
        if isinstance(child, Node):
            yield from every(child)


def _acts(node: Node) -> bool:
    """Whether it does or draws what no template of ours would."""
    inline = node.tag == "script" and not node.attrs.get("src")
    named = any(
        name.startswith("on") or name == "style" or not name.replace("-", "").replace(":", "").isalnum()
        for name in node.attrs
    )
    return inline or named or node.tag in ("iframe", "object", "base", "style") or node.attrs.get("src") == "x"


def _short(node: Node) -> str:
    return f"<{node.tag} {node.attrs}>"[:200]


def _strings(node: Node) -> Iterator[str]:
    text = ""
    for child in node.children:
        if isinstance(child, str):
            text += child
    yield text
    for value in node.attrs.values():
        yield value if BEGIN in value else unquote_plus(value) if "%E2%9F%A6" in value else value


def _mangled(text: str) -> Iterator[str]:
    """Those of the texts in this one that are not what was typed, as a whole or cut with an ellipsis."""
    for rest in text.split(BEGIN)[1:]:
        whole = BEGIN + rest
        if any(whole.startswith(one) for one in TEXTS):
            continue
        cut = whole.partition(ELLIPSIS)[0]
        if not any(len(cut) > 1 and one.startswith(cut) for one in TEXTS):
            yield f"mangled: {whole[:160]!r}"
