"""Supervision offices: one for each region, with the word that numbers its papers."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import by_admin, by_there, named
from loop.kernel.errors import LoopError, NotFound
from loop.kernel.labels import Label
from loop.kernel.registration import NewOffice
from loop.store import names, offices
from loop.store.offices import Office
from loop.store.session import Tx
from loop.web.admin import (
    AT_A_TIME,
    HOME,
    OFFICES,
    PEOPLE,
    REGIONS,
    address,
    asked,
    change_admin,
    check_ours,
    chosen,
    reach_of,
    show_admin,
    within,
)
from loop.web.admin_find import find_entry, found_in
from loop.web.admin_sheets import Entry, Sheet, Typed, handed_in
from loop.web.page import Crumb, Goto, Page, Visitor
from loop.web.sent import sent_of

router = APIRouter()
TITLE, NEW = Label("督导机构", "Supervision offices"), Label("添加督导机构", "Add an office")
LIST = Crumb(TITLE, OFFICES)
FIELDS = ("code", "name", "doc_prefix")
STATES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Line:
    """One office in the list."""

    office: Office
    region: str
    path: str


@dataclass(frozen=True, slots=True)
class OfficesView:
    """A page of offices, and what was asked."""

    lines: tuple[Line, ...]
    asked: str
    active: str
    first: str
    following: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeView:
    """One office with its form."""

    office: Office
    region: str
    region_path: str
    superior: str
    people_path: str
    add_path: str
    sheet: Sheet
    retire_path: str
    refusal: Label | None


@router.get(OFFICES)
async def listed(request: Request) -> Response:
    """The offices that the reader administers."""
    q, active, after = asked(request, "q"), chosen(request, "active", STATES), asked(request, "after")

    def build(tx: Tx, visitor: Visitor) -> Page:
        page = offices.offices(
            tx, active=STATES.get(active), within=reach_of(visitor), q=q, after=after or None, limit=AT_A_TIME
        )
        called = names.of_regions(tx, (one.region[-1] for one in page.items))
        lines = tuple(Line(one, called.get(one.region[-1], ""), within(OFFICES, one.id)) for one in page.items)
        first = address(OFFICES, q=q, active=active)
        following = address(OFFICES, q=q, active=active, after=page.next) if page.next else ""
        view = OfficesView(lines, q, active, first if after else "", following)
        return Page(template="admin_offices.html", title=TITLE, view=view, crumbs=(HOME,))

    return await show_admin(request, build)


@router.get(OFFICES + "/new")
async def ask_for_new(request: Request) -> Response:
    """The form for a new office."""
    region = asked(request, "region")
    return await show_admin(request, lambda tx, visitor: _new_page(tx, visitor, Typed({"region": region})))


@router.post(OFFICES + "/new")
async def add(request: Request) -> Response:
    """Add the office of a region; those below it that had a farther superior have this one from now on."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        region = found_in(tx, visitor, sent, "region", "regions")
        new = handed_in(NewOffice, sent, *FIELDS, **({"region": region} if region else {}))
        by = by_there(tx, visitor.caller, visitor.service, new.region, "region")
        added = offices.add_office(tx, by, code=new.code, region=new.region, name=new.name, doc_prefix=new.doc_prefix)
        return Goto(within(OFFICES, added.id), "entry-added")

    return await change_admin(
        request, sent, work, lambda tx, visitor, error: _new_page(tx, visitor, Typed(sent, error))
    )


def _new_page(tx: Tx, visitor: Visitor, typed: Typed) -> Page:
    entries = (
        find_entry(tx, visitor, typed, typed.entry("region", "地区", "Region", required=True), "regions"),
        *_entries(typed),
    )
    draft = f"admin-office:{typed.value('region')}"
    sheet = Sheet(
        action=f"{OFFICES}/new",
        entries=entries,
        button=NEW,
        refusal=typed.refusal(),
        draft=draft,
    )
    return Page(template="admin_new.html", title=NEW, view=sheet, crumbs=(HOME, LIST))


def _entries(typed: Typed) -> tuple[Entry, ...]:
    return (
        typed.entry("name", "名称", "Name", required=True),
        typed.entry(
            "code", "代码", "Code", required=True, longest=32,
            hint=Label("用在问题编号里，如 YX。", "Stands in the numbers of findings, such as YX."),
        ),
        typed.entry(
            "doc_prefix", "发文字", "Word before the year in the numbers of papers", required=True, longest=20,
            hint=Label("如“云教督”，文号写作 云教督〔2026〕1号。", "Such as 云教督 in 云教督〔2026〕1号."),
        ),
    )  # fmt: skip


@router.get(OFFICES + "/{office}")
async def one(request: Request, office: str) -> Response:
    """One office."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        found = _ours(tx, visitor, office)
        return _page(tx, found, Typed(_standing(found)))

    return await show_admin(request, build)


@router.post(OFFICES + "/{office}")
async def keep(request: Request, office: str) -> Response:
    """Change its name, its code or its word."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        found = _ours(tx, visitor, office)
        by = by_admin(visitor.caller, visitor.service, found.region)
        offices.change_office(tx, by, found.id, {name: sent.get(name).strip() for name in FIELDS})
        return Goto(within(OFFICES, found.id), "entry-kept")

    return await change_admin(
        request, sent, work, lambda tx, visitor, error: _page(tx, _ours(tx, visitor, office), Typed(sent, error))
    )


@router.post(OFFICES + "/{office}/active")
async def retire(request: Request, office: str) -> Response:
    """Retire it, or take it into use again."""
    sent = await sent_of(request)
    active = sent.get("active") == "1"

    def work(tx: Tx, visitor: Visitor) -> Goto:
        found = _ours(tx, visitor, office)
        by = by_admin(visitor.caller, visitor.service, found.region)
        offices.change_office(tx, by, found.id, {"active": active})
        return Goto(within(OFFICES, found.id), "entry-back" if active else "entry-retired")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        found = _ours(tx, visitor, office)
        return _page(tx, found, Typed(_standing(found)), error.label)

    return await change_admin(request, sent, work, again)


def _ours(tx: Tx, visitor: Visitor, name: str) -> Office:
    found = offices.find_office(tx, named(name))
    if found is None:
        raise NotFound
    check_ours(visitor, found.region)
    return found


def _standing(office: Office) -> dict[str, str]:
    return {name: getattr(office, name) for name in FIELDS}


def _page(tx: Tx, office: Office, typed: Typed, refusal: Label | None = None) -> Page:
    here, region = within(OFFICES, office.id), office.region[-1]
    above = names.of_offices(tx, [office.superior_id or ""])
    view = OfficeView(
        office=office, region=names.of_regions(tx, [region]).get(region, ""), region_path=within(REGIONS, region),
        superior=above.get(office.superior_id or "", ""), people_path=address(PEOPLE, office=region),
        add_path=address(f"{PEOPLE}/new", region=region),
        sheet=Sheet(action=here, entries=_entries(typed), button=Label("保存", "Save"), refusal=typed.refusal(), sets=True),
        retire_path=f"{here}/active", refusal=refusal,
    )  # fmt: skip
    title = Label(office.name, office.name)
    return Page(template="admin_office.html", title=title, view=view, crumbs=(HOME, LIST))
