"""Schemathesis over the whole API, with every role's token on an inhabited world: no 5xx, no undocumented answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from structlog.testing import capture_logs

from loop.engine.verify import verify
from tests.fuzzing import API, NOBODY, SEATS, Clerk, Sent, Tally, case_of, faults, operations
from tests.inhabited import Inhabited
from tests.world import World, settings_for

CAREFUL = ("/audit/verify",)
"""What takes long by its nature is asked less often."""
TAMED = "1min"
LONG_LEAP = timedelta(days=3)


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Iterator[Inhabited]:
    with capture_logs():
        made = Inhabited(World(settings_for(database_url, tmp_path), virtual=True))
        made.settle()
        asyncio.run(made.furnish())
        yield made
    made.world.parts.close()


class Fuzz:
    """Calls every operation from every seat, plausibly, and as Schemathesis makes calls up."""

    def __init__(self, home: Inhabited) -> None:
        self.home, self.clerk, self.tally = home, Clerk(home), Tally()

    def plausible(self, operation: Any, seat: str) -> None:
        """What somebody in this seat would send."""
        sent = self.clerk.call(operation, seat)
        self.send(operation, seat, sent, case_of(operation, sent))

    def made_up(self, operation: Any, examples: int, salt: int) -> None:
        """Bodies and queries out of the schema, right and wrong ones, mostly to addresses that exist."""
        cases = operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @seed(crc32(f"{operation.label} {salt}".encode()))
        @settings(
            max_examples=examples, database=None, deadline=None, phases=(Phase.generate,), print_blob=False,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=cases, chance=st.integers(0, 2**32))
        def run(case: Any, chance: int) -> None:
            dice = random.Random(chance)
            seat = self.clerk.able(operation) if dice.random() < 0.7 else dice.choice(SEATS)
            sent = self.clerk.call(operation, seat)
            if dice.random() < 0.85:
                case.path_parameters = dict(sent.path)
            if isinstance(sent.body, dict) and isinstance(case.body, dict) and sent.kind == case.media_type and dice.random() < 0.5:
                known = [name for name in case.body if name in sent.body] or list(case.body)
                changed = dice.sample(known, min(len(known), 1))
                case.body = {**sent.body, **{name: case.body[name] for name in changed}}
            self.send(operation, seat, sent, case)

        run()

    def send(self, operation: Any, seat: str, sent: Sent, case: Any) -> None:
        """Make the call and look at the answer; what is wrong with it is kept, so that the run goes on."""
        tame(operation, case)
        self.home.site.real += timedelta(minutes=1)
        token = self.home.site.tokens.get(sent.who or "")
        with capture_logs() as log:
            answer = case.call(headers={"Authorization": f"Bearer {token}"} if token else {})
        self.tally.count(operation.label, seat, answer.status_code)
        for fault in faults(case, answer, self.home):
            why = [entry for entry in log if entry["event"] == "request.failed"]
            shown = f"{answer.status_code} {answer.text[:400]}\n  {sent.who}: {case.as_curl_command()[:1500]}\n  {why}"
            self.tally.wrong.setdefault(f"{operation.label}: {fault[:300]}", shown)
        self.clerk.learn(operation, sent, answer)


def tame(operation: Any, case: Any) -> None:
    """Keep a made-up leap of the clock short, so that not everything falls due at once."""
    if operation.path == f"{API}/clock" and isinstance(case.body, dict) and str(case.body.get("advance", "")).endswith("d"):
        case.body = {**case.body, "advance": "1d" if case.body["advance"] == "1d" else TAMED}


def fuzzed(home: Inhabited, *, rounds: int, examples: int) -> Tally:
    """The whole API, so many times over."""
    fuzz, calls = Fuzz(home), operations(home.site.app)
    for turn in range(rounds):
        for operation in calls:
            seats = ("auditor", NOBODY) if operation.path.endswith(CAREFUL) else (*SEATS, fuzz.clerk.able(operation))
            for seat in seats:
                fuzz.plausible(operation, seat)
            fuzz.made_up(operation, 1 if operation.path.endswith(CAREFUL) else examples, turn)
    return fuzz.tally


def check(tally: Tally, home: Inhabited) -> None:
    told = "\n\n".join(f"{where}\n  {shown}" for where, shown in tally.wrong.items())
    assert not tally.wrong, f"{len(tally.wrong)} kinds of wrong answers in {tally.calls} calls\n\n{told}"
    assert tally.share >= 0.3, tally.statuses
    assert set(tally.seats) >= set(SEATS) - {NOBODY}
    report = verify(home.world.parts.store, home.world.parts.evidence)
    assert report.ok, str(report.fault)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_every_operation_answers_as_it_is_documented(home: Inhabited) -> None:
    tally = fuzzed(home, rounds=1, examples=2)
    check(tally, home)
