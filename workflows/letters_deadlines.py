"""How the end of each timer is put, `{day}` being its last day, and what a reminder says is still to be done."""

from __future__ import annotations

from loop.kernel.labels import Label
from loop.kernel.letters import Deadline


def _until(what: str, done: str, en: str, unmet: Label | None = None, over: Label | None = None) -> Deadline:
    """Something that must be done by the end of the day."""
    return Deadline(Label(f"{what}须于 {{day}}24 时前{done}", f"{en} is due by {{day}}"), unmet, over)


def _may(what: str, en: str, over: Label) -> Deadline:
    """Something that may be put forward until the end of the day."""
    return Deadline(Label(f"{what}可于 {{day}}24 时前提出", f"{en} is open until {{day}}"), over=over)


DEADLINES = {
    "report_due": _until(
        "登记材料",
        "提交审核",
        "The record",
        Label("登记的问题尚未提交审核。", "The record has not been submitted yet."),
    ),
    "report_review": _until(
        "问题审核",
        "完成",
        "The decision",
        Label("提交的问题尚未审核。", "The report has not been decided on yet."),
    ),
    "defence": _may(
        "申辩意见", "The defence", Label("申辩期限已于 {day}届满", "The window for the defence ended on {day}")
    ),
    "opinion_issue": _until(
        "督导意见书",
        "印发",
        "The opinion letter",
        Label("督导意见书尚未印发。", "The opinion letter has not been issued yet."),
    ),
    "acknowledge": _until(
        "", "签收", "The receipt", over=Label("签收期限已于 {day}届满", "The time to acknowledge ended on {day}")
    ),
    "plan_due": _until("整改方案", "报送", "The plan"),
    "plan_resubmit": _until("整改方案", "重新报送", "The new plan"),
    "plan_review": _until(
        "方案审核",
        "完成",
        "The decision",
        Label("整改方案尚未审核。", "The plan has not been decided on yet."),
    ),
    "rectify_by": _until("整改", "完成", "The rectification"),
    "review_due": _until(
        "复查", "完成", "The review", Label("复查尚未完成。", "The review has not been completed yet.")
    ),
    "write_off": _until(
        "销号审核", "办结", "The decision", Label("销号事项尚未决定。", "The write-off has not been decided on yet.")
    ),
    "commendation_review": _until(
        "激励审核",
        "完成",
        "The decision",
        Label("激励建议尚未审核。", "The commendation has not been decided on yet."),
    ),
    "publicity": Deadline(
        Label("公示期至 {day}24 时", "The public notice runs until {day}"),
        Label("公示期已满，激励事项尚未决定。", "The public notice is over; the decision is pending."),
        over=Label("公示期已于 {day}届满", "The public notice ended on {day}"),
    ),
    "interview_decide": _until(
        "约谈决定",
        "作出",
        "The decision",
        Label("约谈建议尚未决定。", "The interview has not been decided on yet."),
    ),
    "interview_time": _until(
        "约谈及其记录",
        "完成",
        "The record",
        Label("约谈结果尚未记录。", "The interview has not been recorded yet."),
    ),
    "interview_file": _until(
        "约谈备案",
        "办结",
        "The filing",
        Label("约谈尚未备案。", "The interview has not been filed yet."),
    ),
    "bulletin_decide": _until(
        "通报决定",
        "作出",
        "The decision",
        Label("通报建议尚未决定。", "The bulletin has not been decided on yet."),
    ),
    "bulletin_answer": _until("通报回复", "报送", "The answer"),
    "group_due": _until(
        "工作组",
        "成立",
        "The group",
        Label("调查认定工作组尚未成立。", "The group has not been formed yet."),
    ),
    "investigation_due": _until(
        "调查认定",
        "完成",
        "The investigation",
        Label("调查认定尚未完成。", "The investigation has not been completed yet."),
    ),
    "accountability_defence": _may(
        "陈述和申辩意见",
        "The statement",
        Label("陈述申辩期限已于 {day}届满", "The window for the statement ended on {day}"),
    ),
    "decision_due": _until(
        "问责决定", "作出", "The decision", Label("问责事项尚未审定。", "The case has not been decided yet.")
    ),
    "execution_report": _until(
        "执行情况",
        "报告",
        "The report",
        Label("问责决定执行情况尚未报告。", "The execution has not been reported yet."),
    ),
    "lookback_due": _until(
        "回头看核查",
        "完成",
        "The look-back",
        Label("回头看核查尚未完成。", "The look-back has not been completed yet."),
    ),
    "archive_due": _until(
        "归档", "办结", "The archiving", over=Label("归档时点 {day}已到", "The time to archive came on {day}")
    ),
    "milestone": _until(
        "整改节点任务", "完成", "The milestone", Label("整改节点已到期。", "A milestone of the plan has come.")
    ),
    "monthly_report": _until(
        "本期整改进展", "报送", "The report", Label("本期整改进展应当报送。", "The monthly report is due.")
    ),
    "extension_decide": _until(
        "延期审批",
        "完成",
        "The decision",
        Label("延期申请尚未审批。", "The extension has not been decided on yet."),
    ),
    "instruction_reply": _until(
        "批示办理情况",
        "回复",
        "The answer",
        Label("批示尚未回复。", "The instruction has not been answered yet."),
    ),
    "transfer_result": _until(
        "移送结果",
        "登记",
        "The result",
        Label("移送结果尚未登记。", "The result of the transfer is not on record yet."),
    ),
    "publish_due": _until(
        "督导意见书",
        "公开",
        "The publication",
        Label("督导意见书尚未公开。", "The opinion letter has not been published yet."),
    ),
    "take_down_due": _until(
        "应撤文书",
        "撤下",
        "The removal",
        Label("应当撤下的文书尚未撤下。", "What was published has not been taken down yet."),
    ),
    "tip_off_answer": _until(
        "举报答复",
        "作出",
        "The answer",
        Label("举报尚未答复。", "The tip-off has not been answered yet."),
    ),
    "supervision_report": _until(
        "督导报告",
        "提交",
        "The report",
        Label("督导报告尚未提交。", "The report has not been handed in yet."),
    ),
    "objection_decide": _until(
        "异议处理决定",
        "作出",
        "The decision",
        Label("异议尚未处理。", "The objection has not been decided on yet."),
    ),
    "reconsider_decide": _until(
        "复核决定",
        "作出",
        "The decision",
        Label("复核申请尚未处理。", "The reconsideration has not been decided on yet."),
    ),
    "appeal_decide": _until(
        "申诉处理决定",
        "作出",
        "The decision",
        Label("申诉尚未处理。", "The appeal has not been decided on yet."),
    ),
    "correction": _until(
        "纠正",
        "完成并登记",
        "The correction",
        Label("处理决定要求的纠正尚未完成。", "What was decided has not been put right yet."),
    ),
}
