"""The grant table of the workflow contract, typed by hand: which action, from where, to where, by whom.

One line an action and group of from-states: `action | from | to | who`. `=` is "the state does not change", `-` the
void before a finding exists. Nothing here is read from the product.
"""

STATES = [
    "report.draft",
    "report.submitted",
    "feedback.preliminary",
    "feedback.defence",
    "feedback.drafting",
    "feedback.served",
    "rectification.planning",
    "rectification.plan_review",
    "rectification.executing",
    "review.desk",
    "review.onsite",
    "review.passed",
    "commendation.proposed",
    "commendation.publicity",
    "interview.proposed",
    "interview.noticed",
    "interview.held",
    "bulletin.drafted",
    "bulletin.issued",
    "accountability.referred",
    "accountability.investigating",
    "accountability.notified",
    "accountability.deciding",
    "accountability.decided",
    "lookback.watching",
    "lookback.inspecting",
    "archived",
    "withdrawn",
]
DISPUTE_STATES = ["none", "filed", "decided", "appealed", "final"]
ROLES = ["inspector", "officer", "chief", "director", "unit", "department", "leader", "auditor", "admin", "system"]
CAPACITIES = ["author", "reviewer", "superior", "in_scope"]

_OPEN = [s for s in STATES if s.split(".")[0] not in ("lookback", "archived", "withdrawn")]
_BACK = (
    "rectification.plan_review review.desk rectification.planning rectification.executing "
    # while no opinion has been received: the state it left; interviews and bulletins come after one, but a clue may
    # be referred from any open state, and fraud be found while looking back
    "report.submitted feedback.preliminary feedback.defence feedback.drafting feedback.served review.onsite "
    "review.passed commendation.proposed commendation.publicity lookback.inspecting"
)
GROUPS = {
    "OPEN": " ".join(_OPEN),
    "ALIVE": " ".join([*_OPEN, "lookback.watching lookback.inspecting"]),
    "EVERY": " ".join(STATES),
    "PRESSURE": (
        "interview.proposed interview.noticed interview.held bulletin.drafted bulletin.issued accountability.referred "
        "accountability.investigating accountability.notified accountability.deciding accountability.decided"
    ),
    "RECTIFICATION": "rectification.planning rectification.plan_review rectification.executing",
    "REVIEW": "review.desk review.onsite review.passed",
    "SERVED_ON": (
        "feedback.served RECTIFICATION REVIEW commendation.proposed commendation.publicity PRESSURE lookback.watching "
        "lookback.inspecting archived"
    ),
    "REFERABLE": (
        "report.submitted feedback.preliminary feedback.defence feedback.drafting feedback.served RECTIFICATION REVIEW "
        "commendation.proposed commendation.publicity interview.proposed interview.noticed interview.held "
        "bulletin.drafted bulletin.issued"
    ),
    "BACK": _BACK,
    "DROPPED": f"{_BACK} interview.proposed interview.noticed interview.held bulletin.drafted bulletin.issued",
    "WORK": "rectification.plan_review review.desk rectification.planning rectification.executing",
    "LADDER": "rectification.planning rectification.executing bulletin.issued",
}

