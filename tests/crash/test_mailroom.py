"""Workers that send are killed at random: no letter is lost, what comes twice was under way, and every repetition is known.

A program has subscribed, so that each step is one letter to a real receiver, which refuses one in five.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from loop.engine.subscriptions import Subscriptions
from loop.store import deliveries
from loop.store.core import table_of
from loop.store.deliveries import Delivery
from loop.store.postal import AttemptRow, CopyRow
from loop.store.session import Store
from tests.postal import postal_settings
from tests.receiver import Receiver, listening
from tests.world import World

TOP = Path(__file__).parents[2]
LEASE = 4
PATIENCE = 600
"""Seconds after which the last letter must have arrived."""
_COPY, _ATTEMPT = table_of(CopyRow), table_of(AttemptRow)


class Mailroom:
    """The process that forks workers."""

    def __init__(self, url: str, folder: Path) -> None:
        self._order = {"url": url, "folder": str(folder), "lease": LEASE}
        self._folder = folder
        self._alive: list[int] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.mailroom"], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def raise_worker(self) -> int:
        """Answers the number of a new worker."""
        assert self._process.stdin
        assert self._process.stdout
        order = self._order | {"tally": str(self._folder / f"tally-{len(self._alive)}")}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self._alive.append(int(json.loads(self._process.stdout.readline())["pid"]))
        return self._alive[-1]

    def kill(self, pid: int) -> None:
        """kill -9, and wait until it is gone."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            while True:
                os.kill(pid, 0)
                time.sleep(0.005)

    def tallied(self, letters: int) -> list[int]:
        """How many letters each worker says it has sent, once they say so many together: a worker counts when it rests."""
        ends = time.monotonic() + 60
        while sum(done := [int(path.read_text("ascii")) for path in self._folder.glob("tally-?")]) < letters:
            assert time.monotonic() < ends, f"the workers say they sent {done}"
            time.sleep(0.1)
        return done

    def close(self) -> None:
        for pid in self._alive:
            self.kill(pid)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


@dataclass
class Moody(Receiver):
    """Refuses one try in five, by the letter's id and how often it came, but none more than `most` times: waits grow."""

    most: int = 3
    tries: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    def answer(self, id_: str) -> int:
        """Count a try of this letter and say how it is answered."""
        self.tries[id_] += 1
        refused = hashlib.sha256(f"{id_}:{self.tries[id_]}".encode()).digest()[0] < 51 and self.tries[id_] <= self.most
        self.taken[id_] += not refused
        return 503 if refused else 204


@dataclass
class Scene:
    """So many letters that wait to be sent, the receiver, and who can be made to send."""

    url: str
    store: Store
    mailroom: Mailroom
    receiver: Receiver
    letters: int

    def unsent(self) -> int:
        """How many copies have not arrived yet."""
        waiting = self.store.read(
            lambda tx: tx.select(select(_COPY.c.id).where(_COPY.c.delivery_id.is_(None)).limit(1))
        )
        return len(waiting) + self.store.read(deliveries.owed_count)

    def in_flight(self) -> set[str]:
        """The letters that somebody has taken and not settled."""
        now = datetime.now(UTC)
        return {d.key for d in self._unsettled() if d.attempts and d.not_before > now}

    def _unsettled(self) -> list[Delivery]:
        return self.store.read(lambda tx: deliveries.unsent(tx, limit=100_000, before=2**62, dead=False))

    def all(self) -> list[Delivery]:
        return self.store.read(lambda tx: deliveries.page(tx, limit=100_000, before=2**62))

    def attempts(self) -> Counter[int]:
        """How many tries of each delivery are on record."""
        rows = self.store.read(lambda tx: tx.select(select(_ATTEMPT.c.delivery_id)))
        return Counter(row[0] for row in rows)


Opener = Callable[[int, Receiver], Scene]


