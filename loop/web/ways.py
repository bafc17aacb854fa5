"""Which pages about things with a history a reader may open: lists name the others without a link that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loop.authority import CHECKERS, checked_offices, regions_of
from loop.store import findings, offices, supervisions, tip_offs
from loop.store.reach import may_see
from loop.store.session import Tx
from loop.web.page import Visitor
from loop.web.places import ALARM, page_of
from loop.web.telling import WATCHERS

SUPERVISION, TIP_OFF = "supervision", "tip-off"


def ways(tx: Tx, visitor: Visitor, things: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The pages about these steps of histories, each a history and what was done, as far as the reader may open them."""
    wanted = frozenset(things)
    kinds: dict[str, list[str]] = {"": [], SUPERVISION: [], TIP_OFF: []}
    for chain in sorted({chain for chain, _ in wanted}):
        kind, _, id_ = chain.rpartition(":")
        kinds.setdefault(kind, []).append(id_)
    open_ = {
        "": _findings(tx, visitor, kinds[""]), SUPERVISION: _supervisions(tx, visitor, kinds[SUPERVISION]),
        TIP_OFF: _tip_offs(tx, visitor, kinds[TIP_OFF]),
    }  # fmt: skip
    found = {}
    for chain, step in wanted:
        kind, _, id_ = chain.rpartition(":")
        page = page_of(chain, step)
        if id_ in open_.get(kind, ()) or (kind == ALARM and (page == "/webhooks" or visitor.holds(*WATCHERS))):
            found[chain, step] = page
    return found


def _findings(tx: Tx, visitor: Visitor, numbers: Sequence[str]) -> set[str]:
    found = findings.load_many(tx, numbers, lock=False)
    return {number for number, finding in found.items() if may_see(visitor.actor, finding)}


def _supervisions(tx: Tx, visitor: Visitor, ids: Sequence[str]) -> set[str]:
    mine = set(offices.ids_within(tx, regions_of(visitor.actor))) if ids else ()
    return {id_ for id_, one in supervisions.some(tx, ids).items() if one.office_id in mine} if mine else set()


def _tip_offs(tx: Tx, visitor: Visitor, ids: Sequence[str]) -> set[str]:
    if not ids or not visitor.holds(*CHECKERS):
        return set()
    mine = checked_offices(tx, visitor.actor)
    return {id_ for id_, office in tip_offs.offices_of(tx, ids).items() if office in mine}
