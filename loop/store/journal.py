"""The audit trail: entries sealed into one hash chain for each finding, and for people, supervisions and tip-offs.

An entry's hash is the SHA-256 of the previous hash followed by the canonical JSON of every other column, with `payload`
and `effects` replaced by their SHA-256: a reader who may not see a payload can still check the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from loop.store import settings_kept
from loop.store.canonical import canonical, digest
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.session import Tx
from loop.store.sql import POSTGRESQL, Prepared
from loop.store.tables import EventRow

FIRST = ""
"""What stands for the previous hash at the start of a chain."""
HEAD = "head:"
"""With the chain's name, the setting that holds number and hash of the last entry of a chain without a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a chain. `payload` and `effects` are the very texts that were hashed."""

    chain: str
    seq: int
    finding_id: int | None = None
    track: str = ""
    action: str
    from_state: str = ""
    to_state: str = ""
    actor_id: str
    actor_name: str
    actor_role: str
    for_id: str | None = None
    at: datetime
    due_at: datetime | None = None
    timer_id: str | None = None
    rung: int | None = None
    rules: str = ""
    payload: str = "{}"
    effects: str = "{}"
    hash: str = ""


_EVENT = table_of(EventRow)
_NAMES = tuple(field.name for field in fields(Entry))
_APPEND = Prepared(insert(_EVENT), columns=_NAMES)
_TRAIL = Prepared(
    select(*(_EVENT.c[name] for name in _NAMES))
    .where(_EVENT.c.chain == bindparam("chain"), _EVENT.c.seq > bindparam("after_seq"))
    .order_by(_EVENT.c.seq)
    .limit(bindparam("most"))
)
_LATEST = Prepared(
    select(*(_EVENT.c[name] for name in _NAMES))
    .where(_EVENT.c.chain == bindparam("chain"), _EVENT.c.seq < bindparam("before"))
    .order_by(_EVENT.c.seq.desc())
    .limit(bindparam("most"))
)
_PLACES = Prepared(
    select(*(_EVENT.c[name] for name in _NAMES)).where(
        _EVENT.c.chain == bindparam("chain"), _EVENT.c.seq.in_(bindparam("seqs", expanding=True))
    )
)
_HEAD = Prepared(
    select(_EVENT.c.seq, _EVENT.c.hash)
    .where(_EVENT.c.chain == bindparam("chain"))
    .order_by(_EVENT.c.seq.desc())
    .limit(1)
)
_NEWEST = Prepared(select(func.max(_EVENT.c.at)))
_HOLD = Prepared(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("chain"), 0))))


def seal(entry: Entry, previous_hash: str) -> Entry:
    """`entry` with the hash that ties it to the entry before it (`FIRST` where there is none)."""
    return replace(entry, hash=hash_of(_row(entry), previous_hash))


def hash_of(row: Mapping[str, Any], previous_hash: str) -> str:
    """The hash of an entry as its row stands in the table. Raises TypeError or ValueError for values no entry has."""
    hashed = {**row, "payload": digest(row["payload"]), "effects": digest(row["effects"])}
    del hashed["hash"]
    return digest(previous_hash + canonical(hashed))


def append(tx: Tx, entry: Entry) -> None:
    """Writes a sealed entry; raises `Duplicate` if its place, or its (timer_id, rung), is taken."""
    tx.run(_APPEND, **_row(entry))


def trail(tx: Tx, chain: str, after_seq: int = 0, limit: int = 1_000) -> list[Entry]:
    """Up to `limit` entries of a chain in order, after the one numbered `after_seq`."""
    return [_entry(row) for row in tx.all(_TRAIL, chain=chain, after_seq=after_seq, most=limit)]


def latest(tx: Tx, chain: str, before: int, limit: int) -> list[Entry]:
    """Up to `limit` entries of a chain, the latest first, before the one numbered `before`."""
    return [_entry(row) for row in tx.all(_LATEST, chain=chain, before=before, most=limit)]


def at(tx: Tx, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Entry]:
    """The entries at these places (chain, seq), by place."""
    # Chain by chain: asked for a list of pairs, SQLite reads the whole table.
    wanted: dict[str, set[int]] = {}
    for chain, seq in places:
        wanted.setdefault(chain, set()).add(seq)
    rows = [row for chain, seqs in wanted.items() for row in tx.all(_PLACES, chain=chain, seqs=sorted(seqs))]
    return {(entry.chain, entry.seq): entry for entry in map(_entry, rows)}


def head_of(tx: Tx, chain: str) -> tuple[int, str]:
    """Number and hash of a chain's last entry; (0, `FIRST`) where there is none."""
    row = tx.one(_HEAD, chain=chain)
    return (row[0], row[1]) if row else (0, FIRST)


def newest_at(tx: Tx) -> datetime | None:
    """When the newest entry of all chains was made, on the service's clock; None where there is none."""
    row = tx.one(_NEWEST)
    return instant_of(row[0]) if row and row[0] else None


def hold(tx: Tx, chain: str) -> None:
    """Keep a chain that has no finding to oneself until the commit: taken before reading what the next entry rests on."""
    if tx.dialect == POSTGRESQL:
        tx.all(_HOLD, chain=chain)


def extend(
    tx: Tx, chain: str, *, action: str, actor_id: str, actor_name: str, actor_role: str, for_id: str | None = None,
    at: datetime, payload: Mapping[str, Any], effects: Mapping[str, Any] | None = None, rules: str = "",
    track: str = "", due_at: datetime | None = None, timer_id: str | None = None, rung: int | None = None,
) -> Entry:  # fmt: skip
    """Adds the next entry to a chain that has no finding; those who extend the same chain take turns."""
    hold(tx, chain)
    seq, previous = head_of(tx, chain)
    entry = Entry(
        chain=chain, seq=seq + 1, track=track, action=action, actor_id=actor_id, actor_name=actor_name,
        actor_role=actor_role, for_id=for_id, at=at, due_at=due_at, timer_id=timer_id, rung=rung, rules=rules,
        payload=canonical(dict(payload)), effects=canonical(dict(effects or {})),
    )  # fmt: skip
    sealed = seal(entry, previous)
    append(tx, sealed)
    settings_kept.put(tx, f"{HEAD}{chain}", f"{sealed.seq}:{sealed.hash}")
    return sealed


def _row(entry: Entry) -> dict[str, Any]:
    due_at = text_of(entry.due_at) if entry.due_at else None
    return {name: getattr(entry, name) for name in _NAMES} | {"at": text_of(entry.at), "due_at": due_at}


def _entry(row: tuple[Any, ...]) -> Entry:
    values = dict(zip(_NAMES, row, strict=True))
    values["at"] = instant_of(values["at"])
    values["due_at"] = instant_of(values["due_at"]) if values["due_at"] else None
    return Entry(**values)
