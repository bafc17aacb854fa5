"""The tree of regions: one level at a time, with adding, renaming and retiring."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import by_admin, by_there, covers, named
from loop.kernel.errors import LoopError
from loop.kernel.labels import Label
from loop.kernel.people import Path
from loop.kernel.registration import LEVELS, NewRegion
from loop.store import lookup, names, offices, places
from loop.store.lookup import Match
from loop.store.offices import Office
from loop.store.places import Region
from loop.store.session import Tx
from loop.web.admin import (
    AT_A_TIME,
    HOME,
    OFFICES,
    PEOPLE,
    REGIONS,
    UNITS,
    address,
    asked,
    change_admin,
    check_ours,
    scope_of,
    show_admin,
    within,
)
from loop.web.admin_find import find_entry, found_in
from loop.web.admin_sheets import Sheet, Typed, handed_in
from loop.web.page import Crumb, Goto, Page, Visitor
from loop.web.sent import sent_of

router = APIRouter()
TITLE = Label("地区", "Regions")
NEW = Label("添加地区", "Add a region")
TREE = Crumb(TITLE, REGIONS)
FIELDS = ("code", "name", "level")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionView:
    """One region: what it holds, its form, and the regions directly below it."""

    region: Region
    level: Label
    office: Office | None
    office_path: str
    units_path: str
    people_path: str
    add_path: str
    add_office_path: str
    below: tuple[tuple[Region, Label, str], ...]
    first: str
    following: str
    sheet: Sheet
    retire_path: str
    refusal: Label | None


@dataclass(frozen=True, slots=True)
class TreeView:
    """The regions that the reader administers, or those that a search found."""

    roots: tuple[tuple[Region, Label, str], ...]
    asked: str
    found: tuple[tuple[Match, str], ...]


@router.get(REGIONS)
async def tree(request: Request) -> Response:
    """Where the reader's regions begin; with `q` those of that name or code."""
    q = asked(request, "q")

    def build(tx: Tx, visitor: Visitor) -> Page:
        roots = [places.region(tx, path[-1]) for path in scope_of(visitor)]
        found = lookup.regions_called(tx, q, scope_of(visitor), active=False) if q else ()
        view = TreeView(tuple(_line(one) for one in roots), q, tuple((one, within(REGIONS, one.key)) for one in found))
        return Page(template="admin_regions.html", title=TITLE, view=view, crumbs=(HOME,))

    return await show_admin(request, build)


@router.get(REGIONS + "/new")
async def ask_for_new(request: Request) -> Response:
    """The form for a region below another."""
    parent = asked(request, "parent")

    def build(tx: Tx, visitor: Visitor) -> Page:
        return _new_page(tx, visitor, Typed({"parent": parent}))

    return await show_admin(request, build)


@router.post(REGIONS + "/new")
async def add(request: Request) -> Response:
    """Add a region."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        parent = found_in(tx, visitor, sent, "parent", "regions")
        new = handed_in(NewRegion, sent, *FIELDS, **({"parent": parent} if parent else {}))
        by = by_there(tx, visitor.caller, visitor.service, new.parent, "parent")
        added = places.add_region(tx, by, code=new.code, name=new.name, level=new.level, parent=new.parent)
        return Goto(within(REGIONS, added.code), "entry-added")

    return await change_admin(
        request, sent, work, lambda tx, visitor, error: _new_page(tx, visitor, Typed(sent, error))
    )


def _new_page(tx: Tx, visitor: Visitor, typed: Typed) -> Page:
    above = places.find_region(tx, typed.value("parent")) if typed.value("parent") else None
    levels = list(LEVELS)
    fitting = levels[levels.index(above.level) + 1 :] if above else levels[1:]
    entries = (
        find_entry(tx, visitor, typed, typed.entry("parent", "上级地区", "Region above", required=True), "regions"),
        typed.entry("level", "级别", "Level", kind="choice", required=True, options=tuple((one, LEVELS[one]) for one in fitting)),
        typed.entry(
            "code", "代码", "Code", required=True, longest=32,
            hint=Label(
                "有国家标准（GB/T 2260）代码的，请用标准代码；以后不能更改。",
                "The GB/T 2260 code where there is one; it cannot be changed later.",
            ),
        ),
        typed.entry("name", "名称", "Name", required=True),
    )  # fmt: skip
    draft = f"admin-region:{typed.value('parent')}"
    sheet = Sheet(
        action=f"{REGIONS}/new",
        entries=entries,
        button=NEW,
        refusal=typed.refusal(),
        draft=draft,
    )
    return Page(template="admin_new.html", title=NEW, view=sheet, crumbs=(HOME, TREE))


@router.get(REGIONS + "/{code}")
async def one(request: Request, code: str) -> Response:
    """One region."""
    after = asked(request, "after")

    def build(tx: Tx, visitor: Visitor) -> Page:
        region = ours(tx, visitor, code)
        return _page(tx, visitor, region, Typed({"name": region.name}), after)

    return await show_admin(request, build)


@router.post(REGIONS + "/{code}")
async def rename(request: Request, code: str) -> Response:
    """Give it another name."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        region = ours(tx, visitor, code)
        by = by_admin(visitor.caller, visitor.service, region.path)
        places.change_region(tx, by, region.code, {"name": sent.get("name")})
        return Goto(within(REGIONS, region.code), "entry-kept")

    return await change_admin(
        request, sent, work, lambda tx, visitor, error: _page(tx, visitor, ours(tx, visitor, code), Typed(sent, error))
    )


