"""The words of the whole workflow: what people are told, what is asked of them, and by when."""

from __future__ import annotations

from loop.kernel.letters import Letters
from workflows import letters_anytime, letters_course, letters_deadlines, letters_owed, letters_pressure

LETTERS = Letters(
    said={**letters_course.SAID, **letters_pressure.SAID, **letters_anytime.SAID},
    asked=letters_owed.ASKED,
    deadlines=letters_deadlines.DEADLINES,
)
