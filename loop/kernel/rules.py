"""The rule book: every number that law, practice or an office sets, as plain values.

Nothing here reads a file or a clock; `loop.settings` fills the book once at start.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from loop.kernel.labels import Label

Provenance = Literal["V", "A", "P", "O"]
"""V: law or local rule, read. A: a rule of another field, by analogy. P: product default. O: set by this office."""

_DURATION = re.compile(r"([1-9][0-9]{0,3})(d|wd|mo|h)")


def parse_duration(text: str) -> tuple[int, str]:
    """Split "15wd" into (15, "wd"); the unit is d, wd, mo or h. Raises ValueError with what to write instead."""
    if match := _DURATION.fullmatch(text):
        return int(match[1]), match[2]
    raise ValueError(
        f"{text!r} is not a duration: write a whole number from 1 to 9999 and a unit, "
        f'"30d" (days), "15wd" (working days), "6mo" (months) or "24h" (hours)'
    )


@dataclass(frozen=True, slots=True)
class Rule:
    """One time limit: how long, in which unit, and on what it rests. `source` is what clocks record, in Chinese as shipped."""

    key: str
    number: int
    unit: str
    source: str
    provenance: Provenance
    source_en: str = ""

    @property
    def basis(self) -> Label:
        """The source in both languages; as it is written where it has no English."""
        return Label(self.source, self.source_en or self.source)


AS_ORDERED = Rule(
    "as_ordered", 0, "d", "以文书或者方案所定日期为准", "O", source_en="as written in the order or plan itself"
)
"""Stands in for a rule where the date itself was written down."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """When pressure rises after a lapse, in calendar days from the due date, and how offices are reminded."""

    warn_before: tuple[int, ...] = (10, 5, 1)
    urge_after: int = 1
    order_after: int = 7
    interview_after: int = 15
    set_date_after: int = 1
    """For a date that an interview, a bulletin or a decision has set; takes the place of the three above."""
    bulletin_answer_refer_after: int = 15
    at: str = "09:00"
    """Local time of day of every rung."""
    remind_then: str = "3wd"
    """From the due date until the second addressee of a reminder is told."""
    remind_every: str = "5wd"
    """From then on, both again, until it is done."""


@dataclass(frozen=True, slots=True)
class DisputeModel:
    """How this place deals with objections to an opinion letter; provinces differ."""

    opinion_decided_by: Literal["same_office", "superior"] = "same_office"
    opinion_appeal: bool = False


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of one installation; the only source of numbers for a decision."""

    rules: Mapping[str, Rule]
    ladder: Ladder
    lookback: tuple[Rule, ...]
    """Look-back points after a write-off, the earliest first."""
    lookback_grave: tuple[Rule, ...]
    disputes: DisputeModel
    zone: str
    """IANA name of the local time zone, such as Asia/Shanghai."""
    _bases: Mapping[str, Label] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = (*self.rules.values(), *self.lookback, *self.lookback_grave, AS_ORDERED)
        object.__setattr__(self, "_bases", {text: rule.basis for rule in reversed(rules) for text in rule.basis})

    def rule(self, key: str) -> Rule:
        """Answer the rule of that name; raises KeyError for a name that config.toml doesn't list."""
        return self.rules[key]

    def basis_of(self, source: str) -> Label:
        """A recorded source in both languages; as it was recorded where no rule in force rests on the same any more."""
        return self._bases.get(source, Label(source, source))
