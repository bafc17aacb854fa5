"""Papers: their numbers without gaps, their content as issued, and the findings they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, bindparam, select, tuple_

from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.tables import DocumentLinkRow, DocumentRow, SerialRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One paper. `content` is canonical JSON and `digest` its SHA-256; `serial` is None on received papers."""

    id: str
    kind: str
    office_id: str
    year: int | None = None
    serial: int | None = None
    number: str = ""
    internal: bool = False
    issued_at: datetime
    content: str
    digest: str


@dataclass(frozen=True, slots=True)
class Link:
    """A finding a paper is about, and the event that made the paper."""

    chain: str
    seq: int


_DOCUMENT, _LINK, _SERIAL = table_of(DocumentRow), table_of(DocumentLinkRow), table_of(SerialRow)
_NAMES = ("id", "kind", "office_id", "year", "serial", "number", "internal", "issued_at", "content", "digest")
_ROWS: Select[Any] = select(*(_DOCUMENT.c[name] for name in _NAMES))
_LAST = "9999-12-31T23:59:59.999999Z"
"""Later than every paper: where the register begins, the newest first."""

_COUNT_UP = Prepared(
    upsert(_SERIAL, ["office_id", "series", "year"], sets={"last": _SERIAL.c.last + 1}, returning=["last"])
)
_INSERT = Prepared(sa.insert(_DOCUMENT), columns=_NAMES)
_ADD_LINK = Prepared(upsert(_LINK, ["document_id", "chain"]))
_OF_FINDING = Prepared(
    _ROWS.add_columns(_LINK.c.seq)
    .join(_LINK, _LINK.c.document_id == _DOCUMENT.c.id)
    .where(_LINK.c.chain == bindparam("chain"))
    .order_by(_LINK.c.seq, _DOCUMENT.c.id)
)
_ONE = Prepared(_ROWS.where(_DOCUMENT.c.id == bindparam("id")))
_LINKS = Prepared(
    select(_LINK.c.chain, _LINK.c.seq).where(_LINK.c.document_id == bindparam("id")).order_by(_LINK.c.chain)
)
_PAGE = (
    _ROWS.where(
        _DOCUMENT.c.number != "",
        tuple_(_DOCUMENT.c.issued_at, _DOCUMENT.c.id) < tuple_(bindparam("at"), bindparam("id")),
    )
    .order_by(_DOCUMENT.c.issued_at.desc(), _DOCUMENT.c.id.desc())
    .limit(bindparam("most"))
)
_REGISTER = Prepared(_PAGE)
_REGISTER_OF = Prepared(_PAGE.where(_DOCUMENT.c.office_id.in_(bindparam("offices", expanding=True))))


def take_serial(tx: Tx, office_id: str, series: str, year: int) -> int:
    """The next number of an office's series in a year. The row stays locked until the commit, so there are no gaps."""
    return int(tx.all(_COUNT_UP, office_id=office_id, series=series, year=year, last=1)[0][0])


def insert(tx: Tx, document: Document) -> None:
    """Stores a paper; raises `Duplicate` if its number is taken."""
    row = {name: getattr(document, name) for name in _NAMES}
    tx.run(_INSERT, **row | {"internal": int(document.internal), "issued_at": text_of(document.issued_at)})


def link(tx: Tx, document_id: str, chain: str, seq: int) -> None:
    """Records that a paper is about a finding, made by its event `seq`."""
    tx.run(_ADD_LINK, document_id=document_id, chain=chain, seq=seq)


def of_finding(tx: Tx, chain: str) -> list[tuple[Document, int]]:
    """The papers of a finding in the order in which they were made, each with the number of its event."""
    return [(_document(row[:-1]), row[-1]) for row in tx.all(_OF_FINDING, chain=chain)]


def get(tx: Tx, document_id: str) -> tuple[Document, tuple[Link, ...]] | None:
    """A paper with the findings it is about, or None."""
    row = tx.one(_ONE, id=document_id)
    if row is None:
        return None
    return _document(row), tuple(Link(chain, seq) for chain, seq in tx.all(_LINKS, id=document_id))


def register(
    tx: Tx, offices: Sequence[str] | None, *, limit: int, after: tuple[datetime, str] | None = None
) -> list[Document]:
    """Up to `limit` numbered papers of these offices (None: of all), the newest first, from behind `after` =
    (issued_at, id) on.
    """
    at, id_ = (text_of(after[0]), after[1]) if after else (_LAST, "")
    if offices is None:
        rows = tx.all(_REGISTER, at=at, id=id_, most=limit)
    else:
        rows = tx.all(_REGISTER_OF, at=at, id=id_, most=limit, offices=offices) if offices else []
    return [_document(row) for row in rows]


def _document(row: Sequence[Any]) -> Document:
    values = dict(zip(_NAMES, row, strict=True))
    values["internal"] = bool(values["internal"])
    values["issued_at"] = instant_of(values["issued_at"])
    return Document(**values)
