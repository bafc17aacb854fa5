"""What is asked of whoever owes the next step, or a timer beside the course; `{when}` is in time, or without delay."""

from __future__ import annotations

from loop.kernel.labels import Label
from loop.kernel.people import AUTHOR, CHAIR, CHIEF, DIRECTOR, INSPECTOR, OFFICER, REVIEWER, SUPERIOR, UNIT
from workflows import stages as s

COMPLETE = Label("请补充完善，{when}提交审核。", "Please complete the record and submit it {when}.")
REVIEW = Label("请{when}完成复查并出具复查意见书。", "Please review and hand in the opinion {when}.")
ISSUE_LETTER = Label("请{when}印发督导意见书。", "Please issue the opinion letter {when}.")
PLAN_VERDICT = Label("请{when}审核整改方案。", "Please decide on the plan {when}.")
BULLETIN_VERDICT = Label("请{when}决定是否印发通报。", "Please decide on the bulletin {when}.")
TALK = Label("请按时组织约谈并记录结果。", "Please hold the interview and record it.")
LOOK_BACK = Label("请{when}完成回头看核查并记录结论。", "Please look back and record the verdict {when}.")
OBJECTION_VERDICT = Label("请{when}作出异议处理决定。", "Please decide on the objection {when}.")
RECONSIDERATION_VERDICT = Label("请{when}作出复核决定。", "Please decide on the reconsideration {when}.")
APPEAL_VERDICT = Label("请{when}作出申诉处理决定。", "Please decide on the appeal {when}.")

BY_STATE = {
    (s.DRAFT, INSPECTOR): COMPLETE,
    (s.SUBMITTED, CHIEF): Label("请{when}审核该问题。", "Please decide on the report {when}."),
    (s.PRELIMINARY, UNIT): Label("如需申辩，请{when}提出；无须申辩的，可申明放弃。", "Please defend {when}, or waive it."),
    (s.DEFENCE, OFFICER): Label("请核查申辩理由，{when}逐条答复。", "Please weigh each ground and answer {when}."),
    (s.DRAFTING, CHIEF): ISSUE_LETTER,
    (s.SERVED, UNIT): Label("请{when}签收。", "Please acknowledge receipt {when}."),
    (s.PLANNING, UNIT): Label("请{when}报送整改方案。", "Please hand in the plan {when}."),
    (s.PLAN_REVIEW, OFFICER): PLAN_VERDICT,
    (s.PLAN_REVIEW, CHIEF): PLAN_VERDICT,
    (s.EXECUTING, UNIT): Label("请{when}完成整改并报送整改报告。", "Please rectify and hand in the report {when}."),
    (s.DESK, OFFICER): Label("请{when}审核整改材料。", "Please review the report {when}."),
    (s.DESK, CHIEF): Label("请{when}组织审核，视情安排现场复查。", "Please see to the review {when}, on site where needed."),
    (s.ONSITE, INSPECTOR): REVIEW,
    (s.PASSED, CHIEF): Label("请{when}决定是否销号。", "Please decide on the write-off {when}."),
    (s.PROPOSED, CHIEF): Label("请{when}审核激励建议。", "Please decide on the commendation {when}."),
    (s.PUBLICITY, DIRECTOR): Label("公示期满后，请决定是否确认激励。", "Please decide once the notice is over."),
    (s.TALK_PROPOSED, CHIEF): Label("请{when}决定是否约谈。", "Please decide on the interview {when}."),
    (s.TALK_NOTICED, CHIEF): TALK,
    (s.TALK_HELD, OFFICER): Label("请{when}办理约谈备案。", "Please file the interview {when}."),
    (s.BULLETIN_DRAFTED, CHIEF): BULLETIN_VERDICT,
    (s.BULLETIN_DRAFTED, DIRECTOR): BULLETIN_VERDICT,
    (s.BULLETIN_ISSUED, UNIT): Label("请按通报要求整改，{when}书面回复。", "Please answer the bulletin {when}."),
    (s.REFERRED, DIRECTOR): Label("请{when}决定是否成立工作组调查认定。", "Please decide {when} whether to form a group."),
    (s.INVESTIGATING, OFFICER): Label("请{when}完成调查认定。", "Please complete the investigation {when}."),
    (s.INVESTIGATING, CHIEF): Label("请组织调查认定，{when}作出事先告知。", "Please conclude and serve the prior notice {when}."),
    (s.NOTIFIED, UNIT): Label("如需陈述和申辩，请{when}提出。", "Please state your defence {when}, if any."),
    (s.DECIDING, DIRECTOR): Label("请{when}审定并作出决定。", "Please decide {when}."),
    (s.DECIDED, OFFICER): Label("请跟踪执行，{when}登记执行结果。", "Please follow up and record the results {when}."),
    (s.INSPECTING, INSPECTOR): LOOK_BACK,
}  # fmt: skip

BY_TIMER = {
    ("report_due", AUTHOR): COMPLETE,
    ("opinion_issue", CHIEF): ISSUE_LETTER,
    ("review_due", REVIEWER): REVIEW,
    ("interview_time", CHAIR): Label("请按时主持约谈，并及时记录结果。", "Please chair the interview and record it."),
    ("lookback_due", REVIEWER): LOOK_BACK,
    ("archive_due", OFFICER): Label("请核对卷宗，按时归档。", "Please check the file and archive it."),
    ("milestone", UNIT): Label("请按节点完成整改任务并报告进展。", "Please complete the task and report progress."),
    ("monthly_report", UNIT): Label("请报送本期整改进展。", "Please report this period's progress."),
    ("extension_decide", CHIEF): Label("请{when}办理延期审批。", "Please see to the decision on the extension {when}."),
    ("instruction_reply", CHIEF): Label("请组织办理，{when}回复批示。", "Please see to it and answer the instruction {when}."),
    ("transfer_result", OFFICER): Label("请跟踪移送情况，{when}登记结果。", "Please follow up and record the result {when}."),
    ("publish_due", CHIEF): Label("请{when}公开督导意见书。", "Please publish the opinion letter {when}."),
    ("take_down_due", CHIEF): Label("请{when}撤下已公开的文书。", "Please take down what was published {when}."),
    ("tip_off_answer", OFFICER): Label("请{when}核查并答复。", "Please check and answer {when}."),
    ("supervision_report", OFFICER): Label("请{when}提交督导报告。", "Please hand in the report {when}."),
    ("objection_decide", CHIEF): OBJECTION_VERDICT,
    ("objection_decide", SUPERIOR): OBJECTION_VERDICT,
    ("reconsider_decide", DIRECTOR): RECONSIDERATION_VERDICT,
    ("appeal_decide", SUPERIOR): APPEAL_VERDICT,
    ("correction", OFFICER): Label("请按处理决定纠正，{when}登记情况。", "Please put it right and record it {when}."),
}  # fmt: skip

ASKED = {**BY_STATE, **BY_TIMER}
