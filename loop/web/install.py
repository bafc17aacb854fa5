"""Puts the pages on an application: their routes, their files, their refusals. The API beside them is left as it is."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from loop.service import Service
from loop.web import (
    acting,
    admin_rooms,
    attachment,
    audit,
    board,
    bulk,
    clock,
    desk,
    finding,
    inbox,
    language,
    leader,
    ledger,
    ledger_views,
    opening,
    paper,
    profile,
    profile_access,
    profile_password,
    profile_substitutes,
    profile_wishes,
    public,
    public_results,
    public_state,
    recusals,
    sign_in,
    supervisions,
    supervisions_kept,
    telling_channels,
    telling_deliveries,
    telling_gaps,
    telling_webhooks,
    tip_offs,
    virtual_clock,
    workflow,
)
from loop.web.assets import Shelf
from loop.web.refusals import refused
from loop.web.render import Renderer

ROUTERS: tuple[APIRouter, ...] = (
    language.router, leader.router, sign_in.router, desk.router, inbox.router,
    bulk.router, virtual_clock.router, opening.router, finding.router, acting.router, clock.router, paper.router,
    attachment.router,
    ledger.router, ledger_views.router, supervisions_kept.router, supervisions.router, board.router, workflow.router,
    profile.router, profile_password.router, profile_substitutes.router, profile_wishes.router, profile_access.router,
    recusals.router,
    public.router, public_state.router, public_results.router,
    tip_offs.router, audit.router,
    telling_channels.router, telling_deliveries.router, telling_gaps.router, telling_webhooks.router,
    *admin_rooms.ROUTERS,
)  # fmt: skip
"""Every page; an address that two could take goes to the first."""


def install(app: FastAPI, service: Service) -> None:
    """Serve the pages of `service` by `app`, which has its `state.service`."""
    shelf = Shelf()
    app.state.service = service
    app.state.renderer = Renderer(shelf.addresses)
    app.state.pages = refused
    app.router.routes.append(shelf.route())
    app.router.routes.extend(_routes())


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every page's route, worked out once in a process: none of them knows which application it belongs to."""
    whole = APIRouter()
    for router in ROUTERS:
        whole.include_router(router, include_in_schema=False)
    return tuple(whole.routes)
