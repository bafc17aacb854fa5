"""Several workers see to telling people at once: nobody is told twice of what one telling makes good."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from loop import bootstrap
from loop.bootstrap import Parts
from loop.engine.verify import verify
from loop.store import staff
from loop.store.session import Tx
from tests.cast import COUNTY, ROOT
from tests.postal import postal_settings
from tests.world import World

ENOUGH = 60
"""Seconds after which a worker that should have come to an end is given up."""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def held(url: str, number: str, workers: int) -> Iterator[None]:
    """Somebody keeps a finding to themselves until so many workers wait for it."""
    address = url.replace("+psycopg", "")
    with psycopg.connect(address) as holder, psycopg.connect(address, autocommit=True) as watch:
        holder.execute("SELECT 1 FROM finding WHERE number = %s FOR UPDATE", [number])
        yield
        pause = threading.Event()
        for _ in range(400):
            row = watch.execute(WAITING).fetchone()
            if row and row[0] >= workers:
                return
            pause.wait(0.01)
        raise AssertionError(f"{workers} workers never came to wait for {number}")


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_two_workers_that_reconcile_together_tell_a_successor_once(database_url: str, tmp_path: Path) -> None:
    settings = postal_settings(database_url, tmp_path)
    world = World(settings)
    other = bootstrap.build(settings, now=lambda: world.clock)
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    succeeded(world)
    with ThreadPoolExecutor(2) as workers, held(database_url, number, 2):
        runs = [workers.submit(reconciled, parts) for parts in (world.parts, other)]
    healed = [run.result(ENOUGH) for run in runs]
    assert world.actions(number).count("make_good") == 1
    assert [m.step for m in world.inbox("officer2") if m.chain == number] == ["make_good"]
    assert sorted(healed) == [0, 1]
    assert verify(world.parts.store, world.parts.evidence).ok
    other.close()
    world.parts.close()


def succeeded(world: World) -> None:
    """The officer has left with something unread, and somebody has taken over."""

    def work(tx: Tx) -> None:
        staff.change_person(tx, ROOT, world.cast.ids["officer"], {"active": False})
        person, _ = staff.enrol(
            tx, ROOT, name="officer2", full_name="继任", role="officer", from_on=world.today, region=COUNTY
        )
        world.cast.ids[person.name] = person.id

    world.parts.store.write(work)


def reconciled(parts: Parts) -> int:
    return parts.reconciliation.run()
