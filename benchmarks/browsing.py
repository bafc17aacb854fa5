"""T14: what a page costs the server among a hundred thousand findings, against the same among a thousand.

`python -m benchmarks.browsing /board /findings` measures the pages named; `{number}` stands for a finding that was played.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx

from benchmarks.crowd import Model, Spot, gather, model_of
from benchmarks.rounds import ROUNDS, Measured, ratios
from benchmarks.stage import Stage, actors, parts_on
from benchmarks.story import take, wishes
from loop import application, log
from loop.browser import COOKIE
from loop.store import accounts, staff, tallies
from loop.store.session import Tx
from tests.cast import ROOT, START

FEW, MANY = 1_000, 100_000
PATHS = ("/board", "/findings", "/findings/{number}", "/workflow")
REPEATS = 9
EVERYWHERE = "auditor of the country"
"""Who sees the finding that was played."""
READERS = {EVERYWHERE: ("auditor", 1), "leader of a province": ("leader", 2), "chief of a county": ("chief", 4)}
"""Role, and how far down the tree from the country."""
NOW = START + timedelta(days=500)
"""Late enough for some of the findings to be overdue."""
ENDED = """
    UPDATE finding SET state = 'lookback.watching', is_open = 0, level = 0,
        written_off_at = strftime('%Y-%m-%dT%H:%M:%S', '2027-07-14', -(id * 7919 % 8000) || ' hours') || '.000000Z'
    WHERE id % 3 = 0
"""
"""A third of them have been written off within the last year."""


@dataclass(frozen=True, slots=True)
class Place:
    """A service over a crowd: how to ask it, with a cookie for each reader, and a finding with a history."""

    client: httpx.AsyncClient
    cookies: Mapping[str, str]
    number: str

    async def seconds(self, who: str, path: str) -> float:
        """How long the server takes for a page: the middle one of several tries. Raises RuntimeError for a refusal."""
        took = []
        for _ in range(REPEATS):
            begun = time.perf_counter()
            answer = await self.client.get(path.format(number=self.number), cookies={COOKIE: self.cookies[who]})
            took.append(time.perf_counter() - begun)
            if answer.status_code != 200:
                raise RuntimeError(f"{who} {path}: {answer.status_code} {answer.text[:300]}")
        return median(took)


def measure(stage: Stage, paths: Sequence[str] = PATHS, few: int = FEW, many: int = MANY) -> Iterator[Measured]:
    """Each page for each reader, the worst reader of each page."""
    log.configure("json", "warning")
    model = model_of(stage)
    with ExitStack() as stack:
        places = {size: stack.enter_context(_place(stage, model, size)) for size in (few, many)}
        for path in paths:
            asking = [who for who in READERS if who == EVERYWHERE or "{" not in path]
            worst = max((_compared(places, who, path) for who in asking), key=lambda pair: median(pair[1]))
            what = f"{path} at {many:,} findings against {few:,}: {worst[0]}"
            yield Measured("T14", what, 3, True, worst[1])


def _compared(places: Mapping[int, Place], who: str, path: str) -> tuple[str, tuple[float, ...]]:
    took: dict[int, list[float]] = {size: [] for size in places}
    for _ in range(ROUNDS):
        for size, place in places.items():
            took[size].append(asyncio.run(place.seconds(who, path)))
    few, many = sorted(places)
    print(path, who, f"{median(took[few]) * 1000:.1f} ms, {median(took[many]) * 1000:.1f} ms", flush=True)
    return who, ratios(took[many], took[few])


# ---- the service -----------------------------------------------------------------------------------------------------


@contextmanager
def _place(stage: Stage, model: Model, size: int) -> Iterator[Place]:
    path, spots = gather(stage, model, size)
    with sqlite3.connect(path) as raw:
        raw.execute(ENDED)
    raw.close()
    with parts_on(path, now=lambda: NOW) as parts:
        cookies = parts.store.write(lambda tx: _cookies(tx, spots))
        number = _played(stage, path)
        tallies.fold(parts.store, parts.engine.book.calendar.zone)
        with application.web(parts, scheduler=False) as app:
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://loop.test")
            yield Place(client, cookies, number)


def _cookies(tx: Tx, spots: tuple[Spot, ...]) -> dict[str, str]:
    """Everybody signed in, in the country of the crowd."""
    later = datetime.now(UTC) + timedelta(days=1)
    found = {}
    for who, (role, depth) in READERS.items():
        region = spots[len(spots) // 2].path[depth - 1]
        name = who.replace(" ", "-")
        person, _ = staff.enrol(tx, ROOT, name=name, full_name=who, role=role, from_on=date(2020, 1, 1), region=region)
        _, found[who] = accounts.open_session(tx, person_id=person.id, expires_at=later)
    return found


def _played(stage: Stage, path: Path) -> str:
    """A finding of the cast with a history of its own."""
    with parts_on(path) as parts:
        outcomes = [take(parts.engine, wish) for wish in wishes(actors(parts, stage.cast), findings=1)]
    return str(outcomes[-1].finding.number)


def main() -> None:
    """Measure the pages named, or all."""
    given = argparse.ArgumentParser(prog="benchmarks.browsing", description=__doc__)
    given.add_argument("paths", nargs="*", default=PATHS)
    given.add_argument("--few", type=int, default=FEW)
    given.add_argument("--many", type=int, default=MANY)
    asked = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="loop-pages-") as folder:
        for one in measure(Stage(Path(folder)), tuple(asked.paths), asked.few, asked.many):
            print(one.id, one.what, f"{one.value:.3g}{one.unit}", one.verdict, flush=True)


if __name__ == "__main__":
    main()
