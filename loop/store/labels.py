"""How a text in both languages stands in one column: as JSON with `zh` and `en`, nothing where there is no text.

A text that does not begin with a brace was written when there was only English, and reads so in both languages.
"""

from __future__ import annotations

import json

from loop.kernel.labels import Label

LONGEST = 500
"""Characters of each language that are kept."""


def text_of(label: Label | None) -> str:
    """A label, or none, as stored text."""
    if label is None:
        return ""
    return json.dumps({"zh": label.zh[:LONGEST], "en": label.en[:LONGEST]}, ensure_ascii=False)


def label_of(text: str) -> Label | None:
    """Stored text as a label, None where there is none."""
    if not text.startswith("{"):
        return Label(text, text) if text else None
    told = json.loads(text)
    return Label(told["zh"], told["en"])
