"""Who has which part in a finding: author, reviewer, member, signer. Serves four eyes, `mine` and the personal desk."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select, update

from loop.store.core import table_of
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.tables import PartRow

_PART = table_of(PartRow)
_COLUMNS = ("chain", "person_id", "part", "seq")
_TAKE = Prepared(upsert(_PART, _COLUMNS), columns=(*_COLUMNS, "ended"))
_LEAVE = Prepared(
    update(_PART)
    .where(
        _PART.c.chain == bindparam("of_chain"),
        _PART.c.part.in_(bindparam("parts", expanding=True)),
        _PART.c.seq < bindparam("before"),
        _PART.c.ended == 0,
    )
    .values(ended=1)
)
_OF = Prepared(
    select(_PART.c.part, _PART.c.person_id)
    .where(_PART.c.chain == bindparam("chain"), _PART.c.ended == 0)
    .order_by(_PART.c.part, _PART.c.person_id)
    .distinct()
)


def take(tx: Tx, chain: str, seq: int, parts: Iterable[tuple[str, str]]) -> None:
    """Records (part, person id) pairs as taken by the event `seq`."""
    tx.many(_TAKE, [{"chain": chain, "seq": seq, "part": part, "person_id": id_, "ended": 0} for part, id_ in parts])


def leave(tx: Tx, chain: str, parts: Iterable[str], before: int) -> None:
    """Ends these parts for all who took them before the event `before`; that they had them stays on record."""
    tx.run(_LEAVE, of_chain=chain, parts=sorted(parts), before=before)


def of_chain(tx: Tx, chain: str) -> list[tuple[str, str]]:
    """The (part, person id) pairs that stand now."""
    return [(part, person_id) for part, person_id in tx.all(_OF, chain=chain)]
