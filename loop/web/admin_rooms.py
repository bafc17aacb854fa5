"""All routes of the administration, in one list."""

from __future__ import annotations

from fastapi import APIRouter

from loop.web import admin, admin_find, admin_offices, admin_regions, admin_units

ROUTERS: tuple[APIRouter, ...] = (
    admin.router, admin_find.router, admin_regions.router, admin_offices.router, admin_units.router
)  # fmt: skip
