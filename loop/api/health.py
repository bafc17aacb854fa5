"""Alive, ready, figures: what those ask who keep the service running. Outside /api/v1, without signing in."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from loop.api.answers import json_answer
from loop.api.deps import service_of
from loop.api.describe import refusals, said
from loop.api.metrics import Metrics
from loop.api.shapes import Shape
from loop.kernel.labels import Label
from loop.service import Service
from loop.store.faults import unavailable
from loop.store.schema import check_schema

router = APIRouter(tags=["health"])
PUBLIC: dict[str, Any] = {"security": []}
NO_BEAT = Label(
    "定时任务已停，期限不会运行；请重启服务，并查看日志中的 tick.failed。",
    "the scheduler has stopped, so that no deadline runs; restart the service and look for tick.failed in its log.",
)


class Alive(Shape):
    """The process answers."""

    status: Literal["ok"]


class Ready(Shape):
    """Everything needed is there. `scheduler` is `elsewhere` in a process without one, `resting` on a virtual clock."""

    status: Literal["ready"]
    database: Literal["sqlite", "postgresql"]
    scheduler: Literal["fresh", "elsewhere", "resting"]


@router.get("/healthz", summary="Alive", openapi_extra=PUBLIC, responses=said(Alive))
async def healthz() -> Response:
    """Asks nothing of anything else."""
    return json_answer({"status": "ok"}).response()


@router.get("/readyz", summary="Ready to serve", openapi_extra=PUBLIC, responses={**said(Ready), **refusals(503)})
async def readyz(request: Request) -> Response:
    """The database is reachable, its schema is this program's, the scheduler beats; else 503 with what to do."""
    service = service_of(request)
    await asyncio.to_thread(check_schema, service.store)
    return json_answer(
        {"status": "ready", "database": service.store.dialect, "scheduler": _scheduler(service)}
    ).response()


def _scheduler(service: Service) -> str:
    if service.engine.clock.virtual:
        return "resting"
    if service.beat is None:
        return "elsewhere"
    if not service.beat.fresh():
        raise unavailable(NO_BEAT)
    return "fresh"


@router.get(
    "/metrics", summary="Figures for Prometheus", openapi_extra=PUBLIC,
    responses={200: {"description": "Figures", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)  # fmt: skip
async def metrics(request: Request) -> Response:
    """Requests by route, outbox, timers."""
    kept: Metrics = request.app.state.metrics
    body = await asyncio.to_thread(generate_latest, kept.registry)
    return Response(body, media_type=CONTENT_TYPE_LATEST)
