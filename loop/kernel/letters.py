"""What people are told, as values: a sentence for each step, the one thing to do next, and how a deadline is put.

The workflow holds them (`Workflow.letters`); `wording` makes notices of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loop.kernel.labels import Label


@dataclass(frozen=True, slots=True)
class Saying:
    """What a step is told as. `said` fits every reader, a group included; `to` says it better to one role.

    `asks` is what the step itself asks of a role that owes nothing on the course. `apart`: the step has nothing to do
    with the deadline on the course, so that this one is not repeated.
    """

    said: Label
    to: Mapping[str, Label] = field(default_factory=dict)
    asks: Mapping[str, Label] = field(default_factory=dict)
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """How the end of a timer is put: `by` ahead of `{day}`; `over` once it has passed, where nobody is overdue then.

    `unmet` is what a reminder says is still to be done.
    """

    by: Label
    unmet: Label | None = None
    over: Label | None = None


@dataclass(frozen=True, slots=True)
class Letters:
    """Sentences by action; what is asked by (state or timer, role), with `{when}` for in time or at once; deadlines by timer."""

    said: Mapping[str, Saying] = field(default_factory=dict)
    asked: Mapping[tuple[str, str], Label] = field(default_factory=dict)
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
