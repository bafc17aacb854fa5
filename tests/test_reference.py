"""The generated reference names everything that is declared, in both languages, and leaves no cell without a word."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from loop.kernel.labels import Label
from loop.kernel.machine import compile_table
from loop.kernel.reference import reference
from loop.kernel.rules import Rule
from loop.settings import load_settings, rule_book
from workflows import declared

FLOW = declared()
RULES = rule_book(load_settings())
TEXT = reference(FLOW, compile_table(FLOW), RULES)


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def rows(section: str) -> dict[str, list[str]]:
    """The rows of one table by the code name in their first cell."""
    lines = [line for line in sections()[section].splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {row[0].split("`")[1]: row for row in cells}


def test_every_state_action_timer_and_paper_has_a_row() -> None:
    assert list(rows("States 状态")) == list(FLOW.states)
    assert list(rows("Dispute 争议")) == list(FLOW.dispute_states)
    assert {**rows("Actions 事项"), **rows("Actions on the dispute 争议事项")}.keys() == FLOW.actions.keys()
    assert list(rows("Permissions 权限")) == list(FLOW.actions)
    assert list(rows("Timers 时限")) == list(FLOW.timers)
    papers = {paper.kind for action in FLOW.actions.values() for paper in action.papers}
    assert rows("Papers 文书").keys() == papers


def test_every_rule_of_the_book_is_shown_with_its_source() -> None:
    told = sections()["Timers 时限"] + sections()["Further limits 其他期限"]
    assert [key for key, rule in RULES.rules.items() if rule.basis.en.replace("|", "\\|") not in told] == []


@pytest.mark.parametrize(
    "section", ["States 状态", "Actions 事项", "Actions on the dispute 争议事项", "Timers 时限", "Papers 文书"]
)
def test_no_label_is_empty(section: str) -> None:
    for name, row in rows(section).items():
        assert re.search(r"[\u4e00-\u9fff]", row[1]), name
        assert re.search(r"[A-Za-z]", row[2]), name


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    for title, text in sections().items():
        lines = [line for line in text.splitlines() if line.startswith("|")]
        widths = {len(re.split(r"(?<!\\)\|", line)) for line in lines}
        assert len(widths) == 1, title


def test_an_action_is_told_whole() -> None:
    row = rows("Actions 事项")["return_plan"]
    assert row[1:3] == ["退回方案", "return the plan"]
    assert row[3] == "`rectification.plan_review` → `rectification.planning`"
    assert row[4] == "`officer`, `chief`"
    assert "`third_return_needs_chief`" in row[5]
    assert row[6] == "`reasons`"
    assert row[7] == "退回意见, 督办单?"
    assert row[8] == "`unit`, `department`, `chief`?"


def test_forks_list_where_they_may_lead_and_whole_stages_are_written_short() -> None:
    actions = rows("Actions 事项")
    assert (
        actions["approve_report"][3]
        == "`report.submitted` → *opinion_or_praise*: `feedback.preliminary`, `commendation.proposed`"
    )
    assert actions["propose_interview"][3] == "`rectification.*`, `review.*` → `interview.proposed`"
    assert actions["comment"][3] == "any state 任何状态 → same 不变"
    assert actions["open"][3] == "new 新 → `report.draft`"


def test_the_timers_show_the_rules_in_force() -> None:
    mine = replace(
        RULES, rules={**RULES.rules, "plan_review": Rule("plan_review", 3, "wd", "our rules | article 12", "O")}
    )
    text = reference(FLOW, compile_table(FLOW), mine)
    row = next(line for line in text.splitlines() if line.startswith("| `plan_review` |"))
    assert "3 wd" in row
    assert "[O] our rules \\| article 12" in row


def test_timers_with_several_lengths_show_them_all() -> None:
    timers = rows("Timers 时限")
    assert timers["rectify_by"][6] == "30 d; `rectify_by_major`: 90 d; `rectify_by_long_term`: 180 d"
    assert timers["lookback"][6] == "90 d, 180 d; grave 严重: 30 d, 90 d, 180 d, 365 d"
    assert timers["milestone"][6].startswith("as written")


def test_the_permissions_agree_with_the_declaration() -> None:
    head = next(line for line in sections()["Permissions 权限"].splitlines() if line.startswith("| action"))
    names = re.findall(r"`(\w+)`", head)
    for action, row in rows("Permissions 权限").items():
        granted = {name for name, cell in zip(names, row[1:], strict=True) if cell == "●"}
        assert granted == set(FLOW.actions[action].by)


def test_nested_payload_fields_are_listed_with_their_path() -> None:
    fields = sections()["Payload fields 填报内容"]
    assert "| `submit_plan` | `items.due` | 时限清单 | time limit |" in fields
    assert "| `correct` | `field` | 更正字段 | field |" in fields


def test_the_same_declarations_give_the_same_text_and_a_changed_label_another() -> None:
    assert reference(FLOW, compile_table(FLOW), RULES) == TEXT
    state = replace(FLOW.states["review.desk"], label=Label("案头", "at the desk"))
    changed = replace(FLOW, states={**FLOW.states, "review.desk": state})
    assert "| 案头 | at the desk |" in reference(changed, compile_table(changed), RULES)
