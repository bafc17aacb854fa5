"""Regions, offices and units: read within scope, made and changed by administrators, never deleted but deactivated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import Caller
from loop.api import registry_shapes as shapes
from loop.api.answers import Answer, json_answer, listed
from loop.api.calls import changes, looking, made_at, posting, sending, taking
from loop.api.deps import query_of, service_of
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, said
from loop.authority import by_admin, by_there, regions_of, seen_office, seen_region, seen_unit, units_of
from loop.kernel.people import ADMIN
from loop.kernel.registration import ChangedOffice, ChangedRegion, ChangedUnit, NewOffice, NewRegion, NewUnit
from loop.store import offices, places
from loop.store.offices import Office
from loop.store.places import Region, Unit
from loop.store.session import Tx

router = APIRouter(tags=["registry"])

# ---- regions -------------------------------------------------------------------------------------------------------


def region_view(region: Region) -> dict[str, Any]:
    """A region as answers show it."""
    return {
        "code": region.code, "name": region.name, "level": region.level, "parent": region.parent,
        "path": list(region.path), "active": region.active,
    }  # fmt: skip


@router.get(
    "/regions", summary="The regions in scope", openapi_extra=parameters(shapes.RegionQuery),
    responses={**said(shapes.RegionList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_regions(request: Request) -> Response:
    """Regions in the order of their codes."""

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, shapes.RegionQuery)
        page = places.regions(
            tx, parent=asked.parent, level=asked.level, active=asked.active, within=regions_of(caller.actor),
            after=asked.after, limit=asked.limit,
        )  # fmt: skip
        return listed([region_view(region) for region in page.items], page.next)

    return await looking(request, work)


@router.get("/regions/{code}", summary="One region", responses={**said(shapes.RegionOut), **REFUSALS_OF_READING})
async def read_region(request: Request, code: str) -> Response:
    """A region in scope, or one that holds the scope."""
    return await looking(request, lambda tx, caller: json_answer(region_view(seen_region(tx, caller.actor, code))))


@router.post(
    "/regions", status_code=201, summary="Add a region",
    openapi_extra=taking(NewRegion, {"code": "330106", "name": "云溪县", "level": "county", "parent": "330100"}),
    responses={**made(shapes.RegionOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def add_region(request: Request) -> Response:
    """An administrator adds a region below one of their own."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], NewRegion]) -> Answer:
        new = read()
        by = by_there(tx, caller, service, new.parent, "parent")
        added = places.add_region(tx, by, code=new.code, name=new.name, level=new.level, parent=new.parent)
        return made_at(f"regions/{added.code}", region_view(added))

    return await posting(request, NewRegion, work, ADMIN)


