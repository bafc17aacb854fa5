"""Small forms of the administration as values: entries with what was typed, what is wrong with each, and where they go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from loop.kernel.errors import Fault, Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.payloads import Payload, read
from loop.store.lookup import Match
from loop.web.faults import summary_of, wrong_of
from loop.web.sent import Sent

P = TypeVar("P", bound=Payload)
T = TypeVar("T")
BETTER: Mapping[str, Label] = {
    "missing": Label("请填写。", "Please fill this in."),
    "string_pattern_mismatch": Label(
        "只能用英文字母、数字和 . - _，最多 32 个字符。", "Takes ASCII letters, digits and . - _, at most 32."
    ),
}
"""What is told beside an entry in place of the sentence for programs, by the kind of fault."""
PICKED = "_is"
"""Follows an entry's name where one of several candidates is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a form. `kind` is text, date, password, choice, find (a place by its name), or passage."""

    name: str
    label: Label
    value: str = ""
    kind: str = "text"
    options: tuple[tuple[str, Label], ...] = ()
    required: bool = False
    wrong: Label | None = None
    hint: Label | None = None
    longest: int = 200
    finds: str = ""
    picked: str = ""
    candidates: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole form: where it is sent, why it was refused as a whole, and the words of its button.

    `sets`: it says how something shall be. Sent twice that is no harm, and sent anew after a change it must be done anew.
    """

    action: str
    entries: tuple[Entry, ...]
    button: Label
    refusal: Label | None = None
    draft: str = ""
    sets: bool = False


class Typed:
    """What a form holds: as it was sent, or as it stands; and what is wrong with it."""

    def __init__(self, values: Mapping[str, str] | Sent, error: LoopError | None = None) -> None:
        self._sent = values if isinstance(values, Sent) else Sent(tuple(values.items()))
        self._wrong, self._error = dict(wrong_of(error)), error
        for fault in error.faults if isinstance(error, Invalid) else ():
            if fault.kind in BETTER:
                self._wrong[fault.field] = BETTER[fault.kind]
        self._placed: set[str] = set()

    def value(self, name: str) -> str:
        """What stands in an entry."""
        return self._sent.get(name)

    def wrong(self, name: str) -> Label | None:
        """What is wrong with an entry."""
        self._placed.add(name)
        return self._wrong.get(name)

    def entry(self, name: str, zh: str, en: str, **more: object) -> Entry:
        """An entry as it stands."""
        return Entry(name=name, label=Label(zh, en), value=self.value(name), wrong=self.wrong(name), **more)  # type: ignore[arg-type]

    def refusal(self) -> Label | None:
        """The sentence above the form, once its entries are made; None where nothing was refused."""
        return summary_of(self._error, *self._placed) if self._error else None


def handed_in(model: type[P], sent: Sent, *names: str, **more: object) -> P:
    """The named entries of a form as a payload; empty ones are left out. Raises Invalid field by field."""
    values: dict[str, object] = {name: text for name in names if (text := sent.get(name).strip())}
    return read(model, values | more)


def gathered(faults: list[Fault], make: Callable[[], T]) -> T | None:
    """What `make` answers; None where it raises Invalid, whose faults join the others, to be told at once."""
    try:
        return make()
    except Invalid as wrong:
        faults += wrong.faults
        return None


def picked(sent: Sent, name: str, find: Callable[[str], Sequence[Match]], none: Label) -> str:
    """The key of the place that somebody typed by its code or name, empty where nothing was typed.

    Raises Invalid for a name that nothing has, or that several have, of which none was chosen yet.
    """
    text = sent.get(name).strip()
    if not text:
        return ""
    found = find(text)
    exact = [one for one in found if text in (one.key, one.name)]
    if one := next((one for one in found if one.key == sent.get(name + PICKED)), None):
        return one.key
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0].key
    if not found:
        raise Invalid([Fault(name, "unknown", none)])
    raise Invalid.field(name, "有几个符合，请在下面选择一个。", "fits several; choose one of them below.", "several")
