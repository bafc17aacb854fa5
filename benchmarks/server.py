"""The product behind one uvicorn worker, in a process of its own: `python -m benchmarks.server DATABASE LOG`."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from benchmarks.stage import parts_on
from loop import application, log


def main(database: Path, lines: Path) -> None:
    """Serve until told to stop, as `loop serve` does, with every line of the log written."""
    with lines.open("w") as stream:
        log.configure("json", stream=stream)
        with parts_on(database) as parts, application.web(parts, scheduler=False) as app:
            serve(app)


def serve(app: ASGIApp) -> None:
    """Serve on a free port and say which."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
