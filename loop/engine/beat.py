"""The heartbeat: APScheduler calls the sweep and the outbox every few seconds. What is due lives in rows, not in jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from loop.engine.door import Engine
from loop.engine.outbox import Outbox
from loop.engine.reconcile import Reconciliation
from loop.engine.sweep import tick
from loop.store import accounts, links, requests, tallies
from loop.store.session import Tx

LOG = structlog.get_logger(__name__)


TIDY_MINUTES = 60
"""How often answers to repeated requests, ended sessions and expired links are cleared away."""
RECONCILE_MINUTES = 10
"""How often gaps in what people were told are looked for."""


class Beat:
    """Four interval jobs in memory; any number of nodes may beat against one database."""

    def __init__(
        self, engine: Engine, outbox: Outbox, reconciliation: Reconciliation, *, seconds: float, keep: timedelta,
        refresh: Callable[[], object] | None = None,
    ) -> None:  # fmt: skip
        """`refresh` takes over what other processes have changed that is held in memory; it runs before each sweep."""
        self._refresh = refresh
        self._engine, self._outbox, self._reconciliation = engine, outbox, reconciliation
        self._seconds, self._keep = seconds, keep
        self._last: datetime | None = None
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._scheduler.add_job(self._tick, "interval", seconds=seconds, id="tick")
        self._scheduler.add_job(self._drain, "interval", seconds=seconds, id="drain")
        self._scheduler.add_job(self._reconcile, "interval", minutes=RECONCILE_MINUTES, id="reconcile")
        self._scheduler.add_job(self._tidy, "interval", minutes=TIDY_MINUTES, id="tidy")

    def start(self) -> None:
        """Beat until stopped; the first sweep runs before this returns, so that readiness shows at once."""
        self._tick()
        self._scheduler.start()

    def stop(self) -> None:
        """Let a beat that is under way finish, then rest."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def fresh(self) -> bool:
        """Whether the last sweep is recent: a stopped heart must show."""
        allowed = timedelta(seconds=max(10 * self._seconds, 60))
        return self._last is not None and datetime.now(UTC) - self._last < allowed

    def _tick(self) -> None:
        try:
            if self._refresh:
                self._refresh()
            struck = tick(self._engine)
        except Exception:
            LOG.exception("tick.failed")
            return
        self._last = datetime.now(UTC)
        if struck:
            LOG.info("tick.ran", points=len(struck))
        self._fold()

    def _fold(self) -> None:
        try:
            tallies.fold(self._engine.store, self._engine.book.calendar.zone)
        except Exception:
            LOG.exception("fold.failed")

    def _drain(self) -> None:
        try:
            sent = self._outbox.drain()
        except Exception:
            LOG.exception("drain.failed")
            return
        if sent:
            LOG.info("outbox.sent", messages=sent)

    def _reconcile(self) -> None:
        try:
            healed = self._reconciliation.run()
        except Exception:
            LOG.exception("reconcile.failed")
            return
        if healed:
            LOG.info("gaps.healed", gaps=healed)

    def _tidy(self) -> None:
        try:
            self._engine.store.write(self._forget)
        except Exception:
            LOG.exception("tidy.failed")

    def _forget(self, tx: Tx) -> None:
        real = datetime.now(UTC)
        requests.forget_before(tx, real - self._keep)
        accounts.forget_sessions(tx, real)
        links.forget_before(tx, real - self._keep)
