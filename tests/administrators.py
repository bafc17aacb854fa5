"""Administrators of the country and of one county, and what they look up."""

from __future__ import annotations

import pytest

from loop.store import journal, places, staff
from tests.browsing import Browser, Pages
from tests.cast import COUNTY, ROOT, START
from tests.web import HASHED


@pytest.fixture
async def admin(pages: Pages) -> Browser:
    """The administrator of the whole country."""
    return await pages.browser("admin")


@pytest.fixture
async def county_admin(pages: Pages) -> Browser:
    """An administrator of one county only."""
    store = pages.world.parts.store
    person, _ = store.write(
        lambda tx: staff.enrol(
            tx,
            ROOT,
            name="county_admin",
            full_name="县管理员",
            role="admin",
            region=COUNTY,
            from_on=START.date(),
            password=HASHED,
        )
    )
    pages.world.cast.ids["county_admin"] = person.id
    return await pages.browser("county_admin")


def unit_named(pages: Pages, name: str) -> str:
    found = pages.world.parts.store.read(lambda tx: places.units(tx, q=name).items)
    assert [one.name for one in found] == [name]
    return found[0].id


def entries(pages: Pages) -> list[str]:
    return [entry.action for entry in pages.world.parts.store.read(lambda tx: journal.trail(tx, "people"))]
