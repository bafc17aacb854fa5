"""Every address of the pages: those that are looked at, and those to which a form is sent, with what to type.

Braces stand for the things of tests/page_scene.py. A route that is left out fails a test of tests/test_web_matrix.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fastapi.routing import APIRoute
from starlette.routing import Match

from loop.web.install import ROUTERS
from tests.web import PASSWORD

GUEST = ""

LOOKS: dict[str, str] = {
    # for everybody
    "/sign-in": GUEST,
    "/report": GUEST,
    "/report/received": GUEST,
    "/report/state": GUEST,
    "/report/{receipt}": GUEST,
    "/results": GUEST,
    "/results/{result}": GUEST,
    "/robots.txt": GUEST,
    "/l/{link}": GUEST,
    "/language/en": GUEST,
    # whoever is signed in
    "/": "officer",
    "/inbox": "leader",
    "/clock": "officer",
    "/workflow": "officer",
    "/units?unit=小学": "officer",
    "/webhooks": "officer",
    "/webhooks/{hook}": "officer",
    "/profile": "officer",
    "/profile/password": "officer",
    "/profile/substitutes": "officer",
    "/profile/notifications": "officer",
    "/profile/calendar": "officer",
    "/profile/access": "officer",
    "/profile/recusals": "chief",
    "/recusals/{id_inspector2}": "chief",
    # findings
    "/findings": "officer",
    "/findings/new": "inspector",
    "/findings/new?tip_off={tip_off}": "officer",
    "/findings/take-over": "officer",
    "/findings/{served}": "officer",
    "/findings/{draft}": "inspector",
    "/findings/{served}/actions/comment": "officer",
    "/findings/{served}/actions/attach": "school",
    "/findings/{served}/actions/notice_interview": "chief",
    "/findings/{draft}/actions/amend": "inspector",
    "/findings/{served}/clocks/{clock}": "officer",
    "/findings/{served}/clocks/{inner_clock}": "officer",
    "/findings/bulk?finding={served}": "chief",
    "/findings/bulk/comment?finding={served}": "chief",
    "/papers/{paper}": "school",
    "/papers/{inner_paper}": "officer",
    "/attachments/{file}": "officer",
    "/attachments/{inner_file}": "inspector",
    "/api/v1/attachments/{file}": "officer",
    "/api/v1/attachments/{inner_file}": "inspector",
    "/board": "chief",
    "/board?region=930108": "next_officer",
    "/board/months/{month}": "chief",
    "/tip-offs": "officer",
    "/tip-offs/{tip_off}": "officer",
    "/audit": "admin",
    "/audit/findings": "auditor",
    "/audit/findings?number={served}": "auditor",
    "/audit/findings/{served}": "auditor",
    "/supervisions": "officer",
    "/supervisions/new": "officer",
    "/supervisions/{supervision}": "officer",
    "/supervisions/{supervision}/edit": "officer",
    "/supervisions/{supervision}/report": "officer",
    # administration
    "/admin": "admin",
    "/admin/channels": "admin",
    "/admin/deliveries": "admin",
    "/admin/deliveries/{letter}": "admin",
    "/admin/gaps": "admin",
    "/admin/find/units?unit=小学": "admin",
    "/admin/find/regions?region=县": "admin",
    "/admin/find/departments?department=局": "admin",
    "/admin/regions": "admin",
    "/admin/regions/new": "admin",
    "/admin/regions/{region}": "admin",
    "/admin/offices": "admin",
    "/admin/offices/new": "admin",
    "/admin/offices/{office}": "admin",
    "/admin/units": "admin",
    "/admin/units/new": "admin",
    "/admin/units/{unit}": "admin",
    "/admin/people": "admin",
    "/admin/people/new": "admin",
    "/admin/people/{id_officer}": "admin",
    "/admin/people/{id_officer}/posts/new": "admin",
    "/admin/people/{id_inspector2}/substitutes": "admin",
    "/admin/people/{id_chief}/leaving": "admin",
    "/admin/tokens": "admin",
    "/admin/tokens?person={id_officer}": "admin",
    "/admin/rules": "admin",
    "/admin/calendar?year=2028": "admin",
    "/admin/calendar/load": "admin",
}
"""Every address that is looked at, by whom it is for; some in several ways."""


@dataclass(frozen=True)
class Sending:
    """A form that is sent: by whom, from which page, what is typed into it, and which button is pressed."""

    who: str
    page: str
    typed: Mapping[str, Any] = field(default_factory=dict)
    button: tuple[str, str] = ("", "")


_DAY, _NEXT = "2026-03-02", "2026-03-06"
_ONE = "/admin/people/{id_inspector2}"
_SUBSTITUTE = {"name": "inspector", "from_on": _DAY, "until_on": _NEXT}
_NOTICE = "day,kind,name\n2028-01-03,holiday,元旦"
_FINDING = {"title": "电线裸露", "unit": "桐峰镇中心小学", "category": "campus_safety"}
_AWAY = {"unit": "云溪县第二中学", "ground": "配偶在该校任教"}

SENDINGS: dict[str, Sending] = {
    "/report": Sending(GUEST, "/report", {"matter": "门口没有斑马线", "region": "930106"}),
    "/report/state": Sending(GUEST, "/report/state", {"code": "{receipt}"}),
    "/inbox": Sending("leader", "/inbox", {"message": "{message}"}),
    "/l/{link}": Sending(GUEST, "/l/{link}", button=("read", "1")),
    "/findings/new": Sending("inspector", "/findings/new", _FINDING),
    "/findings/take-over": Sending(
        "officer", "/findings/take-over", {**_FINDING, "source": "旧台账", "received_on": _DAY, "letter_no": "云教督〔2025〕7号",
        "rectify_by": "2026-04-01"},
    ),
    "/findings/{served}/seen": Sending("officer", "/findings/{served}"),
    "/findings/{served}/actions/comment": Sending("officer", "/findings/{served}/actions/comment", {"text": "请补充照片"}),
    "/findings/bulk/comment": Sending(
        "chief", "/findings/bulk/comment?finding={served}", {"text": "请抓紧"}, ("_step", "confirm")
    ),
    "/findings/views": Sending("officer", "/findings", {"name": "另一个视图"}),
    "/findings/views/{view}": Sending("officer", "/findings", {"name": "改名"}),
    "/findings/columns": Sending("officer", "/findings", {"column": "unit"}),
    "/tip-offs/{tip_off}": Sending("officer", "/tip-offs/{tip_off}", button=("do", "check")),
    "/tip-offs/{tip_off}/identity": Sending("officer", "/tip-offs/{tip_off}"),
    "/supervisions/new": Sending(
        "officer", "/supervisions/new",
        {"kind": "special", "title": "食堂专项", "lead": "inspector", "team": ["inspector", "inspector2"],
         "period.from_on": _DAY, "period.until_on": _NEXT},
    ),
    "/supervisions/{supervision}/edit": Sending("officer", "/supervisions/{supervision}/edit", {"title": "消防专项"}),
    "/supervisions/{supervision}/report": Sending("officer", "/supervisions/{supervision}/report", {"report": "总体良好"}),
    "/supervisions/{supervision}/active": Sending("officer", "/supervisions/{supervision}"),
    "/audit/verify": Sending("auditor", "/audit"),
    "/profile/recusals": Sending("officer", "/profile/recusals", _AWAY),
    "/recusals/{id_inspector2}": Sending("chief", "/recusals/{id_inspector2}", _AWAY),
    "/recusals/{id_inspector2}/lift": Sending("chief", "/recusals/{id_inspector2}"),
    "/profile/language": Sending("officer", "/profile", {"language": "en"}),
    "/profile/substitutes": Sending(
        "chief", "/profile/substitutes", {"name": "officer", "from_on": _DAY, "until_on": _NEXT}
    ),
    "/profile/notifications": Sending("officer", "/profile/notifications", {"digest": "true"}),
    "/profile/access": Sending("officer", "/profile/access", {"name": "程序", "scope": "read"}),
    "/profile/calendar": Sending("officer", "/profile/calendar"),
    "/profile/access/tokens/{token}/revoke": Sending("officer", "/profile/access"),
    "/profile/access/sessions/end": Sending("officer", "/profile/access"),
    "/profile/password": Sending(
        "bureau", "/profile/password", {"old": PASSWORD, "password": "another long one", "again": "another long one"}
    ),
    "/webhooks": Sending("officer", "/webhooks", {"name": "市平台", "url": "http://127.0.0.1:1/x", "place": "region:930106"}),
    "/webhooks/{hook}": Sending("officer", "/webhooks/{hook}", button=("do", "off")),
    "/webhooks/{hook}/deliveries/{hook_letter}/replay": Sending("officer", "/webhooks/{hook}"),
    "/admin/channels/desk/test": Sending("admin", "/admin/channels", {"address": "somebody"}),
    "/admin/deliveries/{letter}/replay": Sending("admin", "/admin/deliveries/{letter}"),
    "/admin/deliveries/replay": Sending("admin", "/admin/deliveries?dead=true"),
    "/admin/regions/new": Sending(
        "admin", "/admin/regions/new?parent=930106", {"code": "930106077", "name": "新镇", "level": "township"}
    ),
    "/admin/regions/{region}": Sending("admin", "/admin/regions/{region}", {"name": "桐峰新镇"}),
    "/admin/regions/930106055/active": Sending("admin", "/admin/regions/930106055"),
    "/admin/offices/new": Sending(
        "admin", "/admin/offices/new?region={region}", {"code": "TF", "name": "桐峰督导组", "doc_prefix": "桐教督"}
    ),
    "/admin/offices/{office}": Sending("admin", "/admin/offices/{office}", {"name": "云溪县督导办"}),
    "/admin/offices/{spare_office}/active": Sending("admin", "/admin/offices/{spare_office}"),
    "/admin/units/new": Sending(
        "admin", "/admin/units/new", {"name": "新学校", "kind": "school", "region": "930106", "department": ""}
    ),
    "/admin/units/{unit}": Sending("admin", "/admin/units/{unit}", {"name": "桐峰镇小学"}),
    "/admin/units/next_school/active": Sending("admin", "/admin/units/next_school"),
    "/admin/people/new": Sending(
        "admin", "/admin/people/new",
        {"name": "newcomer", "full_name": "新人", "role": "officer", "region": "930106", "from_on": _DAY},
    ),
    f"{_ONE}/details": Sending("admin", _ONE, {"full_name": "督学二"}),
    f"{_ONE}/password": Sending("admin", _ONE, {"password": "another long one", "again": "another long one"}),
    f"{_ONE}/posts/new": Sending(
        "admin", f"{_ONE}/posts/new", {"role": "officer", "region": "930106", "from_on": _DAY, "unit": ""}
    ),
    f"{_ONE}/substitutes": Sending("admin", f"{_ONE}/substitutes", _SUBSTITUTE),
    f"{_ONE}/substitutes/end": Sending("admin", f"{_ONE}/substitutes", _SUBSTITUTE),
    f"{_ONE}/posts/end": Sending("admin", _ONE, {"until_on": _DAY}),
    f"{_ONE}/active": Sending("admin", f"{_ONE}/leaving", {"active": "0"}),
    "/admin/tokens": Sending("admin", "/admin/tokens", {"name": "平台", "scopes": "read"}),
    "/admin/tokens/{own_token}/revoke": Sending("admin", "/admin/tokens"),
    "/admin/calendar/load": Sending("admin", "/admin/calendar/load", {"notice": _NOTICE}),
    "/admin/calendar/confirm": Sending("admin", "/admin/calendar/load", {"notice": _NOTICE}),
    "/clock": Sending("officer", "/clock", {"days": "1"}),
    "/sign-in": Sending(GUEST, "/sign-in", {"name": "government", "password": PASSWORD}),
    "/sign-out": Sending("officer", "/"),
}  # fmt: skip
"""Every address to which a form is sent, and one form that is taken there; in an order in which each still can be sent."""


def routes() -> set[tuple[str, str]]:
    """Every page of the application, as (method, path with braces)."""
    return {(method, route.path) for route in _routes() for method in route.methods or ()}


def route_at(method: str, address: str) -> str:
    """The path with braces of the page that serves an address; empty where none does."""
    scope = {"type": "http", "method": method, "path": unquote(address.partition("?")[0]), "headers": []}
    return next((route.path for route in _routes() if route.matches(scope)[0] is Match.FULL), "")


def _routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            yield route
