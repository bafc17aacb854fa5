"""Leaders' links: which finding a link opens to whom, until when, and whether it was used. The signature is not kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.postal import LinkRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert

_LINK = table_of(LinkRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link to the finding `chain` for one person, about one message. Its instants are the machine's."""

    id: str
    person_id: str
    message_id: int
    chain: str
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


_READ = ("id", "person_id", "message_id", "chain", "made_at", "expires_at", "used_at")
_ADD = Prepared(upsert(_LINK, ["id"]), columns=_READ[:-1])
_ONE = Prepared(select(*(_LINK.c[name] for name in _READ)).where(_LINK.c.id == bindparam("link")))
_SOME = Prepared(select(*(_LINK.c[name] for name in _READ)).where(_LINK.c.id.in_(bindparam("links", expanding=True))))
_USE = Prepared(
    update(_LINK)
    .where(_LINK.c.id == bindparam("link"), _LINK.c.used_at.is_(None), _LINK.c.expires_at > bindparam("now"))
    .values(used_at=bindparam("now"))
)
_FORGET = Prepared(delete(_LINK).where(_LINK.c.expires_at < bindparam("before")))


def add(tx: Tx, links: Iterable[Link]) -> None:
    """Keeps links; one that is known stands as it is."""
    rows = [{name: getattr(link, name) for name in _READ[:-1]} for link in links]
    tx.many(_ADD, [row | {name: text_of(row[name]) for name in ("made_at", "expires_at")} for row in rows])


def get(tx: Tx, id_: str) -> Link | None:
    """The link with this id."""
    row = tx.one(_ONE, link=id_)
    return _link(row) if row else None


def among(tx: Tx, ids: Iterable[str]) -> dict[str, Link]:
    """The links with these ids, by id."""
    wanted = sorted(set(ids))
    return {row[0]: _link(row) for row in (tx.all(_SOME, links=wanted) if wanted else ())}


def use(tx: Tx, id_: str, now: datetime) -> bool:
    """Uses a link up; False where that was done before, or it has expired."""
    return tx.run(_USE, link=id_, now=text_of(now)) == 1


def forget_before(tx: Tx, before: datetime) -> None:
    """Clears away links that expired before an instant."""
    tx.run(_FORGET, before=text_of(before))


def _link(row: tuple[object, ...]) -> Link:
    id_, person, message, chain, made, expires, used = row
    return Link(
        id=str(id_), person_id=str(person), message_id=int(str(message)), chain=str(chain), made_at=instant_of(str(made)),
        expires_at=instant_of(str(expires)), used_at=instant_of(str(used)) if used else None,
    )  # fmt: skip
