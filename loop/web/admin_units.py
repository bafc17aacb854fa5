"""Supervised units: schools, departments and governments, with their region and the department that governs them."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import by_admin, by_there, named, path_of_region
from loop.kernel.errors import LoopError
from loop.kernel.labels import Label
from loop.kernel.people import Path
from loop.kernel.registration import UNIT_KINDS, NewUnit
from loop.store import lookup, names, places
from loop.store.places import Unit
from loop.store.session import Tx
from loop.web.admin import (
    AT_A_TIME,
    HOME,
    PEOPLE,
    REGIONS,
    UNITS,
    address,
    asked,
    change_admin,
    check_ours,
    chosen,
    reach_of,
    scope_of,
    show_admin,
    within,
)
from loop.web.admin_find import find_entry, found_in
from loop.web.admin_sheets import PICKED, Entry, Sheet, Typed, handed_in
from loop.web.page import Crumb, Goto, Page, Visitor
from loop.web.sent import Sent, sent_of

router = APIRouter()
TITLE, NEW = Label("单位", "Units"), Label("添加单位", "Add a unit")
LIST = Crumb(TITLE, UNITS)
STATES = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Line:
    """One unit in the list."""

    unit: Unit
    kind: Label
    region: str
    department: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsView:
    """A page of units, and what was asked."""

    lines: tuple[Line, ...]
    asked: str
    kind: str
    kinds: tuple[tuple[str, Label], ...]
    active: str
    region: str
    region_name: str
    first: str
    following: str
    add_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitView:
    """One unit with its form."""

    unit: Unit
    kind: Label
    region: str
    region_path: str
    department: str
    people_path: str
    add_path: str
    sheet: Sheet
    retire_path: str
    refusal: Label | None


@router.get(UNITS)
async def listed(request: Request) -> Response:
    """The units that the reader administers, by name, kind and region."""
    q, kind, active = asked(request, "q"), chosen(request, "kind", UNIT_KINDS), chosen(request, "active", STATES)
    region, after = asked(request, "region"), asked(request, "after")

    def build(tx: Tx, visitor: Visitor) -> Page:
        page = places.units(
            tx, region=region or None, kind=kind or None, q=q, active=STATES.get(active), within=reach_of(visitor),
            after=after or None, limit=AT_A_TIME,
        )  # fmt: skip
        first = address(UNITS, q=q, kind=kind, active=active, region=region)
        following = address(UNITS, q=q, kind=kind, active=active, region=region, after=page.next)
        view = UnitsView(
            lines=_lines(tx, page.items), asked=q, kind=kind, kinds=tuple(UNIT_KINDS.items()), active=active, region=region,
            region_name=lookup.region_name(tx, region, scope_of(visitor)), first=first if after else "",
            following=following if page.next else "", add_path=address(f"{UNITS}/new", region=region),
        )  # fmt: skip
        return Page(template="admin_units.html", title=TITLE, view=view, crumbs=(HOME,))

    return await show_admin(request, build)


def _lines(tx: Tx, found: tuple[Unit, ...]) -> tuple[Line, ...]:
    regions = names.of_regions(tx, (one.region for one in found))
    governing = names.of_units(tx, (one.department_id or "" for one in found))
    return tuple(
        Line(
            one, UNIT_KINDS[one.kind], regions.get(one.region, ""), governing.get(one.department_id or "", ""),
            within(UNITS, one.id),
        )
        for one in found
    )  # fmt: skip


@router.get(UNITS + "/new")
async def ask_for_new(request: Request) -> Response:
    """The form for a new unit."""
    region = asked(request, "region")
    return await show_admin(request, lambda tx, visitor: _new_page(tx, visitor, Typed({"region": region})))


@router.post(UNITS + "/new")
async def add(request: Request) -> Response:
    """Add a unit."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        new = handed_in(NewUnit, sent, "name", "kind", **_places(tx, visitor, sent))
        by = by_there(tx, visitor.caller, visitor.service, new.region, "region")
        added = places.add_unit(tx, by, name=new.name, kind=new.kind, region=new.region, department_id=new.department)
        return Goto(within(UNITS, added.id), "entry-added")

    return await change_admin(
        request, sent, work, lambda tx, visitor, error: _new_page(tx, visitor, Typed(sent, error))
    )


def _places(tx: Tx, visitor: Visitor, sent: Sent) -> dict[str, str]:
    """The region and the department that were typed, where any were."""
    found = {
        "region": found_in(tx, visitor, sent, "region", "regions"),
        "department": found_in(tx, visitor, sent, "department", "departments"),
    }
    return {name: key for name, key in found.items() if key}


