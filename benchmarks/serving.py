"""T3: an action by HTTP against the floor. T4: against the tutorial way. All three take turns in every round."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from statistics import quantiles
from typing import Any

from benchmarks.client import Played, Story, call, play, serving
from benchmarks.floor import Floor, Recorded
from benchmarks.rounds import ROUNDS, Measured, Stopwatch
from benchmarks.stage import Stage
from benchmarks.story import STORY, number_of

PRODUCT, TUTORIAL, FLOOR = 48, 16, 250
"""Findings, findings and actions in one round."""
INSERT = re.compile(r"INSERT INTO (\w+) ?\(([^)]*)\)", re.DOTALL)
UPDATE = re.compile(r"UPDATE finding SET (.*) WHERE finding.id = \? AND", re.DOTALL)


def measure(stage: Stage, recorded: Sequence[Recorded]) -> list[Measured]:
    """T3 and T4, with T5 beside them."""
    recording = stage.folder / "recording.json"
    recording.write_text(json.dumps(changes_of(recorded), ensure_ascii=False))
    shares, gains, tails = [], [], []
    with (
        serving("benchmarks.server", stage.copy("http"), stage.folder / "http.log") as product,
        serving("benchmarks.tutorial", stage.copy("tutorial"), recording) as tutorial,
    ):
        play(product, _product(stage, 32))
        play(tutorial, _tutorial(stage, 0, 16))
        for turn in range(1, ROUNDS + 1):
            floor = _floor(stage, recorded)
            ours = play(product, _product(stage, PRODUCT))
            theirs = play(tutorial, _tutorial(stage, turn * TUTORIAL, TUTORIAL))
            shares.append(ours.rate / floor)
            gains.append(ours.rate / theirs.rate)
            tails.append(_tail(ours))
    return [
        Measured(
            "T3",
            "an action by HTTP, one worker, 16 connections, as a share of the floor",
            0.25,
            False,
            tuple(shares),
            "",
        ),
        Measured("T4", "an action by HTTP against the tutorial way", 5, False, tuple(gains)),
        Measured("T5", "slowest hundredth of the HTTP actions against the middle one", 6, True, tuple(tails)),
    ]


def _floor(stage: Stage, recorded: Sequence[Recorded]) -> float:
    """Actions per second of the bare driver on a fresh database."""
    watch, floor = Stopwatch(), Floor(stage.copy("floor"))
    with watch.running(FLOOR):
        floor.replay(recorded[:FLOOR])
    floor.close()
    return 1 / watch.each


def _tail(played: Played) -> float:
    cuts = quantiles(played.each, n=100)
    return cuts[98] / cuts[49]


def _product(stage: Stage, findings: int) -> list[Story]:
    return [
        [
            call(
                "/api/v1/findings" if s.action == "open" else f"/api/v1/findings/{{number}}/actions/{s.action}",
                stage.tokens[s.who], s.payload,
            )
            for s in STORY
        ]
        for _ in range(findings)
    ]  # fmt: skip


def _tutorial(stage: Stage, first: int, findings: int) -> list[Story]:
    return [
        [call(f"/findings/{number_of(place)}/actions/{s.action}", stage.tokens[s.who], s.payload) for s in STORY]
        for place in range(first + 1, first + findings + 1)
    ]


# ---- the rows of the recording -----------------------------------------------------------------------------------------


def changes_of(recorded: Sequence[Recorded]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """For "number action" the rows that the product wrote, read off its own statements."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for place, transaction in enumerate(recorded):
        finding, step = divmod(place, len(STORY))
        rows = [row for text, values in transaction if (row := _row(text, values, finding + 1))]
        found[f"{number_of(finding + 1)} {STORY[step].action}"] = rows
    return found


def _row(text: str, values: Sequence[Any], finding_id: int) -> tuple[str, dict[str, Any]] | None:
    if match := INSERT.match(text):
        names = [name.strip(' "\n') for name in match[2].split(",")]
        row = dict(zip(names, values, strict=False))
        return match[1], {"id": finding_id, **row} if match[1] == "finding" else row
    if match := UPDATE.match(text):
        names = [name.partition("=")[0].strip() for name in match[1].split(",")]
        return "finding", {"id": finding_id, **dict(zip(names, values, strict=False))}
    return None
