"""Every change of the registry leaves an entry in a hash chain: who changed what, when, and how it stands now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loop.kernel.people import Actor
from loop.store import journal
from loop.store.session import Tx

PEOPLE = "people"
"""The chain of regions, offices, units, persons, posts, substitutes, recusals and the calendar."""


@dataclass(frozen=True, slots=True)
class By:
    """Who changes the registry, in which role, when, and under which version of the rules."""

    actor: Actor
    role: str
    at: datetime
    rules: str = ""
    for_id: str | None = None


def enter(
    tx: Tx, by: By, action: str, *, chain: str = PEOPLE, payload: Mapping[str, Any], effects: Mapping[str, Any]
) -> None:
    """Append to `chain` that `by` took `action` with `payload`, after which the rows stand as in `effects`."""
    journal.extend(
        tx, chain, action=action, actor_id=by.actor.id, actor_name=by.actor.name, actor_role=by.role, for_id=by.for_id,
        at=by.at, payload=payload, effects=effects, rules=by.rules,
    )  # fmt: skip
