"""Where people are reached and what they wish: contacts by channel in their order, declined routes, the morning digest.

This is no part of any hash chain: it holds telephone numbers, and people may have them forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from loop.kernel.routes import Liking
from loop.store.core import table_of
from loop.store.postal import ContactRow, LikingRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert

_CONTACT, _LIKING = table_of(ContactRow), table_of(LikingRow)


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a channel reaches a person."""

    channel: str
    address: str


_OF = Prepared(
    select(_CONTACT.c.person_id, _CONTACT.c.channel, _CONTACT.c.address)
    .where(_CONTACT.c.person_id.in_(bindparam("persons", expanding=True)))
    .order_by(_CONTACT.c.person_id, _CONTACT.c.place)
)
_LIKES = Prepared(
    select(_LIKING.c.person_id, _LIKING.c.off, _LIKING.c.digest).where(
        _LIKING.c.person_id.in_(bindparam("persons", expanding=True))
    )
)
_FORGET = Prepared(delete(_CONTACT).where(_CONTACT.c.person_id == bindparam("person")))
_ADD = Prepared(
    upsert(_CONTACT, ["person_id", "channel"], sets=("address", "place")),
    columns=("person_id", "channel", "address", "place"),
)
_LIKE = Prepared(upsert(_LIKING, ["person_id"], sets=("off", "digest")), columns=("person_id", "off", "digest"))


def contacts_of(tx: Tx, persons: Iterable[str]) -> dict[str, tuple[Contact, ...]]:
    """The contacts of each of these persons who has any, the preferred one first."""
    wanted, found = sorted({p for p in persons if p}), dict[str, tuple[Contact, ...]]()
    for person, channel, address in tx.all(_OF, persons=wanted) if wanted else ():
        found[person] = (*found.get(person, ()), Contact(channel, address))
    return found


def likings_of(tx: Tx, contacts: Mapping[str, Sequence[Contact]]) -> dict[str, Liking]:
    """What the persons with these contacts wish; a person without any is reached by no channel but the inbox."""
    wanted = sorted(contacts)
    kept = {person: (off, digest) for person, off, digest in (tx.all(_LIKES, persons=wanted) if wanted else ())}
    return {
        person: Liking(
            channels=tuple(contact.channel for contact in held), off=_names(kept.get(person, ("", 0))[0]),
            digest=bool(kept.get(person, ("", 0))[1]),
        )
        for person, held in contacts.items()
    }  # fmt: skip


def liking_of(tx: Tx, person_id: str) -> tuple[tuple[Contact, ...], Liking]:
    """One person's contacts and wishes."""
    held = contacts_of(tx, [person_id]).get(person_id, ())
    return held, likings_of(tx, {person_id: held})[person_id]


def wish(tx: Tx, person_id: str, contacts: Sequence[Contact], *, off: Iterable[str], digest: bool) -> None:
    """Puts these contacts, in this order, and wishes in place of what was there."""
    tx.run(_FORGET, person=person_id)
    tx.many(
        _ADD,
        [
            {"person_id": person_id, "channel": one.channel, "address": one.address, "place": place}
            for place, one in enumerate(contacts)
        ],
    )
    tx.run(_LIKE, person_id=person_id, off=",".join(sorted(off)), digest=int(digest))


def _names(joined: str) -> frozenset[str]:
    return frozenset(name for name in joined.split(",") if name)
