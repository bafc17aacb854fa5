"""The thousand actions: findings that each go from `open` to an accepted plan, eight actions by five people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from loop.engine.door import Engine, Wish
from loop.engine.record import Outcome
from loop.kernel.people import Actor
from tests.cast import START

FINDINGS = 125


@dataclass(frozen=True, slots=True)
class Step:
    """Who does what with which payload."""

    who: str
    action: str
    payload: Mapping[str, Any]


def _day(ahead: int = 0) -> str:
    return (START.date() + timedelta(days=ahead)).isoformat()


def _plan() -> dict[str, Any]:
    item = {"problem": "堵塞", "task": "清理", "measure": "立即清理", "responsible": "副校长", "due": _day(10)}
    items = [{"demand_no": no, **item} for no in (1, 2)]
    return {"cause": "管理不严", "target": "畅通", "items": items, "finish_on": _day(20)}


STORY = (
    Step(
        "inspector", "open",
        {
            "title": "东侧疏散通道堆放杂物，应急照明失效", "unit": "school", "category": "campus_safety",
            "facts": ["东侧通道堆放课桌约二十张", "二层应急照明三盏不亮"],
            "legal_basis": [{"title": "中华人民共和国消防法", "article": "第二十八条"}],
        },
    ),
    Step("inspector", "submit_report", {}),
    Step("chief", "approve_report", {"mode": "written", "fed_back_on": _day()}),
    Step("school", "waive_defence", {}),
    Step("chief", "serve_opinion", {"evaluation": "总体较好，消防管理有疏漏", "demands": ["清理通道", "建立制度"]}),
    Step("school", "acknowledge", {"receiver": {"name": "收发员"}, "received_on": _day()}),
    Step("school", "submit_plan", _plan()),
    Step("officer", "accept_plan", {}),
)  # fmt: skip
ACTIONS = FINDINGS * len(STORY)


def wishes(cast: Mapping[str, Actor], first: int = 1, findings: int = FINDINGS) -> Iterator[Wish]:
    """The actions of so many findings, one finding after the other; the office's numbers run on from `first`."""
    for place in range(first, first + findings):
        for step in STORY:
            number = None if step.action == "open" else number_of(place)
            yield Wish(actor=cast[step.who], action=step.action, number=number, payload=step.payload)


def number_of(place: int) -> str:
    """The number that the office gives its n-th finding."""
    return f"YX-{START.year}-{place:04d}"


def take(engine: Engine, wish: Wish) -> Outcome:
    """Take one action in process, as every caller of the engine does."""
    return engine.act(wish, lambda _, outcome: outcome).result()
