"""The two values that guards, forks and effects work with: the `Case` they read and the `Draft` they fill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from loop.kernel.calendar import Calendar, local_day
from loop.kernel.clocks import Timer
from loop.kernel.facts import Facts
from loop.kernel.finding import Finding
from loop.kernel.people import Actor, Capacity
from loop.kernel.rules import Rule, RuleBook
from loop.kernel.workflow import Action, Paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One action about to be taken on one finding. `now` is the instant from which its consequences count."""

    finding: Finding
    action: Action
    payload: Any
    actor: Actor
    capacity: Capacity
    now: datetime
    facts: Facts
    rules: RuleBook
    calendar: Calendar
    told: tuple[str, ...] = ()
    """For a timer's act: whom its point tells."""

    @property
    def today(self) -> date:
        """The local day of `now`."""
        return local_day(self.now, self.calendar)

    @property
    def persons(self) -> frozenset[str]:
        """The acting person and, for a substitute, the person acted for: what "≠" compares."""
        acting = {self.actor.id}
        if self.capacity.post.for_id:
            acting.add(self.capacity.post.for_id)
        return frozenset(acting)

    def rule(self, key: str) -> Rule:
        """The rule in force under `key`."""
        return self.rules.rule(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A timer to be started. `key` names the rule that gives its length (or `rule` is it), `name` the timer."""

    name: str
    key: str
    count_from: date
    rule: Rule | None = None
    due_on: date | None = None
    not_before: date | None = None
    first_due_at: datetime | None = None
    note: str = ""
    profile: str = ""


@dataclass(slots=True)
class Draft:
    """The finding as it will be: effects write here, `decide` turns it into a `Decision`. Lives for one decision only."""

    finding: Finding
    columns: dict[str, Any] = field(default_factory=dict)
    sheet: dict[str, Any] = field(default_factory=dict)
    stops: set[str] = field(default_factory=set)
    orders: list[Order] = field(default_factory=list)
    rewrites: list[Callable[[Timer], Timer]] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    parts: list[tuple[str, str]] = field(default_factory=list)
    drops: set[str] = field(default_factory=set)
    remarks: dict[str, Any] = field(default_factory=dict)

    def get(self, column: str) -> Any:
        """A column as it will be."""
        return self.columns.get(column, getattr(self.finding, column))

    def set(self, **columns: Any) -> None:
        """Give columns new values."""
        self.columns.update(columns)

    def part(self, topic: str) -> dict[str, Any]:
        """One topic of the sheet as it will be."""
        found = self.sheet.get(topic, self.finding.sheet.get(topic))
        return dict(found) if isinstance(found, dict) else {}

    def value(self, topic: str, default: Any = None) -> Any:
        """A topic that is not a mapping, as it will be."""
        return self.sheet.get(topic, self.finding.sheet.get(topic, default))

    def put(self, topic: str, **values: Any) -> None:
        """Add or replace values within one topic of the sheet."""
        self.sheet[topic] = self.part(topic) | values

    def write(self, topic: str, value: Any) -> None:
        """Replace one topic of the sheet."""
        self.sheet[topic] = value

    def stop(self, *rules: str) -> None:
        """Stop every running timer of these rules."""
        self.stops.update(rules)

    def start(self, name: str, count_from: date, **more: Any) -> None:
        """Start the timer `name`; `key` (default: its name) gives the length."""
        self.orders.append(Order(name=name, key=more.pop("key", name), count_from=count_from, **more))

    def tell(self, *who: str) -> None:
        """Tell more people than the action always tells."""
        self.told.extend(who)

    def paper(self, *papers: Paper) -> None:
        """Make more papers than the action always makes."""
        self.papers.extend(papers)

    def join_in(self, part: str, persons: Iterable[str]) -> None:
        """Record persons as author, reviewer, member or signer."""
        self.parts.extend((part, person) for person in persons)

    def raise_level(self, level: int) -> None:
        """Raise the level of pressure; never lowers it."""
        self.set(level=max(self.get("level"), level))


def jsonable(value: Any) -> Any:
    """`value` as plain JSON data: dates and instants as text, tuples as lists."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict | Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(v) for v in value]
    return value
