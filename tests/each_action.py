"""Stories in which every action that a person may take is taken, typed by hand from the workflow contract.

One line a step: `who | action | where it leads | fields`. `=` is "the state does not change"; actions of the dispute
lead to states of the dispute. The fields, in JSON, replace those that the writer of payloads would fill in. Two lines are
no steps: `given | scene | fields` begins with a finding that tests/world.py has brought so far, `wait | days` lets days
pass.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

STORIES = {
    "from the report to the archive and back": """
        inspector     | open                   | report.draft                 | {"danger_to_life": true}
        officer       | amend                  | =
        inspector     | urgent_order           | =
        inspector     | submit_report          | report.submitted
        chief         | return_report          | report.draft
        inspector     | submit_report          | report.submitted
        chief         | approve_report         | feedback.preliminary
        school        | defend                 | feedback.defence
        officer       | weigh_defence          | feedback.drafting
        chief         | serve_opinion          | feedback.served
        chief         | change_unit            | feedback.served              | {"unit": "other_school"}
        other_school  | acknowledge            | rectification.planning
        other_school  | submit_plan            | rectification.plan_review
        officer       | return_plan            | rectification.planning
        other_school  | submit_plan            | rectification.plan_review
        officer       | accept_plan            | rectification.executing
        other_school  | attach                 | =
        other_school  | report_progress        | =
        other_school  | submit_rectification   | review.desk
        officer       | return_rectification   | rectification.executing
        other_school  | submit_rectification   | review.desk
        chief         | assign_review          | review.onsite
        inspector2    | pass_review            | review.passed
        chief         | refuse_write_off       | review.desk
        chief         | assign_review          | review.onsite
        inspector2    | pass_review            | review.passed
        chief         | write_off              | lookback.watching
        city_chief    | open_lookback          | lookback.inspecting
        inspector     | confirm_held           | lookback.watching
        chief         | waive_lookback         | =
        chief         | waive_lookback         | =
        wait          | 11
        officer       | archive                | archived
        city_chief    | reopen                 | rectification.executing
    """,
    "what may be done at any time": """
        given         | executing
        bureau        | comment                | =
        leader        | instruct               | =
        officer       | answer_instruction     | =
        chief         | transfer               | =
        officer       | record_transfer_result | =
        chief         | suspend                | =
        chief         | resume                 | =
        bureau        | urge                   | =
        chief         | correct                | =
        chief         | publish                | =
        chief         | take_down              | =
        school        | request_extension      | =
        chief         | refuse_extension       | =
        school        | request_extension      | =
        chief         | grant_extension        | =
        director      | withdraw               | withdrawn
    """,
    "something praised, then a relapse": """
        given         | fed_back
        school        | waive_defence          | feedback.drafting
        chief         | serve_opinion          | feedback.served
        school        | acknowledge            | rectification.planning
        school        | submit_plan            | rectification.plan_review
        officer       | accept_plan            | rectification.executing
        school        | attach                 | =
        school        | submit_rectification   | review.desk
        officer       | pass_desk              | review.passed
        officer       | propose_commendation   | commendation.proposed
        chief         | decline_commendation   | review.passed
        officer       | propose_commendation   | commendation.proposed
        chief         | announce_commendation  | commendation.publicity
        wait          | 17
        director      | confirm_commendation   | lookback.watching
        chief         | open_lookback          | lookback.inspecting
        inspector     | relapse                | rectification.executing
    """,
    "reviews that fail, in part and in whole": """
        given         | executing              | {"long_term": true}
        school        | attach                 | =
        school        | submit_rectification   | review.desk
        chief         | assign_review          | review.onsite
        inspector2    | pass_partly            | rectification.executing
        school        | submit_rectification   | review.desk
        chief         | assign_review          | review.onsite
        inspector2    | fail_review            | rectification.executing
        school        | submit_rectification   | review.desk
        chief         | assign_review          | review.onsite
        inspector2    | fail_review            | interview.proposed
        chief         | drop                   | rectification.executing
        school        | submit_rectification   | review.desk
        chief         | assign_review          | review.onsite
        inspector3    | report_fraud           | accountability.referred
    """,
    "under pressure up to a decision, and its dispute": """
        given         | executing
        officer       | propose_interview      | interview.proposed
        chief         | notice_interview       | interview.noticed
        chief         | postpone_interview     | =
        chief         | hold_interview         | interview.held
        officer       | file_interview         | rectification.executing
        officer       | propose_interview      | interview.proposed
        chief         | notice_interview       | interview.noticed
        wait          | 15
        chief         | record_no_show         | bulletin.drafted
        chief         | issue_bulletin         | bulletin.issued
        school        | answer_bulletin        | rectification.executing
        officer       | propose_bulletin       | bulletin.drafted
        officer       | refer                  | accountability.referred
        director      | form_group             | accountability.investigating
        officer       | attach                 | =
        chief         | serve_notice           | accountability.notified
        school        | state_defence          | accountability.deciding
        director      | return_to_group        | accountability.investigating
        chief         | serve_notice           | accountability.notified
        school        | state_defence          | accountability.deciding
        director      | decide_accountability  | accountability.decided
        school        | object                 | filed
        city_director | dismiss                | decided
        school        | appeal                 | appealed
        city_chief    | vary                   | final
        officer       | record_correction      | =
        officer       | record_execution       | =
        chief         | finish_accountability  | rectification.executing
    """,
    "an objection taken back": """
        given         | received
        school        | object                 | filed
        school        | retract                | final
    """,
    "an opinion annulled": """
        given         | received
        school        | object                 | filed
        city_chief    | annul                  | final
    """,
    "a draft discarded": """
        given         | opened
        inspector     | discard                | withdrawn
    """,
    "settled on the spot": """
        given         | opened
        inspector     | issue_on_the_spot      | rectification.executing
    """,
    "taken over from an older ledger": """
        officer       | take_over              | rectification.executing
    """,
}

PARTS = {
    "inspector": {"inspector", "author", "in_scope"},
    "inspector2": {"inspector", "reviewer", "in_scope"},
    "inspector3": {"inspector", "reviewer", "in_scope"},
    "officer": {"officer", "in_scope"},
    "chief": {"chief", "in_scope"},
    "director": {"director", "in_scope"},
    "leader": {"leader", "in_scope"},
    "city_chief": {"superior", "in_scope"},
    "city_director": {"superior", "in_scope"},
    "school": {"unit"},
    "other_school": {"unit"},
    "bureau": {"department"},
    "auditor": set(),
}
"""What each of the people is to a finding that `inspector` opened and `inspector2` and `inspector3` reviewed."""

CREATING = {"open": "/findings", "take_over": "/findings/actions/take_over"}
"""Where a finding is brought into being."""

SYSTEM_ONLY = frozenset({"defence_lapsed", "deem_served", "dispute_lapsed", "warn", "order", "remind"})
"""What no person may take, so that nobody is ever allowed it by HTTP."""

POSSIBLE_EVERYWHERE = {
    "comment": "whoever has a finding in scope may always say something",
    "attach": "evidence may turn up when all is over",
    "answer_instruction": "an instruction given before the end is still to be answered after it",
    "record_transfer_result": "the other organ may answer after the end",
    "take_down": "what was published comes down after a withdrawal or annulment",
}
"""Actions that every state knows, so that they have no wrong state to be refused in; and why."""


@dataclass(frozen=True)
class Step:
    """One line of a story."""

    who: str
    what: str
    to: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


def steps(story: str) -> list[Step]:
    """The lines of a story, `given` and `wait` among them."""
    return [_step(line) for line in STORIES[story].strip().splitlines()]


def _step(line: str) -> Step:
    who, what, *rest = (part.strip() for part in line.split("|"))
    fields = [json.loads(part) for part in rest if part.startswith("{")]
    to = [part for part in rest if not part.startswith("{")]
    return Step(who, what, "".join(to), fields[0] if fields else {})
