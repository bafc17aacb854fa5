"""Raises workers that can be killed: imports the product once, then forks a worker for each order on standard input.

An order is one line of JSON: {url, folder, lease, tally}. The answer is one line: {pid}. A worker drains the outbox again
and again until it is killed, and writes into the file `tally` how many letters it has sent.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from loop import bootstrap
from loop.bootstrap import Parts
from tests.postal import postal_settings

REST = 0.05
"""Seconds between two looks for something to send."""


def open_parts(order: dict[str, Any]) -> Parts:
    """The running parts of an order; letters may go to this machine."""
    told = {"lease_seconds": order["lease"], "allow_networks": ("127.0.0.0/8",)}
    return bootstrap.build(postal_settings(order["url"], Path(order["folder"]), **told))


def work(order: dict[str, Any]) -> None:
    """Drain until killed."""
    parts, sent = open_parts(order), 0
    while True:
        sent += parts.outbox.drain()
        draft = Path(order["tally"] + ".new")
        draft.write_text(str(sent), "ascii")
        draft.replace(order["tally"])  # whoever reads never meets half a number
        time.sleep(REST)


def main() -> None:
    """Take orders until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the log of the workers
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(json.loads(line))
            return
        answers.write(json.dumps({"pid": pid}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
