"""What anybody may read: where there is an office to turn to, and the papers that offices published and did not take down.

A paper may be published while the finding it is about is not: nothing of the finding leaves this module but what passed the
privacy check.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, or_, select, tuple_

from loop.kernel.finding import Finding
from loop.store import findings
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.registry import OfficeRow, RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import PUBLIC, DocumentLinkRow, DocumentRow

BULLETIN, NOTICE, PUBLICATION, DECISION = "bulletin", "public_notice", "publication", "decision"
_LATEST = "9999-12-31T23:59:59.999999Z"
_DOCUMENT, _LINK = table_of(DocumentRow), table_of(DocumentLinkRow)
_OFFICE, _REGION, _UNIT = table_of(OfficeRow), table_of(RegionRow), table_of(UnitRow)


# ---- where to turn to ----------------------------------------------------------------------------------------------


class Seat(NamedTuple):
    """A region with an office, by its code, as it is called within its province; the whole country lies in none."""

    region: str
    name: str
    province: str


class School(NamedTuple):
    """A unit as people know it: its name and where it lies."""

    id: str
    name: str
    region: str


_ABOVE, _OVER = _REGION.alias("above"), _REGION.alias("over")
_SEATS = Prepared(
    select(_REGION.c.code, _REGION.c.name, _ABOVE.c.name, _ABOVE.c.level, _OVER.c.name, _OVER.c.level)
    .join_from(_OFFICE, _REGION, _REGION.c.code == _OFFICE.c.region)
    .outerjoin(_ABOVE, _ABOVE.c.code == _REGION.c.parent)
    .outerjoin(_OVER, _OVER.c.code == _ABOVE.c.parent)
    .where(_OFFICE.c.active == 1)
    .order_by(_REGION.c.path)
)


def seats(tx: Tx) -> list[Seat]:
    """Every region that has an office, each below the one it lies in."""
    return [_seat(*row) for row in tx.all(_SEATS)]


def _seat(code: str, name: str, above: str | None, level: str | None, over: str | None, next_level: str | None) -> Seat:
    if above is None:
        return Seat(code, name, "")
    if level == "country":
        return Seat(code, name, name)
    if over is None or next_level == "country":
        return Seat(code, name, above)
    return Seat(code, f"{above} · {name}", over)


def schools(tx: Tx, name: str, region: str, most: int) -> list[School]:
    """Up to `most` active units whose name holds `name`, in a region (code) or below it; those named just so come first."""
    query = (
        select(_UNIT.c.id, _UNIT.c.name, _REGION.c.name)
        .join_from(_UNIT, _REGION, _REGION.c.code == _UNIT.c.region)
        .where(_UNIT.c.active == 1, _UNIT.c.name.contains(name, autoescape=True))
        .order_by((_UNIT.c.name != name), _UNIT.c.name)
        .limit(most)
    )
    if region:
        within = select(_REGION.c.path).where(_REGION.c.code == region).scalar_subquery()
        below = _REGION.alias("below")
        inside = select(below.c.code).where(or_(below.c.path == within, below.c.path.startswith(within.concat("/"))))
        query = query.where(_UNIT.c.region.in_(inside))
    return [School(*row) for row in tx.select(query)]


# ---- what was published --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A published paper as the public reads it. `what` is the kind of paper that was published, `unit` only named where
    somebody is to be commended; a notice runs from one day to another.
    """

    id: str
    what: str
    number: str
    office_id: str
    issued_at: datetime
    text: str
    unit: str = ""
    from_on: date | None = None
    until_on: date | None = None


