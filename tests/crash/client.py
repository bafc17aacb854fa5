"""A client that trusts nobody: every request is written down before it is sent, every answer before it is believed."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PDF = b"%PDF-1.7 evidence of "


@dataclass(frozen=True, slots=True)
class Request:
    """One request under its Idempotency-Key. `note` is the mark by which its event is found again."""

    key: str
    who: str
    path: str
    body: dict[str, Any]
    upload: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    text: str


class Ledger:
    """A file of requests and 2xx answers, forced to disk line by line; what counts is what the file says."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._turn = threading.Lock()
        self.path = path
        self.counted = threading.Condition()
        self.acknowledged = 0

    def intend(self, request: Request) -> None:
        self._write(
            {"key": request.key, "who": request.who, "path": request.path, "body": request.body, "up": request.upload}
        )

    def acknowledge(self, request: Request, answer: Answered) -> None:
        self._write({"key": request.key, "status": answer.status, "text": answer.text})
        with self.counted:
            self.acknowledged += 1
            self.counted.notify_all()

    def _write(self, line: dict[str, Any]) -> None:
        with self._turn:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def read(self) -> tuple[dict[str, Request], dict[str, Answered]]:
        """Everything intended and everything acknowledged, by key."""
        requests: dict[str, Request] = {}
        answers: dict[str, Answered] = {}
        for text in self.path.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if "who" in line:
                requests[line["key"]] = Request(line["key"], line["who"], line["path"], line["body"], line["up"])
            else:
                answers[line["key"]] = Answered(line["status"], line["text"])
        return requests, answers

    def close(self) -> None:
        self._file.close()


@dataclass
class Client:
    """Sends requests to the server at `port` over a connection of its own."""

    tokens: dict[str, str]
    port: int
    ledger: Ledger
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=30)

    def another(self) -> Client:
        """One more of the same."""
        return Client(self.tokens, self.port, self.ledger)

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def send(self, request: Request) -> Answered:
        """Send once; raises httpx.TransportError when the server dies under it. Writes down what was acknowledged."""
        headers = {"Authorization": f"Bearer {self.tokens[request.who]}", "Idempotency-Key": request.key}
        if request.upload:
            note = request.body["note"]
            files = {"file": ("evidence.pdf", PDF + note.encode(), "application/pdf")}
            got = self.http.post(request.path, headers=headers, files=files, data=request.body)
        else:
            got = self.http.post(request.path, headers=headers, json=request.body)
        answer = Answered(got.status_code, got.text)
        if got.is_success:
            self.ledger.acknowledge(request, answer)
        return answer

    def first(self, request: Request) -> Answered:
        """Write it down, then send it."""
        self.ledger.intend(request)
        return self.send(request)
