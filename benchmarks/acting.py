"""T2: an action in process, against the floor. T1: its decision, against a bound and against its own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from benchmarks.floor import Floor, Recorded
from benchmarks.rounds import ROUNDS, Measured, Stopwatch, chunks, ratios, seconds_of
from benchmarks.stage import Stage, actors, parts_on
from benchmarks.story import ACTIONS, STORY, number_of, take, wishes
from loop.bootstrap import Parts
from loop.engine.facts_loader import FactsLoader
from loop.kernel.decide import Book, Command, decide, permitted
from loop.kernel.facts import Facts
from loop.kernel.finding import Finding
from loop.kernel.payloads import read
from loop.kernel.people import Actor
from loop.store import findings
from loop.store.session import Tx
from tests.cast import START

CHUNK = 40
REPEATS = 60


def measure(stage: Stage, recorded: Sequence[Recorded]) -> list[Measured]:
    """T2, then T1 against the transactions just timed."""
    product, floor = [], []
    for _ in range(ROUNDS):
        taken = _round(stage, recorded)
        product.append(taken[0])
        floor.append(taken[1])
    looked, decided = _decisions(stage)
    return [
        Measured("T1a", "look-up and guards of a decision, µs", 10, True, tuple(s * 1e6 for s in looked), "µs"),
        Measured("T1b", "a whole decision as a share of its transaction", 0.2, True, ratios(decided, product), ""),
        Measured("T2", "an action in process against the floor", 3, True, ratios(product, floor)),
    ]


def _round(stage: Stage, recorded: Sequence[Recorded]) -> tuple[float, float]:
    """Seconds of an action by the product and by the bare driver, taking turns on databases of their own."""
    product, bare = Stopwatch(), Stopwatch()
    floor = Floor(stage.copy("floor"))
    with parts_on(stage.copy("product")) as parts:
        planned = list(wishes(actors(parts, stage.cast)))
        for some in chunks(ACTIONS, CHUNK):
            with product.running(len(some)):
                for place in some:
                    take(parts.engine, planned[place])
            with bare.running(len(some)):
                floor.replay(recorded[some.start : some.stop])
    floor.close()
    return product.each, bare.each


# ---- decisions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """What one decision of the story is taken from."""

    book: Book
    finding: Finding
    command: Command
    facts: Facts
    now: datetime


def _decisions(stage: Stage) -> tuple[list[float], list[float]]:
    """Seconds of look-up and guards, and of whole decisions: the mean over the story, round by round."""
    questions = _questions(stage)
    looked, decided = [], []
    for _ in range(ROUNDS):
        looked.append(sum(_time(permitted, q) for q in questions) / len(questions))
        decided.append(sum(_time(decide, q) for q in questions) / len(questions))
    return looked, decided


def _time(what: object, q: Question) -> float:
    assert callable(what)
    return seconds_of(partial(what, q.book, q.finding, q.command, q.facts, q.now), REPEATS)


def _questions(stage: Stage) -> list[Question]:
    """One question for each step but the first, as the engine would ask it."""
    with parts_on(stage.copy("decisions")) as parts:
        cast = actors(parts, stage.cast)
        asked: list[Question] = []
        for wish, step in zip(wishes(cast, findings=1), STORY, strict=True):
            if wish.number:
                asked.append(
                    parts.store.read(partial(_question, parts, cast[step.who], step.action, dict(step.payload)))
                )
            take(parts.engine, wish)
        return asked


def _question(parts: Parts, actor: Actor, action: str, values: dict[str, object], tx: Tx) -> Question:
    book = parts.engine.book
    finding = findings.load(tx, number_of(1), lock=False)
    assert finding
    declared = book.workflow.actions[action]
    payload = read(declared.payload, values)
    facts = FactsLoader(tx, book.rules, book.calendar, START).load(declared.facts, finding, payload, actor)
    return Question(book, finding, Command(action=action, actor=actor, payload=payload), facts, START)
