"""Kill -9 in the middle of things: nothing acknowledged is lost, nothing happens twice, verification is content.

The service runs in a process of its own and is killed at each write boundary and under load; the client writes down
every request and every 2xx, and asks again after each restart under the same Idempotency-Key.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import select

from loop.engine.verify import verify
from loop.store import accounts
from loop.store.core import table_of
from loop.store.evidence import Evidence
from loop.store.session import Store, Tx
from loop.store.tables import EventRow
from tests.cast import START, engage
from tests.crash.client import Answered, Client, Ledger, Request

EVENT = table_of(EventRow)
TOP = Path(__file__).parents[2]
WORKERS = 4
MOST = 40
"""So many findings have more statements than any fuse counts."""
LATELY = 20
"""So many of the last requests are asked again after each restart, and whatever was never answered."""
ONCE = frozenset({"submit_report", "approve_report", "waive_defence"})
"""Actions that a finding of these tests knows only once."""


class Fuse(NamedTuple):
    """When a server kills itself: right before or after its statement number `at` of those that begin with `word`."""

    at: int = 0
    when: str = "before"
    word: str = ""


class Nursery:
    """The process that forks servers."""

    def __init__(self) -> None:
        self._last = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def raise_server(self, url: str, folder: Path, fuse: Fuse) -> tuple[int, int]:
        """Process id and port of a fresh server; it answers as soon as it is ready."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"url": url, "folder": str(folder), **fuse._asdict()}) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        self._last = told["pid"]
        return told["pid"], told["port"]

    def put_down(self) -> None:
        """Kill the last server, if it is not known to be dead."""
        if self._last:
            with suppress(ProcessLookupError):
                os.kill(self._last, signal.SIGKILL)
        self.forget()

    def forget(self) -> None:
        """The last server is dead; its number may soon be another process's."""
        self._last = 0

    def close(self) -> None:
        self.put_down()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


class Siege:
    """One database, one ledger of the client, one server after the other."""

    def __init__(self, url: str, folder: Path, nursery: Nursery, seed: int) -> None:
        self.url, self.folder, self.nursery = url, folder, nursery
        self.chance = random.Random(seed)
        self.ledger = Ledger(folder / "client.log")
        with closing(Store.open(url)) as store:
            self.tokens = store.write(_tokens)
        self.kills = 0

    def assault(self, fuse: Fuse) -> None:
        """One careful client; the server dies at a statement of its own."""
        pid, client = self._raised(fuse)
        os.kill(pid, signal.SIGUSR1)
        with pytest.raises(httpx.TransportError):
            self._work_on(client)
        self.nursery.forget()
        self._fallen(client)

    def _work_on(self, client: Client) -> None:
        for _ in range(MOST):
            self._work(client, self.chance)

    def storm(self, acknowledged: int) -> None:
        """Many clients at once; the server dies after so many acknowledgements, in the midst of the other requests."""
        _, client = self._raised()
        target = self.ledger.acknowledged + acknowledged
        with ThreadPoolExecutor(WORKERS) as crowd:
            done = [crowd.submit(self._besiege, client.another(), self.chance.random()) for _ in range(WORKERS)]
            try:
                with self.ledger.counted:
                    assert self.ledger.counted.wait_for(lambda: self.ledger.acknowledged >= target, timeout=60)
            finally:
                self.nursery.put_down()  # else the clients would never end
        for future in done:
            future.result()
        self._fallen(client)

    def _besiege(self, client: Client, seed: float) -> None:
        chance = random.Random(seed)
        with closing(client), suppress(httpx.TransportError):
            while True:
                self._work(client, chance)

    def _raised(self, fuse: Fuse = Fuse()) -> tuple[int, Client]:  # noqa: B008  a value
        """A server that has answered every earlier request again."""
        pid, port = self.nursery.raise_server(self.url, self.folder, fuse)
        client = Client(self.tokens, port, self.ledger)
        self._settle(client)
        return pid, client

    def _fallen(self, client: Client) -> None:
        client.close()
        self.kills += 1
        with closing(Store.open(self.url)) as store:
            report = verify(store, Evidence(self.folder / "evidence", 1 << 20))
        assert report.ok, str(report.fault)

    # ---- what the client does ----------------------------------------------------------------------------------------

    def _work(self, client: Client, chance: random.Random) -> None:
        """The life of one finding, as far as the server lives."""
        mark = uuid.UUID(int=chance.getrandbits(128)).hex
        new = {"title": f"堵塞 {mark}", **FIELDS}
        opened = self._expect(client, _request("inspector", "findings", mark, new))
        path = f"findings/{json.loads(opened.text)['number']}"
        self._expect(client, _request("inspector", f"{path}/attachments", mark, {"note": mark}, upload=True))
        self._expect(client, _request("officer", f"{path}/actions/comment", mark, {"text": mark}))
        self._expect(client, _request("inspector", f"{path}/actions/submit_report", mark, {}))
        if chance.random() < 0.1:
            self._expect(client, _request("admin", "clock", mark, {"advance": "2d"}))
        day = {"mode": "written", "fed_back_on": START.date().isoformat()}
        self._expect(client, _request("chief", f"{path}/actions/approve_report", mark, day))
        self._expect(client, _request("school", f"{path}/actions/comment", mark + "s", {"text": mark + "s"}))

    def _expect(self, client: Client, request: Request) -> Answered:
        answer = client.first(request)
        assert answer.status in (200, 201), answer.text
        return answer

    # ---- what must be true after a restart ---------------------------------------------------------------------------

    def _settle(self, client: Client) -> None:
        """Ask again for everything: what was acknowledged is answered with the same bytes, what was not is done now."""
        requests, answers = self.ledger.read()
        lately = list(requests)[-LATELY:]
        for key, request in requests.items():
            if key in answers and key not in lately:
                continue
            again = client.send(request)
            assert again.status in (200, 201), again.text
            if key in answers:
                assert again == answers[key]
            answers[key] = again
        self._check_once(requests, answers)

    def _check_once(self, requests: dict[str, Request], answers: dict[str, Answered]) -> None:
        with closing(Store.open(self.url)) as store:
            marks, steps = store.read(_happened)
        for key, request in requests.items():
            assert key in answers
            action = request.path.rpartition("/")[2]
            if action in ("findings", "comment", "attachments"):
                assert marks[action, request.key.partition("-")[0]] == 1, request
            elif action in ONCE:
                assert steps[request.path.split("/")[1], action] == 1, request

    def peace(self) -> None:
        """After the last kill: everything is answered again, once more."""
        _, client = self._raised()
        client.close()
        self.nursery.put_down()
        self.ledger.close()


