"""A client that costs little: stories of requests over a fixed number of kept connections, every answer checked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

CONNECTIONS = 16
PATIENCE = 60
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Call:
    """One POST; `{number}` in the path stands for the number that an earlier answer of the same story gave."""

    path: str
    token: str
    body: bytes

    def bytes_for(self, number: str) -> bytes:
        """The request as it goes over the wire."""
        path = self.path.format(number=number)
        return HEAD.format(path=path, token=self.token, length=len(self.body)).encode() + self.body


Story = Sequence[Call]


@dataclass(frozen=True, slots=True)
class Played:
    """How long the calls took together, and each of them, in seconds."""

    seconds: float
    each: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Calls per second."""
        return len(self.each) / self.seconds


def call(path: str, token: str, payload: Mapping[str, Any]) -> Call:
    """A call with a JSON body."""
    return Call(path, token, json.dumps(payload, ensure_ascii=False).encode())


def play(port: int, stories: Sequence[Story]) -> Played:
    """All stories, each in its order, over 16 connections; raises RuntimeError for an answer that is not 2xx."""
    return uvloop.run(_play(port, stories))


async def _play(port: int, stories: Sequence[Story]) -> Played:
    waiting = iter(stories)
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    took = await asyncio.gather(*(_line(*line, waiting) for line in lines))
    seconds = time.perf_counter() - begun
    for _, writer in lines:
        writer.close()
        await writer.wait_closed()
    return Played(seconds, tuple(one for some in took for one in some))


async def _line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: Iterator[Story]) -> list[float]:
    took: list[float] = []
    for story in waiting:
        number = ""
        for one in story:
            begun = time.perf_counter()
            writer.write(one.bytes_for(number))
            answer = await _answer(reader, one.path)
            took.append(time.perf_counter() - begun)
            number = number or json.loads(answer)["number"]
    return took


async def _answer(reader: asyncio.StreamReader, path: str) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    body = await reader.readexactly(length)
    if head.split(" ", 2)[1][0] != "2":
        raise RuntimeError(f"{path} answered {head.splitlines()[0]}: {body[:500].decode()}")
    return body


@contextmanager
def serving(module: str, *arguments: object) -> Iterator[int]:
    """The port of a server started as a process of its own, stopped afterwards."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(PATIENCE)
