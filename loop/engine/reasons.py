"""Why a letter was not sent, where it is not the channel that says it."""

from __future__ import annotations

from collections.abc import Mapping

from loop.kernel.labels import Label

UNCONFIGURED = Label("未配置名为 {channel} 的渠道", "no channel {channel} is configured")
SILENT = Label("渠道未在限定时间内答复", "the channel did not answer in time")
BROKEN = Label("渠道程序出错：{kind}", "the channel broke: {kind}")
EMPTY = Label("信中已没有需要告知的事项", "nothing is left in it to tell")
UNWRITABLE = Label("无法生成信件内容：{kind}", "the letter cannot be written: {kind}")

READ, DONE, LEFT, OUT_OF_SIGHT, SWITCHED_OFF = (
    "read already",
    "done already",
    "reader has left",
    "out of sight",
    "switched off",
)
"""What is kept with a copy that need not go any more."""
NEEDLESS: Mapping[str, Label] = {
    READ: Label("收件人已读", "read already"),
    DONE: Label("所提醒的事项已办理", "done already"),
    LEFT: Label("收件人已离岗", "reader has left"),
    OUT_OF_SIGHT: Label("订阅人已无权查看该事项", "out of sight"),
    SWITCHED_OFF: Label("订阅已停用或不再包含该步骤", "switched off"),
}
