"""Findings on which an act is disputed, and the models of dispute that provinces choose."""

from dataclasses import replace
from typing import Any

from loop.kernel.decide import Book
from loop.kernel.finding import Finding
from tests.values import ACTS, DECISION, DECISION_ACT, book, finding, timer

EXECUTING = "rectification.executing"
WINDOW = timer("opinion_window", "2026-03-12", note="opinion#5")
RECONSIDER = timer("reconsider_window", "2026-04-01", note="decision#9")
APPEAL = timer("appeal_window", "2026-03-17", note="decision#9")
BOTH = [*ACTS, DECISION_ACT]


def disputed(kind: str, state: str = "filed", *more: Any, at_state: str = EXECUTING, **changes: Any) -> Finding:
    """A finding on which an opinion or a decision is disputed: filed, decided or appealed."""
    key = {"opinion": "opinion#5", "decision": "decision#9"}[kind]
    rule = {"opinion": "objection_decide", "decision": "reconsider_decide"}[kind]
    rule = {"filed": rule, "decided": "appeal_window", "appealed": "appeal_decide"}[state]
    acts = [{**a, "disputed": a["key"] == key, "appealed": a["key"] == key and state == "appealed"} for a in BOTH]
    topics = {"acts": acts, "dispute": {"act": key, "kind": kind}, "decision": DECISION, **changes.pop("sheet", {})}
    return finding(at_state, timer(rule, note=key), *more, sheet=topics, dispute=state, **changes)


def model(**values: Any) -> Book:
    rules = book().rules
    return replace(book(), rules=replace(rules, disputes=replace(rules.disputes, **values)))
