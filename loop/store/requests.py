"""Repeated requests: the answer stored under a person's Idempotency-Key is given again, and nothing happens twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from loop.kernel.errors import IdempotencyMismatch
from loop.store.core import table_of
from loop.store.instants import text_of
from loop.store.registry import IdempotencyRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert

_ROW = table_of(IdempotencyRow)
_PENDING = 0
_OF = Prepared(
    select(_ROW.c.digest, _ROW.c.status, _ROW.c.headers, _ROW.c.answer)
    .where(_ROW.c.person_id == bindparam("person_id"), _ROW.c.key == bindparam("key"))
)  # fmt: skip
_CLAIM = Prepared(upsert(_ROW, ["person_id", "key"]))
_REMEMBER = Prepared(upsert(_ROW, ["person_id", "key"], sets=["digest", "status", "headers", "answer", "at"]))
_GIVE_UP = Prepared(
    delete(_ROW).where(
        _ROW.c.person_id == bindparam("person_id"), _ROW.c.key == bindparam("key"), _ROW.c.status == _PENDING
    )
)  # fmt: skip
_FORGET = Prepared(delete(_ROW).where(_ROW.c.at < bindparam("at")))


@dataclass(frozen=True, slots=True)
class Answer:
    """The stored answer to a request with this digest; `headers` is canonical JSON, `answer` the very text sent."""

    digest: str
    status: int
    headers: str
    answer: str


def earlier(tx: Tx, person_id: str, key: str) -> Answer | None:
    """The answer given under this key before, if any."""
    row = tx.one(_OF, person_id=person_id, key=key)
    return Answer(*row) if row and row[1] != _PENDING else None


def claim(tx: Tx, person_id: str, key: str, digest: str, at: datetime) -> Answer | None:
    """Take the key for this transaction; None means that it is now ours, else the earlier answer to the same request.

    A twin in flight is waited for: the insert stands behind its key until the other commits or gives up. Raises
    IdempotencyMismatch where the key was used for another request.
    """
    ours = tx.run(
        _CLAIM, person_id=person_id, key=key, digest=digest, status=_PENDING, headers="{}", answer="", at=text_of(at)
    )
    if ours:
        return None
    found = earlier(tx, person_id, key)
    if found and found.digest != digest:
        raise IdempotencyMismatch
    return found


def remember(tx: Tx, person_id: str, key: str, answer: Answer, at: datetime) -> None:
    """Store the answer under the key; in the same transaction as what it answers."""
    tx.run(
        _REMEMBER, person_id=person_id, key=key, digest=answer.digest, status=answer.status, headers=answer.headers,
        answer=answer.answer, at=text_of(at),
    )  # fmt: skip


def give_up(tx: Tx, person_id: str, key: str) -> None:
    """Leave a claimed key to the next request: committed without an answer it would hold nobody back."""
    tx.run(_GIVE_UP, person_id=person_id, key=key)


def forget_before(tx: Tx, at: datetime) -> int:
    """Delete what was stored before `at`; how many."""
    return tx.run(_FORGET, at=text_of(at))
