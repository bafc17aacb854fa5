"""What can be done at any time, the ladder's own acts, and the examples of every payload."""

from dataclasses import replace
from typing import Any

import pytest

from loop.kernel.decide import Command, decide, offers
from loop.kernel.errors import ActionNotAllowed, Forbidden, GuardFailed, Invalid, NotFound
from loop.kernel.facts import UnitFact
from loop.kernel.payloads import example_of, read
from tests.rows import Row, check, rows
from tests.values import (
    FACTS,
    NOW,
    PEOPLE,
    at,
    book,
    finding,
    papers,
    person,
    refused,
    running,
    sheet,
    take,
    timer,
    told,
)

ROWS = rows("""
comment | report.draft rectification.executing archived withdrawn | officer | = | |
comment | rectification.executing | unit | = | | +officer
comment | rectification.executing | in_scope | = | |
attach | feedback.defence withdrawn | department | = | |
urge | rectification.executing | officer | = | urging | unit
urge | rectification.executing | department | = | urging | unit
urge | rectification.executing | system | = | urging | unit officer
instruct | report.draft lookback.watching | leader | = | instruction | chief
instruct | accountability.decided | director | = | instruction | chief
transfer | rectification.executing | chief | = | transfer_letter | +officer
suspend | rectification.executing | chief | = | | +unit +department +officer
suspend | report.draft | chief | = | | +officer
change_unit | report.draft | chief | = | |
change_unit | feedback.preliminary feedback.defence feedback.drafting | chief | feedback.preliminary | change_notice | unit former_unit +department
change_unit | feedback.served rectification.executing review.onsite | chief | feedback.served | change_notice | unit former_unit +department
correct | feedback.served archived | chief | = | erratum | unit department
warn | rectification.planning rectification.executing bulletin.issued | system | = | | unit officer
order | rectification.planning rectification.executing bulletin.issued | system | = | urge_order | unit department chief
remind | report.draft review.desk withdrawn | system | = | |
""")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    check(row)


SUSPENDED = {"suspended_at": at("2026-02-20")}
GUARDS: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    ("instruct", "rectification.executing", "leader", {"reply_due": "2026-03-02"}, {}, "reply_due_in_future"),
    ("answer_instruction", "rectification.executing", "officer", {}, {}, "instruction_open"),
    ("record_transfer_result", "rectification.executing", "officer", {}, {}, "transfer_open"),
    ("suspend", "rectification.executing", "chief", {}, SUSPENDED, "not_suspended"),
    ("suspend", "rectification.executing", "chief", {"until": "2026-03-02"}, {}, "until_in_future"),
    ("resume", "rectification.executing", "chief", {}, {}, "suspended"),
    ("change_unit", "rectification.executing", "chief", {}, {"dispute": "filed"}, "no_dispute_open"),
    ("change_unit", "rectification.executing", "chief", {}, {"unit_id": "school2"}, "unit_in_scope"),
    ("publish", "review.desk", "chief", {"document": "D-none"}, {}, "own_document"),
    ("publish", "review.desk", "chief", {"document": "D-letter", "public_text": "13800138000"}, {}, "privacy_checked"),
    ("take_down", "review.desk", "chief", {"document": "D-none"}, {}, "own_document"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "state", "who", "payload", "columns", "guard"), GUARDS)
def test_guard(action: str, state: str, who: str, payload: dict[str, Any], columns: dict[str, Any], guard: str) -> None:
    assert refused(action, finding(state, **columns), who, payload) == guard


def test_refusals_come_in_the_order_of_the_contract() -> None:
    one = finding("rectification.executing")
    with pytest.raises(NotFound):
        take_raw("no_such_action", one, "auditor", {"x": 1})
    with pytest.raises(Forbidden):
        take_raw("archive", one, "auditor", {"x": 1})
    with pytest.raises(ActionNotAllowed, match=r"rectification\.executing"):
        take_raw("archive", one, "officer", {"x": 1})
    with pytest.raises(Invalid):
        take_raw("request_extension", replace(one, danger_to_life=True), "unit", {"x": 1})
    with pytest.raises(GuardFailed):
        take("request_extension", replace(one, danger_to_life=True), "unit")


