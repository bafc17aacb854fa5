"""What people are told of the steps from report to write-off, and of look-back."""

from __future__ import annotations

from loop.kernel.labels import Label
from loop.kernel.letters import Saying
from loop.kernel.people import AUTHOR, DEPARTMENT, LEADER, OFFICER, REVIEWER, UNIT

REPORT = {
    "open": Saying(Label("新登记问题一件，待完善后提交审核。", "A new finding is on record and is to be completed.")),
    "amend": Saying(Label("登记内容已修改。", "The record has been amended.")),
    "urgent_order": Saying(
        Label(
            "检查发现危及生命安全的隐患，已下达现场紧急处置要求。",
            "Life is in danger; measures were ordered on the spot.",
        ),
        to={
            UNIT: Label(
                "检查发现你单位存在危及生命安全的隐患，已下达现场紧急处置要求。",
                "Life is in danger; you were ordered to act on the spot.",
            ),
        },
        asks={
            UNIT: Label("请立即落实处置措施，确保师生安全。", "Please carry out the measures at once."),
            DEPARTMENT: Label("请督促所属单位立即处置。", "Please see to it that the unit acts at once."),
        },
        apart=True,
    ),
    "submit_report": Saying(Label("问题已提交审核。", "The finding has been submitted for approval.")),
    "return_report": Saying(
        Label("登记材料未通过审核，已退回修改。", "The record was not approved and has been returned."),
        to={
            AUTHOR: Label("您登记的问题未通过审核，已退回修改。", "Your record was not approved and has been returned.")
        },
    ),
    "approve_report": Saying(
        Label("问题已审核通过，并向被督导单位作出初步反馈。", "The finding is approved and was fed back to the unit."),
        to={UNIT: Label("现向你单位反馈初步督导意见。", "You have been given the preliminary opinion.")},
    ),
    "issue_on_the_spot": Saying(
        Label("责任督学已当场提出整改意见。", "The inspector issued an opinion on the spot."),
        to={UNIT: Label("责任督学已当场向你单位提出整改意见。", "The inspector issued you an opinion on the spot.")},
    ),
    "discard": Saying(Label("登记已作废。", "The draft has been discarded.")),
}

FEEDBACK = {
    "defend": Saying(Label("被督导单位已提出申辩。", "The unit has put forward its defence.")),
    "waive_defence": Saying(Label("被督导单位已放弃申辩。", "The unit has waived its defence.")),
    "defence_lapsed": Saying(Label("申辩期限届满，转入下一环节。", "The window for the defence is over.")),
    "weigh_defence": Saying(
        Label("申辩意见已核查并逐条答复。", "The defence has been answered point by point."),
        to={UNIT: Label("对你单位的申辩已逐条作出答复。", "Your defence has been answered point by point.")},
    ),
    "withdraw": Saying(Label("本问题已撤销，终止办理。", "The finding has been withdrawn.")),
    "serve_opinion": Saying(
        Label("督导意见书、整改通知书已送达被督导单位。", "The opinion letter has been served on the unit."),
        to={UNIT: Label("督导意见书、整改通知书已送达你单位。", "The opinion letter has been served on you.")},
    ),
    "acknowledge": Saying(
        Label("被督导单位已签收督导意见书。", "The unit has acknowledged receipt of the opinion letter.")
    ),
    "deem_served": Saying(
        Label("签收期限届满，督导意见书视为已送达。", "The opinion letter is deemed served."),
        to={
            UNIT: Label(
                "签收期限届满，督导意见书视为已送达你单位。",
                "The opinion letter is deemed served on you.",
            )
        },
    ),
}

RECTIFICATION = {
    "submit_plan": Saying(
        Label("整改方案已报送，待审核。", "The plan has been handed in for review."),
        to={DEPARTMENT: Label("所属单位已报送整改方案，待审核。", "Your unit has handed in its plan for review.")},
    ),
    "return_plan": Saying(
        Label("整改方案未通过审核，已退回修改。", "The plan was not accepted and has been returned."),
        to={UNIT: Label("你单位整改方案未通过审核，现予退回。", "Your plan was not accepted and has been returned.")},
    ),
    "accept_plan": Saying(
        Label("整改方案已审核通过，进入整改实施。", "The plan has been accepted and is to be carried out."),
        to={UNIT: Label("你单位整改方案已审核通过。", "Your plan has been accepted.")},
    ),
    "report_progress": Saying(Label("被督导单位已报告整改进展。", "The unit has reported progress.")),
    "request_extension": Saying(
        Label("被督导单位申请延长整改期限，待审批。", "The unit has asked for an extension."),
        to={DEPARTMENT: Label("所属单位申请延长整改期限，待审批。", "Your unit has asked for an extension.")},
    ),
    "grant_extension": Saying(
        Label("延期申请已批准，整改期限相应调整。", "The extension has been granted and the date moved."),
        to={
            UNIT: Label(
                "你单位延期申请已批准，整改期限相应调整。", "Your extension has been granted and the date moved."
            )
        },
    ),
    "refuse_extension": Saying(
        Label("延期申请未获批准，整改期限不变。", "The extension has been refused; the date stands."),
        to={UNIT: Label("你单位延期申请未获批准，整改期限不变。", "Your extension has been refused; the date stands.")},
    ),
    "submit_rectification": Saying(
        Label("整改报告已报送，待审核。", "The rectification report has been handed in for review.")
    ),
}