_NAMES = (
    _DOCUMENT.c.id,
    _DOCUMENT.c.kind,
    _DOCUMENT.c.number,
    _DOCUMENT.c.office_id,
    _DOCUMENT.c.issued_at,
    _DOCUMENT.c.content,
)
# A bulletin is public where its issuer said so; canonical JSON has this very text for it, and escapes it within any other.
_MEANT = or_(_DOCUMENT.c.kind != BULLETIN, _DOCUMENT.c.content.contains('"public":true'))
_PAGE = Prepared(
    select(*_NAMES)
    .where(
        PUBLIC, _MEANT,
        tuple_(_DOCUMENT.c.issued_at, _DOCUMENT.c.id) < tuple_(bindparam("at"), bindparam("before")),
    )
    .order_by(_DOCUMENT.c.issued_at.desc(), _DOCUMENT.c.id.desc())
    .limit(bindparam("most"))
)  # fmt: skip
_ONE = Prepared(select(*_NAMES).where(_DOCUMENT.c.id == bindparam("id"), PUBLIC, _MEANT))
_ABOUT = Prepared(
    select(_LINK.c.document_id, _LINK.c.chain).where(_LINK.c.document_id.in_(bindparam("ids", expanding=True)))
)
_SIBLINGS = Prepared(
    select(_LINK.c.chain, _DOCUMENT.c.id, _DOCUMENT.c.kind, _DOCUMENT.c.content)
    .join_from(_LINK, _DOCUMENT, _DOCUMENT.c.id == _LINK.c.document_id)
    .where(_LINK.c.chain.in_(bindparam("chains", expanding=True)), PUBLIC, _MEANT)
    .order_by(_LINK.c.chain, _LINK.c.seq)
)


def page(
    tx: Tx, *, limit: int, after: tuple[datetime, str] | None = None
) -> tuple[list[Shown], tuple[datetime, str] | None]:
    """The next `limit` published papers, the newest first, those taken down left out; and where to go on, if anywhere."""
    at, before = (text_of(after[0]), after[1]) if after else (_LATEST, "")
    rows = tx.all(_PAGE, at=at, before=before, most=limit + 1)
    here = rows[:limit]
    following = (instant_of(here[-1][4]), here[-1][0]) if len(rows) > limit else None
    return _standing(tx, here), following


def one(tx: Tx, id_: str) -> Shown | None:
    """One published paper; None where there is none, or where it was taken down."""
    row = tx.one(_ONE, id=id_)
    found = _standing(tx, [row]) if row else []
    return found[0] if found else None


def _standing(tx: Tx, rows: Sequence[Any]) -> list[Shown]:
    """Those of these papers that stand: at one finding at least nobody took them down."""
    if not rows:
        return []
    about: dict[str, list[str]] = defaultdict(list)
    for document, chain in tx.all(_ABOUT, ids=[row[0] for row in rows]):
        about[document].append(chain)
    chains = sorted({chain for known in about.values() for chain in known})
    known = findings.load_many(tx, chains, lock=False)
    up: dict[str, dict[str, str]] = defaultdict(dict)
    for chain, papers in _by_chain(tx, chains).items():
        for id_, what in _up(papers, known[chain]) if chain in known else ():
            up[id_][chain] = what
    return [_shown(row, next(iter(up[row[0]].values()))) for row in rows if up.get(row[0])]


def _by_chain(tx: Tx, chains: Sequence[str]) -> Mapping[str, list[tuple[str, str]]]:
    """The public papers of each of these findings in order, each as (id, what stands for it in `published`)."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for chain, id_, kind, content in tx.all(_SIBLINGS, chains=chains) if chains else ():
        target = json.loads(content)["payload"]["document"] if kind == PUBLICATION else kind
        found[chain].append((id_, target))
    return found


def _up(papers: Iterable[tuple[str, str]], finding: Finding) -> Iterable[tuple[str, str]]:
    """The papers of a finding that stand, with what each published. The n-th paper about something goes with the n-th entry
    about it: what was taken down and published anew stands once, with its new text.
    """
    if finding.state == "withdrawn":
        return
    entries: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in finding.sheet.get("published") or ():
        entries[entry.get("document") or entry["what"]].append(entry)
    must_go = finding.timer("take_down_due") is not None
    for id_, target in papers:
        entry = entries[target].pop(0) if entries[target] else None
        if entry and not entry.get("down") and not (must_go and entry["what"] == DECISION):
            yield id_, entry["what"]


def _shown(row: Any, what: str) -> Shown:
    id_, kind, number, office_id, issued_at, content = row
    whole = json.loads(content)
    payload = whole["payload"]
    shown = {"id": id_, "what": what, "number": number, "office_id": office_id, "issued_at": instant_of(issued_at)}
    if kind == NOTICE:
        first, last = (date.fromisoformat(payload[name]) for name in ("notice_from", "notice_to"))
        return Shown(**shown, text="", unit=whole.get("unit_name") or "", from_on=first, until_on=last)
    return Shown(**shown, text=payload["public_text"])
