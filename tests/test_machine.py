"""The compiled table and the `transitions` library agree on every state and action of both tracks."""

from dataclasses import replace
from itertools import product

import pytest
from transitions import Machine, MachineError

from loop.kernel import machine
from loop.kernel.workflow import COURSE, DISPUTE, START, BadWorkflow, join, move
from tests.values import book

TRACKS = {COURSE: [START, *book().workflow.states], DISPUTE: list(book().workflow.dispute_states)}


@pytest.mark.parametrize("track", TRACKS)
def test_table_and_library_agree_on_every_cell_and_fork(track: str) -> None:
    flow, table = book().workflow, book().table
    subject = machine.Subject()
    engine = machine.build(flow, track, subject)
    states = TRACKS[track]
    for state, action in product(states, (a for a in flow.actions.values() if a.track == track)):
        targets = table.targets(track, state, action.name)
        assert targets == flow.targets(action, state)
        for choice in (*targets, "nowhere"):
            engine.set_state(state or machine.UNBORN)
            subject.choice = choice
            reached = _moved(engine, subject, action.name)
            expected = targets[0] if len(targets) == 1 else choice if choice in targets else None
            assert reached == expected, (state, action.name, choice)


def _moved(engine: Machine, subject: machine.Subject, action: str) -> str | None:
    try:
        return subject.state if engine.dispatch(action) else None
    except MachineError:
        return None


def test_the_library_refuses_what_the_table_refuses() -> None:
    flow = book().workflow
    assert machine.may(flow, COURSE, "report.draft", "submit_report", "") == "report.submitted"
    assert machine.may(flow, COURSE, "review.onsite", "fail_review", "interview.proposed") == "interview.proposed"
    assert machine.may(flow, COURSE, "review.onsite", "fail_review", "archived") is None
    assert machine.may(flow, COURSE, "report.draft", "archive", "") is None
    assert machine.may(flow, COURSE, "report.draft", "no_such_action", "") is None
    assert machine.may(flow, DISPUTE, "none", "object", "filed") == "filed"


def test_no_machine_is_shared() -> None:
    first, second = (machine.build(book().workflow, COURSE) for _ in range(2))
    assert first is not second
    assert not set(map(id, first.models)) & set(map(id, second.models))
    first.set_state("archived")
    assert second.models[0].state == machine.UNBORN


def test_the_library_adds_no_way_of_its_own() -> None:
    engine = machine.build(book().workflow, COURSE)
    assert set(engine.events) == {a.name for a in book().workflow.actions.values() if a.track == COURSE}


def test_actions_are_listed_for_each_state_as_declared() -> None:
    flow, table = book().workflow, book().table
    for track, states in TRACKS.items():
        for state in states:
            declared = [a.name for a in flow.actions.values() if a.track == track and flow.targets(a, state)]
            assert list(table.actions(track, state)) == declared


# ---- a declaration that contradicts itself is refused by name ---------------------------------------------------------------


def declared_with(**changes: object) -> None:
    flow = book().workflow
    states = tuple(flow.states.values())
    base = flow.actions["submit_report"]
    action = replace(base, name="extra", **changes)  # type: ignore[arg-type]
    join(
        "x",
        flow.stages,
        states,
        flow.dispute_states,
        (*flow.actions.values(), action),
        tuple(flow.timers.values()),
        flow.letters,
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"moves": (move("report.draft", "report.nowhere"),)}, r"extra names unknown states \['report.nowhere'\]"),
        ({"moves": (move("nowhere", "report.draft"),)}, r"extra names unknown states \['nowhere'\]"),
        ({"moves": (move("report.draft", "archived"), move("report.draft", "withdrawn"))}, "leaves .* in two ways"),
        ({"answers": ("no_timer",)}, "extra names unknown timer no_timer"),
        ({"restarts": ("no_timer",)}, "extra names unknown timer no_timer"),
        ({"by": ()}, "nobody may take action extra"),
        ({"track": "dispute"}, "extra names unknown states"),
    ],
)
def test_a_wrong_action_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(BadWorkflow, match=complaint):
        declared_with(**changes)


def test_two_of_one_name_and_unknown_timers_of_a_state_are_refused() -> None:
    flow = book().workflow
    actions, timers = tuple(flow.actions.values()), tuple(flow.timers.values())
    states = tuple(flow.states.values())
    with pytest.raises(BadWorkflow, match=r"two declarations of state report.draft"):
        join("x", flow.stages, (*states, states[0]), flow.dispute_states, actions, timers, flow.letters)
    lost = (replace(states[0], starts=("no_timer",)), *states[1:])
    with pytest.raises(BadWorkflow, match=r"state report.draft starts unknown timers"):
        join("x", flow.stages, lost, flow.dispute_states, actions, timers, flow.letters)
