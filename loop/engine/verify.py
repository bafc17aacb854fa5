"""Verification: every hash chain is computed anew, every row is rebuilt from its history and held against the table.

Reads one unchanging picture of the database, a page at a time, and stops at the first row that is not borne out.
What it does not cover is access: passwords, tokens, sessions, and the sealed identity behind a tip-off.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Table, and_, func, not_, select

from loop.engine import verify_chains, verify_registry
from loop.engine.clock import VIRTUAL_NOW
from loop.engine.comparing import AT_ONCE, Broken, Fault, among, lone, pages, shown
from loop.engine.expected import spool
from loop.engine.rebuild import Rebuilt, Row, rebuild
from loop.engine.verify_chains import ATTACHMENT, DOCUMENT, EVENT, FILE, FINDING, LINK, SETTING
from loop.engine.verify_chains import KEYS as CHAIN_KEYS
from loop.engine.verify_numbers import Numbers
from loop.engine.verify_registry import PEOPLE
from loop.kernel.decide import Book
from loop.kernel.errors import LoopError
from loop.store import settings_kept
from loop.store.evidence import Evidence
from loop.store.instants import text_of
from loop.store.journal import FIRST, HEAD, hash_of
from loop.store.session import Store, Tx

TOGETHER = 100
"""Chains whose rows are read at a time."""

Progress = Callable[[int, int], None]
"""Told how many events are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified: how many rows of each table were borne out, and the first that was not, if any."""

    checked: Mapping[str, int]
    fault: Fault | None = None

    @property
    def ok(self) -> bool:
        """Whether everything is as history says."""
        return self.fault is None


def verify(
    store: Store,
    evidence: Evidence | None = None,
    chains: Iterable[str] | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
    book: Book | None = None,
) -> Report:
    """Verify the whole database, or only these `chains`; with `evidence` the files on disk as well.

    `now` (default: the machine's time) tells which timers may have been held back: none whose point is yet to come. Points
    that a changed calendar or ladder put off are known by `book` alone.
    """
    only = None if chains is None else frozenset(chains)
    until = now or datetime.now(UTC)
    return store.read(lambda tx: _Verification(tx, evidence, only, progress, _reached(tx, until), book).report())


def _reached(tx: Tx, now: datetime) -> str:
    """The instant this database has reached: `now`, or where its virtual clock or its history are ahead of it."""
    latest = tx.select(select(func.max(EVENT.c.at)))
    known = (text_of(now), settings_kept.get(tx, VIRTUAL_NOW), latest[0][0] if latest else None)
    return max(text for text in known if text)


@dataclass(slots=True)
class _Verification:
    tx: Tx
    evidence: Evidence | None
    only: frozenset[str] | None
    progress: Progress | None
    now: str
    book: Book | None
    counts: Counter[str] = field(default_factory=Counter)
    numbers: Numbers = field(default_factory=Numbers)
    total: int = -1

    def report(self) -> Report:
        try:
            self._check_people()
            self._check_chains()
            if self.only is None:
                self._check_lone_rows()
                self.counts["serial"] += self.numbers.check(self.tx)
                if self.evidence:
                    self._check_disk(self.evidence)
        except Broken as broken:
            return Report(dict(self.counts), broken.fault)
        return Report(dict(self.counts))

    def _check_people(self) -> None:
        if self.only is not None and PEOPLE not in self.only:
            return
        last = 0
        with spool() as expected:
            for event in self._events(EVENT.c.chain == PEOPLE):
                verify_registry.take(expected, event)
                last = event["seq"]
            verify_chains.check_heads(self.tx, {PEOPLE: last})
            verify_registry.check(self.tx, expected, self.counts)

    def _check_chains(self) -> None:
        batch: list[Rebuilt] = []
        lost = set(self.only or ())
        for chain, events in groupby(self._other_events(), key=lambda event: str(event["chain"])):
            rebuilt = rebuild(chain, events)
            self.numbers.take(rebuilt)
            batch.append(rebuilt)
            lost.discard(chain)
            if len(batch) == TOGETHER:
                verify_chains.check(self.tx, batch, self.counts, self.now, self.book)
                batch.clear()
        verify_chains.check(self.tx, batch, self.counts, self.now, self.book)
        for row in among(self.tx, FINDING, "number", lost):
            raise Broken("finding", row["number"], "no event accounts for this row")

    def _other_events(self) -> Iterator[Row]:
        """The events of all chains to verify but that of people."""
        if self.only is None:
            yield from self._events(EVENT.c.chain != PEOPLE)
            return
        wanted = sorted(self.only - {PEOPLE})
        for start in range(0, len(wanted), AT_ONCE):
            yield from self._events(EVENT.c.chain.in_(wanted[start : start + AT_ONCE]))

    def _events(self, where: ColumnElement[bool]) -> Iterator[Row]:
        """Every event in the order of chain and number, each proved by its hash."""
        chain, seq, previous = "", 0, FIRST
        for page in pages(self.tx, EVENT, ("chain", "seq"), where):
            for event in page:
                if event["chain"] != chain:
                    chain, seq, previous = event["chain"], 0, FIRST
                _check_event(event, seq + 1, previous)
                seq, previous = event["seq"], event["hash"]
                yield event
            self.counts["event"] += len(page)
            if self.progress:
                self.progress(self.counts["event"], max(self._total(), self.counts["event"]))

    def _total(self) -> int:
        if self.total < 0:
            self.total = int(self.tx.select(select(func.count()).select_from(EVENT))[0][0])
        return self.total

    def _check_lone_rows(self) -> None:
        """Rows that belong to no chain at all, which no comparison by chain has met."""
        for table, keys, condition in _orphans():
            if key := lone(self.tx, table, keys, condition):
                raise Broken(table.name, key, "no event accounts for this row")

    def _check_disk(self, evidence: Evidence) -> None:
        for page in pages(self.tx, FILE, ("sha256",)):
            for row in page:
                _check_file(evidence, row)
                self.counts["file"] += 1


def _check_event(event: Row, place: int, previous: str) -> None:
    key = (event["chain"], event["seq"])
    if event["seq"] == place + 1:
        raise Broken("event", (event["chain"], place), "the event is missing")
    if event["seq"] != place:
        raise Broken("event", key, f"stands in place {event['seq']} of its chain, where place {place} comes next")
    try:
        expected = hash_of(event, previous)
    except (TypeError, ValueError, AttributeError) as strange:
        raise Broken("event", key, f"holds a value that no event has: {strange}") from strange
    if event["hash"] != expected:
        raise Broken("event", key, f"hash is {shown(event['hash'])}, its columns say {shown(expected)}")


def _orphans() -> Iterator[tuple[Table, tuple[str, ...], ColumnElement[bool]]]:
    """Each table with its key and the condition under which a row of it belongs to nothing."""
    for name, table in verify_chains.OF_CHAINS.items():
        yield table, CHAIN_KEYS[name], not_(select(EVENT.c.seq).where(EVENT.c.chain == table.c.chain).exists())
    yield FINDING, ("number",), not_(select(EVENT.c.seq).where(EVENT.c.chain == FINDING.c.number).exists())
    yield DOCUMENT, ("id",), not_(select(LINK.c.seq).where(LINK.c.document_id == DOCUMENT.c.id).exists())
    yield FILE, ("sha256",), not_(select(ATTACHMENT.c.id).where(ATTACHMENT.c.sha256 == FILE.c.sha256).exists())
    for table, prefix in verify_chains.BESIDE.items():
        chain = EVENT.c.chain == prefix + table.c.id
        yield table, ("id",), not_(select(EVENT.c.seq).where(chain).exists())
    team, supervision = verify_chains.TEAM, verify_chains.SUPERVISION
    of_team = select(supervision.c.id).where(supervision.c.id == team.c.supervision_id)
    yield team, ("supervision_id", "person_id"), not_(of_team.exists())
    lost = not_(select(EVENT.c.seq).where(HEAD + EVENT.c.chain == SETTING.c.key).exists())
    yield SETTING, ("key",), and_(SETTING.c.key.startswith(HEAD), lost)


def _check_file(evidence: Evidence, row: Row) -> None:
    digest, size = hashlib.sha256(), 0
    try:
        with evidence.open_(row["sha256"]) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
    except (LoopError, OSError) as gone:
        raise Broken("file", row["sha256"], f"cannot be read from disk: {gone}") from gone
    if size != row["size"]:
        raise Broken("file", row["sha256"], f"size on disk is {size}, the row says {row['size']}")
    if digest.hexdigest() != row["sha256"]:
        raise Broken("file", row["sha256"], "the file on disk has another content")


__all__ = ["Fault", "Report", "verify"]
