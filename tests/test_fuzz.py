"""Schemathesis over the whole API, with every role's token on an inhabited world: no 5xx, no undocumented answer."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from structlog.testing import capture_logs

from loop.engine.verify import verify
from tests.fuzzing import ACTIONS, API, NOBODY, SEATS, Clerk, Sent, Tally, case_of, faults, leaks, misformed, operations
from tests.inhabited import Inhabited
from tests.sweeping import Hostile, digest, hostile, is_public, strange
from tests.world import World, settings_for

CAREFUL = ("/audit/verify",)
"""What takes long by its nature is asked less often."""
TAMED, LONG = "1min", re.compile(r"[1-9][0-9]*d|[1-9][0-9]+h")
PATIENCE = 60
"""Seconds: the machine may be busy, and time is not what is tested here."""


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Iterator[Inhabited]:
    world = World(settings_for(database_url, tmp_path), virtual=True)
    try:
        with capture_logs():
            made = Inhabited(world)
            made.settle()
            asyncio.run(made.furnish())
            yield made
    finally:
        world.parts.close()


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
            if (
                isinstance(sent.body, dict)
                and isinstance(case.body, dict)
                and sent.kind == case.media_type
                and dice.random() < 0.5
            ):
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
            answer = case.call(headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=PATIENCE)
        self.tally.count(operation.label, seat, answer.status_code)
        for fault in faults(case, answer, self.home):
            why = [entry for entry in log if entry["event"] == "request.failed"]
            shown = f"{answer.status_code} {answer.text[:400]}\n  {sent.who}: {case.as_curl_command()[:1500]}\n  {why}"
            self.tally.wrong.setdefault(f"{operation.label}: {fault[:300]}", shown)
        self.clerk.learn(operation, sent, answer)


def tame(operation: Any, case: Any) -> None:
    """Keep a made-up leap of the clock short, so that not everything falls due at once."""
    if operation.path == f"{API}/clock" and isinstance(case.body, dict):
        span = str(case.body.get("advance", ""))
        if LONG.fullmatch(span) and span != "1d":
            case.body = {**case.body, "advance": TAMED}


def fuzzed(home: Inhabited, *, rounds: int, seats: int, able: int, examples: int) -> Tally:
    """The whole API, so many times over: each operation from so many seats in turn, from so many that are able to, and
    with so many made-up calls.
    """
    fuzz, calls, turns = Fuzz(home), operations(home.site.app), cycle(SEATS)
    for turn in range(rounds):
        for operation in calls:
            if operation.path.startswith(ACTIONS):
                home.provide(operation.path.removeprefix(ACTIONS))
            careful = operation.path.endswith(CAREFUL)
            for seat in (
                *islice(turns, 1 if careful else seats),
                *(fuzz.clerk.able(operation) for _ in range(1 if careful else able)),
            ):
                fuzz.plausible(operation, seat)
            fuzz.made_up(operation, 1 if careful else examples, turn)
    return fuzz.tally


def check(tally: Tally, home: Inhabited) -> None:
    told = "\n\n".join(f"{where}\n  {shown}" for where, shown in tally.wrong.items())
    assert not tally.wrong, f"{len(tally.wrong)} kinds of wrong answers in {tally.calls} calls\n\n{told}"
    assert tally.share >= 0.3, tally.statuses
    assert len(tally.succeeded) >= 105, sorted(tally.succeeded)
    assert set(tally.seats) >= set(SEATS) - {NOBODY}
    report = verify(home.world.parts.store, home.world.parts.evidence)
    assert report.ok, str(report.fault)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_every_operation_answers_as_it_is_documented(home: Inhabited) -> None:
    check(fuzzed(home, rounds=1, seats=4, able=3, examples=2), home)


@pytest.mark.prove
def test_every_operation_answers_as_it_is_documented_at_length(home: Inhabited, backend: str) -> None:
    check(fuzzed(home, rounds=9 if backend == "sqlite" else 3, seats=6, able=6, examples=12), home)


# ---- hostile calls ---------------------------------------------------------------------------------------------------


class Sweep:
    """Every operation called in every way that goes wrong; of the odder ways only every `step`-th."""

    def __init__(self, home: Inhabited, step: int) -> None:
        self.home, self.clerk, self.step = home, Clerk(home), step
        self.made = 0
        self.wrong: list[str] = []
        self.before = ""

    async def run(self) -> None:
        """Sweep the whole API."""
        calls = operations(self.home.site.app)
        methods: dict[str, set[str]] = {}
        for operation in calls:
            methods.setdefault(operation.path, set()).add(operation.method.upper())
        for name in self.home.world.cast.ids:
            await self.home.site.get(name, "/me")  # the use of the token is on record from here on
        self.before = digest(self.home.world.parts.store)
        for place, operation in enumerate(calls):
            sent = self.clerk.call(operation, self.clerk.able(operation))
            accepted = await self._all(operation, sent, hostile(operation, sent, methods[operation.path]))
            if operation.method.upper() != "GET" and not accepted:
                self._compare(operation)
            odd = islice(strange(operation, sent), place % self.step, None, self.step)
            if await self._all(operation, sent, odd) or accepted:
                self.before = digest(self.home.world.parts.store)
        self._compare(calls[-1])

    def _compare(self, operation: Any) -> None:
        """Everything must be as it was when a call was last accepted."""
        if digest(self.home.world.parts.store) != self.before:
            self.wrong.append(f"{operation.label}, or one before it: a refused call has changed something")
            self.before = digest(self.home.world.parts.store)

    async def _all(self, operation: Any, sent: Sent, calls: Iterable[Hostile]) -> bool:
        """Make the calls. Whether one that may change something was accepted: under an odd header a call can be right."""
        accepted = False
        for call in calls:
            answer = await self._attack(call, None if is_public(operation) else sent.who)
            accepted = accepted or (answer.is_success and call.method != "GET")
            self.wrong += [
                f"{operation.label}, {call.name}: {answer.status_code} {fault}" for fault in self._faults(call, answer)
            ]
        return accepted

    async def _attack(self, call: Hostile, who: str | None) -> httpx.Response:
        self.made += 1
        headers = {name.encode(): value for name, value in call.headers.items()}
        if who and call.token:
            headers.setdefault(b"Authorization", f"Bearer {self.home.site.tokens[who]}".encode())
        # Each call from another address: what the public may do is limited for each.
        address = f"10.{self.made >> 16 & 255}.{self.made >> 8 & 255}.{self.made & 255}"
        wire = httpx.ASGITransport(app=self.home.site.app, client=(address, 443), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=wire, base_url="http://loop.test") as client:
            return await client.request(call.method, call.address, content=call.content, headers=headers)

    def _faults(self, call: Hostile, answer: httpx.Response) -> Iterator[str]:
        yield from leaks(answer.content, self.home)
        if answer.status_code >= 500:
            yield "is a fault of the program"
        if answer.status_code >= 400:
            yield from misformed(answer.status_code, answer.headers, answer.json())
        elif call.must:
            yield "is no refusal"


async def sweep(home: Inhabited, step: int) -> int:
    found = Sweep(home, step)
    await found.run()
    assert not found.wrong, "\n".join(found.wrong)
    return found.made


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_hostile_calls_are_refused_and_change_nothing(home: Inhabited) -> None:
    assert await sweep(home, step=5) > 3_000


@pytest.mark.prove
async def test_all_hostile_calls_are_refused_and_change_nothing(home: Inhabited) -> None:
    assert await sweep(home, step=1) > 5_000
