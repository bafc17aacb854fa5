"""The filter bar of the ledger: what can be chosen, and what has been chosen as chips that can be taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from loop.authority import covers, regions_of
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.people import Path
from loop.kernel.vocabulary import CATEGORIES, KINDS, LIGHTS, SEVERITIES
from loop.kernel.workflow import Workflow
from loop.store import offices, places, supervisions, vicinity
from loop.store.ledger import LedgerRow
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.vicinity import Spot
from loop.web.ledger_asked import FIELDS, USUAL_SORT, Asked
from loop.web.page import Visitor

FLAGS: Mapping[str, tuple[Label, Label]] = {
    "open": (Label("办理中", "Open"), Label("已结束", "Closed")),
    "overdue": (Label("逾期", "Overdue"), Label("未逾期", "Not overdue")),
    "suspended": (Label("已中止计时", "Suspended"), Label("未中止计时", "Not suspended")),
    "mine": (Label("与我有关", "Mine"), Label("与我有关", "Mine")),
}
"""The words for true and false."""
SORTS: Mapping[str, Label] = {
    USUAL_SORT: Label("期限最近的在前", "Nearest deadline first"),
    "-due_at": Label("期限最远的在前", "Farthest deadline first"),
    "-opened_at": Label("最新登记的在前", "Newest first"),
    "opened_at": Label("最早登记的在前", "Oldest first"),
    "-level": Label("督促级别高的在前", "Highest level first"),
    "level": Label("督促级别低的在前", "Lowest level first"),
    "number": Label("编号从小到大", "Number ascending"),
    "-number": Label("编号从大到小", "Number descending"),
}
LENGTHS = ("50", "100", "200")
INDENT = "　"
QUOTED = Label("“{words}”", "“{words}”")
CHOSEN_UNIT, CHOSEN_SUPERVISION = Label("所选单位", "the chosen unit"), Label("所选活动", "the chosen supervision")

Words = tuple[tuple[str, Label], ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that was chosen, and the address without it."""

    label: Label
    path: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What can be chosen. `states` stand by stage; regions and offices only where the reader sees some."""

    stages: Words
    states: tuple[tuple[Label, Words], ...]
    disputes: Words
    severities: Words
    categories: Words
    kinds: Words
    lights: tuple[str, ...]
    sorts: Words
    lengths: tuple[str, ...]
    regions: Words
    offices: Words


def spots_of(tx: Tx, visitor: Visitor, asked: Asked) -> tuple[Spot, ...]:
    """The regions to choose from: from those of the reader down to the one chosen, and one step further."""
    own = regions_of(visitor.actor, *SEES_REGION)
    code = asked.query.region or ""
    chosen = places.find_region(tx, code) if code and own else None
    base: Path = chosen.path if chosen and covers(own, chosen.path) else min(own, key=len, default=())
    return vicinity.around(tx, base, own)


def offered(flow: Workflow, spots: tuple[Spot, ...]) -> Offered:
    """Everything that the bar offers."""
    shortest = min((len(spot.path) for spot in spots), default=0)
    states = tuple(
        (label, tuple((s.name, s.label) for s in flow.states.values() if s.name.partition(".")[0] == stage))
        for stage, label in flow.stages.items()
    )
    return Offered(
        stages=_pairs(flow.stages), states=states, disputes=_pairs(flow.dispute_states), severities=_pairs(SEVERITIES),
        categories=_pairs(CATEGORIES), kinds=_pairs(KINDS), lights=tuple(LIGHTS), sorts=_pairs(SORTS), lengths=LENGTHS,
        regions=tuple((s.code, _same(INDENT * (len(s.path) - shortest) + s.name)) for s in spots),
        offices=tuple((s.office_code, _same(s.office)) for s in spots if s.office_code),
    )  # fmt: skip


def _pairs(words: Mapping[str, Label]) -> Words:
    return tuple(words.items())


def _same(name: str) -> Label:
    return Label(name, name)


# ---- chips -----------------------------------------------------------------------------------------------------------


def chips(
    tx: Tx, visitor: Visitor, asked: Asked, spots: Iterable[Spot], rows: tuple[LedgerRow, ...]
) -> tuple[Chip, ...]:  # fmt: skip
    """What was chosen, in words. Names come from what the reader sees anyway; what is wrong is shown as it came."""
    words = dict(_known(visitor.service.book.workflow, asked, spots, rows))
    if asked.query.supervision:
        words["supervision", asked.query.supervision] = _supervision(tx, visitor, asked.query.supervision)
    return tuple(
        Chip(_told(name, words.get((name, value), _same(value))), asked.without(name, value))
        for name, value in asked.given
        if name in FIELDS
    )


def _told(name: str, words: Label) -> Label:
    if name in FLAGS:
        return words
    field = FIELDS[name]
    return Label(f"{field.zh}：{words.zh}", f"{field.en}: {words.en}")


def _known(
    flow: Workflow, asked: Asked, spots: Iterable[Spot], rows: tuple[LedgerRow, ...]
) -> Iterator[tuple[tuple[str, str], Label]]:
    """The words for (field, value)."""
    lists = {
        "stage": flow.stages, "state": {name: state.label for name, state in flow.states.items()},
        "dispute": flow.dispute_states, "severity": SEVERITIES, "category": CATEGORIES, "kind": KINDS, "light": LIGHTS,
    }  # fmt: skip
    for name, known in lists.items():
        yield from (((name, value), label) for value, label in known.items())
    for name, (yes, no) in FLAGS.items():
        for value in asked.all(name):
            yield (name, value), yes if getattr(asked.query, name) else no
    yield ("q", asked.first("q")), QUOTED.filled(words=asked.first("q"))
    if rows or (asked.first("unit") == asked.query.unit and "unit" not in asked.wrong):
        yield ("unit", asked.first("unit")), _same(rows[0].unit.name) if rows else CHOSEN_UNIT
    if rows:
        yield ("office", asked.first("office")), _same(rows[0].office.name)
    for spot in spots:
        yield ("region", spot.code), _same(spot.name)
        yield ("office", spot.office_code), _same(spot.office)


def _supervision(tx: Tx, visitor: Visitor, id_: str) -> Label:
    """The title of a supervision whose office the reader may look at."""
    try:
        found = supervisions.supervision(tx, id_)
        region = offices.office(tx, found.office_id).region
    except NotFound:
        return CHOSEN_SUPERVISION
    return _same(found.title) if covers(regions_of(visitor.actor), region) else CHOSEN_SUPERVISION
