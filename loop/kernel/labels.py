"""A text in the product's two languages. Every name a person reads is a `Label`."""

from __future__ import annotations

from typing import NamedTuple

LANGUAGES = ("zh", "en")


class Label(NamedTuple):
    """The same words in Chinese and in English."""

    zh: str
    en: str

    def in_(self, language: str) -> str:
        """The text in `language` ("zh" or "en"); anything else reads as Chinese."""
        return self.en if language == "en" else self.zh

    def as_heading(self) -> Label:
        """The same as a heading or a button has it: in English it begins with a capital."""
        return Label(self.zh, self.en[:1].upper() + self.en[1:])

    def filled(self, **values: object) -> Label:
        """The label with its `{placeholders}` replaced in both languages."""
        return Label(self.zh.format(**values), self.en.format(**values))
