"""Webhooks: programs that are told of every step in somebody's scope. The copies for them are made out with the step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Text, bindparam, insert, literal, or_, select, union, update

from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.store import labels
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.postal import CopyRow, WebhookRow
from loop.store.session import Tx
from loop.store.sql import Prepared

EVERY = "*"
CHANNEL = "webhook"
_HOOK, _COPY = table_of(WebhookRow), table_of(CopyRow)


@dataclass(frozen=True, slots=True)
class Secret:
    """What letters are signed with; good until `until` once another has taken its place."""

    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription of a person's program: every step (or only `actions`) in a region, or at a unit."""

    id: str
    person_id: str
    name: str
    url: str
    region: str = ""
    unit_id: str = ""
    actions: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    created_at: datetime
    active: bool = True
    failures: int = 0
    failing_since: datetime = NEVER
    off_reason: Label | None = None


_READ = (
    "id", "person_id", "name", "url", "region", "unit_id", "actions", "secrets", "created_at", "active", "failures",
    "failing_since", "off_reason",
)  # fmt: skip
_ROWS = select(*(_HOOK.c[name] for name in _READ))
_ADD = Prepared(insert(_HOOK), columns=_READ)
_ONE = Prepared(_ROWS.where(_HOOK.c.id == bindparam("hook")))
_SOME = Prepared(_ROWS.where(_HOOK.c.id.in_(bindparam("hooks", expanding=True))))
_OF = Prepared(
    _ROWS.where(_HOOK.c.person_id == bindparam("person"), _HOOK.c.id > bindparam("after"))
    .order_by(_HOOK.c.id)
    .limit(bindparam("most"))
)
_CHANGE = Prepared(
    update(_HOOK).where(_HOOK.c.id == bindparam("hook")),
    columns=("name", "url", "actions", "secrets", "active", "failures", "failing_since", "off_reason"),
)
_NAMED = literal("%,").concat(bindparam("of_step", type_=Text())).concat(literal(",%"))
# An underscore of the name stands for any character here; who sends looks again.
_SUBSCRIBED = or_(_HOOK.c.actions == EVERY, _HOOK.c.actions.like(_NAMED))
# Each half reads its own index; asked for either in one breath, SQLite would walk through all of them.
_REACHED = union(
    select(_HOOK.c.id).where(_HOOK.c.active == 1, _HOOK.c.region.in_(bindparam("regions", expanding=True))),
    select(_HOOK.c.id).where(_HOOK.c.active == 1, _HOOK.c.unit_id.in_(bindparam("units", expanding=True))),
)
_TELL = Prepared(
    insert(_COPY).from_select(
        ["key", "chain", "seq", "step", "person_id", "channel", "webhook_id", "urgent", "due_at", "dropped"],
        select(
            bindparam("prefix", type_=Text()).concat(_HOOK.c.id), bindparam("of_chain", type_=Text()),
            bindparam("of_seq", type_=Integer()), bindparam("of_step", type_=Text()), literal(""), literal(CHANNEL),
            _HOOK.c.id, literal(0), bindparam("at", type_=Text()), literal(""),
        ).where(_HOOK.c.id.in_(_REACHED), _SUBSCRIBED),
        include_defaults=False,
    )
)  # fmt: skip
"""A step is queued for whoever subscribed to it, with the step itself."""


def add(tx: Tx, hook: Webhook) -> None:
    """Keeps a new webhook."""
    tx.run(_ADD, **_row(hook))


def get(tx: Tx, id_: str) -> Webhook | None:
    """The webhook with this id."""
    row = tx.one(_ONE, hook=id_)
    return _hook(row) if row else None


def among(tx: Tx, ids: Iterable[str]) -> dict[str, Webhook]:
    """The webhooks with these ids, by id."""
    wanted = sorted({id_ for id_ in ids if id_})
    return {row[0]: _hook(row) for row in (tx.all(_SOME, hooks=wanted) if wanted else ())}


def of_person(tx: Tx, person_id: str, *, limit: int, after: str = "") -> list[Webhook]:
    """Up to `limit` webhooks of a person in the order in which they were made, from behind the id `after` on."""
    return [_hook(row) for row in tx.all(_OF, person=person_id, after=after, most=limit)]


def change(tx: Tx, hook: Webhook) -> None:
    """Writes what may change of a webhook."""
    row = _row(hook)
    kept = ("name", "url", "actions", "secrets", "active", "failures", "failing_since", "off_reason")
    tx.run(_CHANGE, hook=hook.id, **{name: row[name] for name in kept})


def tell(
    tx: Tx, *, chain: str, seq: int, step: str, regions: Sequence[str], units: Sequence[str], at: datetime
) -> None:
    """Queues a copy of this step for every active webhook over one of `regions` (codes) or at one of `units` (ids)."""
    tx.run(
        _TELL, prefix=f"{chain}:{seq}:{CHANNEL}:", of_chain=chain, of_seq=seq, of_step=step,
        regions=list(regions) or ["-"], units=list(units) or ["-"], at=text_of(at),
    )  # fmt: skip


def _row(hook: Webhook) -> dict[str, Any]:
    secrets = [{"text": s.text, "until": text_of(s.until) if s.until else None} for s in hook.secrets]
    return {name: getattr(hook, name) for name in _READ} | {
        "actions": f",{','.join(hook.actions)}," if hook.actions else EVERY, "secrets": json.dumps(secrets),
        "created_at": text_of(hook.created_at), "active": int(hook.active), "failing_since": text_of(hook.failing_since),
        "off_reason": labels.text_of(hook.off_reason),
    }  # fmt: skip


def _hook(row: Sequence[Any]) -> Webhook:
    values = dict(zip(_READ, row, strict=True))
    secrets = (Secret(s["text"], instant_of(s["until"]) if s["until"] else None) for s in json.loads(values["secrets"]))
    return Webhook(
        **values | {
            "actions": tuple(name for name in values["actions"].split(",") if name and name != EVERY),
            "secrets": tuple(secrets), "active": bool(values["active"]), "created_at": instant_of(values["created_at"]),
            "failing_since": instant_of(values["failing_since"]),
            "off_reason": labels.label_of(values["off_reason"]),
        }
    )  # fmt: skip
