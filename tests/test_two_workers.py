"""Several workers see to telling people at once: nobody is told twice of what one telling makes good, and what was sent stays
sent, whatever becomes of a try that another worker made meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from loop import bootstrap
from loop.bootstrap import Parts
from loop.engine.outbox import Outbox
from loop.engine.resending import SENT, status_of
from loop.engine.verify import verify
from loop.kernel.labels import Label
from loop.kernel.messages import Letter, SendFailed
from loop.store import deliveries, gaps, staff
from loop.store.deliveries import Delivery
from loop.store.session import Tx
from notifiers.console import Console
from tests.cast import COUNTY, ROOT
from tests.postal import CONSOLE, Post, postal_settings
from tests.world import World

ENOUGH = 60
"""Seconds after which a worker that should have come to an end is given up."""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
LEASE_ENDS = timedelta(minutes=2)


# ---- reconciling -----------------------------------------------------------------------------------------------------


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


# ---- sending ---------------------------------------------------------------------------------------------------------


def takes() -> None:
    """The receiver takes the letter."""


def refuses() -> None:
    """The receiver will never take it."""
    raise SendFailed(Label("查无此人", "no such reader"), permanent=True)


class Line(Console):
    """A channel on which something happens while a letter is on its way."""

    happens: Callable[[], None]

    async def send(self, letter: Letter) -> bool:
        """Say that it is sent, unless what happens says otherwise."""
        await asyncio.to_thread(self.happens)
        return False


class Office:
    """Workers on one database, whose leases run on the clock of the story; a letter to the school waits."""

    def __init__(self, url: str, folder: Path, *ways: str) -> None:
        self.world = World(postal_settings(url, folder, CONSOLE, {"name": "hall", "kind": "console"}))
        self.post = Post(self.world)
        self.post.reach("school", *ways)
        self.world.fed_back()

    def worker(self, happens: Callable[[], None]) -> Outbox:
        """A worker on whose channel this happens to each letter."""
        outbox = self.world.parts.outbox
        desk = outbox.channels["desk"]
        assert isinstance(desk, Console)
        line = Line("desk", Console.Options.read({}), desk._egress)
        line.happens = happens
        return replace(outbox, channels={**outbox.channels, "desk": line}, real=lambda: self.world.clock)

    def late(self, meanwhile: Callable[[], None], then: Callable[[], None]) -> Callable[[], None]:
        """The lease of a letter ends while it is on its way, and so `meanwhile` happens before `then`."""

        def work() -> None:
            self.world.clock += LEASE_ENDS
            meanwhile()
            then()

        return work

    def letter(self) -> Delivery:
        """The only one that was made up."""
        (one,) = self.post.all()
        return one

    def tries(self) -> list[bool]:
        """Of each try of it, whether it failed."""
        one = self.letter()
        found = self.world.parts.store.read(lambda tx: deliveries.tries_of(tx, [one.id]))
        return [bool(tried.error) for tried in found[one.id]]

    def open_gaps(self) -> int:
        return self.world.parts.store.read(gaps.open_count)


Opener = Callable[..., Office]


@pytest.fixture
def office_of(database_url: str, tmp_path: Path) -> Iterator[Opener]:
    """Opens an office whose school is reached by these channels."""
    opened: list[Office] = []

    def opener(*ways: str) -> Office:
        opened.append(Office(database_url, tmp_path, *ways))
        return opened[-1]

    yield opener
    for office in opened:
        office.world.parts.close()


def test_a_letter_sent_late_is_sent_although_another_worker_has_given_it_up(office_of: Opener) -> None:
    office = office_of("desk")
    second = office.worker(refuses)
    between: list[tuple[int, int]] = []

    def meanwhile() -> None:
        second.drain()
        between.append((office.letter().dead, office.open_gaps()))

    office.worker(office.late(meanwhile, takes)).drain()
    one = office.letter()
    assert between == [(deliveries.GIVEN_UP, 1)]
    assert (status_of(one), one.dead, one.error) == (SENT, 0, None)
    assert office.tries() == [False, True]
    assert office.open_gaps() == 0
    assert office.world.parts.store.read(deliveries.dead_count) == 0


def test_a_try_that_fails_late_does_not_undo_what_another_worker_has_sent(office_of: Opener) -> None:
    office = office_of("desk", "hall")
    second = office.worker(takes)
    sent: list[int] = []
    office.worker(office.late(lambda: sent.append(second.drain()), refuses)).drain()
    assert sent == [1]
    office.worker(takes).drain()
    one = office.letter()  # none by the other channel
    assert (status_of(one), one.dead, one.error) == (SENT, 0, None)
    assert office.tries() == [True, False]
    assert [m.step for m in office.world.inbox("chief")].count("letters_given_up") == 0


def overtaken(office: Office, first: Callable[[], None], second: Callable[[], None]) -> Delivery:
    """A second worker takes a letter whose lease has ended, and is still at it when the `first` try comes to its end; answers
    the letter as it stands then. Only after that comes the `second` one to its end.
    """
    taken, settled = threading.Event(), threading.Event()

    def still_at_it() -> None:
        taken.set()
        assert settled.wait(ENOUGH)
        second()

    with ThreadPoolExecutor(1) as beside:
        running = []

        def meanwhile() -> None:
            running.append(beside.submit(office.worker(still_at_it).drain))
            assert taken.wait(ENOUGH)

        try:
            office.worker(office.late(meanwhile, first)).drain()
            between = office.letter()
        finally:
            settled.set()
        running[0].result(ENOUGH)
    return between


def test_what_was_sent_is_not_given_up_by_who_took_it_meanwhile(office_of: Opener) -> None:
    office = office_of("desk", "hall")
    between = overtaken(office, takes, refuses)
    assert status_of(between) == SENT
    office.worker(takes).drain()
    one = office.letter()
    assert (status_of(one), one.dead, one.error, one.sent_at) == (SENT, 0, None, between.sent_at)
    assert office.tries() == [False, True]
    assert [m.step for m in office.world.inbox("chief")].count("letters_given_up") == 0


def test_a_try_that_fails_late_takes_the_letter_from_nobody(office_of: Opener) -> None:
    office = office_of("desk", "hall")
    between = overtaken(office, refuses, takes)
    assert (between.dead, between.failures, between.error, between.attempts) == (0, 0, None, 2)
    assert between.not_before > office.world.clock
    office.worker(takes).drain()
    one = office.letter()
    assert (status_of(one), one.dead, one.error) == (SENT, 0, None)
    assert office.tries() == [True, False]