REVIEW = {
    "return_rectification": Saying(
        Label("整改报告未通过材料审核，已退回。", "The report failed the desk review and was returned."),
        to={
            UNIT: Label(
                "你单位整改报告未通过材料审核，现予退回。",
                "Your report failed the desk review and was returned.",
            )
        },
    ),
    "assign_review": Saying(
        Label("已安排复查。", "A review has been arranged."),
        to={
            UNIT: Label("已安排对你单位整改情况进行复查。", "A review of your rectification has been arranged."),
            REVIEWER: Label("已指派您参加本次复查。", "You have been assigned to this review."),
        },
        asks={UNIT: Label("请配合复查，备齐佐证材料。", "Please have the evidence ready for the reviewers.")},
    ),
    "pass_desk": Saying(
        Label("材料审核通过，待销号。", "The desk review is passed; the write-off is pending."),
        to={UNIT: Label("你单位整改材料审核通过，待销号。", "The desk review is passed; the write-off is pending.")},
    ),
    "pass_review": Saying(
        Label("复查通过，待销号。", "The review is passed; the write-off is pending."),
        to={UNIT: Label("你单位整改情况复查通过，待销号。", "You passed the review; the write-off is pending.")},
    ),
    "pass_partly": Saying(
        Label(
            "复查认定阶段性通过，未完成事项须继续整改。",
            "The review is passed in part; the rest is still to do.",
        ),
    ),
    "fail_review": Saying(
        Label("复查未通过，已印发再整改通知书。", "The review has failed; a renewed notice was issued."),
        to={
            UNIT: Label(
                "你单位整改情况复查未通过，再整改通知书已印发。", "You failed the review; a renewed notice was issued."
            ),
            LEADER: Label("复查再次未通过，拟按程序约谈。", "The review has failed again; an interview is proposed."),
        },
    ),
    "report_fraud": Saying(
        Label("核查发现涉嫌弄虚作假，已作为问责线索移交。", "Suspected fraud was referred for accountability."),
    ),
    "write_off": Saying(
        Label("本问题已销号。", "The finding has been written off."),
        asks={UNIT: Label("请巩固整改成效，防止问题反弹。", "Please keep up what has been achieved.")},
    ),
    "refuse_write_off": Saying(Label("未予销号，退回重新审核。", "The write-off was refused; the review goes on.")),
}

COMMENDATION = {
    "propose_commendation": Saying(Label("已推荐激励，待审核。", "A commendation has been proposed for review.")),
    "announce_commendation": Saying(
        Label("拟激励事项已发布公示。", "The proposed commendation has been announced."),
        to={UNIT: Label("对你单位的拟激励事项已发布公示。", "Your proposed commendation has been announced.")},
    ),
    "decline_commendation": Saying(Label("经审核，不予激励。", "The commendation has been declined.")),
    "confirm_commendation": Saying(
        Label("激励事项已确认，予以通报表扬。", "The commendation is confirmed and circulated."),
        to={UNIT: Label("对你单位的激励事项已确认，予以通报表扬。", "Your commendation is confirmed and circulated.")},
    ),
}

LOOKBACK = {
    "open_lookback": Saying(
        Label("回头看已启动。", "A look-back has been opened."),
        to={
            UNIT: Label("已启动对你单位整改成效的回头看。", "A look-back on your rectification has been opened."),
            REVIEWER: Label("回头看已启动，由您参加核查。", "A look-back has been opened; you are to take part in it."),
        },
        asks={UNIT: Label("请配合核查。", "Please support those who come to look.")},
    ),
    "confirm_held": Saying(Label("回头看核查完成，整改成效保持。", "The look-back found that the result has held.")),
    "relapse": Saying(
        Label("回头看发现问题反弹，已印发再整改通知书。", "A relapse was found; a renewed notice was issued."),
        to={
            UNIT: Label(
                "回头看发现你单位问题反弹，再整改通知书已印发。",
                "A relapse was found; you were given a renewed notice.",
            ),
        },
    ),
    "waive_lookback": Saying(Label("经抽查，免于本次回头看。", "By the draw, this look-back is waived.")),
    "archive": Saying(
        Label("本问题已归档。", "The finding has been archived."),
        to={OFFICER: Label("本问题已归档，卷内目录已生成。", "The finding has been archived with a list of its file.")},
    ),
    "reopen": Saying(
        Label("本问题已重启整改，重启整改通知书已印发。", "The finding has been reopened; a notice was issued.")
    ),
    "take_over": Saying(Label("本问题已转为线上接续办理。", "The finding has been taken over from earlier records.")),
}

SAID = {**REPORT, **FEEDBACK, **RECTIFICATION, **REVIEW, **COMMENDATION, **LOOKBACK}
