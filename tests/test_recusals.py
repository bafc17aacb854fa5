"""Who must stay away from a unit is neither sent there by default nor judges there, though they were sent before."""

from __future__ import annotations

import pytest

from loop.kernel.errors import GuardFailed, LoopError
from loop.store import parts, staff
from loop.store.session import Tx
from tests.cast import ROOT
from tests.world import World, world

__all__ = ["world"]


def bar(world: World, *names: str) -> None:
    """Let these people stay away from the school."""

    def keep(tx: Tx) -> None:
        for name in names:
            who = world.cast.ids[name]
            staff.recuse(tx, ROOT, person_id=who, unit_id="school", ground="配偶在该校任教")

    world.parts.store.write(keep)


def watched(world: World) -> str:
    """A finding that was written off."""
    number = world.passed(world.reported(world.executing()))
    world.act("chief", "write_off", number)
    assert world.state(number) == "lookback.watching"
    return number


def reviewers(world: World, number: str) -> set[str]:
    """Who is to look back, by sign-in name."""
    held = world.parts.store.read(lambda tx: parts.of_chain(tx, number))
    names = {id_: name for name, id_ in world.cast.ids.items()}
    return {names[person_id] for part, person_id in held if part == "reviewer"}


def refusal(world: World, who: str, action: str, number: str, **payload: object) -> str:
    with pytest.raises(LoopError) as refused:
        world.act(who, action, number, **payload)
    assert isinstance(refused.value, GuardFailed), refused.value
    return str(refused.value.facts["guard"])


def test_a_look_back_without_names_goes_to_nobody_who_must_stay_away(world: World) -> None:
    number = watched(world)
    bar(world, "inspector", "inspector2")
    world.act("chief", "open_lookback", number)
    assert reviewers(world, number) == {"inspector3"}


def test_where_everybody_must_stay_away_nobody_is_sent_and_the_gap_shows(world: World) -> None:
    number = watched(world)
    bar(world, "inspector", "inspector2", "inspector3")
    outcome = world.act("chief", "open_lookback", number)
    assert reviewers(world, number) == set()
    assert {reach.gap for reach in outcome.told if reach.gap} == {"reviewer"}  # the next office up stands in for them


def test_who_must_stay_away_confirms_no_look_back_and_records_no_relapse(world: World) -> None:
    number = watched(world)
    world.act("chief", "open_lookback", number)
    bar(world, "inspector")
    file = world.attach("inspector2", number)
    held, again = {"verdict": "成效保持", "evidence": [file]}, {"rectify_by": world.day(60), "evidence": [file]}
    assert refusal(world, "inspector", "confirm_held", number, **held) == "judge_not_recused"
    assert refusal(world, "inspector", "relapse", number, **again) == "judge_not_recused"
    world.act("inspector2", "confirm_held", number, **held)


def test_a_reviewer_who_must_stay_away_since_judges_nothing(world: World) -> None:
    number = world.reported(world.executing())
    people = ["inspector2", "inspector3"]
    world.act("chief", "assign_review", number, reviewers=people, mode="onsite", on=world.day(1))
    bar(world, "inspector2")
    checked = {"items": [{"text": "通道畅通", "verdict": "pass"}], "comments": "到位", "signed_by": people}
    assert refusal(world, "inspector2", "pass_review", number, **checked) == "judge_not_recused"
    world.act("inspector3", "pass_review", number, **checked)
