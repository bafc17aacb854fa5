"""Refusals as pages: what happened and what to do now, in the frame that the reader knows. The API keeps its documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from loop.kernel.errors import LoopError
from loop.kernel.labels import Label
from loop.web import guest, render
from loop.web.assets import ROOT
from loop.web.page import Goto, Page, Visitor, chrome_of, here, redirect

NOT_PAGES = ("/api/", "/openapi.json", "/healthz", "/readyz", "/metrics", f"{ROOT}/")
"""Addresses that programmes read."""
SIGN_IN = "/sign-in"

TITLES: Mapping[int, Label] = {
    401: Label("请先登录", "Please sign in"),
    403: Label("您不能办理此事", "Not allowed"),
    404: Label("没有找到", "Not found"),
    405: Label("这里不能这样操作", "Not possible here"),
    409: Label("现在不能办理", "Not possible now"),
    412: Label("内容已被他人更新", "Somebody has changed this meanwhile"),
    413: Label("内容过大", "Too large"),
    415: Label("文件类型不接受", "This kind of file is not accepted"),
    422: Label("填写有误", "Something is not filled in correctly"),
    429: Label("操作太频繁", "Too many attempts"),
    500: Label("系统出错", "Something went wrong"),
    503: Label("暂时不可用", "Unavailable for the moment"),
}
ADVICE: Mapping[int, Label] = {
    401: Label(
        "您可能离开太久。已填写的内容保留在本机浏览器中，登录后会恢复。",
        "You may have been away too long. What you typed stays in this browser and is restored once you sign in.",
    ),
    403: Label(
        "如需办理，请联系您单位的系统管理员调整岗位。",
        "If it should be allowed, ask your administrator about your posts.",
    ),
    404: Label(
        "请检查编号或链接；如果确认无误，可能不在您的查看范围内。",
        "Check the number or the link; if it is right, it may lie outside what you may see.",
    ),
    429: Label("请稍后再试。", "Wait a little, then try again."),
    503: Label("已填写的内容会保留在本机，请稍后重试。", "What you typed stays in this browser; try again soon."),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the page of a refusal shows."""

    status: int
    sentence: Label
    advice: Label | None
    request_id: str
    sign_in: str = ""


def page_of(error: LoopError, request_id: str = "", back: str = "/") -> Page:
    """The page of a refusal; `back` is where somebody who signs in goes on."""
    title = TITLES.get(error.status, TITLES[500])
    sign_in = f"{SIGN_IN}?{urlencode({'next': back})}" if error.status == 401 else ""
    view = Refusal(
        error.status, error.label, ADVICE.get(error.status), request_id if error.status >= 500 else "", sign_in
    )
    return Page(template="refusal.html", title=title, view=view, status=error.status)


def refused(request: Request, error: LoopError, headers: Mapping[str, str]) -> Response | None:
    """`error` as a page, or as the way to sign in; None for an address that programmes read."""
    if request.url.path.startswith(NOT_PAGES):
        return None
    if error.status == 401 and request.method in ("GET", "HEAD"):
        return redirect(Goto(f"{SIGN_IN}?{urlencode({'next': here(request)})}"))
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    frame = chrome_of(request, visitor) if visitor else guest.frame_of(request, guest.guest_of(request))
    page = page_of(error, str(request.scope.get("request_id", "")), here(request))
    renderer: render.Renderer = request.app.state.renderer
    more = {name: value for name, value in headers.items() if name != "WWW-Authenticate"}
    return render.response(request, renderer.html(page.template, page, frame), page.status, more)
