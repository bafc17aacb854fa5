"""Transactions: one writer with group commit on SQLite, a pool of connections on PostgreSQL, behind the same few calls.

Nothing but `drivers` opens a connection. A work is a function of a `Tx`; it may be run again after a collision, so it
changes nothing but the database.
"""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, make_url
from sqlalchemy.exc import ArgumentError

from loop.kernel.errors import Unavailable
from loop.store.drivers import Cursor, Driver, Wire, driver_for
from loop.store.faults import BUSY, CLOSING, Contended, Duplicate, Moved, translated, unavailable
from loop.store.sql import SQLITE, Prepared, SelectCache

__all__ = ["Duplicate", "Moved", "Refused", "Store", "Tx", "Work"]

T = TypeVar("T")
Trace = Callable[[str, Sequence[Any]], None]

TRIES = 5
GROUP = 64
"""Works that share one commit at most."""


class Tx:
    """One open transaction. Rows are the driver's own tuples; `dialect` is "sqlite" or "postgresql".

    Every call raises `Unavailable` where the database cannot serve, and `Duplicate` where a key is taken. On PostgreSQL
    nothing more can be done in the transaction after that, unless it happened inside `attempt`.
    """

    __slots__ = ("_cursor", "_selects", "_trace", "dialect")

    def __init__(self, dialect: str, cursor: Cursor, selects: SelectCache, trace: Trace | None) -> None:
        self.dialect = dialect
        self._cursor = cursor
        self._selects = selects
        self._trace = trace

    def all(self, statement: Prepared, **params: Any) -> list[tuple[Any, ...]]:
        """Every row."""
        self._execute(*statement.bind(self.dialect, params))
        return self._cursor.fetchall()

    def one(self, statement: Prepared, **params: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        rows = self.all(statement, **params)
        return rows[0] if rows else None

    def run(self, statement: Prepared, **params: Any) -> int:
        """Runs a statement without rows; the number of rows it changed."""
        self._execute(*statement.bind(self.dialect, params))
        return self._cursor.rowcount

    def many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Runs a statement once for each of `rows`; nothing where there are none."""
        if not rows:
            return
        text, values = statement.bind_many(self.dialect, rows)
        if self._trace:
            for row in values:
                self._trace(text, row)
        try:
            self._cursor.executemany(text, values)
        except Exception as error:
            raise translated(error) from error

    def select(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """Every row of a select put together at run time."""
        self._execute(*self._selects.bind(statement))
        return self._cursor.fetchall()

    def control(self, text: str) -> None:
        """Runs a word such as COMMIT."""
        self._execute(text, ())

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """A stretch that is undone alone if it raises."""
        self.control("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            # Where the database has given up the whole transaction, there is nothing left to undo.
            with contextlib.suppress(Exception):
                self.control("ROLLBACK TO SAVEPOINT attempt")
                self.control("RELEASE SAVEPOINT attempt")
            raise
        self.control("RELEASE SAVEPOINT attempt")

    def _execute(self, text: str, values: Sequence[Any]) -> None:
        if self._trace:
            self._trace(text, values)
        try:
            self._cursor.execute(text, values)
        except Exception as error:
            raise translated(error) from error


Work = Callable[[Tx], T]


@dataclass(frozen=True, slots=True)
class Refused:
    """What a work answers to have its transaction committed first, and `error` raised to whoever waits after."""

    error: Exception


class _Pool:
    """So many connections, opened when first needed and replaced when lost."""

    def __init__(self, driver: Driver, size: int, *, read_only: bool) -> None:
        self._driver = driver
        self._read_only = read_only
        self._size = size
        self._free: queue.LifoQueue[Wire | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)

    @contextlib.contextmanager
    def lease(self) -> Iterator[Wire]:
        """A connection for the length of one transaction."""
        wire = self._free.get()
        try:
            if wire is None or not wire.open:
                wire = None
                wire = self._driver.connect(read_only=self._read_only)
            yield wire
        finally:
            self._free.put(wire)

    def close(self) -> None:
        """Waits for the transactions under way, then closes every connection."""
        for _ in range(self._size):
            wire = self._free.get()
            if wire is not None:
                wire.close()


class _Job:
    """A work and the future of its result."""

    __slots__ = ("future", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()

    def done(self, result: Any) -> None:
        """Committed, with this result."""
        if isinstance(result, Refused):
            self.future.set_exception(result.error)
        else:
            self.future.set_result(result)


class _Desk:
    """Runs works one transaction each, on any connection."""

    def __init__(self, store: Store, driver: Driver) -> None:
        self.store = store
        self.driver = driver
        self._selects = SelectCache(driver.dialect)

    def tx(self, wire: Wire) -> Tx:
        """A transaction's view of `wire`."""
        return Tx(self.driver.dialect, wire.cursor, self._selects, self.store.trace)

    def once(self, wire: Wire, begin: str, work: Work[T]) -> T:
        """`work` in a transaction of its own: committed when it returns, rolled back when it raises."""
        tx = self.tx(wire)
        try:
            tx.control(begin)
        except Unavailable as error:
            if not wire.open:  # lost while it lay in the pool: nothing has happened yet
                raise unavailable(BUSY, Contended) from error
            raise
        try:
            result = work(tx)
            tx.control("COMMIT")
        except BaseException:
            self.abandon(tx, wire)
            raise
        return result

    def abandon(self, tx: Tx, wire: Wire) -> None:
        """Rolls back what is still open; a connection that cannot do even that is closed."""
        if not (wire.open and wire.inside):
            return
        try:
            tx.control("ROLLBACK")
        except Exception:  # noqa: BLE001 - the failure that led here is the one to report
            wire.close()

    def pooled(self, pool: _Pool, begin: str, work: Work[T]) -> T:
        """`work` on a pooled connection, tried again when it collided with another."""
        for turn in range(1, TRIES):
            try:
                with pool.lease() as wire:
                    return self.once(wire, begin, work)
            except Contended:
                time.sleep(random.uniform(0, 0.01 * turn))  # noqa: S311 - only to part two that collided
        with pool.lease() as wire:
            return self.once(wire, begin, work)


class _Writer(threading.Thread):
    """SQLite's one writer: what has queued up meanwhile is one group, each work in a savepoint, one commit for all."""

    def __init__(self, desk: _Desk) -> None:
        super().__init__(name="loop-writer", daemon=True)
        self._desk = desk
        self._wire: Wire | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()

    def put(self, job: _Job) -> None:
        """Queue a job. A work must not wait for another one: it would wait for itself."""
        if threading.current_thread() is self:
            raise RuntimeError("a work inside a transaction asked for another transaction")
        self._jobs.put(job)

    def close(self) -> None:
        """Finishes what is queued, then stops."""
        self._jobs.put(None)
        self.join()
        if self._wire is not None:
            self._wire.close()

    def run(self) -> None:
        """Until closed."""
        more = True
        while more:
            group, more = self._next_group()
            live = [job for job in group if job.future.set_running_or_notify_cancel()]
            if live:
                self._serve(live)

    def _next_group(self) -> tuple[list[_Job], bool]:
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            group.append(job)
            if len(group) == GROUP:
                return group, True
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _serve(self, group: list[_Job]) -> None:
        try:
            done = len(group) > 1 and self._together(self._connected(), group)
        except Exception as error:  # noqa: BLE001 - those who wait must hear of it
            for job in group:
                job.future.set_exception(error)
            return
        if not done:
            for job in group:
                self._alone(job)

    def _connected(self) -> Wire:
        if self._wire is None or not self._wire.open:
            self._wire = self._desk.driver.connect(read_only=False)
        return self._wire

    def _alone(self, job: _Job) -> None:
        try:
            result = self._desk.once(self._connected(), self._desk.driver.begin_write, job.work)
        except BaseException as error:  # noqa: BLE001 - the one who waits must hear of it
            job.future.set_exception(error)
        else:
            job.done(result)

    def _together(self, wire: Wire, group: list[_Job]) -> bool:
        """Whether the group was settled; False if it could not be committed as one, because SQLite gave up the whole
        transaction or a work left what cannot be committed: then each has to be run alone. Raises if none could begin.
        """
        tx = self._desk.tx(wire)
        tx.control(self._desk.driver.begin_write)
        outcomes: list[tuple[Any, BaseException | None]] = []
        for job in group:
            try:
                with tx.attempt():
                    outcomes.append((job.work(tx), None))
            except BaseException as error:  # noqa: BLE001 - the one who waits must hear of it
                outcomes.append((None, error))
            if not wire.inside:
                return False
        try:
            tx.control("COMMIT")
        except Exception:  # noqa: BLE001 - each will meet the reason again on its own
            self._desk.abandon(tx, wire)
            return False
        for job, (result, failure) in zip(group, outcomes, strict=True):
            if failure is None:
                job.done(result)
            else:
                job.future.set_exception(failure)
        return True


class Store:
    """The database of one process. `trace`, if set, sees every statement with its values, once for each row."""

    def __init__(self, driver: Driver, *, workers: int, readers: int) -> None:
        self.dialect = driver.dialect
        self.trace: Trace | None = None
        self._driver = driver
        self._desk = _Desk(self, driver)
        self._open = True
        self._reading = _Pool(driver, readers, read_only=True)
        self._read_threads = ThreadPoolExecutor(readers, "loop-read")
        self._writer: _Writer | None = None
        if driver.dialect == SQLITE:
            self._writer = _Writer(self._desk)
            self._writer.start()
        else:
            self._writing = _Pool(driver, workers, read_only=False)
            self._write_threads = ThreadPoolExecutor(workers, "loop-write")

    @classmethod
    def open(
        cls, url: str, *, workers: int = 8, readers: int = 4, patience: float = 5.0, durable: bool = True
    ) -> Store:
        """The store at `url`; nothing is connected until the first transaction.

        `workers` is the number of PostgreSQL connections that write, `readers` of connections that read; `patience` the
        seconds to wait for a lock; not `durable` means that a loss of power may lose what was committed. Raises
        ValueError for an address that is neither SQLite nor PostgreSQL.
        """
        try:
            address = make_url(url)
        except ArgumentError as error:
            raise ValueError("[database] url is not an address such as sqlite:///loop.db") from error
        return cls(driver_for(address, patience, durable=durable), workers=workers, readers=readers)

    def write(self, work: Work[T | Refused]) -> T:
        """Runs `work` in a transaction and answers once it is committed; whatever it raises undoes it."""
        if self._writer is not None:
            return self.submit(work).result()
        self._check_open()
        result = self._desk.pooled(self._writing, self._driver.begin_write, work)
        if isinstance(result, Refused):
            raise result.error
        return result

    def submit(self, work: Work[T | Refused]) -> Future[T]:
        """`write` without waiting; a future cancelled before its turn never runs."""
        self._check_open()
        if self._writer is None:
            return self._write_threads.submit(self.write, work)
        job = _Job(work)
        self._writer.put(job)
        return job.future

    def read(self, work: Work[T]) -> T:
        """Runs `work` on one unchanging picture of the database; it cannot write."""
        self._check_open()
        return self._desk.pooled(self._reading, self._driver.begin_read, work)

    def submit_read(self, work: Work[T]) -> Future[T]:
        """`read` without waiting."""
        self._check_open()
        return self._read_threads.submit(self.read, work)

    def close(self) -> None:
        """Finishes what is under way and closes every connection. Closing twice is harmless."""
        if not self._open:
            return
        if self._writer is None:
            self._write_threads.shutdown()
            self._writing.close()
        self._read_threads.shutdown()
        self._open = False
        if self._writer is not None:
            self._writer.close()
        self._reading.close()

    def _check_open(self) -> None:
        if not self._open:
            raise unavailable(CLOSING)
