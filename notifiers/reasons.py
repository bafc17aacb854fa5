"""Why a letter was not taken, as channels say it, in both languages.

Whatever the other side said comes in ready to be shown (`secret.quoted`); a host, a status and a code are harmless.
"""

from __future__ import annotations

from loop.kernel.labels import Label

# ---- it could not be reached -----------------------------------------------------------------------------------------

UNKNOWN_NAME = Label("暂时无法解析主机名 {host}", "{host} is a name that can't be resolved now")
UNREACHABLE = Label("无法连接 {host}", "{host} can't be reached")
UNTRUSTED = Label("{host} 的证书不受信任", "{host} shows a certificate that is not trusted")
SILENT = Label("{host} 未在限定时间内答复", "{host} did not answer in time")
BROKEN_OFF = Label("与 {host} 的连接中断，未收到可读的答复", "{host} broke off without a readable answer")
LINE_BROKEN = Label("无法连接 {host}，或连接中断（{kind}）", "{host} can't be reached or broke off ({kind})")

# ---- it said no ------------------------------------------------------------------------------------------------------

ANSWERED = Label("{host} 返回状态码 {status}", "{host} answered {status}")
ANSWERED_WITH = Label("{host} 返回 {status}：{said}", "{host} answered {status}: {said}")
REDIRECTED = Label(
    "{host} 返回状态码 {status}：系统不跟随重定向", "{host} answered {status}: redirects are not followed"
)
REFUSED = Label("{host} 拒绝接收：{said}", "{host} refused: {said}")
REFUSED_WITH = Label("{host} 拒绝接收，代码 {code}：{said}", "{host} refused with {code}: {said}")
BUSY = Label("{host} 暂时无法接收：{said}", "{host} can't take it now: {said}")
NOT_UNDERSTOOD = Label("{host} 的答复无法识别", "{host} gave an answer that can't be understood")
LACKING = Label("{host} 不支持所需的功能：{said}", "{host} does not offer what is needed: {said}")
SERVICE_SILENT = Label("通知服务未在限定时间内答复", "the service did not answer in time")
SERVICE_REFUSED = Label("通知服务未接收此信", "the service did not take the letter")

# ---- it could not be written -----------------------------------------------------------------------------------------

UNSIGNED = Label("该订阅没有签名密钥", "the endpoint has no secret to sign with")
UNSIGNABLE = Label(
    "无法签名：签名密钥或推送内容不可读", "the letter can't be signed: its secret or its body can't be read"
)
