"""What the system hands in where a person would fill in a form reads as a person would write it."""

from __future__ import annotations

import re

from tests.world import World, world
from workflows.ladder import SYSTEM_PAYLOADS

__all__ = ["world"]


def test_what_the_system_hands_in_is_chinese_alone() -> None:
    texts = re.findall(r"'(?:text|facts)': '([^']*)'", repr(SYSTEM_PAYLOADS))
    assert len(texts) == 4
    for text in texts:
        assert not re.search("[A-Za-z{}]", text.replace("{deadline}", "")), text


def test_a_proposal_names_the_deadline_that_lapsed(world: World) -> None:
    planless, undone = world.received(), world.executing(unit="other_school")
    world.live(80)
    for number, lapsed in ((planless, "整改方案报送期限"), (undone, "整改期限")):
        (reason,) = world.finding(number).sheet["interview"]["reasons"]
        assert reason["text"] == f"{lapsed}届满仍未办理"
