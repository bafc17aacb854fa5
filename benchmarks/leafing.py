"""T9: a page of the ledger among a million findings, against the same among ten thousand, for every role's scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.crowd import STATES, Spot
from benchmarks.rounds import ROUNDS, Measured, ratios, seconds_of
from loop.kernel.people import Actor, Post
from loop.store import ledger
from loop.store.ledger_filter import LedgerFilter
from loop.store.session import Store, Tx
from tests.cast import START

LIMIT, REPEATS = 20, 15
NOW = START + timedelta(days=500)
"""Late enough for some of the findings to be overdue."""
ASKED = {
    "everything": LedgerFilter(),
    "one state": LedgerFilter(state=STATES[2:3]),
    "overdue": LedgerFilter(overdue=True, open=True),
    "level 5 and up": LedgerFilter(level_min=5),
}
SORTS = ("due_at", "-opened_at", "number")


def readers(spot: Spot) -> dict[str, Actor]:
    """One for every role that sees findings, at every height at which it sees them."""
    country, province, city, county, town = (spot.path[:n] for n in range(1, 6))
    posts = {
        "auditor of the country": Post("1", "auditor", country),
        "leader of a province": Post("1", "leader", province),
        "director of a city": Post("1", "director", city),
        "chief of a county": Post("1", "chief", county),
        "officer of a county": Post("1", "officer", county),
        "inspector of a township": Post("1", "inspector", town),
        "a school": Post("1", "unit", unit_id=spot.school),
        "a bureau": Post("1", "department", unit_id=spot.bureau),
    }
    return {name: Actor("reader", "reader", "某", (post,)) for name, post in posts.items()}


def measure(crowds: Mapping[int, Path], spots: Mapping[int, tuple[Spot, ...]]) -> list[Measured]:
    """The worst question of each reader."""
    few, many = sorted(crowds)
    stores = {size: Store.open(f"sqlite:///{path}") for size, path in crowds.items()}
    by_reader = {size: readers(spots[size][len(spots[size]) // 2]) for size in crowds}
    found = []
    for name in by_reader[few]:
        worst = max((_compared(stores, by_reader, name, *asked) for asked in _questions()), key=median)
        found.append(Measured("T9", f"a ledger page at 1,000,000 findings against 10,000: {name}", 3, True, worst))
    for store in stores.values():
        store.close()
    return found


def _questions() -> Iterator[tuple[LedgerFilter, str, bool]]:
    for sort in SORTS:
        for chosen in ASKED.values():
            yield chosen, sort, False
        yield LedgerFilter(), sort, True


def _compared(
    stores: Mapping[int, Store], by_reader: Mapping[int, Mapping[str, Actor]], name: str, chosen: LedgerFilter, sort: str,
    second: bool,
) -> tuple[float, ...]:  # fmt: skip
    """Round by round; with `second` the page after the first."""
    took: dict[int, list[float]] = {size: [] for size in stores}
    for _ in range(ROUNDS):
        for size, store in stores.items():
            actor = by_reader[size][name]
            after = store.read(partial(_page, actor, chosen, sort, None)).next if second else None
            work = partial(_page, actor, chosen, sort, after)
            took[size].append(seconds_of(partial(store.read, work), REPEATS))
    few, many = sorted(stores)
    return ratios(took[many], took[few])


def _page(actor: Actor, chosen: LedgerFilter, sort: str, after: str | None, tx: Tx) -> ledger.Page[ledger.LedgerRow]:
    return ledger.page(tx, actor, chosen, now=NOW, sort=sort, after=after, limit=LIMIT)
