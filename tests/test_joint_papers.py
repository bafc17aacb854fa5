"""A paper of a batch names the findings whose step makes it, and no other; one office makes it."""

from __future__ import annotations

from json import loads
from typing import Any

import pytest

from loop.kernel.errors import GuardFailed
from loop.store import papers, staff
from tests.cast import NEXT_DOOR, ROOT, START
from tests.world import World, world

__all__ = ["world"]

REASONS = {"reasons": [{"no": 1, "text": "整改不力"}]}


def named_in(world: World, number: str, kind: str) -> list[str]:
    """The findings that the paper of this kind, made for this finding, says it is about."""
    held = world.parts.store.read(lambda tx: papers.of_finding(tx, number))
    (paper,) = [paper for paper, _ in held if paper.kind == kind]
    return [one["number"] for one in loads(paper.content)["findings"]]


def test_what_was_proposed_is_dropped_together_and_each_paper_names_its_own(world: World) -> None:
    talk, press = world.executing(), world.executing()
    world.act("officer", "propose_interview", talk, **REASONS)
    world.act("officer", "propose_bulletin", press, **REASONS, facts="多次催办仍未整改")
    outcomes = world.act_all("chief", "drop", [talk, press], {"reason": "已整改", "rectify_by": world.day(60)})
    kinds = [[paper.kind for paper in outcome.documents] for outcome in outcomes]
    assert [len(made) for made in kinds] == [1, 1]
    assert kinds[0] != kinds[1]
    assert named_in(world, talk, kinds[0][0]) == [talk]
    assert named_in(world, press, kinds[1][0]) == [press]


def test_findings_that_the_same_step_treats_alike_share_one_paper(world: World) -> None:
    first, second = world.executing(), world.executing()
    outcomes = world.act_all("officer", "propose_interview", [first, second], REASONS)
    (paper,) = {paper.id: paper for outcome in outcomes for paper in outcome.documents}.values()
    assert named_in(world, first, paper.kind) == named_in(world, second, paper.kind) == [first, second]


def test_findings_of_two_offices_share_no_paper(world: World) -> None:
    here = world.executing()
    taken = {"title": "围墙开裂", "unit": "next_school", "category": "campus_safety", "source": "旧台账"}
    letter = {"letter_no": "石教督〔2025〕7号", "received_on": world.day(), "rectify_by": world.day(60)}
    there = world.act("next_officer", "take_over", **taken, **letter).finding.number
    world.parts.store.write(
        lambda tx: staff.add_post(
            tx, ROOT, person_id=world.cast.ids["chief"], role="chief", region=NEXT_DOOR, from_on=START.date()
        )
    )
    with pytest.raises(GuardFailed) as refused:
        world.act_all("chief", "propose_interview", [here, there], REASONS)
    assert refused.value.facts["guard"] == "one_office"
    assert world.state(here) == world.state(there) == "rectification.executing"


def content_of(world: World, number: str, kind: str) -> dict[str, Any]:
    held = world.parts.store.read(lambda tx: papers.of_finding(tx, number))
    (paper,) = [paper for paper, _ in held if paper.kind == kind]
    found: dict[str, Any] = loads(paper.content)
    return found


def test_the_opinion_letter_says_what_begins_with_its_receipt(world: World) -> None:
    content = content_of(world, world.received(), "opinion_letter")
    assert content["deadline"]["rule"] == "acknowledge"
    assert content["opens"] == [
        {"rule": "plan_due", "number": 15, "unit": "wd"},
        {"rule": "opinion_window", "number": 10, "unit": "d"},
    ]


def test_a_letter_to_a_school_names_no_deadline_of_the_office(world: World) -> None:
    number = world.executing()
    world.act("officer", "propose_interview", number, **REASONS)
    at = f"{world.day(14)}T09:30:00+08:00"
    invited = [{"name": "校长", "post": "校长"}]
    world.act("chief", "notice_interview", number, at=at, place="会议室", chair="chief", interviewees=invited)
    assert "deadline" in content_of(world, number, "interview_proposal")
    assert "deadline" not in content_of(world, number, "interview_notice")