COURSE = """
open | - | report.draft | inspector officer
amend | report.draft | = | author officer
urgent_order | ALIVE | = | inspector
submit_report | report.draft | report.submitted | inspector officer
return_report | report.submitted | report.draft | chief
approve_report | report.submitted | feedback.preliminary commendation.proposed | chief
issue_on_the_spot | report.draft | rectification.executing | inspector
discard | report.draft | withdrawn | author
defend | feedback.preliminary feedback.drafting | feedback.defence | unit
waive_defence | feedback.preliminary | feedback.drafting | unit
defence_lapsed | feedback.preliminary | feedback.drafting | system
defence_lapsed | accountability.notified | accountability.deciding | system
weigh_defence | feedback.defence | feedback.drafting | officer
withdraw | REFERABLE | withdrawn | chief director
serve_opinion | feedback.drafting | feedback.served | chief director
acknowledge | feedback.served | rectification.planning | unit
deem_served | feedback.served | rectification.planning | system
submit_plan | rectification.planning | rectification.plan_review | unit
submit_plan | PRESSURE | = | unit
return_plan | rectification.plan_review | rectification.planning | officer chief
accept_plan | rectification.plan_review | rectification.executing | officer chief
report_progress | rectification.executing PRESSURE | = | unit
request_extension | rectification.executing | = | unit
grant_extension | rectification.executing | = | chief director
refuse_extension | rectification.executing | = | chief director
submit_rectification | rectification.executing | review.desk | unit
submit_rectification | PRESSURE | = | unit
return_rectification | review.desk | rectification.executing | officer
assign_review | review.desk review.onsite | review.onsite | chief
pass_desk | review.desk | review.passed | officer
pass_review | review.onsite | review.passed | reviewer
pass_partly | review.onsite | rectification.executing | reviewer
fail_review | review.onsite | rectification.executing interview.proposed | reviewer
report_fraud | review.onsite lookback.inspecting | accountability.referred | reviewer
write_off | review.passed | lookback.watching | chief
refuse_write_off | review.passed | review.desk | chief
propose_commendation | review.passed | commendation.proposed | officer
announce_commendation | commendation.proposed | commendation.publicity | chief
decline_commendation | commendation.proposed commendation.publicity | review.passed withdrawn | chief director
confirm_commendation | commendation.publicity | lookback.watching archived | director
propose_interview | RECTIFICATION REVIEW | interview.proposed | officer chief system
notice_interview | interview.proposed | interview.noticed | chief director
postpone_interview | interview.noticed | = | chief
hold_interview | interview.noticed | interview.held | chief director
record_no_show | interview.noticed | bulletin.drafted | chief
file_interview | interview.held | BACK | officer
propose_bulletin | RECTIFICATION REVIEW interview.proposed interview.noticed | bulletin.drafted | officer chief system
issue_bulletin | bulletin.drafted | bulletin.issued | chief director
answer_bulletin | bulletin.issued | BACK | unit
drop | interview.proposed interview.noticed bulletin.drafted | DROPPED | chief director
drop | accountability.referred accountability.investigating accountability.deciding | DROPPED | chief director
refer | REFERABLE | accountability.referred | officer chief system
form_group | accountability.referred accountability.investigating | accountability.investigating | director
serve_notice | accountability.investigating | accountability.notified | chief
state_defence | accountability.notified accountability.deciding | accountability.deciding | unit
return_to_group | accountability.deciding | accountability.investigating | director
decide_accountability | accountability.deciding | accountability.decided | director
record_execution | accountability.decided | = | officer
finish_accountability | accountability.decided | BACK | chief
open_lookback | lookback.watching | lookback.inspecting | system chief superior
confirm_held | lookback.inspecting | lookback.watching | inspector
relapse | lookback.inspecting | rectification.executing interview.proposed accountability.referred | inspector
waive_lookback | lookback.watching | = | chief
archive | lookback.watching | archived | system officer
reopen | archived | WORK | chief superior
take_over | - | rectification.executing lookback.watching | officer chief
change_unit | report.draft report.submitted | = | chief
change_unit | feedback.preliminary feedback.defence feedback.drafting | feedback.preliminary | chief
change_unit | feedback.served RECTIFICATION REVIEW | feedback.served | chief
correct | SERVED_ON | = | chief
publish | SERVED_ON | = | chief director
take_down | EVERY | = | chief director
comment | EVERY | = | inspector officer chief director unit department leader reviewer superior in_scope
attach | EVERY | = | inspector officer chief director unit department leader reviewer superior in_scope
urge | OPEN | = | officer chief department system
instruct | ALIVE | = | leader director
answer_instruction | EVERY | = | officer chief
transfer | OPEN | = | chief
record_transfer_result | EVERY | = | officer
suspend | OPEN | = | chief director superior
resume | ALIVE | = | chief director superior system
warn | LADDER | = | system
order | LADDER | = | system
remind | EVERY | = | system
"""

DISPUTE = """
object | none final | = filed | unit
dismiss | filed | decided final | chief director superior
dismiss | appealed | final | chief director superior
vary | filed | decided final | chief director superior
vary | appealed | final | chief director superior
annul | filed appealed | final | chief director superior
appeal | none decided final | appealed | unit
dispute_lapsed | decided | final | system
retract | filed appealed | final | unit
record_correction | final | = | officer
"""