def take_raw(action: str, one: Any, who: str, payload: dict[str, Any]) -> Any:
    return decide(book(), one, Command(action=action, actor=PEOPLE[who], payload=payload), FACTS, NOW)


@pytest.mark.parametrize("name", sorted(book().workflow.actions))
def test_every_payload_has_an_example_that_is_valid(name: str) -> None:
    model = book().workflow.actions[name].payload
    example = example_of(model)
    read(model, example)
    required = {info.alias or field for field, info in model.model_fields.items() if info.is_required()}
    assert required <= set(example)


# ---- words ------------------------------------------------------------------------------------------------------------


def test_an_internal_comment_is_marked_and_told_to_nobody() -> None:
    decision = take("comment", finding("rectification.executing"), "chief", {"internal": True})
    assert decision.remarks == {"internal": True}
    assert told(decision) == set()


def test_comments_come_from_all_in_scope_and_from_nobody_else() -> None:
    one = finding("rectification.executing")
    for who in ("inspector", "officer", "chief", "director", "unit", "department", "leader", "superior"):
        take("comment", one, who)
    take("comment", one, person("governor", "leader", ("CN", "33")))
    for actor in ("auditor", "admin", person("stranger", "officer", ("CN", "33", "3302"))):
        with pytest.raises(Forbidden):
            take("comment", one, actor)


def test_instructions_are_numbered_and_answered_one_by_one() -> None:
    one = take("instruct", finding("review.desk"), "leader", {"reply_due": None}).after
    one = take("instruct", one, "director").after
    assert running(take("comment", one, "officer"))["instruction_reply"] == "2026-04-10"
    assert [t.note for t in one.timers if t.rule == "instruction_reply"] == ["1", "2"]
    assert refused("answer_instruction", one, "officer", {"no": 3}) == "instruction_open"
    answered = take("answer_instruction", one, "officer", {"no": 2})
    assert told(answered) == {"leader", "director"}
    assert [i.get("answer") for i in sheet(answered, "instructions")] == [None, "已查清，情况如下"]
    assert [t.note for t in answered.after.timers if t.rule == "instruction_reply"] == ["1"]
    last = take("answer_instruction", answered.after, "chief")
    assert "instruction_reply" not in running(last)


def test_a_transfer_waits_for_its_result() -> None:
    sent = take("transfer", finding("review.desk"), "chief")
    assert running(sent)["transfer_result"] == "2026-04-01"
    back = take("record_transfer_result", sent.after, "officer")
    assert told(back) == {"chief"}
    assert sheet(back, "transfers")[0]["answer"] == "已立案调查"
    assert "transfer_result" not in running(back)


def test_urging_by_people_raises_nothing() -> None:
    assert take("urge", finding("rectification.executing"), "chief").after.level == 0
    assert take("urge", finding("rectification.executing"), "system").after.level == 2


@pytest.mark.parametrize(("action", "level"), [("warn", 1), ("order", 3)])
def test_rungs_raise_and_never_lower_the_level(action: str, level: int) -> None:
    assert take(action, finding("rectification.executing"), "system").after.level == level
    assert take(action, finding("rectification.executing", level=5), "system").after.level == 5


def test_whoever_the_point_of_a_timer_names_is_told_unless_a_later_one_replaces_it() -> None:
    one = finding("review.desk")
    assert told(take("remind", one, "system", told=("chief", "leader"))) == {"chief", "leader"}
    assert told(take("remind", one, "system", told=("chief",), superseded=True)) == set()


# ---- the unit changes -------------------------------------------------------------------------------------------------