@router.post(REGIONS + "/{code}/active")
async def retire(request: Request, code: str) -> Response:
    """Retire it, or take it into use again."""
    sent = await sent_of(request)
    active = sent.get("active") == "1"

    def work(tx: Tx, visitor: Visitor) -> Goto:
        region = ours(tx, visitor, code)
        by = by_admin(visitor.caller, visitor.service, region.path)
        places.change_region(tx, by, region.code, {"active": active})
        return Goto(within(REGIONS, region.code), "entry-back" if active else "entry-retired")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        region = ours(tx, visitor, code)
        return _page(tx, visitor, region, Typed({"name": region.name}), refusal=error.label)

    return await change_admin(request, sent, work, again)


def ours(tx: Tx, visitor: Visitor, code: str) -> Region:
    """A region that the reader administers; raises NotFound."""
    region = places.region(tx, named(code))
    check_ours(visitor, region.path)
    return region


def _page(
    tx: Tx, visitor: Visitor, region: Region, typed: Typed, after: str = "", refusal: Label | None = None
) -> Page:  # fmt: skip
    here = within(REGIONS, region.code)
    below = places.regions(tx, parent=region.code, after=after or None, limit=AT_A_TIME)
    office = offices.office_of(tx, region.code)
    view = RegionView(
        region=region, level=LEVELS[region.level], office=office,
        office_path=within(OFFICES, office.id) if office else "",
        units_path=address(UNITS, region=region.code), people_path=address(PEOPLE, region=region.code),
        add_path=address(f"{REGIONS}/new", parent=region.code), add_office_path=address(f"{OFFICES}/new", region=region.code),
        below=tuple(_line(one) for one in below.items), first=here if after else "",
        following=address(here, after=below.next) if below.next else "",
        sheet=Sheet(
            action=here, entries=(typed.entry("name", "名称", "Name", required=True),),
            button=Label("保存", "Save"), refusal=typed.refusal(), sets=True,
        ),
        retire_path=f"{here}/active", refusal=refusal,
    )  # fmt: skip
    crumbs = (HOME, TREE, *way_to(tx, visitor, region.path[:-1]))
    return Page(template="admin_region.html", title=Label(region.name, region.name), view=view, crumbs=crumbs)


def way_to(tx: Tx, visitor: Visitor, path: Path) -> tuple[Crumb, ...]:
    """The regions on the way down to one, as far as the reader administers them."""
    mine = scope_of(visitor)
    held = [code for at, code in enumerate(path) if covers(mine, path[: at + 1])]
    called = names.of_regions(tx, held)
    return tuple(Crumb(Label(called[code], called[code]), within(REGIONS, code)) for code in held if code in called)


def _line(region: Region) -> tuple[Region, Label, str]:
    return region, LEVELS[region.level], within(REGIONS, region.code)
