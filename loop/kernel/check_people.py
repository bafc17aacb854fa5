"""The model check of people: whoever must act or be told is somebody, at the finding's office or at the next one up."""

from __future__ import annotations

from collections.abc import Iterator

from loop.kernel.check_timers import reminded
from loop.kernel.faults import Fault, Trace
from loop.kernel.labels import Label
from loop.kernel.model import Model, Office, PeopleModel, told_by
from loop.kernel.people import OFFICE_ROLES


def people_faults(model: Model, people: PeopleModel) -> Iterator[Fault]:
    """For each office that works on findings: owners, recipients and rungs that resolve to nobody."""
    for office in people.offices:
        if office.roles & OFFICE_ROLES:
            yield from _owners(model, people, office)
            yield from _recipients(model, people, office)
            yield from _rungs(model, people, office)


def _owners(model: Model, people: PeopleModel, office: Office) -> Iterator[Fault]:
    above = people.above(office)
    offices = (office, above) if above else (office,)
    for state in model.workflow.states.values():
        if state.waits_for and not any(people.holds(role, o) for role in state.waits_for for o in offices):
            who = ", ".join(state.waits_for)
            why = Label(
                f"{office.name}及上级机构无人担任 {who}，{state.label.zh}无人办理",
                f"at {office.name} and above nobody is {who}: {state.name} waits for nobody",
            )
            yield Fault("owner_is_nobody", f"{office.id}:{state.name}", why, model.course.to(state.name))


def _recipients(model: Model, people: PeopleModel, office: Office) -> Iterator[Fault]:
    """Each role once, with the shortest way to somewhere it is told."""
    told: dict[str, tuple[Trace, str]] = {}
    for who, trace, by in _tellings(model):
        if who not in told or (trace and len(trace) < len(told[who][0])):
            told[who] = (trace, by)
    for who, (trace, by) in told.items():
        if not people.reaches(who, office):
            why = Label(
                f"{by} 要告知 {who}，但{office.name}及上级机构无人可告知",
                f"{by} tells the {who}, but nobody at {office.name} or above is one",
            )
            yield Fault("told_nobody", f"{office.id}:{who}", why, trace)


def _tellings(model: Model) -> Iterator[tuple[str, Trace, str]]:
    for action in model.workflow.actions.values():
        for who in told_by(action):
            yield who, model.to_action(action), action.name
    for timer in sorted(model.workflow.timers.values(), key=lambda t: not t.lives_in):
        for who in reminded(timer):
            yield who, model.to_timer(timer), timer.name


def _rungs(model: Model, people: PeopleModel, office: Office) -> Iterator[Fault]:
    for name in dict.fromkeys(strike.action for strike in model.strikes if strike.rung):
        action = model.workflow.actions.get(name)
        told = told_by(action) if action else ()
        if told and not any(people.reaches(who, office) for who in told):
            why = Label(
                f"督办阶梯的 {name} 在{office.name}及上级机构告知不到任何人",
                f"the rung {name} reaches nobody at {office.name} or above",
            )
            yield Fault("rung_reaches_nobody", f"{office.id}:{name}", why, model.to_rung(name))
