"""Raises servers that can be killed: imports the product once, then forks a fresh server for each order on standard input.

An order is one line of JSON: {url, folder, at, when, word}. The answer is one line: {pid, port}. From SIGUSR1 on a server
counts the statements on its writing connections that begin with `word`, and kills itself right before or after the one
numbered `at`; never where that is 0.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import uvicorn
from sqlalchemy import URL

from loop import application, bootstrap
from loop.store import session
from loop.store.drivers import Cursor, Driver, Wire, driver_for
from loop.store.schema import migrate
from tests.cast import START
from tests.web import Site
from tests.world import World, settings_for


class Fuse:
    """Counts the statements that begin with `word` once it is lit, and ends the process at the one it was set to."""

    def __init__(self, at: int, when: str, word: str) -> None:
        self._at, self._when, self._word = at, when, word
        self._count, self._lit = 0, False

    def light(self, *_: object) -> None:
        self._lit = True

    def before(self, text: str) -> None:
        self._count += self._lit and text.startswith(self._word)
        self._burn("before", text)

    def after(self, text: str) -> None:
        self._burn("after", text)

    def _burn(self, when: str, text: str) -> None:
        if self._lit and text.startswith(self._word) and (self._count, when) == (self._at, self._when):
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedCursor:
    """A cursor whose statements the fuse counts."""

    def __init__(self, cursor: Cursor, fuse: Fuse) -> None:
        self._cursor, self._fuse = cursor, fuse

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, text: str, values: Sequence[Any], /) -> object:
        self._fuse.before(text)
        done = self._cursor.execute(text, values)
        self._fuse.after(text)
        return done

    def executemany(self, text: str, rows: Sequence[Sequence[Any]], /) -> object:
        self._fuse.before(text)
        done = self._cursor.executemany(text, rows)
        self._fuse.after(text)
        return done

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._cursor.fetchall()


class WatchedDriver:
    """A driver whose writing connections are watched."""

    def __init__(self, driver: Driver, fuse: Fuse) -> None:
        self._driver, self._fuse = driver, fuse
        self.dialect, self.begin_write, self.begin_read = driver.dialect, driver.begin_write, driver.begin_read

    def connect(self, *, read_only: bool) -> Wire:
        wire = self._driver.connect(read_only=read_only)
        if not read_only:
            wire.cursor = WatchedCursor(wire.cursor, self._fuse)
        return wire


def serve(order: dict[str, Any], heard: socket.socket) -> None:
    """Serve until killed."""
    fuse = Fuse(order["at"], order["when"], order["word"])
    signal.signal(signal.SIGUSR1, fuse.light)

    def watched(url: URL, patience: float, **more: Any) -> Driver:
        return cast("Driver", WatchedDriver(driver_for(url, patience, **more), fuse))

    setattr(session, "driver_for", watched)  # noqa: B010  the name is imported there, not exported
    parts = bootstrap.build(settings_for(order["url"], Path(order["folder"])), virtual_from=START)
    with application.web(parts, scheduler=False) as app:
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")).run(sockets=[heard])


def warm_up() -> None:
    """Let every statement and model be compiled once, before the first fork: all servers inherit them."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/warm.db"
        migrate(url)
        site = Site(World(settings_for(url, Path(folder))))
        asyncio.run(_some_calls(site))
        site.world.parts.close()


async def _some_calls(site: Site) -> None:
    async with site.http:
        file = {"file": ("evidence.pdf", b"%PDF-1.7", "application/pdf")}
        number = site.world.opened()
        await site.call(
            "inspector", "POST", f"/findings/{number}/attachments", files=file, headers={"Idempotency-Key": "a"}
        )
        await site.act("officer", number, "comment", text="warm")
        await site.post("inspector", "/findings", {"title": "warm"}, headers={"Idempotency-Key": "b"})


def main() -> None:
    """Take orders until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the log of the servers
    warm_up()
    for line in sys.stdin:
        heard = socket.create_server(("127.0.0.1", 0))
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(json.loads(line), heard)
            return
        answers.write(json.dumps({"pid": pid, "port": heard.getsockname()[1]}) + "\n")
        answers.flush()
        heard.close()


if __name__ == "__main__":
    main()
