"""Tip-offs from the public: what was reported, who must answer, and the identity that is sealed away from everybody else.

The receipt code is told once; only its digest is kept. No value here but `Sealed` carries the identity.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from loop.kernel.errors import Invalid, NotFound
from loop.store.accounts import digest_of
from loop.store.canonical import canonical
from loop.store.chronicle import By, enter
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.offices import nearest
from loop.store.paging import Page, page_by_id
from loop.store.places import find_region, find_unit, new_id
from loop.store.registry import TipOffRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.texts import passage

RECEIVED, CHECKING, ANSWERED, REFUSED = "received", "checking", "answered", "refused"
OPEN = (RECEIVED, CHECKING)
"""Not answered yet."""

_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_TIP_OFF = table_of(TipOffRow)


@dataclass(frozen=True, slots=True)
class TipOff:
    """A report from the public, without its identity. `finding` is the number of the finding it led to or is about."""

    id: str
    office_id: str
    unit_id: str | None
    finding: str | None
    is_origin: bool
    matter: str
    status: str
    result: str
    at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """Who reported, if they said so."""

    name: str = ""
    contact: str = ""


_COLUMNS = (
    _TIP_OFF.c.id, _TIP_OFF.c.office_id, _TIP_OFF.c.unit_id, _TIP_OFF.c.chain, _TIP_OFF.c.origin, _TIP_OFF.c.matter,
    _TIP_OFF.c.status, _TIP_OFF.c.result, _TIP_OFF.c.at, _TIP_OFF.c.answered_at,
)  # fmt: skip
_ADD = Prepared(_TIP_OFF.insert())
_ONE = Prepared(select(*_COLUMNS).where(_TIP_OFF.c.id == bindparam("id")))
_OFFICES = Prepared(
    select(_TIP_OFF.c.id, _TIP_OFF.c.office_id).where(_TIP_OFF.c.id.in_(bindparam("ids", expanding=True)))
)
_BY_RECEIPT = Prepared(select(*_COLUMNS).where(_TIP_OFF.c.receipt_digest == bindparam("digest")))
_SEALED = Prepared(select(_TIP_OFF.c.sealed).where(_TIP_OFF.c.id == bindparam("id")))
_SET = Prepared(update(_TIP_OFF).where(_TIP_OFF.c.id == bindparam("key")), columns=["status", "result", "answered_at"])
_LINK = Prepared(update(_TIP_OFF).where(_TIP_OFF.c.id == bindparam("key")), columns=["chain", "origin"])
_UNANSWERED = Prepared(
    select(func.count())
    .select_from(_TIP_OFF)
    .where(
        _TIP_OFF.c.chain == bindparam("chain"),
        _TIP_OFF.c.origin == 0,
        _TIP_OFF.c.status.in_(bindparam("open", OPEN, expanding=True)),
    )
)


def chain_of(id_: str) -> str:
    """The name of a tip-off's hash chain."""
    return f"tip-off:{id_}"


def receive(
    tx: Tx, by: By, *, matter: str, region: str | None = None, unit_id: str | None = None, sealed: Sealed | None = None
) -> tuple[TipOff, str]:
    """Take a tip-off in and give it to the nearest office of the unit or region; also answers the receipt code.

    Raises Invalid where neither leads to an office or the matter is empty.
    """
    office_id = _office_for(tx, region, unit_id)
    text = passage("matter", matter, 5_000)
    if not text:
        raise Invalid.field("matter", "不能为空。", "must not be empty.", "empty")
    told = sealed or Sealed()
    told = Sealed(passage("name", told.name, 200), passage("contact", told.contact, 200))
    code = "-".join("".join(secrets.choice(_CODE_LETTERS) for _ in range(5)) for _ in range(4))
    added = TipOff(new_id(), office_id, unit_id, None, False, text, RECEIVED, "", by.at, None)
    tx.run(
        _ADD, id=added.id, receipt_digest=_receipt(code), office_id=office_id, unit_id=unit_id, matter=text,
        chain="", origin=0, status=RECEIVED, result="", sealed=_seal(told), at=text_of(by.at), answered_at=None,
    )  # fmt: skip
    enter(tx, by, "receive_tip_off", chain=chain_of(added.id), payload={}, effects={"tip_off": _effects(added)})
    return added, code


def tip_off(tx: Tx, id_: str) -> TipOff:
    """The tip-off with this id; raises NotFound."""
    row = tx.one(_ONE, id=id_)
    if row is None:
        raise NotFound
    return _value(row)


