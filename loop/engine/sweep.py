"""The sweep: finds what is due in the database and lets each finding take it, in the order in which it fell due."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import datetime
from functools import partial

import structlog

from loop.engine.door import Engine
from loop.engine.strike import Struck
from loop.store import timers
from loop.store.session import Tx
from loop.store.timers import Due

LOG = structlog.get_logger(__name__)
BATCH = 200


def tick(engine: Engine) -> list[Struck]:
    """Take everything that is due now on every finding; answers what ran. Any number of nodes may do this at once."""
    struck: list[Struck] = []
    for chains in _due_chains(engine):
        waiting: list[tuple[str, Future[list[Struck]]]] = [
            (chain, engine.store.submit(partial(strike, engine, chain=chain))) for chain in chains
        ]
        for chain, future in waiting:
            try:
                struck.extend(future.result())
            except Exception:
                LOG.exception("sweep.failed", finding=chain)
    return sorted(struck, key=lambda s: (s.due_at, s.number))


def strike(engine: Engine, tx: Tx, *, chain: str) -> list[Struck]:
    """Take what is due on one chain: a finding's, or that of a supervision or tip-off."""
    if ":" in chain:
        return engine.side.strike(tx, chain, engine.clock.now(tx))
    return engine.striker.strike_number(tx, chain)


def _due_chains(engine: Engine) -> Iterator[list[str]]:
    """Batches of chains with something due, each chain once, keyset by (next_at, id) without a lock."""
    after: tuple[datetime, str] | None = None
    seen: set[str] = set()
    while True:
        page = engine.store.read(partial(_page, engine, after=after))
        fresh = list(dict.fromkeys(due.chain for due in page if due.chain not in seen))
        seen.update(fresh)
        if fresh:
            yield fresh
        if len(page) < BATCH:
            return
        after = (page[-1].next_at, page[-1].id)


def _page(engine: Engine, tx: Tx, *, after: tuple[datetime, str] | None) -> list[Due]:
    return timers.due(tx, engine.clock.now(tx), limit=BATCH, after=after)
