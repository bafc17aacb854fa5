"""Who may do what from where: the product's table against the one typed by hand from the contract, cell by cell."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest

from loop.kernel.decide import admitted, allowed_from
from loop.kernel.errors import ActionNotAllowed, Forbidden, GuardFailed
from loop.kernel.finding import Finding
from loop.kernel.people import Actor
from loop.kernel.workflow import COURSE as COURSE_TRACK
from loop.kernel.workflow import DISPUTE as DISPUTE_TRACK
from tests import grants
from tests.values import ACTS, DECISION_ACT, FACTS, PEOPLE, book, finding, person, take

CELLS = {COURSE_TRACK: grants.cells(grants.COURSE), DISPUTE_TRACK: grants.cells(grants.DISPUTE)}
PLACES = {COURSE_TRACK: ["", *grants.STATES], DISPUTE_TRACK: grants.DISPUTE_STATES}
PARTS = {
    "author": {"inspector", "author", "in_scope"},
    "reviewer": {"inspector", "reviewer", "in_scope"},
    "superior": {"superior", "in_scope"},
    "in_scope": {"in_scope"},
    **{role: {role, "in_scope"} for role in ("inspector", "officer", "chief", "director", "leader")},
    **{role: {role} for role in ("unit", "department", "system")},
    "auditor": set(),
    "admin": set(),
}
"""By hand: what each of the people in the tests is to the finding."""
STRANGERS: list[Actor] = [
    person("other chief", "chief", ("CN", "33", "3301", "330108")),
    person("other school", "unit", unit="elsewhere"),
    person("other bureau", "department", unit="elsewhere"),
    person("other mayor", "leader", ("CN", "33", "3301", "330108")),
    person("country auditor", "auditor", ("CN",)),
]


def every_cell() -> list[tuple[str, str, str]]:
    return [
        (track, action, state)
        for track, cells in CELLS.items()
        for action in sorted({action for action, _ in cells})
        for state in PLACES[track]
    ]


def at_state(track: str, state: str) -> Finding:
    if track == DISPUTE_TRACK:
        return finding("rectification.executing", dispute=state)
    return finding(state) if state else replace(finding("report.draft"), state="")


def test_the_hand_table_and_the_product_know_the_same_actions() -> None:
    by_hand = {(track, action) for track, cells in CELLS.items() for action, _ in cells}
    assert {(a.track, a.name) for a in book().workflow.actions.values()} - by_hand == {
        (COURSE_TRACK, action) for action in COMMANDED
    }
    assert by_hand <= {(a.track, a.name) for a in book().workflow.actions.values()}
    assert len(by_hand) == 86


COMMANDED = ("move_deadlines", "make_good")
"""Not rows of the table of actions: the previewed command of section 5, and what section 6 asks of a reconciliation."""


@pytest.mark.parametrize("name", COMMANDED)
def test_only_the_system_moves_deadlines_and_makes_good_what_reached_nobody(name: str) -> None:
    action = book().workflow.actions[name]
    assert action.by == ("system",)
    assert all(book().workflow.targets(action, state) == (state,) for state in grants.STATES)


def test_the_states_are_those_of_the_contract() -> None:
    assert sorted(book().workflow.states) == sorted(grants.STATES)
    assert sorted(book().workflow.dispute_states) == sorted(grants.DISPUTE_STATES)


def test_every_cell_leads_where_the_contract_says() -> None:
    wrong = {}
    for track, action, state in every_cell():
        expected = CELLS[track].get((action, state), (frozenset(), frozenset()))[0]
        found = frozenset(book().table.targets(track, state, action))
        if found != expected:
            wrong[action, state] = (sorted(found - expected), sorted(expected - found))
    assert wrong == {}


def test_a_state_refuses_what_it_does_not_know_and_names_what_it_does() -> None:
    for track, name, state in every_cell():
        expected = (name, state) in CELLS[track]
        one, action = at_state(track, state), book().workflow.actions[name]
        if expected:
            assert allowed_from(book(), action, one)
            continue
        with pytest.raises(ActionNotAllowed) as refused:
            allowed_from(book(), action, one)
        allowed = refused.value.facts["allowed"]
        assert isinstance(allowed, list)
        assert name not in allowed


def test_every_cell_admits_whom_the_contract_names_and_nobody_else() -> None:
    wrong = defaultdict(list)
    for track, name, state in every_cell():
        cell = CELLS[track].get((name, state))
        if cell is None:
            continue
        one, action = at_state(track, state), book().workflow.actions[name]
        for who, actor in PEOPLE.items():
            try:
                capacities = {c.name for c in admitted(action, actor, one)}
            except Forbidden:
                capacities = set()
            if capacities != PARTS[who] & cell[1]:
                wrong[name].append((state, who, sorted(capacities)))
    assert wrong == {}


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda actor: actor.name)
def test_nobody_from_elsewhere_may_do_anything(stranger: Actor) -> None:
    for track, name, state in every_cell():
        with pytest.raises(Forbidden):
            admitted(book().workflow.actions[name], stranger, at_state(track, state))


# ---- who signs --------------------------------------------------------------------------------------------------------

SPECIAL: dict[str, dict[str, Any]] = {
    "government": {"unit_kind": "government"},
    "major": {"severity": "major"},
    "grave": {"severity": "grave"},
    "relapsed": {"relapse_count": 1},
    "suspended": {"suspended_at": finding("archived").written_off_at},
    "decision_filed": {"dispute": "filed"},
    "opinion_filed": {"dispute": "filed"},
    "appealed": {"dispute": "appealed"},
    "no_superior": {"place": replace(finding("archived").place, superior_region=None)},
}
TOPICS: dict[str, dict[str, Any]] = {
    "returned_twice": {"plan_returns": 2},
    "returned_thrice": {"plan_returns": 3},
    "extended_once": {"extension": {"granted": 1, "pending": {"new_date": "2026-05-20"}}},
    "by_superior": {"suspension": {"by": "superior"}},
    "decision_filed": {"dispute": {"act": "decision#9"}, "acts": [*ACTS, DECISION_ACT]},
    "opinion_filed": {"dispute": {"act": "opinion#5"}},
    "appealed": {"dispute": {"act": "decision#9"}, "acts": [*ACTS, DECISION_ACT]},
}
DOCUMENTS = {"letter": "D-letter", "bulletin": "D-bulletin", "praise": "D-praise"}
SIGNERS_GUARDS = {
    "government_needs_director", "major_needs_chief", "third_return_needs_chief", "second_extension_needs_director",
    "public_needs_director", "director_drops_accountability", "director_withdraws", "bulletin_needs_director", "decider",
    "deciding_office",
}  # fmt: skip


@pytest.mark.parametrize(("action", "state", "special", "who"), grants.signers())
def test_who_signs(action: str, state: str, special: frozenset[str], who: frozenset[str]) -> None:
    topics: dict[str, Any] = {}
    if action.endswith("_extension"):
        topics["extension"] = {"pending": {"new_date": "2026-05-20"}}
    for name in special:
        topics |= TOPICS.get(name, {})
    columns: dict[str, Any] = {key: value for name in special for key, value in SPECIAL.get(name, {}).items()}
    one = finding(state, sheet=topics, **columns)
    facts, rules = FACTS, book()
    if "model_superior" in special:
        disputes = replace(rules.rules.disputes, opinion_decided_by="superior")
        rules = replace(rules, rules=replace(rules.rules, disputes=disputes))
    if "signed_by_the_only_chief" in special:
        facts = replace(facts, office={**facts.office, "chief": frozenset({"chief2"})})
    if "signed_by_the_only_director" in special:
        facts = replace(facts, office={**facts.office, "director": frozenset({"director2"})})
    payload: dict[str, object] = {}
    if document := [DOCUMENTS[name] for name in special if name in DOCUMENTS]:
        payload["document"] = document[0]
    if "public" in special:
        payload |= {"public": True, "public_text": "text", "privacy_checked_by": "wang.li"}
    able = set()
    for name, actor in PEOPLE.items():
        try:
            take(action, one, actor, payload, facts=facts, rules=rules)
        except Forbidden:
            continue
        except GuardFailed as refused:
            if refused.facts["guard"] in SIGNERS_GUARDS:
                continue
        able.add(name)
    assert able == who


def test_every_action_whose_signer_depends_on_something_is_in_the_hand_table() -> None:
    conditional = {a.name for a in book().workflow.actions.values() if a.only}
    assert conditional == {action for action, *_ in grants.signers()}


# ---- substitutes --------------------------------------------------------------------------------------------------------


def standing_in(name: str, role: str, absent: str) -> Actor:
    return Actor(name, name, name, (replace(PEOPLE[role].posts[0], for_id=absent),))


def test_a_substitute_acts_in_the_place_of_the_absent() -> None:
    decision = take("pass_review", finding("review.onsite"), standing_in("substitute", "reviewer", "wang.li"))
    assert (decision.actor.id, decision.capacity.name, decision.capacity.post.for_id) == (
        "substitute",
        "reviewer",
        "wang.li",
    )
    assert set(decision.after.sheet["reviewed_by"]) >= {"wang.li", "substitute"}


@pytest.mark.parametrize(("name", "absent"), [("wang.li", "chief"), ("chief9", "wang.li")])
def test_four_eyes_see_through_a_substitution(name: str, absent: str) -> None:
    with pytest.raises(GuardFailed) as refused:
        take("write_off", finding("review.passed"), standing_in(name, "chief", absent))
    assert refused.value.facts["guard"] == "not_a_reviewer"
    signed = finding("rectification.executing", dispute="filed", sheet=TOPICS["opinion_filed"])
    with pytest.raises(GuardFailed) as refused:
        take("dismiss", signed, standing_in("chief9", "chief", "chief2"))
    assert refused.value.facts["guard"] == "decider"


def test_the_first_post_that_allows_it_is_used() -> None:
    both = Actor("both", "both", "both", (*PEOPLE["officer"].posts, *PEOPLE["chief"].posts))
    assert take("urge", finding("review.desk"), both).capacity.name == "officer"
    assert take("transfer", finding("review.desk"), both).capacity.name == "chief"
    assert take("accept_plan", finding("rectification.plan_review", severity="major"), both).capacity.name == "chief"
