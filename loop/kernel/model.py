"""What the model check looks at: the declared workflow with its ways, the rules, the office tree, and what is known beside.

Only values and look-ups; what counts as a fault stands in `modelcheck` and its parts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from loop.kernel.clocks import Climb, Fire, Recur, Remind, TimerRule, after_due
from loop.kernel.faults import Trace, Ways, ways
from loop.kernel.labels import Label
from loop.kernel.machine import Table
from loop.kernel.people import (
    CAPACITIES,
    CHIEF,
    DIRECTOR,
    OFFICE_ROLES,
    OFFICER,
    ROLES,
    SUPERIOR,
    SYSTEM,
    UNIT,
    Actor,
    Place,
    Post,
    capacities,
)
from loop.kernel.rules import RuleBook
from loop.kernel.workflow import COURSE, DISPUTE, Action, State, Tell, Workflow

REMIND = "remind"
WARN = "warn"
PROFILES = ("", "interview", "bulletin", "decision")
"""Who may have set the date that a laddered timer runs on; decides its rungs after due."""


FORMER_UNIT = "former_unit"
KNOWN_NAMES: Mapping[str, Label] = {**ROLES, **CAPACITIES, FORMER_UNIT: Label("原被督导单位", "former unit")}
"""Every name under which somebody may act, be waited for or be told."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What the declaration alone does not say.

    `system_payloads` is what rungs hand in; `dated` names timers whose own name is no rule, because a person writes the
    date down; `commanded` names system actions that an administrator's command takes, not a timer; `returns` names forks
    that only lead back to where the finding has been; `inhabited` lists the states of both tracks in which findings
    stand today.
    """

    system_payloads: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    dated: Collection[str] = ()
    commanded: Collection[str] = ()
    returns: Collection[str] = ()
    inhabited: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Office:
    """One office of the tree. `roles` are those for which somebody with a working channel is found, whichever of the
    office's findings it is: `unit` belongs to them only where every unit of the region can be reached.
    """

    id: str
    name: str
    roles: frozenset[str]
    above: str | None = None


@dataclass(frozen=True, slots=True)
class PeopleModel:
    """The office tree with the roles that are held in it today."""

    offices: tuple[Office, ...]

    def holds(self, who: str, office: Office) -> bool:
        """Whether somebody is `who` for the findings of `office`; a part is played by the people of the office."""
        if who == SYSTEM:
            return True
        if who == SUPERIOR:
            above = self.above(office)
            return above is not None and bool(above.roles & {CHIEF, DIRECTOR})
        if who in CAPACITIES:
            return bool(office.roles & OFFICE_ROLES)
        return (UNIT if who == FORMER_UNIT else who) in office.roles

    def reaches(self, who: str, office: Office) -> bool:
        """Whether telling `who` reaches anybody: themselves, who leads or handles at the office, or the next office up."""
        return any(self.holds(one, office) for one in (who, CHIEF, OFFICER, DIRECTOR, SUPERIOR))

    def above(self, office: Office) -> Office | None:
        """The next office up."""
        return next((o for o in self.offices if o.id == office.above), None)


def acts_as(role: str) -> frozenset[str]:
    """The names under which a holder of `role` may act on a finding of their own office or unit, read off `capacities`."""
    somewhere = Place(
        office_region=("a", "b"), superior_region=("a",), region=("a", "b", "c"), unit_id="u", department_id="d",
        author_id="p", reviewers=("p",),
    )  # fmt: skip
    posts = (
        Post("1", role, ("a", "b"), unit_id="u"),
        Post("2", role, ("a", "b"), unit_id="d"),
        Post("3", role, ("a",)),
    )
    found: set[str] = set()
    for post in posts:
        found |= {c.name for c in capacities(Actor("p", "p", "p", (post,)), somewhere)}
    return frozenset(found)


ACTING = frozenset(name for role in ROLES for name in acts_as(role))
"""Every role and part in which anybody can ever act."""


def told_by(action: Action) -> tuple[str, ...]:
    """Everybody whom the action tells, under whatever condition."""
    return tuple(t.who if isinstance(t, Tell) else t for t in action.tell)


@dataclass(frozen=True, slots=True)
class Strike:
    """A system action that a timer takes, in each of `places` of the action's track. `rung`: by the ladder."""

    timer: TimerRule
    action: str
    track: str
    places: tuple[str, ...]
    rung: bool = False


@dataclass(frozen=True)
class Model:
    """Everything a check reads."""

    workflow: Workflow
    table: Table
    rules: RuleBook
    premises: Premises = field(default_factory=Premises)

    @cached_property
    def tracks(self) -> Mapping[str, Ways]:
        """The ways of the course and of the dispute."""
        return {track: ways(self.workflow, self.table, track, self.premises.returns) for track in (COURSE, DISPUTE)}

    @property
    def course(self) -> Ways:
        """The ways of the course."""
        return self.tracks[COURSE]

    def label(self, track: str, state: str) -> Label:
        """What people call a state of either track."""
        if track == DISPUTE:
            return self.workflow.dispute_states[state]
        return self.workflow.states[state].label

    def to_action(self, action: Action) -> Trace:
        """The shortest trace to a state in which `action` can be taken."""
        along = self.tracks[action.track]
        nearest = along.nearest(dict.fromkeys(s for one in action.moves for s in sorted(one.sources)))
        return along.to(nearest) if nearest else ()

    def to_timer(self, timer: TimerRule) -> Trace:
        """The shortest trace to a state in which `timer` lives; empty where it may live anywhere."""
        nearest = self.course.nearest(sorted(timer.lives_in))
        return self.course.to(nearest) if nearest else ()

    def to_rung(self, action: str) -> Trace:
        """The shortest trace to where a rung of the ladder takes `action`."""
        return min((self.to_timer(s.timer) for s in self.strikes if s.rung and s.action == action), key=len, default=())

    def timers_in(self, state: State) -> tuple[TimerRule, ...]:
        """The timers of the course that are declared to live in `state`."""
        timers = self.workflow.timers.values()
        return tuple(t for t in timers if t.kind == "course" and (not t.lives_in or state.name in t.lives_in))

    @cached_property
    def strikes(self) -> tuple[Strike, ...]:
        """Every system action that some timer takes, as declared."""
        return tuple(s for timer in self.workflow.timers.values() for s in self._strikes(timer))

    def _strikes(self, timer: TimerRule) -> Iterator[Strike]:
        match timer.on_due:
            case Fire(action):
                yield self._strike(timer, action)
            case Climb(always):
                ladder = self.rules.ladder
                after = [a for profile in ((always,) if always else PROFILES) for _, a in after_due(profile, ladder)]
                for action in dict.fromkeys((WARN, *after)):
                    yield self._strike(timer, action, rung=True)
            case Remind() | Recur():
                yield self._strike(timer, REMIND)
            case _:
                return

    def _strike(self, timer: TimerRule, action: str, *, rung: bool = False) -> Strike:
        declared = self.workflow.actions.get(action)
        track = declared.track if declared else COURSE
        return Strike(timer, action, track, self._places(timer, track), rung)

    def _places(self, timer: TimerRule, track: str) -> tuple[str, ...]:
        if track == DISPUTE:
            return tuple(s for s in self.workflow.dispute_states if not timer.fires_in or s in timer.fires_in)
        fires = timer.fires_in & set(self.workflow.states)
        return tuple(
            s for s in self.workflow.states
            if (not timer.lives_in or s in timer.lives_in) and (not fires or s in fires)
        )  # fmt: skip


def named(names: Iterable[str]) -> str:
    """Names as a sentence lists them."""
    return ", ".join(names)