def _new_page(tx: Tx, visitor: Visitor, typed: Typed) -> Page:
    draft = f"admin-unit:{typed.value('region')}"
    sheet = Sheet(
        action=f"{UNITS}/new",
        entries=_entries(tx, visitor, typed),
        button=NEW,
        refusal=typed.refusal(),
        draft=draft,
    )
    return Page(template="admin_new.html", title=NEW, view=sheet, crumbs=(HOME, LIST))


def _entries(tx: Tx, visitor: Visitor, typed: Typed) -> tuple[Entry, ...]:
    region = typed.entry("region", "地区", "Region", required=True)
    department = typed.entry(
        "department", "主管部门", "Department that governs it",
        hint=Label("填写名称或编号；没有的留空。", "Its name or id; leave empty where there is none."),
    )  # fmt: skip
    return (
        typed.entry("name", "名称", "Name", required=True),
        typed.entry("kind", "性质", "Kind", kind="choice", required=True, options=tuple(UNIT_KINDS.items())),
        find_entry(tx, visitor, typed, region, "regions"),
        find_entry(tx, visitor, typed, department, "departments"),
    )  # fmt: skip


@router.get(UNITS + "/{unit}")
async def one(request: Request, unit: str) -> Response:
    """One unit."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        found, _ = _ours(tx, visitor, unit)
        return _page(tx, visitor, found, Typed(_standing(tx, found)))

    return await show_admin(request, build)


@router.post(UNITS + "/{unit}")
async def keep(request: Request, unit: str) -> Response:
    """Change it; findings opened before keep their region and department."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        before, path = _ours(tx, visitor, unit)
        by = by_admin(visitor.caller, visitor.service, path)
        given = _places(tx, visitor, sent)
        wanted = handed_in(NewUnit, sent, "name", "kind", **given)
        by_there(tx, visitor.caller, visitor.service, wanted.region, "region")
        changes = {
            "name": wanted.name,
            "kind": wanted.kind,
            "region": wanted.region,
            "department_id": wanted.department,
        }
        places.change_unit(tx, by, before.id, changes)
        return Goto(within(UNITS, before.id), "entry-kept")

    return await change_admin(
        request,
        sent,
        work,
        lambda tx, visitor, error: _page(tx, visitor, _ours(tx, visitor, unit)[0], Typed(sent, error)),
    )


@router.post(UNITS + "/{unit}/active")
async def retire(request: Request, unit: str) -> Response:
    """Retire it, or take it into use again."""
    sent = await sent_of(request)
    active = sent.get("active") == "1"

    def work(tx: Tx, visitor: Visitor) -> Goto:
        found, path = _ours(tx, visitor, unit)
        places.change_unit(tx, by_admin(visitor.caller, visitor.service, path), found.id, {"active": active})
        return Goto(within(UNITS, found.id), "entry-back" if active else "entry-retired")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        found, _ = _ours(tx, visitor, unit)
        return _page(tx, visitor, found, Typed(_standing(tx, found)), error.label)

    return await change_admin(request, sent, work, again)


def _ours(tx: Tx, visitor: Visitor, id_: str) -> tuple[Unit, Path]:
    unit = places.unit(tx, named(id_))
    path = path_of_region(tx, unit.region)
    check_ours(visitor, path)
    return unit, path


def _standing(tx: Tx, unit: Unit) -> dict[str, str]:
    governing = unit.department_id or ""
    return {
        "name": unit.name, "kind": unit.kind, "region": names.of_regions(tx, [unit.region]).get(unit.region, unit.region),
        "region" + PICKED: unit.region, "department": names.of_units(tx, [governing]).get(governing, ""),
        "department" + PICKED: governing,
    }  # fmt: skip


def _page(tx: Tx, visitor: Visitor, unit: Unit, typed: Typed, refusal: Label | None = None) -> Page:
    here, standing = within(UNITS, unit.id), _standing(tx, unit)
    view = UnitView(
        unit=unit, kind=UNIT_KINDS[unit.kind], region=standing["region"], region_path=within(REGIONS, unit.region),
        department=standing["department"], people_path=address(PEOPLE, unit=unit.id),
        add_path=address(f"{PEOPLE}/new", unit=unit.id),
        sheet=Sheet(
            action=here, entries=_entries(tx, visitor, typed), button=Label("保存", "Save"), refusal=typed.refusal(),
            sets=True,
        ),
        retire_path=f"{here}/active", refusal=refusal,
    )  # fmt: skip
    return Page(template="admin_unit.html", title=Label(unit.name, unit.name), view=view, crumbs=(HOME, LIST))
