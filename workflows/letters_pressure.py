"""What people are told when pressure rises: interview, bulletin, accountability, and the ladder."""

from __future__ import annotations

from loop.kernel.labels import Label
from loop.kernel.letters import Saying
from loop.kernel.people import CHAIR, DEPARTMENT, MEMBER, OFFICER, PROPOSER, UNIT

INTERVIEW = {
    "propose_interview": Saying(
        Label("已提出约谈建议，待决定。", "An interview has been proposed; the decision is pending."),
        to={DEPARTMENT: Label("对所属单位已提出约谈建议，待决定。", "An interview of your unit has been proposed.")},
    ),
    "notice_interview": Saying(
        Label("约谈通知书已印发。", "Notice of the interview has been given."),
        to={
            UNIT: Label("约谈通知书已送达你单位。", "You have been given notice of an interview."),
            DEPARTMENT: Label("对所属单位的约谈通知书已印发。", "Your unit has been given notice of an interview."),
            CHAIR: Label("约谈通知书已印发，由您主持约谈。", "An interview was noticed; you are to chair it."),
        },
        asks={
            UNIT: Label("请按通知的时间、地点参加约谈。", "Please attend at the time and place of the notice."),
            DEPARTMENT: Label("请督促所属单位按时参加约谈。", "Please see to it that the unit attends."),
        },
    ),
    "postpone_interview": Saying(
        Label("约谈已改期，时间以改期通知为准。", "The interview was postponed; see the new notice."),
        asks={
            UNIT: Label("请按改期通知参加约谈。", "Please attend at the new time."),
            DEPARTMENT: Label(
                "请督促所属单位按改期通知参加约谈。", "Please see to it that the unit attends at the new time."
            ),
        },
    ),
    "hold_interview": Saying(
        Label("约谈已进行，约谈记录已印发。", "The interview has been held and its record issued."),
        to={
            UNIT: Label(
                "约谈已进行，约谈记录已送达你单位。", "The interview has been held; its record was sent to you."
            )
        },
        asks={UNIT: Label("请按约谈要求和承诺限期整改。", "Please rectify by the date set in the interview.")},
    ),
    "record_no_show": Saying(
        Label("被约谈单位未按通知到场，拟按程序通报。", "The unit was absent; a bulletin is proposed."),
        to={
            DEPARTMENT: Label(
                "所属单位未按通知参加约谈，拟按程序通报。",
                "Your unit was absent; a bulletin is proposed.",
            )
        },
    ),
    "file_interview": Saying(Label("约谈情况已备案。", "The interview has been filed.")),
}

BULLETIN = {
    "propose_bulletin": Saying(
        Label("已提出通报建议，待决定。", "A bulletin has been proposed; the decision is pending.")
    ),
    "issue_bulletin": Saying(
        Label("通报已印发。", "The bulletin has been issued."),
        to={
            UNIT: Label("对你单位的通报已印发。", "A bulletin about you has been issued."),
            DEPARTMENT: Label("对所属单位的通报已印发。", "A bulletin about your unit has been issued."),
        },
    ),
    "answer_bulletin": Saying(Label("被督导单位已回复通报。", "The unit has answered the bulletin.")),
    "drop": Saying(
        Label("经审查不予启动，恢复原办理环节。", "The measure was dropped; work goes on as before."),
        to={
            PROPOSER: Label("您的建议未予采纳，恢复原办理环节。", "Your proposal was dropped; work goes on as before."),
            UNIT: Label("原通知的程序不再进行，恢复原办理环节。", "What you had notice of will not go ahead."),
        },
    ),
}

ACCOUNTABILITY = {
    "refer": Saying(Label("问责线索已移交，待启动调查认定。", "A clue was referred for accountability.")),
    "form_group": Saying(
        Label("调查认定工作组已成立。", "The investigating group has been formed."),
        to={
            MEMBER: Label(
                "调查认定工作组已成立，您为工作组成员。", "The investigating group is formed; you are a member."
            )
        },
        asks={MEMBER: Label("请参加调查认定。", "Please take part in the investigation.")},
    ),
    "serve_notice": Saying(
        Label("问责事先告知书已送达。", "The prior notice of accountability has been served."),
        to={
            UNIT: Label(
                "问责事先告知书已送达你单位，你单位有权陈述和申辩。",
                "Prior notice was served on you; you may be heard.",
            )
        },
    ),
    "state_defence": Saying(Label("已收到陈述和申辩意见。", "The statement and defence have been received.")),
    "return_to_group": Saying(
        Label("调查认定材料已退回工作组补充核查。", "The investigation was returned to the group."),
        asks={MEMBER: Label("请补充核查。", "Please look into it further.")},
    ),
    "decide_accountability": Saying(
        Label("问责决定书已印发。", "The accountability decision has been issued."),
        to={
            UNIT: Label(
                "问责决定书已送达你单位；不服的，可在规定期限内申请复核或者申诉。",
                "A decision was served on you; you may contest it.",
            ),
            DEPARTMENT: Label(
                "对所属单位的问责决定书已印发。", "An accountability decision on your unit has been issued."
            ),
        },
        asks={UNIT: Label("请按决定要求限期整改。", "Please rectify by the date set in the decision.")},
    ),
    "record_execution": Saying(Label("问责决定执行结果已登记。", "A result of the decision has been recorded.")),
    "finish_accountability": Saying(Label("问责决定已执行完毕。", "The decision has been carried out.")),
}

LADDER = {
    "warn": Saying(
        Label("办理期限临近，已向被督导单位预警。", "The deadline is near; the unit has been warned."),
        to={UNIT: Label("办理期限临近，现予预警。", "The deadline is near.")},
    ),
    "urge": Saying(
        Label("已向被督导单位发出催办通知。", "The unit has been urged."),
        to={
            UNIT: Label("现予催办，催办通知已送达你单位。", "You are urged to act."),
            OFFICER: Label(
                "办理逾期，已向被督导单位发出催办通知。", "The deadline has passed; the unit has been urged."
            ),
        },
    ),
    "order": Saying(
        Label("逾期未办结，已印发督办单。", "It is overdue; a supervisory order was issued."),
        to={
            UNIT: Label("逾期未办结，现予督办。", "You are overdue; a supervisory order was issued."),
            DEPARTMENT: Label(
                "所属单位逾期未办结，现予督办。", "Your unit is overdue; a supervisory order was issued."
            ),
        },
        asks={DEPARTMENT: Label("请督促所属单位尽快办结。", "Please see to it that the unit acts.")},
    ),
    "remind": Saying(Label("有事项期限已到，尚未办结。", "Something is due and not done yet.")),
    "move_deadlines": Saying(
        Label("工作日历更新，办理时限相应调整。", "By the newly published calendar, deadlines have moved.")
    ),
    "make_good": Saying(
        Label("以下事项此前未能通知到位，现补充告知。", "This did not reach everybody it should and is told now.")
    ),
}

SAID = {**INTERVIEW, **BULLETIN, **ACCOUNTABILITY, **LADDER}
