"""`python -m benchmarks --date YYYY-MM-DD` measures everything and writes the figures into docs/performance.md.

`--only` takes some of acting, serving, crowd, pages; then the figures are only printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks import acting, browsing, crowd, leafing, report, serving, sweeping
from benchmarks.floor import record
from benchmarks.rounds import Measured
from benchmarks.stage import Stage

PARTS = ("acting", "serving", "crowd", "pages")


def main() -> int:
    """Measure, print, write; answers 1 where a target is missed."""
    given = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    given.add_argument("--date", type=date.fromisoformat, required=True, help="the day the figures are said to be of")
    given.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    asked = given.parse_args()
    found: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="loop-benchmarks-") as folder:
        for one in _all(Stage(Path(folder)), asked.only):
            found.append(one)
            print(one.id, one.what, f"{one.value:.3g}{one.unit}", one.verdict, flush=True)
    if set(asked.only) == set(PARTS):
        report.write(found, asked.date)
    return int(not all(one.reached for one in found))


def _all(stage: Stage, parts: tuple[str, ...]) -> Iterator[Measured]:
    recorded = record(stage)
    if "acting" in parts:
        yield from acting.measure(stage, recorded)
    if "serving" in parts:
        yield from serving.measure(stage, recorded)
    if "crowd" in parts:
        yield from _crowds(stage)
    if "pages" in parts:
        yield from browsing.measure(stage)


def _crowds(stage: Stage) -> Iterator[Measured]:
    model = crowd.model_of(stage)
    begun = time.perf_counter()
    made = {size: crowd.gather(stage, model, size) for size in (crowd.FEW, crowd.MANY)}
    print(f"made the crowds in {time.perf_counter() - begun:.0f} s", flush=True)
    paths = {size: path for size, (path, _) in made.items()}
    yield from sweeping.measure(model, paths)
    yield from leafing.measure(paths, {size: spots for size, (_, spots) in made.items()})


sys.exit(main())
