"""The sentences that greet somebody after something was done: a redirect carries the code, the page says the sentence."""

from __future__ import annotations

from collections.abc import Mapping

from loop.kernel.labels import Label
from loop.kernel.workflow import Workflow

PARAMETER = "done"
ACTED = "acted."
"""Begins the codes that say that an action was taken; the action's name follows."""
HAS_ACTED = Label("已办理：{action}。", "Done: {action}.")

NOTICES: Mapping[str, Label] = {
    "signed-in": Label("欢迎回来。", "Welcome back."),
    "signed-out": Label("您已安全退出。", "You are signed out."),
    "message-signed": Label("已签收。", "Signed for."),
    "messages-signed": Label("所选消息已签收。", "The chosen messages are signed for."),
    "language-kept": Label("语言已保存。", "Your language is saved."),
    "password-changed": Label(
        "密码已修改，其他设备已退出登录。", "Your password is changed; other devices are signed out."
    ),
    "substitutes-kept": Label("代理安排已保存。", "Your substitutes are saved."),
    "recusal-kept": Label("回避已登记。", "The recusal is recorded."),
    "recusal-lifted": Label("回避已解除。", "The recusal is lifted."),
    "wishes-kept": Label("通知方式已保存。", "Your notification settings are saved."),
    "token-revoked": Label("已注销，立即失效。", "Revoked; it opens nothing any more."),
    "tip-off-checking": Label("已开始核查。", "Checking has begun."),
    "tip-off-answered": Label(
        "已办结，反映人可凭查询码看到答复。", "Closed; whoever reported reads the answer with their code."
    ),
    "tip-off-linked": Label("已与问题关联。", "Tied to the finding."),
    "letter-goes-again": Label("已重新排队发送。", "It goes once more."),
    "letters-go-again": Label("发送失败的信已重新排队。", "What was given up goes once more."),
    "no-letter-waits": Label("没有需要重发的信。", "There was nothing to send again."),
    "webhook-kept": Label("订阅已保存。", "The subscription is saved."),
    "others-signed-out": Label("其他设备已退出登录。", "The other devices are signed out."),
    "view-kept": Label("视图已保存。", "The view is saved."),
    "view-renamed": Label("视图已改名。", "The view has its new name."),
    "view-deleted": Label("视图已删除。", "The view is deleted."),
    "columns-kept": Label("列设置已保存。", "Your columns are saved."),
    "person-added": Label(
        "已添加。请把登录名和初始密码以安全方式告知本人。",
        "Added. Tell the person their sign-in name and first password in a safe way.",
    ),
    "post-given": Label("已给予岗位。", "The post is given."),
    "post-ended": Label("已结束岗位。", "The post ends."),
    "password-set": Label(
        "新密码已设定，此人已在所有设备上退出登录。", "The new password is set; the person is signed out everywhere."
    ),
    "account-closed": Label("账号已停用，可以随时恢复。", "The account is closed; it can be opened again at any time."),
    "account-opened": Label("账号已恢复。", "The account is open again."),
    "calendar-loaded": Label(
        "节假日安排已载入，有关期限已移动。", "The arrangement is loaded, and the deadlines that it touches have moved."
    ),
    "supervision-begun": Label("督导活动已建立。", "The supervision has begun."),
    "supervision-kept": Label("督导安排已保存。", "The plan is saved."),
    "supervision-reported": Label("督导报告已保存。", "The report is saved."),
    "supervision-retired": Label("督导活动已停用。", "The supervision is retired."),
    "supervision-restored": Label("督导活动已恢复。", "The supervision is in use again."),
    "entry-added": Label("已添加。", "Added."),
    "entry-kept": Label("已保存。", "Saved."),
    "entry-retired": Label("已停用。", "Retired."),
    "entry-back": Label("已恢复使用。", "In use again."),
}
"""By code. Nothing that a person typed stands in an address."""


def notice_of(code: str, flow: Workflow) -> Label | None:
    """The sentence for a code; None for one that there is not."""
    action = flow.actions.get(code.removeprefix(ACTED)) if code.startswith(ACTED) else None
    if action is not None:
        return Label(HAS_ACTED.zh.format(action=action.label.zh), HAS_ACTED.en.format(action=action.label.en))
    return NOTICES.get(code)
