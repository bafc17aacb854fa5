"""The model check passes on the shipped workflow, and names every seeded fault with the shortest way to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from loop.kernel.clocks import Close, Fire, Remind
from loop.kernel.faults import Fault
from loop.kernel.labels import Label
from loop.kernel.letters import Saying
from loop.kernel.machine import Table, compile_table
from loop.kernel.model import Office, PeopleModel, Premises
from loop.kernel.modelcheck import check
from loop.kernel.payloads import Line, Payload, field
from loop.kernel.people import CHIEF, DIRECTOR, MEMBER, OFFICER, ROLES, SYSTEM
from loop.kernel.rules import RuleBook
from loop.kernel.workflow import DISPUTE, SAME, START, Action, Fork, Move, Paper, State, Workflow, move
from loop.settings import load_settings, rule_book
from workflows import declared
from workflows.letters import LETTERS
from workflows.premises import PREMISES

RULES = rule_book(load_settings())
TAKEN_OVER = "take_over(running_or_written_off) -> rectification.executing"
WATCHED = "take_over(running_or_written_off) -> lookback.watching"
OPENED = ["open -> report.draft", "submit_report -> report.submitted"]
FED_BACK = [*OPENED, "approve_report(opinion_or_praise) -> feedback.preliminary"]
AT_DESK = [TAKEN_OVER, "submit_rectification -> review.desk"]
FILED = ["object(filed_if_in_time) -> filed"]
EVERYBODY = frozenset(ROLES)
NOWHERE = frozenset({"nowhere"})


@dataclass(frozen=True)
class World:
    """What is checked; a seed answers one with a single thing wrong."""

    flow: Workflow
    rules: RuleBook = RULES
    premises: Premises = PREMISES
    people: PeopleModel | None = None
    table: Table | None = None

    def faults(self) -> tuple[Fault, ...]:
        return check(self.flow, self.table or compile_table(self.flow), self.rules, self.people, self.premises)

    def state(self, name: str, **changes: Any) -> World:
        known = self.flow.states.get(name) or State(name=name, label=Label("新", "new"))
        return replace(self, flow=replace(self.flow, states={**self.flow.states, name: replace(known, **changes)}))

    def action(self, name: str, **changes: Any) -> World:
        known = self.flow.actions.get(name) or Action(name=name, label=Label("新", "new"), by=(OFFICER,), moves=())
        return replace(self, flow=replace(self.flow, actions={**self.flow.actions, name: replace(known, **changes)}))

    def timer(self, name: str, **changes: Any) -> World:
        timers = {**self.flow.timers, name: replace(self.flow.timers[name], **changes)}
        return replace(self, flow=replace(self.flow, timers=timers))

    def ladder(self, **changes: Any) -> World:
        return replace(self, rules=replace(self.rules, ladder=replace(self.rules.ladder, **changes)))

    def everyone_but(self, *absent: str) -> World:
        """A district without these roles under a province without them."""
        here = EVERYBODY - set(absent)
        offices = (Office("P", "province", here), Office("D", "district", here, "P"))
        return replace(self, people=PeopleModel(offices))

    def not_from(self, state: str, *actions: str) -> World:
        world = self
        for name in actions:
            moves = tuple(Move(m.sources - {state} or NOWHERE, m.target) for m in world.flow.actions[name].moves)
            world = world.action(name, moves=moves)
        return world


SHIPPED = World(declared())
SAID, ASKED, DEADLINES = LETTERS.said, LETTERS.asked, LETTERS.deadlines
LIMBO = SHIPPED.state("review.limbo", waits_for=(OFFICER,), starts=("write_off",)).action(
    "shelve", moves=(move("review.desk", "review.limbo"),)
)
"""A place where findings are put aside; `write_off` is made to live there by each seed that needs it quiet."""


def ways(faults: tuple[Fault, ...]) -> dict[tuple[str, str], list[str]]:
    return {(fault.code, fault.about): [str(step) for step in fault.trace] for fault in faults}


def test_the_shipped_workflow_has_no_fault() -> None:
    assert [str(fault) for fault in SHIPPED.faults()] == []


def test_the_shipped_workflow_has_no_fault_where_everybody_is_present() -> None:
    assert [str(fault) for fault in SHIPPED.everyone_but().faults()] == []


def test_an_office_that_lacks_people_is_helped_by_the_next_one_up() -> None:
    staff = (Office("P", "province", EVERYBODY), Office("D", "district", frozenset({OFFICER, "unit"}), "P"))
    assert replace(SHIPPED, people=PeopleModel(staff)).faults() == ()


def test_every_inhabited_state_of_the_shipped_workflow_is_known() -> None:
    every = {*SHIPPED.flow.states, *SHIPPED.flow.dispute_states}
    assert replace(SHIPPED, premises=replace(PREMISES, inhabited=every)).faults() == ()


# ---- seeds: one thing wrong, its code, the part at fault, the shortest way to it -----------------------------------------


class Unlabelled(Payload):
    """A payload with a list of items, one field of which has no label."""

    class Inner(Payload):
        bare: Line

    items: list[Inner] | None = field("条目", "items", None)


def _without_rule(key: str) -> World:
    return replace(SHIPPED, rules=replace(RULES, rules={k: r for k, r in RULES.rules.items() if k != key}))


def _with_rule(key: str, **changes: Any) -> World:
    return replace(SHIPPED, rules=replace(RULES, rules={**RULES.rules, key: replace(RULES.rules[key], **changes)}))


def _system_brings_back() -> World:
    """The silent office is answered by the system itself: back to work, where the ladder waits."""
    world = SHIPPED.action("give_up", by=(SYSTEM,), moves=(move("interview.proposed", "rectification.executing"),))
    return world.timer("interview_decide", on_due=Fire("give_up"))


def _restarts_itself() -> World:
    world = SHIPPED.action("again", by=(SYSTEM,), moves=(move("review.passed", SAME),), restarts=("write_off",))
    return world.timer("write_off", on_due=Fire("again"))


def _bouncing() -> World:
    world = LIMBO.state("review.attic", waits_for=(OFFICER,), starts=("write_off",))
    world = world.action("lift", moves=(move("review.limbo", "review.attic"),))
    return world.action("lower", moves=(move("review.attic", "review.limbo"),))


def _fork_astray() -> World:
    fork = Fork("astray", ("rectification.planning", "nowhere"), lambda _: "nowhere")
    world = SHIPPED.action("acknowledge", moves=(move("feedback.served", fork),))
    return replace(world, table=compile_table(SHIPPED.flow))


def _unsettled() -> World:
    world = SHIPPED
    for name in ("dismiss", "vary", "annul"):
        world = world.action(name, answers=())
    return world


def _dispute_state(world: World, name: str) -> World:
    return replace(
        world, flow=replace(world.flow, dispute_states={**world.flow.dispute_states, name: Label("新", "new")})
    )


def _hung() -> World:
    return _dispute_state(SHIPPED, "hung").action("hang", track=DISPUTE, moves=(move("filed", "hung"),))


def _of_stage(name: str, label: Label) -> World:
    return replace(SHIPPED, flow=replace(SHIPPED.flow, stages={**SHIPPED.flow.stages, name: label}))


def _paper(**changes: Any) -> World:
    paper = SHIPPED.flow.actions["accept_plan"].papers[0]
    return SHIPPED.action("accept_plan", papers=(replace(paper, **changes),))


def _letters(**changes: Any) -> World:
    return replace(SHIPPED, flow=replace(SHIPPED.flow, letters=replace(SHIPPED.flow.letters, **changes)))


def _without(mapping: Mapping[Any, Any], key: Any) -> dict[Any, Any]:
    return {k: v for k, v in mapping.items() if k != key}


def _silent(*names: str) -> World:
    world = SHIPPED
    for action in SHIPPED.flow.actions.values():
        world = world.action(action.name, by=tuple(who for who in action.by if who not in names))
    return world


SERVED = [TAKEN_OVER, "change_unit -> feedback.served"]
PLANNING = [*SERVED, "acknowledge -> rectification.planning"]
IN_REVIEW = [*PLANNING, "submit_plan -> rectification.plan_review"]
PASSED = [*AT_DESK, "pass_desk -> review.passed"]
INVITED = [TAKEN_OVER, "propose_interview -> interview.proposed"]
Seed = tuple[Callable[[], World], str, str, list[str]]

STATES: list[Seed] = [
    (lambda: SHIPPED.state("review.passed", waits_for=()), "no_owner", "review.passed", PASSED),
    (lambda: SHIPPED.state("feedback.served", waits_for=()), "no_owner", "feedback.served", SERVED),
    (lambda: SHIPPED.state("review.passed", starts=()), "no_timer", "review.passed", PASSED),
    (
        lambda: SHIPPED.state("feedback.preliminary", starts=("defence",)),
        "no_timer", "feedback.defence", [*FED_BACK, "defend -> feedback.defence"],
    ),
    (lambda: SHIPPED.state("review.passed", waits_for=("leader",)), "owner_helpless", "review.passed", PASSED),
    (lambda: SHIPPED.state("review.passed", waits_for=("cook",)), "unknown_role", "review.passed", PASSED),
    (lambda: SHIPPED.state("review.island"), "unreachable", "review.island", []),
    (lambda: SHIPPED.not_from("report.submitted", "approve_report"), "unreachable", "feedback.preliminary", []),
    (lambda: LIMBO, "dead_end", "review.limbo", [*AT_DESK, "shelve -> review.limbo"]),
    (_bouncing, "no_end", "review.limbo", [*AT_DESK, "shelve -> review.limbo"]),
    (
        lambda: replace(SHIPPED, premises=replace(PREMISES, inhabited={"review.desk", "review.gone"})),
        "inhabited_state_missing", "review.gone", [],
    ),
]  # fmt: skip
DISPUTES: list[Seed] = [
    (_unsettled, "no_timer", "filed", FILED),
    (_unsettled, "no_timer", "appealed", ["appeal -> appealed"]),
    (
        lambda: SHIPPED.timer("appeal_window", on_due=Close()),
        "no_timer",
        "decided",
        [*FILED, "dismiss(final_without_appeal) -> decided"],
    ),
    (lambda: _dispute_state(SHIPPED, "adrift"), "unreachable", "adrift", []),
    (_hung, "dead_end", "hung", [*FILED, "hang -> hung"]),
    (_hung, "no_owner", "hung", [*FILED, "hang -> hung"]),
]
ACTIONS: list[Seed] = [
    (lambda: SHIPPED.action("dance", moves=(move("review.island", SAME),)), "never_possible", "dance", []),
    (lambda: SHIPPED.action("accept_plan", by=(MEMBER,)), "nobody_may", "accept_plan", IN_REVIEW),
    (lambda: SHIPPED.action("accept_plan", by=("cook", CHIEF)), "unknown_role", "accept_plan", IN_REVIEW),
    (lambda: SHIPPED.action("accept_plan", tell=("cook",)), "unknown_role", "accept_plan", IN_REVIEW),
    (lambda: SHIPPED.action("file_away", by=(SYSTEM,), moves=(move("archived", SAME),)), "idle_system_action", "file_away", [WATCHED, "archive -> archived"]),
    (lambda: _silent("leader"), "idle_role", "leader", []),
    (lambda: _silent("reviewer"), "idle_role", "reviewer", []),
    (_fork_astray, "unknown_target", "acknowledge", SERVED),
    (
        lambda: replace(SHIPPED.not_from("review.passed", "write_off"), table=compile_table(SHIPPED.flow)).action("write_off", moves=(move("review.desk", "review.passed"),)),
        "table_differs", "write_off", AT_DESK,
    ),
]  # fmt: skip
TIMERS: list[Seed] = [
    (lambda: SHIPPED.timer("plan_review", on_due=Remind(())), "timer_without_consequence", "plan_review", IN_REVIEW),
    (lambda: SHIPPED.timer("plan_review", on_due=Close()), "timer_without_consequence", "plan_review", IN_REVIEW),
    (lambda: SHIPPED.timer("publish_due", owner=""), "timer_without_owner", "publish_due", []),
    (lambda: SHIPPED.timer("publish_due", owner="cook"), "unknown_role", "publish_due", []),
    (lambda: SHIPPED.timer("write_off", lives_in=frozenset({"review.desk"})), "timer_misplaced", "write_off", PASSED),
    (lambda: SHIPPED.timer("write_off", lives_in=frozenset({"review.passed", "nowhere"})), "timer_in_unknown_state", "write_off", PASSED),
    (lambda: SHIPPED.not_from("feedback.served", "deem_served"), "fire_not_possible", "acknowledge", SERVED),
    (lambda: SHIPPED.timer("acknowledge", on_due=Fire("acknowledge")), "fire_not_possible", "acknowledge", SERVED),
    (lambda: SHIPPED.timer("appeal_window", fires_in=frozenset({"filed"})), "fire_not_possible", "appeal_window", FILED),
    (
        _system_brings_back, "endless_timers", "rectification.executing",
        [TAKEN_OVER, "propose_interview -> interview.proposed", "give_up -> rectification.executing"],
    ),
    (_restarts_itself, "endless_timers", "review.passed", [*PASSED, "again -> review.passed"]),
    (lambda: replace(SHIPPED, premises=replace(PREMISES, system_payloads={})), "system_payload", "refer", [TAKEN_OVER]),
]  # fmt: skip
LADDER: list[Seed] = [
    (lambda: SHIPPED.not_from("rectification.planning", "warn"), "rung_not_possible", "plan_due", PLANNING),
    (
        lambda: SHIPPED.not_from("bulletin.issued", "refer"),
        "rung_not_possible",
        "bulletin_answer",
        [TAKEN_OVER, "propose_bulletin -> bulletin.drafted", "issue_bulletin -> bulletin.issued"],
    ),
    (lambda: SHIPPED.action("order", by=(CHIEF,)), "rung_not_possible", "rectify_by", [TAKEN_OVER]),
    (lambda: SHIPPED.action("warn", tell=()), "rung_reaches_nobody", "warn", [TAKEN_OVER]),
    (lambda: SHIPPED.ladder(urge_after=7), "ladder_inverted", "order_after", []),
    (lambda: SHIPPED.ladder(interview_after=5), "ladder_inverted", "interview_after", []),
    (lambda: SHIPPED.ladder(warn_before=(10, 10, 1)), "ladder_inverted", "warn_before", []),
    (lambda: SHIPPED.ladder(remind_every="0d"), "ladder_without_length", "remind_every", []),
    (lambda: _without_rule("plan_review"), "rule_missing", "plan_review", IN_REVIEW),
    (lambda: _without_rule("plan_due_government"), "rule_missing", "plan_due", PLANNING),
    (lambda: replace(SHIPPED, rules=replace(RULES, lookback=())), "rule_missing", "lookback", [WATCHED]),
    (
        lambda: replace(SHIPPED, rules=replace(RULES, lookback=RULES.lookback[::-1])),
        "lookback_inverted",
        "lookback",
        [],
    ),
    (lambda: _with_rule("plan_review", number=0), "rule_without_length", "plan_review", IN_REVIEW),
    (lambda: _with_rule("plan_review", unit="fortnight"), "rule_without_length", "plan_review", IN_REVIEW),
    (lambda: _with_rule("plan_review", source=" "), "rule_without_source", "plan_review", IN_REVIEW),
]
WORDS: list[Seed] = [
    (lambda: SHIPPED.state("review.desk", label=Label("", "desk review")), "no_label", "review.desk", AT_DESK),
    (lambda: SHIPPED.action("accept_plan", label=Label("通过方案", " ")), "no_label", "accept_plan", IN_REVIEW),
    (lambda: SHIPPED.timer("plan_review", label=Label("", "")), "no_label", "plan_review", IN_REVIEW),
    (lambda: _of_stage("review", Label("复查", "")), "no_label", "review", AT_DESK),
    (lambda: SHIPPED.action("accept_plan", payload=Unlabelled), "no_label", "accept_plan.items.bare", IN_REVIEW),
    (lambda: _paper(label=Label("方案审核意见", "")), "no_label", "plan_approval", IN_REVIEW),
    (lambda: _paper(kind=""), "paper_without_kind", "accept_plan", IN_REVIEW),
    (lambda: _paper(kind="plan"), "paper_twice", "plan", IN_REVIEW),
    (lambda: _letters(said=_without(SAID, "accept_plan")), "no_sentence", "accept_plan", IN_REVIEW),
    (lambda: _letters(said={**SAID, "accept_plan": Saying(Label("已通过。", ""))}), "no_sentence", "accept_plan", IN_REVIEW),
    (
        lambda: _letters(said={**SAID, "accept_plan": replace(SAID["accept_plan"], to={"unit": Label("", "Accepted.")})}),
        "no_sentence", "accept_plan/unit", IN_REVIEW,
    ),
    (lambda: _letters(asked=_without(ASKED, ("review.desk", "officer"))), "no_sentence", "review.desk/officer", AT_DESK),
    (lambda: _letters(asked=_without(ASKED, ("publish_due", "chief"))), "no_sentence", "publish_due/chief", []),
    (lambda: _letters(deadlines=_without(DEADLINES, "plan_review")), "no_sentence", "plan_review", IN_REVIEW),
    (
        lambda: _letters(deadlines={**DEADLINES, "plan_review": replace(DEADLINES["plan_review"], unmet=None)}),
        "no_sentence", "plan_review", IN_REVIEW,
    ),
    (lambda: SHIPPED.action("shelve", moves=(move("review.desk", SAME),)), "no_sentence", "shelve", AT_DESK),
]  # fmt: skip
PEOPLE: list[Seed] = [
    (lambda: SHIPPED.everyone_but(DIRECTOR), "owner_is_nobody", "D:commendation.publicity", [*OPENED, "approve_report(opinion_or_praise) -> commendation.proposed", "announce_commendation -> commendation.publicity"]),
    (lambda: SHIPPED.everyone_but(OFFICER, CHIEF, DIRECTOR), "told_nobody", "D:superior", [TAKEN_OVER, "propose_bulletin -> bulletin.drafted"]),
    (lambda: SHIPPED.everyone_but(OFFICER, CHIEF, DIRECTOR), "told_nobody", "D:chief", []),
    (lambda: SHIPPED.everyone_but("unit", OFFICER, CHIEF, DIRECTOR), "rung_reaches_nobody", "D:warn", [TAKEN_OVER]),
]  # fmt: skip
SEEDS = [*STATES, *DISPUTES, *ACTIONS, *TIMERS, *LADDER, *WORDS, *PEOPLE]


@pytest.mark.parametrize(
    ("seed", "code", "about", "trace"), SEEDS, ids=[f"{code}-{about}" for _, code, about, _ in SEEDS]
)
def test_a_seeded_fault_is_named_with_the_shortest_way_to_it(
    seed: Callable[[], World], code: str, about: str, trace: list[str]
) -> None:
    found = ways(seed().faults())
    assert (code, about) in found, sorted(found)
    assert found[code, about] == trace


@pytest.mark.parametrize("seed", [seed for seed, *_ in SEEDS], ids=[f"{code}-{about}" for _, code, about, _ in SEEDS])
def test_every_trace_can_be_walked_and_every_fault_has_words(seed: Callable[[], World]) -> None:
    world = seed()
    table = world.table or compile_table(world.flow)
    for fault in world.faults():
        assert fault.code
        assert fault.about
        assert fault.label.zh
        assert fault.label.en
        first = fault.trace[0].action if fault.trace else ""
        track = world.flow.actions[first].track if first else ""
        here = "none" if track == DISPUTE else START
        for step in fault.trace:
            assert step.state in table.targets(track, here, step.action)
            here = step.state


def test_an_unmended_workflow_is_told_in_the_same_order_each_time() -> None:
    assert _bouncing().faults() == _bouncing().faults()


def test_a_paper_declared_twice_in_the_same_words_is_no_fault() -> None:
    paper = SHIPPED.flow.actions["accept_plan"].papers[0]
    again = Paper(paper.kind, paper.label, cc=("somebody else",))
    assert SHIPPED.action("accept_plan", papers=(paper, again)).faults() == ()
