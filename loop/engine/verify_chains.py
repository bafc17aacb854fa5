"""Holds the rows of findings, supervisions and tip-offs against their chains, so many chains at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from json import loads
from typing import Any

from sqlalchemy import and_, select

from loop.engine.comparing import Broken, among, compare, same
from loop.engine.rebuild import Key, Rebuilt, Row
from loop.kernel.clocks import next_point
from loop.kernel.decide import Book
from loop.store import timers
from loop.store.canonical import digest
from loop.store.core import table_of
from loop.store.instants import text_of
from loop.store.journal import HEAD
from loop.store.registry import PersonRow, SettingRow, SupervisionRow, TeamRow, TipOffRow
from loop.store.session import Tx
from loop.store.tables import (
    AttachmentRow,
    DocumentLinkRow,
    DocumentRow,
    EventRow,
    FileRow,
    FindingRow,
    MessageRow,
    PartRow,
    TimerRow,
)

FINDING, EVENT, TIMER = table_of(FindingRow), table_of(EventRow), table_of(TimerRow)
PART, MESSAGE, SETTING = table_of(PartRow), table_of(MessageRow), table_of(SettingRow)
DOCUMENT, LINK = table_of(DocumentRow), table_of(DocumentLinkRow)
FILE, ATTACHMENT = table_of(FileRow), table_of(AttachmentRow)
SUPERVISION, TEAM, TIP_OFF = table_of(SupervisionRow), table_of(TeamRow), table_of(TipOffRow)
PERSON = table_of(PersonRow)
OF_CHAINS = {table.name: table for table in (TIMER, PART, LINK, ATTACHMENT, MESSAGE)}
"""Tables whose rows name the chain they belong to."""
BESIDE = {SUPERVISION: "supervision:", TIP_OFF: "tip-off:"}
"""Tables whose rows have a chain of their own, with what stands before the id in its name."""
KEYS: dict[str, tuple[str, ...]] = {
    "timer": ("id",),
    "part": ("chain", "person_id", "part", "seq"),
    "document": ("id",),
    "document_link": ("document_id", "chain"),
    "attachment": ("id",),
    "message": ("key",),
}


def is_finding(chain: str) -> bool:
    """Whether a chain is a finding's: the others have a colon in their name, or are the one of people."""
    return ":" not in chain and chain != "people"


def check(tx: Tx, batch: Sequence[Rebuilt], counts: Counter[str], now: str, book: Book | None) -> None:
    """Raises `Broken` for the first row that the chains of `batch` do not bear out; adds to `counts`. `now` is stored text,
    `book` tells to when a point may have been put off.
    """
    chains = [rebuilt.chain for rebuilt in batch]
    counts["finding"] += _findings(tx, [r for r in batch if is_finding(r.chain)])
    check_heads(tx, {r.chain: r.seq for r in batch if not is_finding(r.chain)})
    wanted = _together(r.timers for r in batch)
    counts["timer"] += compare(
        "timer", wanted, among(tx, TIMER, "chain", chains), KEYS["timer"], partial(_held_back, now=now, book=book)
    )
    wanted = _together(r.parts for r in batch)
    counts["part"] += compare("part", wanted, among(tx, PART, "chain", chains), KEYS["part"])
    _check_papers(tx, batch, chains, counts)
    _check_files(tx, batch, chains, counts)
    wanted = _together(r.messages for r in batch)
    told = ({**row, "content": digest(row["content"])} for row in among(tx, MESSAGE, "chain", chains))
    counts["message"] += compare("message", wanted, told, KEYS["message"])
    counts["supervision"] += _supervisions(tx, [r for r in batch if r.supervision])
    counts["tip_off"] += _tip_offs(tx, [r for r in batch if r.tip_off])


def _together(parts: Iterable[Mapping[Key, Row]]) -> dict[Key, Row]:
    return {key: row for part in parts for key, row in part.items()}


# ---- the finding itself ------------------------------------------------------------------------------------------


def _findings(tx: Tx, batch: Sequence[Rebuilt]) -> int:
    found = {row["number"]: row for row in among(tx, FINDING, "number", (r.chain for r in batch))}
    for rebuilt in batch:
        row = found.get(rebuilt.chain)
        if row is None:
            raise Broken("finding", rebuilt.chain, "the row is missing")
        wanted = rebuilt.finding
        if row["head"] != wanted["head"]:
            _check_end(rebuilt.chain, rebuilt.seq, row["version"])
        same("finding", rebuilt.chain, wanted, row)
    return len(batch)


def _check_end(chain: str, last: int, known: int) -> None:
    """The head is another event's: says which event is missing, or is one too many."""
    if known > last:
        raise Broken("event", (chain, last + 1), "the event is missing at the end of its chain")
    if known < last:
        raise Broken("event", (chain, known + 1), "the event was added behind the end of its chain")


def check_heads(tx: Tx, chains: Mapping[str, int]) -> None:
    """Raises `Broken` where a chain without a finding does not end where it was last known to end."""
    kept = {
        row["key"].removeprefix(HEAD): row["value"] for row in among(tx, SETTING, "key", (HEAD + c for c in chains))
    }
    for chain, last in chains.items():
        found = tx.select(select(EVENT.c.hash).where(and_(EVENT.c.chain == chain, EVENT.c.seq == last)))
        if not found and chain not in kept:
            continue
        if chain not in kept:
            raise Broken("setting", HEAD + chain, "the row is missing")
        head = found[0][0] if found else ""
        number, _, known = kept[chain].partition(":")
        if known != head and number.isdecimal():
            _check_end(chain, last, int(number))
        same("setting", HEAD + chain, {"value": f"{last}:{head}"}, {"value": kept[chain]})


