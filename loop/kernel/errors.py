"""The whole error tree on one screen: class is code, `status` is the HTTP answer, `text` the sentence people read.

LoopError
├── Unauthenticated 401      ├── Stale 412
├── Forbidden 403            ├── TooLarge 413
├── NotFound 404             ├── UnsupportedFile 415
├── ActionNotAllowed 409     ├── Invalid 422
├── GuardFailed 409          ├── RateLimited 429
├── IdempotencyMismatch 409  └── Unavailable 503
└── Conflict 409
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loop.kernel.labels import Label


class LoopError(Exception):
    """A refusal with a stable code and a sentence that says what to do next."""

    status = 500
    code = "error"
    text = Label("出错了。", "Something went wrong.")

    def __init__(self, text: Label | None = None, **facts: object) -> None:
        self.label = self.text.filled(**facts) if text is None else text
        self.facts = facts
        super().__init__(self.label.en)


class Unauthenticated(LoopError):
    """Nobody is signed in, or the token is unknown, expired or revoked."""

    status = 401
    code = "unauthenticated"
    text = Label("请先登录，或换一个有效的令牌。", "Sign in first, or use a valid token.")


class Forbidden(LoopError):
    """In scope, but no post of the caller may ever do this."""

    status = 403
    code = "forbidden"
    text = Label("您的岗位不能办理此事。", "None of your posts may do this.")


class NotFound(LoopError):
    """Unknown, or outside what the caller may see: the two are never told apart."""

    status = 404
    code = "not_found"
    text = Label("没有找到，或不在您的查看范围内。", "Not found, or outside what you may see.")


class ActionNotAllowed(LoopError):
    """The state does not know this action; says the state and what it allows."""

    status = 409
    code = "action_not_allowed"
    text = Label(
        "当前状态是“{state_label}”，不能办理此事；此刻可以办理：{allowed_labels}。",
        "In state {state} this cannot be done; possible now: {allowed_names}.",
    )


class GuardFailed(LoopError):
    """The state allows the action, a condition does not; names the guard."""

    status = 409
    code = "guard_failed"


class IdempotencyMismatch(LoopError):
    """The key was used before with another request."""

    status = 409
    code = "idempotency_mismatch"
    text = Label(
        "这个 Idempotency-Key 已用于另一个请求；请换一个新的键。",
        "This Idempotency-Key was used for another request; use a new key.",
    )


class Conflict(LoopError):
    """What is asked contradicts what is stored, such as a name that is taken."""

    status = 409
    code = "conflict"


class Stale(LoopError):
    """Somebody changed the finding since the caller read it."""

    status = 412
    code = "stale"
    text = Label(
        "{by} 于 {at} 已更新此问题（第 {version} 版）；请刷新后再办。",
        "{by} changed this finding at {at} (version {version}); read it again, then retry.",
    )


class TooLarge(LoopError):
    """The body or file is larger than allowed."""

    status = 413
    code = "too_large"
    text = Label("内容超过上限 {limit} 字节；请压缩或拆分后再传。", "Larger than {limit} bytes; shrink or split it.")


class UnsupportedFile(LoopError):
    """The file's content is of a type that is not accepted, whatever its name says."""

    status = 415
    code = "unsupported_file"
    text = Label(
        "不接受这种文件（识别为 {type}）；请上传 {accepted}。",
        "This file is {type}, which is not accepted; send {accepted}.",
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field: where, a stable kind, and the sentence about it."""

    field: str
    kind: str
    label: Label


class Invalid(LoopError):
    """The request does not have the right form; field by field."""

    status = 422
    code = "invalid"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            Label(
                "请更正：" + "；".join(f"{f.field} {f.label.zh}" for f in self.faults),
                "Please correct: " + "; ".join(f"{f.field} {f.label.en}" for f in self.faults),
            )
        )

    @classmethod
    def field(cls, name: str, zh: str, en: str, kind: str = "invalid") -> Invalid:
        """The common case of one wrong field."""
        return cls([Fault(name, kind, Label(zh, en))])


class RateLimited(LoopError):
    """Too many tries; `retry_after` says how many seconds to wait."""

    status = 429
    code = "rate_limited"
    text = Label("操作太频繁，请 {retry_after} 秒后再试。", "Too many tries; wait {retry_after} seconds.")


class Unavailable(LoopError):
    """The service cannot serve now: database locked, disk full, schema missing or newer."""

    status = 503
    code = "unavailable"
    text = Label("服务暂时不可用：{why}", "The service is unavailable: {why}")
