"""All routes of the administration, in one list."""

from __future__ import annotations

from fastapi import APIRouter

from loop.web import (
    admin,
    admin_calendar,
    admin_find,
    admin_leaving,
    admin_notice,
    admin_offices,
    admin_people,
    admin_person,
    admin_regions,
    admin_rules,
    admin_substitutes,
    admin_tokens,
    admin_units,
)

ROUTERS: tuple[APIRouter, ...] = (
    admin.router, admin_find.router, admin_regions.router, admin_offices.router, admin_units.router, admin_people.router,
    admin_person.router, admin_substitutes.router, admin_leaving.router, admin_calendar.router, admin_notice.router,
    admin_rules.router, admin_tokens.router,
)  # fmt: skip
