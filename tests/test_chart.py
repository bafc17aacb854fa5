"""The chart shows every state and every move, marks where a finding has been, and can be read: nothing lies upon a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from loop.kernel.chart import mermaid, svg
from loop.kernel.chart_layout import (
    ROW,
    SMALL_SIZE,
    TEXT_SIZE,
    TITLE_SIZE,
    WIDTH,
    Box,
    Layout,
    Placed,
    layout,
    subtitle,
    text_width,
)
from loop.kernel.labels import Label
from loop.kernel.sketch import sketch
from loop.kernel.workflow import Action, Workflow
from workflows import declared

FLOW = declared()
LANGUAGES = ("zh", "en")
SVG = "{http://www.w3.org/2000/svg}"
WAY = ("report.draft", "report.submitted", "feedback.preliminary", "feedback.drafting")


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)


def words(text: str) -> str:
    return "\n".join("".join(node.itertext()) for node in parsed(text).iter(f"{SVG}text"))


def moving(flow: Workflow) -> Iterator[Action]:
    for action in flow.actions.values():
        sources = {s for one in action.moves for s in one.sources}
        if any(set(flow.targets(action, source)) - {source} for source in sources):
            yield action


def with_label(label: Label) -> Workflow:
    state = replace(FLOW.states["review.desk"], label=label)
    return replace(FLOW, states={**FLOW.states, "review.desk": state})


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def placed(language: str) -> Layout:
    return layout(sketch(FLOW, language), 74.0)


# ---- the picture -----------------------------------------------------------------------------------------------------


def test_the_picture_names_every_state_of_both_tracks_and_every_action_that_moves(language: str) -> None:
    shown = words(svg(FLOW, language))
    states = [*(state.label for state in FLOW.states.values()), *FLOW.dispute_states.values()]
    missing = [label.en for label in (*states, *(a.label for a in moving(FLOW))) if label.in_(language) not in shown]
    assert missing == []


def test_the_picture_is_plain_svg_1400_wide_without_script_or_anything_from_outside(language: str) -> None:
    text = svg(FLOW, language, WAY, "feedback.served", "filed", {"report.draft": 3})
    root = parsed(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("width") == "1400"
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert tags == {"svg", "title", "style", "defs", "marker", "path", "rect", "text", "tspan"}
    assert not [key for node in root.iter() for key in node.keys() if key.startswith("on") or "href" in key]  # noqa: SIM118  an Element is no dict
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert set(re.findall(r"url\(([^)]*)\)", text)) == {f"#{m.get('id')}" for m in root.iter(f"{SVG}marker")}


def test_whatever_a_label_holds_the_picture_stays_valid() -> None:
    nasty = "</text><script>alert('\"&amp;')"
    text = svg(with_label(Label(nasty, nasty)), "en")
    assert nasty in words(text)
    assert not list(parsed(text).iter(f"{SVG}script"))


def test_the_same_workflow_gives_the_same_picture(language: str) -> None:
    assert svg(FLOW, language, WAY) == svg(FLOW, language, WAY)


def kinds(text: str) -> list[str]:
    return [node.get("class", "") for node in parsed(text).iter(f"{SVG}rect")]


def test_an_unmarked_picture_marks_nothing() -> None:
    text = svg(FLOW, "zh")
    assert [kind for kind in kinds(text) if {"been", "here"} & set(kind.split())] == []
    assert "walked" not in [k for node in parsed(text).iter(f"{SVG}path") for k in node.get("class", "").split()]


def test_where_a_finding_has_been_and_is_now_is_marked() -> None:
    text = svg(FLOW, "zh", WAY, "feedback.served", "filed")
    legend = 1
    assert kinds(text).count("card been") == len(WAY) + legend
    assert kinds(text).count("card here") == 2 + legend
    walked = [node for node in parsed(text).iter(f"{SVG}path") if "walked" in node.get("class", "").split()]
    told = {"".join(node.itertext()) for node in walked}
    assert told == {
        "提交审核 → report.submitted", "审核通过并初步反馈 → feedback.preliminary", "放弃申辩 → feedback.drafting",
        "申辩期满 → feedback.drafting", "送达督导意见书 → feedback.served",
    }  # fmt: skip


def test_a_state_gone_through_twice_and_left_again_is_marked_once() -> None:
    text = svg(FLOW, "zh", ("report.draft", "report.submitted", "report.draft"), "report.submitted")
    assert kinds(text).count("card been") == 1 + 1
    assert kinds(text).count("card here") == 1 + 1


def test_a_state_that_the_workflow_no_longer_has_is_left_out() -> None:
    assert "review.gone" not in svg(FLOW, "zh", ("review.gone", "review.desk"), "review.gone")
    assert "review_gone" not in mermaid(FLOW, "zh", ("review.gone", "review.desk"), "review.gone")


def test_counts_stand_in_their_states() -> None:
    shown = words(svg(FLOW, "en", counts={"report.draft": 12345, "archived": 0})).splitlines()
    assert shown.count("12345") == 1
    assert shown.count("0") == 1


# ---- it can be read --------------------------------------------------------------------------------------------------


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


def test_no_card_and_no_frame_lies_upon_another(placed: Layout) -> None:
    for some in (placed.cards, placed.frames):
        assert [(a.name, b.name) for a, b in combinations(some, 2) if overlap(a.box, b.box)] == []


def test_everything_lies_within_the_picture(placed: Layout) -> None:
    for place in (*placed.cards, *placed.frames):
        assert place.box.x >= 0
        assert place.box.right <= WIDTH
        assert place.box.bottom <= placed.height
    for x, y in (corner for arrow in placed.arrows for corner in arrow.corners):
        assert 0 < x < WIDTH
        assert 0 < y < placed.height


def texts(place: Placed) -> Iterator[tuple[float, str]]:
    """How wide each row of a card or frame is, with its text."""
    if place.card:
        yield text_width(place.card.title, TITLE_SIZE), place.card.title
        for small in subtitle(place.card, place.card.waits, place.box.width):
            yield text_width(small, SMALL_SIZE), small
    for line in place.lines:
        for row, told in enumerate(line.told):
            own = line.exit.text if row == 0 else ""
            joined = "→ " + " / ".join(told) if told else ""
            yield text_width(own, TEXT_SIZE) + text_width(joined, SMALL_SIZE), f"{own} {joined}"


def test_every_text_fits_into_its_card(placed: Layout) -> None:
    wide = [
        text
        for place in (*placed.cards, *placed.frames)
        for width, text in texts(place)
        if width > place.box.width - 14
    ]
    assert wide == []


def test_a_text_that_is_too_long_is_cut_short_within_its_card() -> None:
    long = Label("很长的名称" * 9, "a very long name " * 9)
    drawn = layout(sketch(with_label(long), "zh"), 74.0)
    width = next(card.box.width for card in drawn.cards if card.name == "review.desk")
    shown = [
        text
        for text in words(svg(with_label(long), "zh")).splitlines()
        if text.startswith("很长的名称") and text.endswith("…")
    ]
    assert shown
    assert all(text_width(text, TITLE_SIZE) <= width for text in shown)


def test_no_two_rows_of_text_share_a_place(placed: Layout) -> None:
    for place in (*placed.cards, *placed.frames):
        assert all(above.box.bottom <= below.box.y for above, below in pairwise(place.lines))
        assert all(line.box.bottom <= place.box.bottom + 1 for line in place.lines)
        assert all(line.box.height >= ROW for line in place.lines)


def test_no_arrow_runs_over_a_card(placed: Layout) -> None:
    """Arrows run in the lanes between the columns; they touch a card at its edge only."""
    over = [
        (arrow.exit.action, arrow.target, card.name)
        for arrow in placed.arrows
        for (x1, y1), (x2, y2) in pairwise(arrow.corners)
        for card in placed.cards
        if overlap(Box(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1) + 0.1), _inside(card.box))
    ]
    assert over == []


def _inside(box: Box) -> Box:
    return Box(box.x + 1, box.y + 1, box.width - 2, box.height - 2)


def test_lines_to_different_states_never_lie_upon_each_other(placed: Layout) -> None:
    """Upright lines apart enough to be told from each other; those to one state may run together."""
    upright = [
        (arrow.target, x1, min(y1, y2), max(y1, y2))
        for arrow in placed.arrows
        for (x1, y1), (x2, y2) in pairwise(arrow.corners)
        if x1 == x2 and y1 != y2
    ]
    close = {
        (a[0], b[0])
        for a, b in combinations(upright, 2)
        if a[0] != b[0] and abs(a[1] - b[1]) < 3 and a[2] < b[3] and b[2] < a[3]
    }
    assert close == set()


def test_every_move_is_an_arrow_or_told_in_words(placed: Layout, language: str) -> None:
    drawn = {(arrow.exit.action, source, arrow.target) for arrow in placed.arrows for source in arrow.sources}
    common = {exit_.action for exit_ in sketch(FLOW, language).common}
    assert common == {"withdraw", "refer"}
    for action in moving(FLOW):
        for source in (s for one in action.moves for s in one.sources):
            targets = [t for t in FLOW.targets(action, source) if t != source]
            if action.name not in common and len(targets) < 4:
                assert {(action.name, source, target) for target in targets} <= drawn


# ---- Mermaid ---------------------------------------------------------------------------------------------------------


def test_mermaid_declares_every_state_and_draws_only_between_what_is_declared(language: str) -> None:
    text = mermaid(FLOW, language, WAY, "feedback.served", "filed")
    nodes = set(re.findall(r'^ {4}(s_\w+)(?:\[|\(\[)"', text, re.MULTILINE))
    stages = set(re.findall(r"^  subgraph (stage_\w+)\[", text, re.MULTILINE))
    assert nodes == {"s_start"} | {"s_" + name.replace(".", "_") for name in (*FLOW.states, *FLOW.dispute_states)}
    ends = re.findall(r'^  (\w+) (?:-->|-\.->)\|"[^"]+"\| (\w+)$', text, re.MULTILINE)
    assert ends
    assert {source for source, _ in ends} <= nodes | stages
    assert {target for _, target in ends} <= nodes


def test_mermaid_names_every_action_that_moves(language: str) -> None:
    text = mermaid(FLOW, language)
    assert [action.name for action in moving(FLOW) if action.label.in_(language) not in text] == []


def test_mermaid_marks_the_way_and_the_place() -> None:
    lines = mermaid(FLOW, "zh", WAY, "feedback.served", "filed").splitlines()
    assert "  class s_feedback_drafting,s_feedback_preliminary,s_report_draft,s_report_submitted been" in lines
    assert "  class s_feedback_served,s_filed here" in lines
    assert not [line for line in mermaid(FLOW, "zh").splitlines() if line.startswith("  class ")]


def test_a_quote_in_a_label_does_not_end_it() -> None:
    text = mermaid(with_label(Label('材料"审核', 'desk "review"')), "en")
    assert '["desk #quot;review#quot;"]' in text
