"""Transactions: what a caller may rely on whatever happens beside, before or after its own work."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, func, insert, select, update
from sqlmodel import SQLModel

from loop.kernel.errors import Unavailable
from loop.store import papers
from loop.store.session import Duplicate, Store, Tx
from loop.store.sql import Prepared, upsert

Opener = Callable[..., Store]

SETTING = SQLModel.metadata.tables["setting"]
PUT = Prepared(insert(SETTING), columns=["key", "value"])
SET = Prepared(update(SETTING).where(SETTING.c.key == bindparam("of")), columns=["value"])
KEYS = Prepared(select(SETTING.c.key).order_by(SETTING.c.key))
SOME = Prepared(
    select(SETTING.c.key).where(SETTING.c.key.in_(bindparam("keys", expanding=True)), SETTING.c.value == "1%")
)
ENOUGH = 30
"""Seconds after which a thread that should have come is given up."""


def put(key: str, value: str = "1%") -> Callable[[Tx], int]:
    return lambda tx: tx.run(PUT, key=key, value=value)


def keys(store: Store) -> list[str]:
    return store.read(lambda tx: [row[0] for row in tx.all(KEYS)])


def boom(tx: Tx) -> None:
    put("boom")(tx)
    raise LookupError("boom")


class Held:
    """A work that holds SQLite's writer until released, so that what is submitted meanwhile becomes one group."""

    def __init__(self, store: Store) -> None:
        self._go, self.started = threading.Event(), threading.Event()
        self.future = store.submit(self._work)
        assert self.started.wait(ENOUGH)

    def _work(self, _: Tx) -> None:
        self.started.set()
        assert self._go.wait(ENOUGH)

    def release(self) -> None:
        self._go.set()
        self.future.result(ENOUGH)


# ---- one work ----------------------------------------------------------------------------------------------------


def test_a_work_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(LookupError, match="boom"):
        store.write(boom)
    assert keys(store) == []
    assert store.write(put("after")) == 1
    assert keys(store) == ["after"]


def test_a_taken_key_is_a_duplicate_and_the_store_goes_on(store: Store) -> None:
    store.write(put("a"))
    with pytest.raises(Duplicate, match="setting"):
        store.write(put("a"))
    store.write(put("b"))
    assert keys(store) == ["a", "b"]


def test_many_rows_are_written_together_or_not_at_all(store: Store) -> None:
    store.write(lambda tx: tx.many(PUT, [{"key": k, "value": "1"} for k in "ab"]))
    store.write(lambda tx: tx.many(PUT, []))
    with pytest.raises(Duplicate):
        store.write(lambda tx: tx.many(PUT, [{"key": k, "value": "2"} for k in "cb"]))
    assert keys(store) == ["a", "b"]


def test_an_attempt_is_undone_alone(store: Store) -> None:
    def work(tx: Tx) -> None:
        put("a")(tx)
        with contextlib.suppress(Duplicate), tx.attempt():
            put("b")(tx)
            put("a")(tx)
        put("c")(tx)

    store.write(work)
    assert keys(store) == ["a", "c"]


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises(Unavailable):
        store.read(put("a"))
    assert keys(store) == []


def test_a_reader_sees_one_picture(store: Store) -> None:
    def work(tx: Tx) -> tuple[int, int]:
        before = len(tx.all(KEYS))
        store.write(put("late"))
        return before, len(tx.all(KEYS))

    assert store.read(work) == (0, 0)
    assert keys(store) == ["late"]


def test_reads_and_writes_can_be_awaited_apart(store: Store) -> None:
    assert store.submit(put("a")).result(ENOUGH) == 1
    assert store.submit_read(lambda tx: tx.all(KEYS)).result(ENOUGH) == [("a",)]


def test_a_closed_store_finishes_what_it_took_and_refuses_the_rest(database_url: str, open_store: Opener) -> None:
    store = open_store(database_url)
    taken = [store.submit(put(f"{k:02}")) for k in range(20)]
    store.close()
    assert [future.result(ENOUGH) for future in taken] == [1] * 20
    for call in (store.write, store.read, store.submit, store.submit_read):
        with pytest.raises(Unavailable, match="stopping"):
            call(put("no"))
    assert len(keys(open_store(database_url))) == 20


# ---- statements --------------------------------------------------------------------------------------------------


def test_lists_of_any_length_and_values_that_stand_in_the_statement(store: Store) -> None:
    store.write(lambda tx: tx.many(PUT, [{"key": k, "value": "1%"} for k in "abcd"]))
    store.write(lambda tx: tx.run(SET, of="d", value="2"))
    for wanted, found in (([], 0), (["a"], 1), (["a", "b", "d"], 2), (["c", "b", "a", "x"], 3)):
        assert len(store.read(partial(Tx.all, statement=SOME, keys=wanted))) == found


