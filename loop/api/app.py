"""The application: routers under /api/v1, refusals as problem documents, the outermost layer, the OpenAPI document."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from loop.api import (
    audit,
    batches,
    channels,
    clockface,
    deliveries,
    documents,
    evidence,
    exchange,
    feed,
    findings,
    health,
    history,
    inbox,
    people,
    preferences,
    problems,
    registry,
    session,
    statistics,
    supervisions,
    tip_offs,
    tokens,
    webhooks,
    workflow,
)
from loop.api.edge import Edge
from loop.api.metrics import Measured, Metrics
from loop.api.openapi import document_of
from loop.service import Service

PREFIX = "/api/v1"
ROUTERS: tuple[APIRouter, ...] = (
    evidence.router,
    findings.router,
    batches.router,
    history.router,
    documents.router,
    workflow.router,
    session.router,
    inbox.router,
    preferences.router,
    deliveries.router,
    channels.router,
    webhooks.router,
    feed.router,
    registry.router,
    people.router,
    tokens.router,
    supervisions.router,
    tip_offs.router,
    statistics.router,
    exchange.router,
    clockface.router,
    audit.router,
)
"""Everything under `PREFIX`; an address that two could take goes to the first."""
ROOT_ROUTERS: tuple[APIRouter, ...] = (health.router,)
"""What stands outside: health and metrics."""
FORM_OVERHEAD = 64 * 1024


def create_app(service: Service) -> FastAPI:
    """The API over these running parts."""
    app = FastAPI(
        title="整改闭环 · The rectification loop", version="1", openapi_url="/openapi.json", docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    app.state.service = service
    app.router.routes.extend(_routes())
    problems.install(app)
    app.openapi = lambda: document_of(app, service.book.workflow)  # type: ignore[method-assign]
    app.state.metrics = Metrics(service)
    app.add_middleware(Edge, limit_of=lambda path: _limit(service, path))
    app.add_middleware(Measured, metrics=app.state.metrics, prefix=PREFIX)
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every route, worked out once in a process: none of them knows which application it belongs to."""
    whole = APIRouter()
    for router in ROUTERS:
        whole.include_router(router, prefix=PREFIX)
    for router in ROOT_ROUTERS:
        whole.include_router(router)
    return tuple(whole.routes)


PAGES_WITH_FILES = ("/findings/new", "/findings/take-over")
FILES_IN_A_FORM = 4
"""A page's form takes several files at once, together as large as so many of the largest."""


def _limit(service: Service, path: str) -> int:
    """Files have a limit of their own, and a form around them. Pages read forms with files from people they know alone."""
    if path in PAGES_WITH_FILES or (path.startswith("/findings/") and "/actions/" in path):
        return FILES_IN_A_FORM * service.policy.upload_limit + FORM_OVERHEAD
    if path.endswith(("/attachments", "/actions/attach")):
        return service.policy.upload_limit + FORM_OVERHEAD
    if path.endswith("/ledger/import"):
        return exchange.LARGEST + FORM_OVERHEAD
    return service.policy.body_limit
