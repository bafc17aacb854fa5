"""One line an action, typed by hand from the contract: `action | from | who | to | papers | told`.

A `+` marks whoever is told beyond the contract's column, because the next step or an answer is theirs.
"""

from dataclasses import dataclass
from typing import Any

from loop.kernel.decide import Decision
from tests.values import finding, papers, take, told

PAYLOADS: dict[str, dict[str, Any]] = {
    "approve_report": {"fed_back_on": "2026-03-02"},
    "acknowledge": {"received_on": "2026-03-02"},
    "submit_plan": {"finish_on": "2026-04-30"},
    "grant_extension": {"new_date": "2026-05-20"},
    "waive_lookback": {"draw": {"seed": "s", "from_on": "2026-01-01", "to_on": "2026-01-31", "percent": 0}},
    "object": {"act": "opinion"},
    "take_over": {"written_off_on": None},
}
"""What the examples of the payloads cannot know: dates that suit a Monday in March, answers to what was asked."""


@dataclass(frozen=True)
class Row:
    action: str
    source: str
    who: str
    target: str
    papers: list[str]
    told: set[str]

    def __str__(self) -> str:
        return f"{self.action} from {self.source}"


def rows(table: str) -> list[Row]:
    found = []
    for line in table.strip().splitlines():
        action, sources, who, target, kinds, whom = (part.strip() for part in line.split("|"))
        people = {name.lstrip("+") for name in whom.split()}
        found += [Row(action, s, who, s if target == "=" else target, kinds.split(), people) for s in sources.split()]
    return found


def check(row: Row, payload: dict[str, Any] | None = None, /, **finding_and_more: Any) -> Decision:
    """Take the action at its from-state and compare target, papers and addressees."""
    more = {k: finding_and_more.pop(k) for k in ("now", "facts", "rules") if k in finding_and_more}
    one = finding(row.source, *finding_and_more.pop("timers", ()), **finding_and_more)
    decision = take(row.action, one, row.who, {**PAYLOADS.get(row.action, {}), **(payload or {})}, **more)
    assert (decision.source, decision.target) == (row.source, row.target)
    assert papers(decision) == row.papers
    assert told(decision) == row.told
    assert decision.after.version == one.version + 1
    return decision