@router.patch(
    "/regions/{code}", summary="Rename or deactivate a region", openapi_extra=sending(ChangedRegion, {"name": "云溪区"}),
    responses={**said(shapes.RegionOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_region(request: Request, code: str) -> Response:
    """An administrator changes a region of their own; one that holds something active cannot be deactivated."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], ChangedRegion]) -> Answer:
        region = seen_region(tx, caller.actor, code)
        by = by_admin(caller, service, region.path)
        return json_answer(region_view(places.change_region(tx, by, region.code, changes(read()))))

    return await posting(request, ChangedRegion, work)


# ---- offices -------------------------------------------------------------------------------------------------------


def office_view(office: Office) -> dict[str, Any]:
    """An office as answers show it."""
    return {
        "id": office.id, "code": office.code, "region": office.region[-1], "name": office.name,
        "doc_prefix": office.doc_prefix, "superior": office.superior_id, "active": office.active,
    }  # fmt: skip


@router.get(
    "/offices", summary="The supervision offices in scope", openapi_extra=parameters(shapes.PageQuery),
    responses={**said(shapes.OfficeList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_offices(request: Request) -> Response:
    """Offices in the order of their ids."""

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, shapes.PageQuery)
        page = offices.offices(
            tx, active=asked.active, within=regions_of(caller.actor), after=asked.after, limit=asked.limit
        )
        return listed([office_view(office) for office in page.items], page.next)

    return await looking(request, work)


@router.get("/offices/{office}", summary="One office", responses={**said(shapes.OfficeOut), **REFUSALS_OF_READING})
async def read_office(request: Request, office: str) -> Response:
    """An office in scope, or one above it; by its id or its code."""
    return await looking(request, lambda tx, caller: json_answer(office_view(seen_office(tx, caller.actor, office))))


@router.post(
    "/offices", status_code=201, summary="Add the office of a region",
    openapi_extra=taking(
        NewOffice, {"code": "YX", "region": "330106", "name": "云溪县人民政府教育督导办公室", "doc_prefix": "云教督"}
    ),
    responses={**made(shapes.OfficeOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def add_office(request: Request) -> Response:
    """An administrator adds the office of a region that has none; offices below it get it as their superior."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], NewOffice]) -> Answer:
        new = read()
        by = by_there(tx, caller, service, new.region, "region")
        added = offices.add_office(tx, by, code=new.code, region=new.region, name=new.name, doc_prefix=new.doc_prefix)
        return made_at(f"offices/{added.id}", office_view(added))

    return await posting(request, NewOffice, work, ADMIN)


@router.patch(
    "/offices/{office}", summary="Change or deactivate an office",
    openapi_extra=sending(ChangedOffice, {"doc_prefix": "云政教督"}),
    responses={**said(shapes.OfficeOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_office(request: Request, office: str) -> Response:
    """An administrator changes an office of their own region."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], ChangedOffice]) -> Answer:
        before = seen_office(tx, caller.actor, office)
        by = by_admin(caller, service, before.region)
        return json_answer(office_view(offices.change_office(tx, by, before.id, changes(read()))))

    return await posting(request, ChangedOffice, work)


# ---- units ---------------------------------------------------------------------------------------------------------


def unit_view(unit: Unit) -> dict[str, Any]:
    """A unit as answers show it."""
    return {
        "id": unit.id, "name": unit.name, "kind": unit.kind, "region": unit.region, "department": unit.department_id,
        "active": unit.active,
    }  # fmt: skip


@router.get(
    "/units", summary="The units in scope", openapi_extra=parameters(shapes.UnitQuery),
    responses={**said(shapes.UnitList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_units(request: Request) -> Response:
    """Units of the caller's regions; a unit sees itself, a department also those it governs."""

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, shapes.UnitQuery)
        page = places.units(
            tx, region=asked.region, kind=asked.kind, department_id=asked.department, q=asked.q, active=asked.active,
            within=regions_of(caller.actor), own=units_of(caller.actor), after=asked.after, limit=asked.limit,
        )  # fmt: skip
        return listed([unit_view(unit) for unit in page.items], page.next)

    return await looking(request, work)


@router.get("/units/{unit}", summary="One unit", responses={**said(shapes.UnitWhole), **REFUSALS_OF_READING})
async def read_unit(request: Request, unit: str) -> Response:
    """A unit in scope."""
    return await looking(request, lambda tx, caller: json_answer(unit_view(seen_unit(tx, caller.actor, unit)[0])))


@router.post(
    "/units", status_code=201, summary="Add a unit",
    openapi_extra=taking(NewUnit, {"name": "桐峰镇中心小学", "kind": "school", "region": "330106001"}),
    responses={**made(shapes.UnitWhole), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def add_unit(request: Request) -> Response:
    """An administrator adds a school, a department or a government in a region of their own."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], NewUnit]) -> Answer:
        new = read()
        by = by_there(tx, caller, service, new.region, "region")
        added = places.add_unit(tx, by, name=new.name, kind=new.kind, region=new.region, department_id=new.department)
        return made_at(f"units/{added.id}", unit_view(added))

    return await posting(request, NewUnit, work, ADMIN)


@router.patch(
    "/units/{unit}", summary="Change or deactivate a unit", openapi_extra=sending(ChangedUnit, {"active": False}),
    responses={**said(shapes.UnitWhole), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_unit(request: Request, unit: str) -> Response:
    """An administrator changes a unit of their own region; findings opened before keep their region and department."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], ChangedUnit]) -> Answer:
        before, path = seen_unit(tx, caller.actor, unit)
        by = by_admin(caller, service, path)
        wanted = changes(read(), "department")
        if "region" in wanted:
            by_there(tx, caller, service, str(wanted["region"]), "region")
        if "department" in wanted:
            wanted["department_id"] = wanted.pop("department")
        return json_answer(unit_view(places.change_unit(tx, by, before.id, wanted)))

    return await posting(request, ChangedUnit, work)