def test_a_changed_unit_starts_anew() -> None:
    facts = replace(FACTS, unit=UnitFact("gov", "Government", "government", ("CN", "33", "3301", "330106"), None))
    told_before = {"plan_returns": 2, "failures": 1, "extension": {"granted": 1}, "date_set_by": "interview"}
    decision = take("change_unit", finding("review.onsite", level=4, sheet=told_before), "chief", facts=facts)
    after = decision.after
    assert (after.unit_id, after.unit_kind, after.department_id, after.level) == ("gov", "government", None, 0)
    assert after.place.unit_id == "gov"
    topics = ("plan", "report", "extension", "plan_returns", "failures", "date_set_by", "planned")
    assert [after.sheet[t] for t in topics] == [{}, {}, {}, 0, 0, "", False]
    assert after.sheet["opinion"]["received_on"] is None
    received = take("acknowledge", after, person("gov head", "unit", unit="gov"), {"received_on": "2026-03-02"})
    assert running(received)["plan_due"] == "2026-04-01"


def test_a_unit_outside_the_region_is_refused() -> None:
    facts = replace(FACTS, unit=UnitFact("far", "Far", "school", ("CN", "33", "3302"), None))
    assert refused("change_unit", finding("feedback.served"), "chief", facts=facts) == "unit_in_scope"


# ---- papers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"), [("title", "Corridor"), ("description", "long\ntext"), ("responsible_person", "Chen")]
)
def test_a_slip_of_the_pen_is_corrected(field: str, value: str) -> None:
    decision = take("correct", finding("review.desk"), "chief", {"field": field, "value": value})
    assert decision.columns[field] == value


@pytest.mark.parametrize(
    "payload",
    [
        {"field": "severity"},
        {"field": "rectify_by"},
        {"field": "title", "value": "two\nlines"},
        {"field": "title", "value": "x" * 201},
    ],
)
def test_nothing_else_is_a_slip_of_the_pen(payload: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        take("correct", finding("review.desk"), "chief", payload)


def test_what_is_published_can_be_taken_down() -> None:
    one = finding("review.desk", timer("publish_due"), timer("take_down_due"))
    other = take("publish", one, "chief", {"document": "D-decision"})
    assert "publish_due" in running(other)
    shown = take("publish", one, "chief", {"document": "D-letter"})
    assert papers(shown) == ["publication"]
    assert told(shown) == {"unit"}
    assert "publish_due" not in running(shown)
    down = take("take_down", shown.after, "chief", {"document": "D-letter"})
    assert sheet(down, "published") == [
        {"what": "opinion_letter", "document": "D-letter", "on": "2026-03-02", "down": "2026-03-02"}
    ]
    assert "take_down_due" not in running(down)
    assert (papers(down), told(down)) == (["take_down"], {"unit"})


def test_taking_everything_down_is_the_directors_where_a_bulletin_is_among_it() -> None:
    one = finding("withdrawn", sheet={"published": [{"what": "bulletin", "on": "2026-02-01"}]})
    assert refused("take_down", one, "chief") == "bulletin_needs_director"
    assert take("take_down", one, "director").target == "withdrawn"


# ---- offers -----------------------------------------------------------------------------------------------------------


def test_offers_name_what_is_possible_and_what_a_guard_holds_back() -> None:
    one = finding("rectification.executing", danger_to_life=True)
    found = {o.action.name: o.guard for o in offers(book(), one, PEOPLE["unit"], FACTS, NOW)}
    assert found == {
        "report_progress": "", "request_extension": "not_danger_to_life", "submit_rectification": "", "comment": "", "attach": "",
        "object": "", "appeal": "",
    }  # fmt: skip
    assert offers(book(), one, PEOPLE["auditor"], FACTS, NOW) == ()
    chief = {o.action.name: o.guard for o in offers(book(), one, PEOPLE["chief"], FACTS, NOW)}
    assert (chief["grant_extension"], chief["suspend"], chief["resume"]) == ("extension_pending", "", "suspended")