SIGNERS = """
withdraw | report.submitted feedback.preliminary feedback.defence feedback.drafting feedback.served | | chief
withdraw | RECTIFICATION REVIEW commendation.proposed commendation.publicity | | director
withdraw | interview.proposed interview.noticed interview.held bulletin.drafted bulletin.issued | | director
serve_opinion | feedback.drafting | | chief
serve_opinion | feedback.drafting | government | director
return_plan | rectification.plan_review | | officer
return_plan | rectification.plan_review | returned_twice | chief
return_plan | rectification.plan_review | returned_thrice | chief
return_plan | rectification.plan_review | grave | officer
accept_plan | rectification.plan_review | | officer
accept_plan | rectification.plan_review | major | chief
accept_plan | rectification.plan_review | grave | chief
grant_extension | rectification.executing | | chief
grant_extension | rectification.executing | extended_once | director
refuse_extension | rectification.executing | | chief
refuse_extension | rectification.executing | extended_once | director
notice_interview | interview.proposed | | chief
notice_interview | interview.proposed | government | director
hold_interview | interview.noticed | | chief
hold_interview | interview.noticed | government | director
issue_bulletin | bulletin.drafted | | chief
issue_bulletin | bulletin.drafted | public | director
issue_bulletin | bulletin.drafted | government | director
drop | interview.proposed interview.noticed bulletin.drafted | | chief
drop | interview.proposed interview.noticed bulletin.drafted | government | chief
drop | accountability.referred accountability.investigating accountability.deciding | | director
publish | review.desk | letter | chief
publish | review.desk | bulletin | director
publish | lookback.watching | praise | director
take_down | review.desk withdrawn | letter | chief
take_down | review.desk withdrawn | bulletin | director
take_down | rectification.executing | praise | director
take_down | rectification.executing | praise relapsed | chief director
suspend | rectification.executing | | chief
suspend | rectification.executing | decision_filed | chief director
suspend | rectification.executing | appealed | chief superior
suspend | rectification.executing | opinion_filed | chief
resume | rectification.executing | suspended | chief system
resume | rectification.executing | suspended by_superior | chief superior system
dismiss | rectification.executing | opinion_filed | chief
dismiss | rectification.executing | opinion_filed model_superior | superior
dismiss | rectification.executing | opinion_filed signed_by_the_only_chief | superior
dismiss | rectification.executing | decision_filed | director
dismiss | rectification.executing | decision_filed signed_by_the_only_director | superior
dismiss | rectification.executing | appealed | superior
dismiss | rectification.executing | appealed no_superior | director
vary | rectification.executing | opinion_filed | chief
vary | rectification.executing | decision_filed | director
vary | rectification.executing | appealed | superior
annul | rectification.executing | opinion_filed | chief
annul | rectification.executing | decision_filed | director
annul | rectification.executing | appealed | superior
"""
"""Who of those admitted may sign, by what is special about the finding: `action | state | circumstances | who`."""

Cell = tuple[str, str]


def _expand(words: str) -> list[str]:
    found: list[str] = []
    for word in words.split():
        found += _expand(GROUPS[word]) if word in GROUPS else [word]
    return found


def _rows(table: str) -> list[list[str]]:
    return [[part.strip() for part in line.split("|")] for line in table.strip().splitlines()]


def cells(table: str) -> dict[Cell, tuple[frozenset[str], frozenset[str]]]:
    """(action, from) -> (targets, who); the void is the empty string."""
    found: dict[Cell, tuple[frozenset[str], frozenset[str]]] = {}
    for action, sources, targets, who in _rows(table):
        for source in [""] if sources == "-" else _expand(sources):
            assert (action, source) not in found, (action, source)
            to = frozenset(source if t == "=" else t for t in _expand(targets))
            found[action, source] = (to, frozenset(who.split()))
    return found


def signers() -> list[tuple[str, str, frozenset[str], frozenset[str]]]:
    """(action, state, circumstances, who) row by row."""
    return [
        (action, state, frozenset(special.split()), frozenset(who.split()))
        for action, states, special, who in _rows(SIGNERS)
        for state in _expand(states)
    ]