def offices_of(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """The office of each of these tip-offs that there are."""
    wanted = sorted(set(ids))
    return dict(tx.all(_OFFICES, ids=wanted)) if wanted else {}


def by_receipt(tx: Tx, code: str) -> TipOff:
    """The tip-off with this receipt code, written as people copy it; raises NotFound."""
    row = tx.one(_BY_RECEIPT, digest=_receipt(code))
    if row is None:
        raise NotFound
    return _value(row)


def sealed_of(tx: Tx, id_: str) -> Sealed:
    """Who reported; for the office that answers and nobody else. Raises NotFound."""
    row = tx.one(_SEALED, id=id_)
    if row is None:
        raise NotFound
    return Sealed(**json.loads(row[0])) if row[0] else Sealed()


def tip_offs(
    tx: Tx, *, offices: Iterable[str], status: str | None = None, unanswered: bool = False, after: str | None = None,
    limit: int = 50,
) -> Page[TipOff]:  # fmt: skip
    """The tip-offs of these offices (ids) in the order in which they came: of one status, or only those unanswered."""
    query = select(*_COLUMNS).where(_TIP_OFF.c.office_id.in_(sorted(set(offices))))
    if status is not None:
        query = query.where(_TIP_OFF.c.status == status)
    if unanswered:
        query = query.where(_TIP_OFF.c.status.in_(OPEN))
    return page_by_id(tx, query, _TIP_OFF.c.id, "tip-offs", after=after, limit=limit, value=_value)


def answer(tx: Tx, by: By, id_: str, *, status: str, result: str = "") -> TipOff:
    """Set `status`; an end (answered, refused) needs a `result`. Raises NotFound or Invalid."""
    before = tip_off(tx, id_)
    if status not in (*OPEN, ANSWERED, REFUSED) or (status == RECEIVED != before.status):
        raise Invalid.field(
            "status", "须是 checking、answered 或 refused。", "is checking, answered or refused.", "unknown"
        )
    text = passage("result", result, 5_000) or before.result
    if status not in OPEN and not text:
        raise Invalid.field("result", "答复不能为空。", "must not be empty in an answer.", "empty")
    ended = text_of(by.at) if status not in OPEN else None
    tx.run(_SET, key=id_, status=status, result=text, answered_at=ended)
    return _entered(tx, by, id_, "answer_tip_off", {"status": status, "result": text})


def link(tx: Tx, by: By, id_: str, finding: str, *, is_origin: bool) -> TipOff:
    """Say which finding (its number) a tip-off is about; `is_origin` where the finding came from it. Raises NotFound."""
    tip_off(tx, id_)
    tx.run(_LINK, key=id_, chain=finding, origin=int(is_origin))
    return _entered(tx, by, id_, "link_tip_off", {"finding": finding, "is_origin": is_origin})


def unanswered_on(tx: Tx, chain: str) -> int:
    """How many tip-offs on this finding are unanswered, not counting the one it came from."""
    row = tx.one(_UNANSWERED, chain=chain)
    return int(row[0]) if row else 0


def _entered(tx: Tx, by: By, id_: str, action: str, payload: Mapping[str, Any]) -> TipOff:
    after = tip_off(tx, id_)
    enter(tx, by, action, chain=chain_of(id_), payload=payload, effects={"tip_off": _effects(after)})
    return after


def _office_for(tx: Tx, region: str | None, unit_id: str | None) -> str:
    unit = find_unit(tx, unit_id) if unit_id else None
    if unit_id and unit is None:
        raise Invalid.field("unit", "没有这个单位。", "there is no such unit.", "unknown")
    code = unit.region if unit else region
    place = find_region(tx, code) if code else None
    office = nearest(tx, place.path) if place else None
    if office is None:
        raise Invalid.field(
            "region", "请写明单位或所在地区。", "name the unit or a region that has an office.", "unknown"
        )
    return office.id


def _receipt(code: str) -> str:
    return digest_of("".join(c for c in code.upper() if c.isalnum()))


def _seal(told: Sealed) -> str:
    return canonical(asdict(told)) if told != Sealed() else ""


def _effects(value: TipOff) -> dict[str, Any]:
    """What enters the chain: everything but the identity."""
    return {
        "id": value.id, "office_id": value.office_id, "unit_id": value.unit_id, "finding": value.finding,
        "is_origin": value.is_origin, "matter": value.matter, "status": value.status, "result": value.result,
        "at": text_of(value.at), "answered_at": text_of(value.answered_at) if value.answered_at else None,
    }  # fmt: skip


def _value(row: Any) -> TipOff:
    id_, office_id, unit_id, chain, origin, matter, status, result, at, answered_at = row
    ended = instant_of(answered_at) if answered_at else None
    return TipOff(id_, office_id, unit_id, chain or None, bool(origin), matter, status, result, instant_of(at), ended)
