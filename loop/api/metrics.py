"""Figures for Prometheus: requests by route and status, how long they took, what is owed and what is due."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loop.kernel.errors import LoopError
from loop.service import Service
from loop.store import deliveries, gaps, mailbox, timers

UNMATCHED = "unmatched"
"""Stands for every address that no route has, so that strangers cannot make new series."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The figures of one application."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter("loop_requests", "Requests answered.", (*labels, "status"), registry=self.registry)
        self._seconds = Histogram(
            "loop_request_seconds", "Time until the answer was sent.", labels, registry=self.registry
        )
        self.registry.register(_Rows(service))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request answered."""
        name = method if method in _METHODS else "OTHER"
        self._requests.labels(name, route, str(status)).inc()
        self._seconds.labels(name, route).observe(seconds)


class _Rows(Collector):
    """What the database says at the moment of asking; nothing where it cannot be asked, so that the rest is told still."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        engine = self._service.engine
        try:
            owed, letters, dead, missed, due = engine.store.read(
                lambda tx: (
                    mailbox.owed_count(tx), deliveries.owed_count(tx), deliveries.dead_count(tx), gaps.open_count(tx),
                    timers.due_count(tx, engine.clock.now(tx)),
                )
            )  # fmt: skip
        except LoopError:
            return
        yield GaugeMetricFamily("loop_outbox_owed", "Messages whose copies are yet to be made out.", value=owed)
        yield GaugeMetricFamily("loop_deliveries_owed", "Letters formed that wait to be sent.", value=letters)
        yield GaugeMetricFamily("loop_deliveries_dead", "Letters given up.", value=dead)
        yield GaugeMetricFamily("loop_gaps_open", "Steps that did not reach whom they should.", value=missed)
        yield GaugeMetricFamily("loop_timers_due", "Timers due and not yet run, counted to a thousand.", value=due)

    def describe(self) -> Iterable[Metric]:
        return ()


class Measured:
    """Counts every request under the template of its route; `prefix` stands before routes that were included under it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, prefix: str) -> None:
        self._app, self._metrics, self._prefix = app, metrics, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and count one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._metrics.count(scope["method"], self._route(scope), status, time.perf_counter() - begun)

    def _route(self, scope: Scope) -> str:
        template = getattr(scope.get("route"), "path", None)
        if template is None:
            return UNMATCHED
        inside = scope["path"].startswith(f"{self._prefix}/") and not template.startswith(self._prefix)
        return f"{self._prefix}{template}" if inside else str(template)
