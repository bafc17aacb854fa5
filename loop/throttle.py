"""Counts tries in a moving window, by any key, and says how long to wait. Lives in memory: a limit of this process."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Hashable
from datetime import datetime, timedelta

from loop.kernel.errors import RateLimited

MOST_KEYS = 20_000
"""Beyond this many keys the oldest are forgotten: an attacker chooses the keys, and must not fill the memory."""


class Throttle:
    """At most `limit` tries within `window` for each key. Safe to use from several threads."""

    def __init__(self, limit: int, window: timedelta) -> None:
        self._limit, self._window = limit, window
        self._tries: dict[Hashable, deque[datetime]] = {}
        self._lock = threading.Lock()

    def take(self, key: Hashable, now: datetime) -> None:
        """Count one try; raises `RateLimited` where there have been too many, which then counts no further one."""
        with self._lock:
            tries = self._tries.pop(key, deque())
            while tries and tries[0] <= now - self._window:
                tries.popleft()
            self._tries[key] = tries
            if len(tries) >= self._limit:
                left = (tries[0] + self._window - now).total_seconds()
                raise RateLimited(retry_after=max(1, math.ceil(left)))
            tries.append(now)
            while len(self._tries) > MOST_KEYS:
                del self._tries[next(iter(self._tries))]

    def give_back(self, key: Hashable) -> None:
        """Uncount the latest try, because it turned out to be none."""
        with self._lock:
            if tries := self._tries.get(key):
                tries.pop()

    def forget(self, key: Hashable) -> None:
        """Begin anew for this key."""
        with self._lock:
            self._tries.pop(key, None)