PUT_OFF = ("blocked: ", "failed: ", "nothing to do")


def _held_back(wanted: Row, row: Row, *, now: str, book: Book | None) -> Row:
    """A timer whose point had come and was held back by a guard or a failure is tried again later, without an event; so is
    one whose point has yet to come by the rules and the calendar in force.
    """
    expected = {**wanted, "error": ""}
    if wanted["stopped_at"] is not None or not wanted["next_at"] <= now or not wanted["next_at"] < row["next_at"]:
        return expected
    if row["error"].startswith(PUT_OFF) or (book and (row["next_at"], row["error"]) == (_point_of(expected, book), "")):
        return {**wanted, "next_at": row["next_at"], "error": row["error"]}
    return expected


def _point_of(row: Row, book: Book) -> str:
    """The instant of the next point of a timer, as stored; empty where there is none."""
    timer = timers.timer_of([row[column.name] for column in timers.COLUMNS])
    declared = book.workflow.timers.get(timer.rule)
    point = next_point(timer, declared.on_due, book.rules.ladder, book.calendar) if declared else None
    return text_of(point.at) if point else ""


# ---- papers and evidence -----------------------------------------------------------------------------------------


def _check_papers(tx: Tx, batch: Sequence[Rebuilt], chains: Sequence[str], counts: Counter[str]) -> None:
    links = _together(r.links for r in batch)
    counts["document_link"] += compare("document_link", links, among(tx, LINK, "chain", chains), KEYS["document_link"])
    wanted = _together(r.documents for r in batch)
    found = (_digested(row) for row in among(tx, DOCUMENT, "id", (key[0] for key in wanted)))
    counts["document"] += compare("document", wanted, found, KEYS["document"])


def _digested(row: Row) -> Row:
    if digest(row["content"]) != row["digest"]:
        raise Broken("document", row["id"], "content is not what its digest says")
    return row


def _check_files(tx: Tx, batch: Sequence[Rebuilt], chains: Sequence[str], counts: Counter[str]) -> None:
    wanted = _together(r.attachments for r in batch)
    found = among(tx, ATTACHMENT, "chain", chains)
    counts["attachment"] += compare("attachment", wanted, found, KEYS["attachment"])
    said: dict[str, set[tuple[int, str]]] = {}
    for rebuilt in batch:
        for sha256, values in rebuilt.files.items():
            said.setdefault(sha256, set()).update(values)
    rows = {row["sha256"]: row for row in among(tx, FILE, "sha256", said)}
    for sha256, values in said.items():
        _check_file(tx, sha256, rows.get(sha256), values)


def _check_file(tx: Tx, sha256: str, row: Row | None, said: set[tuple[int, str]]) -> None:
    """A file has the type that its first uploader's event says; the same bytes may be taken for another type later."""
    if row is None:
        raise Broken("file", sha256, "the row is missing")
    size, kind = next(iter(said))
    if (row["size"], row["type"]) in said:
        return
    same("file", sha256, {"size": size}, row)
    if row["type"] not in _types(tx, sha256):
        raise Broken("file", sha256, f"type is {row['type']!r}, history says {kind!r}")


def _types(tx: Tx, sha256: str) -> set[str]:
    attached = and_(EVENT.c.chain == ATTACHMENT.c.chain, EVENT.c.seq == ATTACHMENT.c.seq)
    query = select(EVENT.c.payload).join_from(ATTACHMENT, EVENT, attached).where(ATTACHMENT.c.sha256 == sha256)
    return {loads(payload).get("type", "") for (payload,) in tx.select(query)}


# ---- supervisions and tip-offs -------------------------------------------------------------------------------------


def _own_id(rebuilt: Rebuilt) -> str:
    return rebuilt.chain.partition(":")[2]


def _supervisions(tx: Tx, batch: Sequence[Rebuilt]) -> int:
    ids = [_own_id(rebuilt) for rebuilt in batch]
    wanted = {(id_,): rebuilt.supervision for id_, rebuilt in zip(ids, batch, strict=True)}
    compare("supervision", wanted, among(tx, SUPERVISION, "id", ids), ("id",))
    persons = {row["name"]: row["id"] for row in among(tx, PERSON, "name", (n for r in batch for n in r.team))}
    team: dict[Key, Row] = {key: {} for rebuilt in batch for key in _team(rebuilt, persons)}
    compare("team", team, among(tx, TEAM, "supervision_id", ids), ("supervision_id", "person_id"))
    return len(batch)


def _team(rebuilt: Rebuilt, persons: Mapping[str, str]) -> Iterator[Key]:
    yield from ((_own_id(rebuilt), persons.get(name, name)) for name in rebuilt.team)


def _tip_offs(tx: Tx, batch: Sequence[Rebuilt]) -> int:
    """Everything but the identity and the digest of the receipt code, which no chain may hold."""
    wanted = {(_own_id(rebuilt),): _tip_off(rebuilt.tip_off) for rebuilt in batch}
    return compare("tip_off", wanted, among(tx, TIP_OFF, "id", (key[0] for key in wanted)), ("id",))


def _tip_off(recorded: Mapping[str, Any]) -> Row:
    kept = {name: value for name, value in recorded.items() if name not in ("finding", "is_origin")}
    return {**kept, "chain": recorded["finding"] or "", "origin": int(recorded["is_origin"])}
