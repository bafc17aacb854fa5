"""Finding a region or a unit by its name while typing, and the entries of forms that take one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.labels import Label
from loop.kernel.people import DEPARTMENT
from loop.store.lookup import Match, regions_called, units_called
from loop.store.paging import storable
from loop.store.session import Tx
from loop.web.admin import ADMIN_PLACE, LONGEST, scope_of, show_admin
from loop.web.admin_sheets import PICKED, Entry, Typed, picked
from loop.web.page import Page, Visitor
from loop.web.sent import Sent

router = APIRouter()
PLACE = f"{ADMIN_PLACE}/find"
NO_REGION = Label("您管理的范围内没有这个地区。", "There is no such region within what you administer.")
NO_UNIT = Label("您管理的范围内没有这个单位。", "There is no such unit within what you administer.")
NO_DEPARTMENT = Label("没有这个主管部门。", "There is no such department.")
TYPE_IT = Label("填写名称或代码。", "Type its name or its code.")
Find = Callable[[str], Sequence[Match]]


@dataclass(frozen=True, slots=True)
class OptionsView:
    """What fits what was typed so far."""

    matches: tuple[Match, ...]


@router.get(PLACE + "/{sort}")
async def options(request: Request, sort: str) -> Response:
    """Options for a field, without a frame."""
    typed = next((value for _, value in request.query_params.multi_items()), "")[:LONGEST]

    def build(tx: Tx, visitor: Visitor) -> Page:
        found = tuple(finder(tx, visitor, sort)(typed)) if storable(typed) else ()
        return Page(template="admin_options.html", title=Label("", ""), view=OptionsView(found))

    return await show_admin(request, build)


def finder(tx: Tx, visitor: Visitor, sort: str) -> Find:
    """What looks for regions, units or departments that the reader may name."""
    if sort == "regions":
        return lambda text: regions_called(tx, text, scope_of(visitor))
    if sort == "departments":
        # A county's schools may be governed by a department of the city, so these are found everywhere.
        return lambda text: units_called(tx, text, None, kind=DEPARTMENT)
    return lambda text: units_called(tx, text, scope_of(visitor))


def find_entry(tx: Tx, visitor: Visitor, typed: Typed, entry: Entry, sort: str) -> Entry:
    """`entry` as one that takes a place by its name; where what was typed fits several, with these."""
    found = tuple(finder(tx, visitor, sort)(entry.value)) if entry.wrong and entry.value else ()
    return replace(
        entry, kind="find", finds=f"{PLACE}/{sort}", hint=entry.hint or TYPE_IT, picked=typed.value(entry.name + PICKED),
        candidates=found if len(found) > 1 else (),
    )  # fmt: skip


def found_in(tx: Tx, visitor: Visitor, sent: Sent, name: str, sort: str) -> str:
    """The code or id of what was typed in an entry, empty where nothing was; raises Invalid."""
    none = {"regions": NO_REGION, "departments": NO_DEPARTMENT}.get(sort, NO_UNIT)
    return picked(sent, name, finder(tx, visitor, sort), none)
