"""A program that listens: a real HTTP server on loopback in a thread of its own, which answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar, overload


@dataclass
class Receiver:
    """What arrived, and with which status the next requests are answered."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, id_: str) -> int:
        """With which status a letter of this id is answered."""
        return self.status

    @property
    def bodies(self) -> list[Any]:
        """Every body that arrived, as JSON."""
        return [json.loads(body) for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        """The id of every request that arrived."""
        return [headers["webhook-id"] for headers, _ in self.got]


R = TypeVar("R", bound=Receiver)


@overload
@contextmanager
def listening() -> Iterator[Receiver]: ...


@overload
@contextmanager
def listening(receiver: R) -> Iterator[R]: ...


@contextmanager
def listening(receiver: Receiver | None = None) -> Iterator[Receiver]:
    """`receiver`, or one that takes everything, as long as the context lasts."""
    told = receiver or Receiver()
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            body = self.rfile.read(length)
            if len(body) < length:  # whoever sent it was cut off in the middle: nothing came
                self.close_connection = True
                return
            with turn:
                told.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status = told.answer(self.headers.get("webhook-id", ""))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the base class
            """Nothing is printed."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # twenty letters knock at once

    server = Server(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
