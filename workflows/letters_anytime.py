"""What people are told of what can happen at any time, and of the dispute."""

from __future__ import annotations

from loop.kernel.labels import Label
from loop.kernel.letters import Saying
from loop.kernel.model import FORMER_UNIT
from loop.kernel.people import OFFICER, UNIT

ANYTIME = {
    "comment": Saying(
        Label("有新的留言。", "There is a new comment."),
        to={OFFICER: Label("被督导单位有新的留言。", "The unit has left a comment.")},
        asks={OFFICER: Label("请查阅留言。", "Please read it.")},
        apart=True,
    ),
    "attach": Saying(Label("已上传附件。", "Evidence has been attached."), apart=True),
    "instruct": Saying(Label("本问题收到批示。", "There is an instruction on this finding."), apart=True),
    "answer_instruction": Saying(Label("批示办理情况已回复。", "The instruction has been answered."), apart=True),
    "transfer": Saying(
        Label("问题线索已移送有关机关。", "A clue has been transferred to another authority."), apart=True
    ),
    "record_transfer_result": Saying(
        Label("移送结果已登记。", "The result of the transfer has been recorded."), apart=True
    ),
    "suspend": Saying(Label("办理时限已中止计算。", "The deadlines have been suspended.")),
    "resume": Saying(Label("办理时限已恢复计算。", "The deadlines run again.")),
    "change_unit": Saying(
        Label("被督导单位已变更。", "The unit has been changed."),
        to={
            UNIT: Label("被督导单位已变更，本问题由你单位承办。", "The unit was changed; the finding is now yours."),
            FORMER_UNIT: Label("被督导单位已变更，你单位不再承办本问题。", "The finding is no longer yours."),
        },
    ),
    "correct": Saying(
        Label("有关文书已勘误，以勘误通知为准。", "A clerical error has been corrected; see the erratum."), apart=True
    ),
    "publish": Saying(Label("本问题有关文书已公开。", "A paper on this finding has been published."), apart=True),
    "take_down": Saying(Label("已公开的有关文书已撤下。", "A published paper has been taken down."), apart=True),
}

DISPUTE = {
    "object": Saying(
        Label("已收到异议或者复核申请。", "An objection was received."),
        to={
            UNIT: Label("你单位的申请超过期限，不予受理。", "Your request came after its window and was not admitted.")
        },
        apart=True,
    ),
    "dismiss": Saying(Label("经审查，维持原意见或者决定。", "On review, the original act stands.")),
    "vary": Saying(Label("经审查，变更原意见或者决定。", "On review, the original act has been varied.")),
    "annul": Saying(Label("经审查，撤销原意见或者决定。", "On review, the original act has been annulled.")),
    "appeal": Saying(Label("已收到申诉。", "An appeal was received."), apart=True),
    "dispute_lapsed": Saying(
        Label("申诉期限届满，争议了结。", "The window for an appeal is over; the dispute is closed."), apart=True
    ),
    "retract": Saying(Label("被督导单位已撤回申请。", "The unit has retracted its request."), apart=True),
    "record_correction": Saying(Label("已按处理决定完成纠正。", "What was decided has been put right."), apart=True),
}

SAID = {**ANYTIME, **DISPUTE}
