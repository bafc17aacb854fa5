"""Plays the sample findings through believable histories, day by day on a movable clock, through the one door."""

from __future__ import annotations

import heapq
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import structlog

from loop.bootstrap import Parts
from loop.demo.country import Country
from loop.demo.samples import Sample
from loop.demo.scripts import ATTACH, Scene, Step, fate_of
from loop.engine.door import Wish
from loop.engine.record import Outcome
from loop.engine.sweep import tick
from loop.kernel.errors import LoopError
from loop.kernel.people import DEPARTMENT, INSPECTOR, UNIT, Actor
from loop.store import evidence, people
from loop.store.evidence import StoredFile
from loop.store.session import Tx

LOG = structlog.get_logger(__name__)
MORNING = time(9, 30)
LETTER = "opinion_letter"


class MovableClock:
    """The time the story plays at."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The present instant of the story."""
        return self.now


@dataclass(slots=True)
class Thread:
    """One sample's story: which step comes next."""

    place: int
    sample: Sample
    steps: tuple[Step, ...]
    unit: str
    number: str = ""
    evidence: str = ""
    letter: str = ""
    at: int = 0


class Story:
    """Plays all threads in the order of their days; what the timers do in between happens by itself."""

    def __init__(self, parts: Parts, country: Country, clock: MovableClock, seed: int) -> None:
        self._parts, self._country, self._clock = parts, country, clock
        self._random = random.Random(seed)
        self._actors: dict[str, Actor] = {}
        self._file = parts.evidence.put(_picture(), "整改照片.png")
        self.played: dict[str, int] = {}
        self.refused: list[str] = []

    def play(self, samples: tuple[Sample, ...], until: date, progress: Callable[[int, int], None]) -> None:
        """Play every sample so that its last step lies shortly before `until`."""
        queue: list[tuple[date, int, Thread]] = []
        for place, sample in enumerate(samples):
            name, rest, steps = fate_of(place, sample)
            self.played[name] = self.played.get(name, 0) + 1
            start = until - timedelta(days=rest + sum(step.wait for step in steps))
            unit = self._country.units[sample.region, sample.unit_name]
            heapq.heappush(queue, (start, place, Thread(place, sample, steps, unit)))
        total, done = sum(len(thread.steps) for _, _, thread in queue), 0
        day = queue[0][0]
        while day <= until:
            self._to(day, time(0, 0, 5))
            tick(self._parts.engine)
            self._to(day, MORNING)
            tick(self._parts.engine)
            while queue and queue[0][0] <= day:
                _, place, thread = heapq.heappop(queue)
                self._step(thread, day)
                done += 1
                thread.at += 1
                if thread.at < len(thread.steps):
                    heapq.heappush(queue, (day + timedelta(days=thread.steps[thread.at].wait), place, thread))
            progress(done, total)
            day += timedelta(days=1)

    def _to(self, day: date, at: time) -> None:
        zone = self._parts.engine.book.calendar.zone
        self._clock.now = datetime.combine(day, at, zone).astimezone(UTC)

    def _step(self, thread: Thread, day: date) -> None:
        self._clock.now += timedelta(seconds=self._random.randint(5, 90))
        step = thread.steps[thread.at]
        bureau = self._country.bureau_of(thread.sample.region)
        actor = self._actor(thread, step)
        scene = Scene(thread.sample, bureau, thread.unit, day, thread.evidence, thread.letter)
        wish = Wish(actor=actor, action=step.action, number=thread.number or None, payload=step.payload(scene))
        try:
            if step.action == ATTACH:
                self._attach(thread, wish)
                return
            outcome = self._parts.engine.act(wish, _outcome).result()
        except LoopError as refusal:
            self.refused.append(f"{thread.sample.seq} {thread.number} {step.action}: {refusal}")
            LOG.warning("story.refused", sample=thread.sample.seq, action=step.action, why=str(refusal))
            return
        thread.number = outcome.finding.number
        thread.letter = next((one.id for one in outcome.documents if one.kind == LETTER), thread.letter)

    def _actor(self, thread: Thread, step: Step) -> Actor:
        role, place = step.who
        bureau = self._country.bureau_of(thread.sample.region)
        if role == UNIT:
            player = self._country.unit_players[thread.unit]
        elif role == DEPARTMENT:
            player = bureau.department_player or bureau.seats[INSPECTOR][0]
        else:
            player = bureau.seats[role][place]
        if player.id not in self._actors:
            found = self._parts.store.read(lambda tx: people.actor_of(tx, player.id, date.max.replace(year=9000)))
            if found is None:
                raise LookupError(player.name)
            self._actors[player.id] = found
        return self._actors[player.id]

    def _attach(self, thread: Thread, wish: Wish) -> None:
        file, name = self._file, f"f{thread.place:03d}-{thread.at:02d}"
        payload = {"attachment": name, "name": file.name, "sha256": file.sha256, "size": file.size, "type": file.type}
        self._parts.engine.act(replace(wish, payload=payload), _keeper(file, name)).result()
        thread.evidence = name


def _outcome(tx: Tx, outcome: Outcome) -> Outcome:
    return outcome


def _keeper(file: StoredFile, name: str) -> Callable[[Tx, Outcome], Outcome]:
    def keep(tx: Tx, outcome: Outcome) -> Outcome:
        event = outcome.event
        evidence.attach(tx, file, id_=name, chain=event.chain, seq=event.seq, by_id=event.actor_id)
        return outcome

    return keep


def _picture() -> bytes:
    """A small grey picture, made here: the evidence that every unit hands in."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = 64
    rows = b"".join(b"\x00" + bytes(128 + (x * y) % 96 for x in range(side)) for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