def test_selects_made_at_run_time_keep_their_own_values(store: Store) -> None:
    store.write(lambda tx: tx.many(PUT, [{"key": k, "value": "1"} for k in "abcd"]))
    for wanted in (["a"], ["b", "c"], ["d"]):
        statement = select(SETTING.c.key).where(SETTING.c.key.in_(wanted)).order_by(SETTING.c.key).limit(2)
        assert store.read(partial(Tx.select, statement=statement)) == [(key,) for key in wanted]


def test_an_upsert_leaves_or_replaces(store: Store) -> None:
    leave, replace = Prepared(upsert(SETTING, ["key"])), Prepared(upsert(SETTING, ["key"], sets=["value"]))
    value = Prepared(select(SETTING.c.value))
    store.write(put("a", "first"))
    store.write(lambda tx: tx.run(leave, key="a", value="second"))
    assert store.read(lambda tx: tx.all(value)) == [("first",)]
    store.write(lambda tx: tx.run(replace, key="a", value="third"))
    assert store.read(lambda tx: tx.all(value)) == [("third",)]


@pytest.mark.parametrize("params", [{"key": "a"}, {"key": "a", "value": "b", "valeu": "c"}])
def test_a_missing_or_misspelt_parameter_is_an_error(store: Store, params: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError), match="val"):
        store.write(lambda tx: tx.run(PUT, **params))


def test_the_trace_sees_every_statement_with_its_values(store: Store) -> None:
    seen: list[tuple[str, list[Any]]] = []
    store.trace = lambda text, values: seen.append((text.split()[0], list(values)))
    store.write(lambda tx: tx.many(PUT, [{"key": k, "value": "1"} for k in "ab"]))
    assert seen == [("BEGIN", []), ("INSERT", ["a", "1"]), ("INSERT", ["b", "1"]), ("COMMIT", [])]


# ---- SQLite's one writer -----------------------------------------------------------------------------------------

only_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


@only_sqlite
def test_works_that_queue_up_share_one_commit_and_fail_alone(store: Store) -> None:
    commits: list[str] = []
    held = Held(store)
    store.trace = lambda text, _: commits.append(text) if text == "COMMIT" else None
    good = [store.submit(put(key)) for key in "abc"]
    bad: list[Future[Any]] = [store.submit(boom), store.submit(put("a"))]
    last = store.submit(put("d"))
    held.release()
    assert [future.result(ENOUGH) for future in (*good, last)] == [1, 1, 1, 1]
    assert isinstance(bad[0].exception(ENOUGH), LookupError)
    assert isinstance(bad[1].exception(ENOUGH), Duplicate)
    store.trace = None
    assert keys(store) == ["a", "b", "c", "d"]
    assert len(commits) == 1


@only_sqlite
def test_nothing_is_acknowledged_before_the_commit(store: Store) -> None:
    held = Held(store)
    first = store.submit(put("a"))
    seen = store.submit(lambda _: (first.done(), store.submit_read(lambda tx: tx.all(KEYS)).result(ENOUGH)))
    held.release()
    assert seen.result(ENOUGH) == (False, [])
    assert first.result(ENOUGH) == 1


@only_sqlite
def test_a_full_disk_says_so_and_takes_nobody_else_down(store: Store) -> None:
    def fill(tx: Tx) -> None:
        # As far as SQLite can tell, the disk ends here.
        tx.control("PRAGMA max_page_count = 1")
        tx.run(PUT, key="big", value="x" * 1_000_000)

    def unlimited(tx: Tx) -> int:
        tx.control("PRAGMA max_page_count = 1000000")
        return put("c")(tx)

    held = Held(store)
    before, full, after = store.submit(put("a")), store.submit(fill), store.submit(unlimited)
    held.release()
    assert isinstance(refused := full.exception(ENOUGH), Unavailable)
    assert "disk is full" in str(refused)
    assert (before.result(ENOUGH), after.result(ENOUGH)) == (1, 1)
    assert keys(store) == ["a", "c"]


@only_sqlite
@pytest.mark.parametrize("bad", ["given up at once", "not to be committed"])
def test_a_work_that_ruins_the_whole_transaction_ruins_only_itself(store: Store, bad: str) -> None:
    """SQLite gives up the transaction on a fault of the disk; a broken promise shows only at the commit."""

    def prepare(tx: Tx) -> None:
        tx.control("CREATE TABLE child (parent REFERENCES setting (key) DEFERRABLE INITIALLY DEFERRED)")
        tx.control(
            "CREATE TRIGGER fault BEFORE INSERT ON setting WHEN new.key = 'fault' BEGIN SELECT RAISE(ROLLBACK, 'gone'); END"
        )

    def ruin(tx: Tx) -> None:
        if bad == "given up at once":
            put("fault")(tx)
        else:
            tx.control("INSERT INTO child VALUES ('nobody')")

    store.write(prepare)
    held = Held(store)
    before, ruined, after = store.submit(put("a")), store.submit(ruin), store.submit(put("b"))
    held.release()
    assert isinstance(ruined.exception(ENOUGH), sqlite3.IntegrityError)
    assert (before.result(ENOUGH), after.result(ENOUGH)) == (1, 1)
    assert keys(store) == ["a", "b"]