@pytest.fixture
def scene_of(database_url: str, tmp_path: Path) -> Iterator[Opener]:
    """Writes so many steps, each of which a program is to be told of."""
    opened: list[Scene] = []

    def opener(letters: int, receiver: Receiver) -> Scene:
        world = World(postal_settings(database_url, tmp_path, allow_networks=("127.0.0.0/8",)))
        parts = world.parts
        hooks = Subscriptions(parts.engine.book.workflow, parts.outbox.channels)
        chief = world.actor("chief")
        about = {"name": "平台", "url": receiver.url, "region": None, "unit": None, "actions": ["comment"]}
        number = world.opened()
        parts.outbox.drain()
        parts.store.write(lambda tx: hooks.add(tx, chief, **about, real=datetime.now(UTC)))  # type: ignore[arg-type]
        for k in range(letters):
            world.act("officer", "comment", number, text=f"第 {k} 条")
        parts.close()
        scene = Scene(database_url, Store.open(database_url), Mailroom(database_url, tmp_path), receiver, letters)
        opened.append(scene)
        return scene

    yield opener
    for scene in opened:
        scene.mailroom.close()
        scene.store.close()


def besiege(scene: Scene, kills: int, every: float) -> set[str]:
    """Kill the worker again and again while it sends, then let one finish; answers what was under way at the kills."""
    under_way: set[str] = set()
    for _ in range(kills):
        pid = scene.mailroom.raise_worker()
        time.sleep(every)
        scene.mailroom.kill(pid)
        under_way |= scene.in_flight()
    scene.mailroom.raise_worker()
    finish(scene)
    return under_way


def finish(scene: Scene) -> None:
    """Wait until everything has arrived."""
    ends = time.monotonic() + PATIENCE
    while scene.unsent():
        assert time.monotonic() < ends, f"{scene.unsent()} letters never arrived"
        time.sleep(0.1)


def nothing_is_lost_and_repetitions_are_known(scene: Scene, receiver: Moody, under_way: set[str]) -> None:
    """What the receiver has counted is what the rows say."""
    rows = scene.all()
    assert len(rows) == scene.letters
    assert {row.key for row in rows} == {id_ for id_, times in receiver.taken.items() if times}
    assert all(row.sent_at and row.delivered_at and not row.dead for row in rows)
    steps = {
        id_: (body["data"]["number"], body["data"]["seq"])
        for id_, body in zip(receiver.ids, receiver.bodies, strict=True)
    }
    assert len(set(steps.values())) == len(steps) == scene.letters  # one id for each step, one step for each id
    twice = {id_ for id_, times in receiver.taken.items() if times > 1}
    assert twice <= under_way
    attempts = scene.attempts()
    for row in rows:
        assert row.attempts >= attempts[row.id] >= 1  # a try that a kill cut off is counted, and has no outcome
        if row.key not in under_way:
            assert receiver.tries[row.key] == row.attempts == attempts[row.id]


def siege(scene_of: Opener, letters: int, kills: int, every: float, most: int) -> None:
    with listening(Moody(most=most)) as receiver:
        scene = scene_of(letters, receiver)
        under_way = besiege(scene, kills, every)
        nothing_is_lost_and_repetitions_are_known(scene, receiver, under_way)
        assert len(receiver.ids) > letters  # one in five was refused


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_workers_that_are_killed_lose_no_letter(scene_of: Opener) -> None:
    siege(scene_of, letters=200, kills=2, every=0.5, most=1)


@pytest.mark.prove
def test_ten_thousand_letters_survive_a_kill_every_second(scene_of: Opener) -> None:
    siege(scene_of, letters=10_000, kills=30, every=1.0, most=3)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_two_workers_share_the_load_and_claim_nothing_twice(scene_of: Opener) -> None:
    with listening() as receiver:
        scene = scene_of(900, receiver)
        for _ in range(2):
            scene.mailroom.raise_worker()
        finish(scene)
        assert Counter(receiver.ids).most_common(1)[0][1] == 1
        assert len(receiver.ids) == 900
        done = scene.mailroom.tallied(900)
        assert sum(done) == 900
        assert min(done) >= 90
