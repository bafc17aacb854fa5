"""Beginning and changing supervisions: who may, for which office, and the deadline of the report that each owes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loop.access import Caller
from loop.authority import by_office, covers, named, regions_of
from loop.kernel.campaigns import Asked, NewSupervision
from loop.kernel.errors import Forbidden, Invalid, NotFound
from loop.kernel.people import CHIEF, DIRECTOR, OFFICER, Actor, Path
from loop.service import Service
from loop.store import offices, supervisions, timers
from loop.store.chronicle import By
from loop.store.offices import Office
from loop.store.session import Tx
from loop.store.supervisions import Satisfaction, Supervision, chain_of

KEEPERS = (OFFICER, CHIEF, DIRECTOR)
"""Who keeps the supervisions of their own office."""
REPORT = "supervision_report"


def seen(tx: Tx, actor: Actor, id_: str) -> tuple[Supervision, Path]:
    """A supervision of an office in the actor's sight, with the path of that office's region; raises NotFound."""
    value = supervisions.supervision(tx, named(id_))
    region = offices.office(tx, value.office_id).region
    if not covers(regions_of(actor), region):
        raise NotFound
    return value, region


def keeps(actor: Actor, region: Path) -> bool:
    """Whether the actor keeps the supervisions of the office of exactly this region."""
    return region in regions_of(actor, *KEEPERS)


def own_offices(tx: Tx, actor: Actor) -> tuple[Office, ...]:
    """The offices whose supervisions the actor keeps, in the order of their posts."""
    found = (offices.office_at(tx, path[-1]) for path in regions_of(actor, *KEEPERS))
    return tuple(office for office in found if office)


def begin(tx: Tx, service: Service, caller: Caller, new: NewSupervision) -> Supervision:
    """Begin a supervision of the caller's office; raises Forbidden, NotFound or Invalid."""
    office = _own_office(tx, caller, new.office)
    by = by_office(caller, service, office.region, *KEEPERS)
    wanted = Supervision(
        "", office.id, new.kind, new.title, new.period.from_on, new.period.until_on, new.lead or "", tuple(new.team),
        tuple(new.matters), new.report, _satisfaction(new.satisfaction),
    )  # fmt: skip
    added = supervisions.add_supervision(tx, by, wanted)
    _keep_time(tx, service, caller, None, added)
    return added


def _own_office(tx: Tx, caller: Caller, wanted: str | None) -> Office:
    """The office that was named, or that of the caller's first post that keeps supervisions."""
    regions = regions_of(caller.actor, *KEEPERS)
    if wanted is not None:
        office = offices.find_office(tx, wanted)
        if office is None or office.region not in regions:
            raise Invalid.field("office", "不是您的督导机构。", "is no office of yours.", "unknown")
        return office
    found = next((office for path in regions if (office := offices.office_at(tx, path[-1]))), None)
    if found is None:
        raise Forbidden
    return found


def kept(tx: Tx, service: Service, caller: Caller, id_: str) -> tuple[Supervision, By]:
    """A supervision as one of its keepers finds it, and the caller as that keeper; raises NotFound or Forbidden."""
    found, region = seen(tx, caller.actor, id_)
    try:
        return found, by_office(caller, service, region, *KEEPERS)
    except NotFound:
        raise Forbidden from None


def alter(
    tx: Tx, service: Service, caller: Caller, before: Supervision, by: By, changes: Mapping[str, Any]
) -> Supervision:  # fmt: skip
    """Change anything but the office of what `kept` has answered, in the words of the payload; raises Invalid."""
    after = supervisions.change_supervision(tx, by, before.id, _stored(changes))
    _keep_time(tx, service, caller, before, after)
    return after


def _stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, as the store calls it."""
    found = dict(changes)
    if period := found.pop("period", None):
        found |= {"from_on": period.from_on, "until_on": period.until_on}
    if "lead" in found:
        found["lead"] = found["lead"] or ""
    if "satisfaction" in found:
        found["satisfaction"] = _satisfaction(found["satisfaction"])
    for name in ("team", "matters"):
        if name in found:
            found[name] = tuple(found[name])
    return found


def _satisfaction(told: Asked | None) -> Satisfaction | None:
    return Satisfaction(told.method, told.asked, told.satisfied) if told else None


def _keep_time(tx: Tx, service: Service, caller: Caller, before: Supervision | None, after: Supervision) -> None:
    """Start, move or stop the deadline of the report."""
    chain, office, side = chain_of(after.id), after.office_id, service.engine.side
    runs = any(t.rule == REPORT for t in timers.running(tx, chain))
    owed = after.active and not after.report
    moved = before is not None and before.until_on != after.until_on
    if runs and (moved or not owed):
        side.stop(tx, chain, REPORT, office, now=caller.now)
        runs = False
    if owed and not runs:
        side.start(tx, chain, REPORT, office, count_from=after.until_on, now=caller.now)