@only_sqlite
def test_more_works_than_one_group_holds(store: Store) -> None:
    held = Held(store)
    futures = [store.submit(put(f"{k:03}")) for k in range(150)]
    held.release()
    assert [future.result(ENOUGH) for future in futures] == [1] * 150
    assert len(keys(store)) == 150


@only_sqlite
def test_a_cancelled_work_never_runs(store: Store) -> None:
    held = Held(store)
    cancelled, kept = store.submit(put("a")), store.submit(put("b"))
    assert cancelled.cancel()
    held.release()
    assert kept.result(ENOUGH) == 1
    assert keys(store) == ["b"]


@only_sqlite
def test_a_work_that_asks_for_another_transaction_is_told_so(store: Store) -> None:
    with pytest.raises(RuntimeError, match="another transaction"):
        store.write(lambda _: store.write(put("a")))


@only_sqlite
def test_a_locked_file_is_waited_for_and_then_named(database_url: str, open_store: Opener) -> None:
    store = open_store(database_url, patience=0.05)
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="busy"):
        store.write(put("a"))
    other.execute("ROLLBACK")
    other.close()
    assert store.write(put("a")) == 1


def test_several_processes_may_write_one_database(database_url: str, open_store: Opener) -> None:
    """Two stores stand for two processes: each has its own connections."""
    stores = [open_store(database_url, patience=30), open_store(database_url, patience=30)]
    futures = [stores[k % 2].submit(put(f"{k:03}")) for k in range(100)]
    assert [future.result(ENOUGH) for future in futures] == [1] * 100
    assert keys(stores[0]) == [f"{k:03}" for k in range(100)]


# ---- PostgreSQL's many -------------------------------------------------------------------------------------------


@only_postgresql
def test_two_works_that_lock_each_other_out_both_succeed(store: Store) -> None:
    store.write(lambda tx: tx.many(PUT, [{"key": k, "value": "0"} for k in "ab"]))
    meet = threading.Barrier(2)
    tries: list[str] = []

    def crossing(first: str, second: str) -> Callable[[Tx], None]:
        def work(tx: Tx) -> None:
            tx.run(SET, of=first, value=first)
            tries.append(first)
            if len(tries) <= 2:
                meet.wait(ENOUGH)
            tx.run(SET, of=second, value=first)

        return work

    futures = [store.submit(crossing("a", "b")), store.submit(crossing("b", "a"))]
    assert [future.result(ENOUGH) for future in futures] == [None, None]
    assert len(tries) >= 3


@only_postgresql
def test_a_row_that_stays_locked_is_named(database_url: str, open_store: Opener) -> None:
    store = open_store(database_url, patience=0.1)
    store.write(put("a"))
    with psycopg.connect(database_url.replace("+psycopg", "")) as other:
        other.execute("UPDATE setting SET value = 'held'")
        with pytest.raises(Unavailable, match="busy"):
            store.write(lambda tx: tx.run(SET, of="a", value="mine"))


@only_postgresql
def test_lost_connections_are_replaced(database_url: str, store: Store) -> None:
    store.write(put("a"))
    assert keys(store) == ["a"]
    with psycopg.connect(database_url.replace("+psycopg", "")) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    store.write(put("b"))
    assert keys(store) == ["a", "b"]


def test_a_server_that_is_not_there_is_named(open_store: Opener) -> None:
    store = open_store("postgresql+psycopg://nobody@localhost:1/none")
    with pytest.raises(Unavailable, match="cannot be reached"):
        store.read(lambda tx: tx.all(KEYS))


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "not an address"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        Store.open(url)


# ---- numbers without gaps ----------------------------------------------------------------------------------------


def test_serials_have_no_gaps_though_eight_write_and_some_fail(store: Store) -> None:
    def work(number: int) -> Callable[[Tx], int]:
        def take(tx: Tx) -> int:
            serial = papers.take_serial(tx, "office", "paper", 2026)
            if number % 3 == 0:
                raise LookupError("undone")
            return serial

        return take

    def ask(number: int) -> int | None:
        try:
            return store.write(work(number))
        except LookupError:
            return None

    with ThreadPoolExecutor(8) as threads:
        serials = [serial for serial in threads.map(ask, range(90)) if serial is not None]
    assert sorted(serials) == list(range(1, 61))
    count = Prepared(select(func.count()).select_from(SQLModel.metadata.tables["serial"]))
    assert store.read(lambda tx: tx.all(count)) == [(1,)]
