"""What happens to a tip-off besides being kept: its answer gets a deadline, is given, and ends the deadline."""

from __future__ import annotations

from dataclasses import dataclass

from loop.engine.side import SideTimers
from loop.kernel.calendar import local_day
from loop.kernel.clocks import Timer
from loop.kernel.errors import Conflict, Invalid, NotFound
from loop.kernel.labels import Label
from loop.kernel.people import Actor
from loop.store import timers, tip_offs
from loop.store.chronicle import By, enter
from loop.store.session import Tx
from loop.store.sight import seen
from loop.store.tip_offs import OPEN, Sealed, TipOff, chain_of

PUBLIC = Actor("public", "public", "公众")
ANSWER = "tip_off_answer"
ENDED = Label("举报已办结，不能退回核查。", "The tip-off is answered; it cannot go back to being checked.")


@dataclass(frozen=True, slots=True)
class TipOffDesk:
    """Takes tip-offs in and answers them; `side` counts their deadlines."""

    side: SideTimers

    def take_in(
        self, tx: Tx, by: By, *, matter: str, region: str | None, unit_id: str | None, sealed: Sealed
    ) -> tuple[TipOff, str, Timer]:
        """A tip-off with its receipt code, told this once, and the deadline of the answer; raises Invalid."""
        added, receipt = tip_offs.receive(tx, by, matter=matter, region=region, unit_id=unit_id, sealed=sealed)
        today = local_day(by.at, self.side.book.calendar)
        timer = self.side.start(
            tx, chain_of(added.id), ANSWER, added.office_id, count_from=today, now=by.at
        )  # fmt: skip
        return added, receipt, timer

    def link(self, tx: Tx, by: By, tip_off: TipOff, finding: str, *, is_origin: bool | None = None) -> TipOff:
        """Say which finding a tip-off is about, one that the actor sees; raises Invalid."""
        try:
            number = seen(tx, by.actor, finding).number
        except NotFound:
            raise Invalid.field("finding", "没有这个问题。", "there is no such finding.", "unknown") from None
        origin = tip_off.is_origin if is_origin is None else is_origin
        return tip_offs.link(tx, by, tip_off.id, number, is_origin=origin)

    def answer(
        self, tx: Tx, by: By, tip_off: TipOff, *, status: str | None = None, result: str | None = None
    ) -> TipOff:
        """A new status, an answer or both; an end stops the deadline. Raises Conflict, Invalid."""
        wanted = status or tip_off.status
        if wanted in OPEN and tip_off.status not in OPEN:
            raise Conflict(ENDED)
        text = tip_off.result if result is None else result
        after = tip_offs.answer(tx, by, tip_off.id, status=wanted, result=text)
        if after.status not in OPEN:
            self.side.stop(tx, chain_of(tip_off.id), ANSWER, tip_off.office_id, now=by.at)
        return after

    def open_identity(self, tx: Tx, by: By, tip_off: TipOff) -> Sealed:
        """Who reported; that it was looked at is entered in the tip-off's chain."""
        enter(tx, by, "open_identity", chain=chain_of(tip_off.id), payload={}, effects={})
        return tip_offs.sealed_of(tx, tip_off.id)


def answer_due(tx: Tx, tip_off: TipOff) -> Timer | None:
    """The running deadline of the answer, if there is one."""
    return next((timer for timer in timers.running(tx, chain_of(tip_off.id)) if timer.rule == ANSWER), None)
