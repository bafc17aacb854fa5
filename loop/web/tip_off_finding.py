"""A finding that comes from a tip-off: its form begins with what was reported, and the two are tied together."""

from __future__ import annotations

from loop.authority import tip_off_of
from loop.store import names
from loop.store.session import Tx
from loop.web.page import Visitor
from loop.web.sent import Sent

FROM = "tip_off"
"""The part of the address that says which tip-off a new finding comes from."""
SOURCE = "群众反映"


def beginning(tx: Tx, visitor: Visitor, id_: str) -> Sent:
    """The form as the tip-off fills it in; raises Forbidden or NotFound. Who reported is no part of it."""
    found, _ = tip_off_of(tx, visitor.caller, visitor.service, id_)
    unit = names.of_units(tx, [found.unit_id or ""]).get(found.unit_id or "", "")
    given = {
        "unit": unit, "description": found.matter, "source": SOURCE, "kind": "tip_off", "severity": "normal",
        "found_on": found.at.astimezone(visitor.service.calendar.zone).date().isoformat(),
    }  # fmt: skip
    return Sent(tuple(given.items()))


def led_to(tx: Tx, visitor: Visitor, id_: str, number: str) -> None:
    """Tie the tip-off to the finding that came from it; raises Forbidden, NotFound or Invalid."""
    found, by = tip_off_of(tx, visitor.caller, visitor.service, id_)
    visitor.service.tip_offs.link(tx, by, found, number, is_origin=True)
