"""Every refusal as a problem document (RFC 9457): stable code, a sentence in the caller's language, the facts behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from loop.kernel import errors
from loop.kernel.case import jsonable
from loop.kernel.errors import Invalid, LoopError, NotFound, Unavailable
from loop.kernel.labels import Label
from loop.kernel.payloads import fault_of

LOG = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
TYPE = "urn:rectification-loop:problem:"

TITLES = {
    "unauthenticated": Label("未登录", "Not signed in"),
    "forbidden": Label("无权办理", "Not permitted"),
    "not_found": Label("没有找到", "Not found"),
    "method_not_allowed": Label("请求方法不对", "Method not allowed"),
    "action_not_allowed": Label("当前状态不能办理", "Not possible in this state"),
    "guard_failed": Label("条件不满足", "A condition is not met"),
    "idempotency_mismatch": Label("幂等键已用于另一请求", "Key used for another request"),
    "conflict": Label("与已有内容冲突", "Contradicts what is stored"),
    "stale": Label("内容已被更新", "Changed meanwhile"),
    "too_large": Label("内容过大", "Too large"),
    "unsupported_file": Label("类型不接受", "Type not accepted"),
    "range_not_satisfiable": Label("范围超出文件", "Range beyond the file"),
    "invalid": Label("填写有误", "Not filled in rightly"),
    "rate_limited": Label("操作太频繁", "Too many tries"),
    "unavailable": Label("暂不可用", "Unavailable"),
    "internal": Label("系统内部错误", "Internal error"),
}
INTERNAL = Label(
    "系统出错，已记录；请把编号 {request_id} 告诉管理员。",
    "Something went wrong and has been recorded; tell your administrator the number {request_id}.",
)
WRONG_METHOD = Label(
    "这个地址不接受 {method}；可用：{allow}。", "This address does not take {method}; possible: {allow}."
)
_WORDS_OF_SENTENCES = frozenset({"state_label", "allowed_names", "allowed_labels"})


class Problem(BaseModel):
    """A refusal. Further members are facts about it, such as `guard`, `state`, `allowed`, `version`, `retry_after`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[f"{TYPE}guard_failed"])
    title: str
    status: int = Field(ge=400, le=599)
    code: str = Field(examples=["guard_failed"])
    detail: str
    request_id: str = ""
    errors: list[FieldProblem] = Field(default=[], description="For `invalid`: what is wrong, field by field.")


class FieldProblem(BaseModel):
    """One wrong field."""

    field: str
    kind: str
    detail: str


class MethodNotAllowed(LoopError):
    """The address exists, but not for this method."""

    status = 405
    code = "method_not_allowed"


def language_of(accepted: str | None, fallback: str = "zh") -> str:
    """The language to answer in: the first of zh and en that an Accept-Language header prefers, else `fallback`."""
    best, weight = fallback, 0.0
    for part in (accepted or "").split(",")[:20]:
        tag, _, quality = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            wanted = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if language in ("zh", "en") and weight < wanted <= 1:
            best, weight = language, wanted
    return best


def language(request: Request) -> str:
    """The language of this request: its header's, else the signed-in person's, else Chinese."""
    return language_of(request.headers.get("accept-language"), getattr(request.state, "language", "zh"))


def document(error: LoopError, spoken: str, request_id: str = "") -> dict[str, Any]:
    """`error` as the members of a problem document in the language `spoken`."""
    title = TITLES.get(error.code, Label("", "")).in_(spoken)
    members: dict[str, Any] = {k: _plain(v, spoken) for k, v in error.facts.items() if k not in _WORDS_OF_SENTENCES}
    if isinstance(error, Invalid):
        members["errors"] = [
            {"field": fault.field, "kind": fault.kind, "detail": fault.label.in_(spoken)} for fault in error.faults
        ]
    own = {
        "type": TYPE + error.code, "title": title, "status": error.status, "code": error.code,
        "detail": error.label.in_(spoken), "request_id": request_id,
    }  # fmt: skip
    return {k: v for k, v in members.items() if v is not None} | own


def answer(error: LoopError, spoken: str, request_id: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """`error` as a problem document in the language `spoken`, on the wire."""
    body = json.dumps(document(error, spoken, request_id), ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(body, error.status, dict(headers or {}), MEDIA_TYPE)


def refusal(request: Request, error: LoopError, headers: Mapping[str, str] | None = None) -> Response:
    """`error` in the form its reader expects: a page where pages serve the address, else a problem document.

    Whoever serves pages sets `app.state.pages` to a function from (request, error, headers) to a response or None.
    """
    pages: Callable[[Request, LoopError, Mapping[str, str]], Response | None] | None
    pages = getattr(request.app.state, "pages", None)
    more = dict(headers or {}) | _headers(error)
    page = pages(request, error, more) if pages else None
    return page or answer(error, language(request), request_id_of(request), more)


def _headers(error: LoopError) -> dict[str, str]:
    if error.status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if error.status == 416:
        return {"Content-Range": f"bytes */{error.facts.get('size', 0)}"}
    if error.status == 429:
        return {"Retry-After": str(error.facts.get("retry_after", 60))}
    if isinstance(error, Unavailable):
        return {"Retry-After": "5"}
    return {}


def _plain(value: Any, spoken: str) -> Any:
    if isinstance(value, Label):
        return value.in_(spoken)
    if isinstance(value, Mapping):
        return {("detail" if k == "label" else str(k)): _plain(v, spoken) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v, spoken) for v in value]
    value = jsonable(value)
    return value if isinstance(value, str | int | bool | None) else str(value)


# ---- translation ---------------------------------------------------------------------------------------------------


def install(app: FastAPI) -> None:
    """Let every exception that may leave a handler become a problem document."""
    app.add_exception_handler(LoopError, _refusal)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, LoopError)  # noqa: S101  registered for this class
    return refusal(request, error)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class
    faults = [fault_of({**one, "loc": one["loc"][1:] or one["loc"]}) for one in error.errors()]
    return refusal(request, Invalid(faults))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class
    refused: LoopError = NotFound()
    headers: dict[str, str] = {}
    if error.status_code == 405:
        allow = ", ".join(sorted(_methods(request)))
        headers["Allow"] = allow
        refused = MethodNotAllowed(WRONG_METHOD.filled(method=request.method[:20], allow=allow))
    elif error.status_code == 413:
        refused = errors.TooLarge(limit=request.app.state.service.policy.body_limit)
    elif error.status_code != 404:
        refused = Invalid.field("body", "无法读取。", "cannot be read.", "unreadable")
    return refusal(request, refused, headers)


def _methods(request: Request) -> set[str]:
    """Every method that some route takes at this address."""
    found: set[str] = set()
    for route in request.app.routes:
        found |= _methods_of(route, request)
    return found


def _methods_of(route: BaseRoute, request: Request) -> set[str]:
    if isinstance(route, Route):
        match, _ = route.matches(request.scope)
        return set(route.methods or ()) if match is not Match.NONE else set()
    found: set[str] = set()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        match, _ = route.matches({**request.scope, "method": method})
        if match is Match.FULL:
            found.add(method)
    return found


def request_id_of(request: Request) -> str:
    """The number under which the log knows this request."""
    return str(request.scope.get("request_id", ""))
