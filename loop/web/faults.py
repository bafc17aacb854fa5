"""What is wrong with a form, field by field, for the page that shows it again."""

from __future__ import annotations

from collections.abc import Mapping

from loop.kernel.errors import Invalid, LoopError
from loop.kernel.labels import Label

CORRECT = Label("请更正下面标出的内容。", "Please correct what is marked below.")


def wrong_of(error: LoopError | None) -> Mapping[str, Label]:
    """The sentence for each wrong field, by its name; nothing for a refusal that is not about fields."""
    if not isinstance(error, Invalid):
        return {}
    return {fault.field: _sentence(fault.label) for fault in reversed(error.faults)}


def _sentence(label: Label) -> Label:
    """Faults begin small, because a field's name stands before them; under the field itself they stand alone."""
    return Label(label.zh, label.en[:1].upper() + label.en[1:])


def summary_of(error: LoopError, *fields: str) -> Label:
    """The sentence above a form that has a place for the faults of these `fields`; other faults are told in full."""
    if not isinstance(error, Invalid):
        return error.label
    others = [_sentence(fault.label) for fault in error.faults if fault.field not in fields]
    if not others:
        return CORRECT
    return Label("".join(one.zh for one in others), " ".join(one.en for one in others))
