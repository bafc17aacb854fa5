"""The trail: chains that anyone can recompute, canonical text, and instants whose text order is time order."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop.store import journal
from loop.store.canonical import canonical
from loop.store.instants import instant_of, text_of
from loop.store.journal import Entry
from loop.store.session import Duplicate, Store, Tx

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def entry(seq: int, **more: Any) -> Entry:
    values: dict[str, Any] = {
        "chain": "C-1", "seq": seq, "finding_id": 7, "track": "course", "action": "open", "to_state": "report.draft",
        "actor_id": "p", "actor_name": "王某", "actor_role": "inspector", "at": NOW, "rules": "1",
        "payload": canonical({"标题": "堵", "n": [1, None, True]}), "effects": "{}",
    }  # fmt: skip
    return Entry(**values | more)


def recomputed(row: dict[str, Any], previous: str) -> str:
    """The hash as anybody would compute it from the contract alone."""
    sha = hashlib.sha256
    parts_ = {k: v for k, v in row.items() if k != "hash"}
    for name in ("payload", "effects"):
        parts_[name] = sha(row[name].encode()).hexdigest()
    body = json.dumps(parts_, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha((previous + body).encode()).hexdigest()


def test_hashes_can_be_recomputed_from_the_stored_rows_alone(store: Store) -> None:
    def work(tx: Tx) -> None:
        previous = journal.FIRST
        for seq in (1, 2, 3):
            due = NOW + timedelta(microseconds=seq)
            sealed = journal.seal(entry(seq, timer_id="t" if seq > 1 else None, rung=seq, due_at=due), previous)
            journal.append(tx, sealed)
            previous = sealed.hash

    store.write(work)
    statement = journal._EVENT.select().order_by(journal._EVENT.c.seq)
    names = journal._EVENT.c.keys()
    rows = [dict(zip(names, row, strict=True)) for row in store.read(lambda tx: tx.select(statement))]
    previous = ""
    for row in rows:
        previous = recomputed(row, previous)
        assert row["hash"] == previous
    assert store.read(lambda tx: journal.head_of(tx, "C-1")) == (3, previous)
    read = store.read(lambda tx: journal.trail(tx, "C-1", after_seq=1, limit=1))
    assert read == [
        journal.seal(entry(2, timer_id="t", rung=2, due_at=NOW + timedelta(microseconds=2)), rows[0]["hash"])
    ]


@pytest.mark.parametrize("column", ["actor_name", "at", "payload", "effects", "rung", "for_id"])
def test_every_column_is_under_the_hash(column: str) -> None:
    changed: dict[str, Any] = {"at": NOW + HOUR, "rung": 1, "payload": "{ }", "effects": "[]"}
    first, second = entry(1), entry(1, **{column: changed.get(column, "x")})
    assert journal.seal(first, "").hash != journal.seal(second, "").hash
    assert journal.seal(first, "").hash != journal.seal(first, "0").hash


def test_a_rung_is_taken_once(store: Store) -> None:
    store.write(lambda tx: journal.append(tx, journal.seal(entry(1, timer_id="t", rung=0), "")))
    with pytest.raises(Duplicate):
        store.write(lambda tx: journal.append(tx, journal.seal(entry(2, timer_id="t", rung=0), "")))
    store.write(lambda tx: journal.append(tx, journal.seal(entry(2, timer_id="t", rung=1), "")))


def test_those_who_extend_a_chain_take_turns(store: Store) -> None:
    def work(k: int) -> Callable[[Tx], Entry]:
        return lambda tx: journal.extend(
            tx, "people", action="enrol", actor_id="a", actor_name="a", actor_role="admin", at=NOW, payload={"k": k}
        )

    made = [future.result(30) for future in [store.submit(work(k)) for k in range(24)]]
    assert sorted(e.seq for e in made) == list(range(1, 25))
    trail = store.read(lambda tx: journal.trail(tx, "people"))
    assert trail == sorted(made, key=lambda e: e.seq)
    assert [journal.seal(b, a.hash) for a, b in pairwise(trail)] == trail[1:]


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, {1: "a"}, {"a": {1}}, NOW])
def test_canonical_text_refuses_what_has_no_single_form(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


def test_canonical_text_is_pinned() -> None:
    assert (
        canonical({"b": [1, True, None], "a": {"文": "é\n", "z": ()}}) == '{"a":{"z":[],"文":"é\\n"},"b":[1,true,null]}'
    )


@given(st.lists(st.datetimes(timezones=st.timezones()), max_size=8))
def test_instants_sort_as_their_texts_do(instants: list[datetime]) -> None:
    kept = [at for at in instants if datetime(2, 1, 1, tzinfo=UTC) < at < datetime(9999, 12, 30, tzinfo=UTC)]
    utc = [at.astimezone(UTC) for at in kept]
    assert sorted(map(text_of, kept)) == [text_of(at) for at in sorted(utc)]
    assert [instant_of(text_of(at)) for at in kept] == utc
    assert {len(text_of(at)) for at in kept} <= {27}


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        text_of(datetime(2026, 3, 2))  # noqa: DTZ001