FIELDS: dict[str, Any] = {
    "unit": "school", "category": "campus_safety", "facts": ["东侧通道堆放杂物"], "legal_basis": [{"title": "消防法"}],
    "found_on": "2026-03-01",
}  # fmt: skip


def _request(who: str, path: str, mark: str, body: dict[str, Any], *, upload: bool = False) -> Request:
    """A request whose key begins with its mark."""
    return Request(f"{mark}-{path.rpartition('/')[2]}", who, path, body, upload)


def _tokens(tx: Tx) -> dict[str, str]:
    cast, now = engage(tx), datetime.now(UTC)
    made: dict[str, str] = {}
    for name in ("inspector", "officer", "chief", "school", "admin"):
        _, made[name] = accounts.create_token(
            tx,
            person_id=cast.ids[name],
            name="siege",
            scopes=("read", "write"),
            expires_at=now + timedelta(days=1),
            now=now,
        )
    return made


def _happened(tx: Tx) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """How often each mark and each step stands in the trails."""
    marks: Counter[tuple[str, str]] = Counter()
    steps: Counter[tuple[str, str]] = Counter()
    for chain, action, text in tx.select(select(EVENT.c.chain, EVENT.c.action, EVENT.c.payload)):
        steps[chain, action] += 1
        payload = json.loads(text)
        if action == "open":
            marks["findings", payload["title"].rpartition(" ")[2]] += 1
        elif action == "attach":
            marks["attachments", payload["note"]] += 1
        elif action == "comment":
            marks["comment", payload["text"]] += 1
    return marks, steps


# ---- the sieges ------------------------------------------------------------------------------------------------------


def besiege(url: str, folder: Path, nursery: Nursery, *, fuses: Sequence[Fuse], storms: int) -> int:
    """Kills at these statements, then under load; answers how many."""
    siege = Siege(url, folder, nursery, seed=len(fuses))
    for fuse in fuses:
        siege.assault(fuse)
    for _ in range(storms):
        siege.storm(siege.chance.randint(4, 30))
    siege.peace()
    return siege.kills


COMMITS = [Fuse(at, when, "COMMIT") for at in (1, 3) for when in ("before", "after")]
FEW = [*COMMITS, Fuse(5), Fuse(14, "after"), Fuse(33)]
EVERY = [Fuse(at, when) for at in range(1, 46) for when in ("before", "after")]


def test_killed_at_write_boundaries_and_under_load(
    database_url: str, backend: str, tmp_path: Path, nursery: Nursery
) -> None:
    fuses, storms = (FEW, 7) if backend == "sqlite" else (COMMITS, 2)
    assert besiege(database_url, tmp_path, nursery, fuses=fuses, storms=storms) == len(fuses) + storms


@pytest.mark.prove
def test_killed_two_hundred_times(database_url: str, backend: str, tmp_path: Path, nursery: Nursery) -> None:
    fuses, storms = ([*EVERY, *COMMITS], 40) if backend == "sqlite" else ([*EVERY[::3], *COMMITS], 32)
    assert besiege(database_url, tmp_path, nursery, fuses=fuses, storms=storms) == len(fuses) + storms
