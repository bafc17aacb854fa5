"""T9: a page of the ledger among a million findings, against the same among ten thousand, for every role's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.crowd import STATES, Spot
from benchmarks.rounds import ROUNDS, Measured, ratios, seconds_of
from loop.kernel.people import Actor, Post
from loop.store import ledger
from loop.store.ledger_filter import LedgerFilter
from loop.store.paging import Page
from loop.store.session import Store, Tx
from tests.cast import START

LIMIT, REPEATS = 20, 15
NOW = START + timedelta(days=500)
"""Late enough for some of the findings to be overdue."""
ASKED = (
    LedgerFilter(),
    LedgerFilter(state=STATES[2:3]),
    LedgerFilter(overdue=True, open=True),
    LedgerFilter(level_min=5),
)
OTHER_ORDERS = ("-opened_at", "number")


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


@dataclass(frozen=True, slots=True)
class Question:
    """A page somebody asks for; with `second` the one after the first."""

    chosen: LedgerFilter
    sort: str = "due_at"
    second: bool = False

    def page(self, actor: Actor, after: str | None, tx: Tx) -> Page[ledger.LedgerRow]:
        """The page behind the cursor `after`."""
        return ledger.page(tx, actor, self.chosen, now=NOW, sort=self.sort, after=after, limit=LIMIT)


USUAL = (*(Question(chosen) for chosen in ASKED), Question(ASKED[0], second=True))
OTHERWISE = tuple(Question(chosen, sort) for sort in OTHER_ORDERS for chosen in ASKED[:2])


def measure(crowds: Mapping[int, Path], spots: Mapping[int, tuple[Spot, ...]]) -> list[Measured]:
    """The worst question of each reader in the ledger's own order, and the worst of all in the others."""
    stores = {size: Store.open(f"sqlite:///{path}") for size, path in crowds.items()}
    asking = {size: readers(spots[size][len(spots[size]) // 2]) for size in crowds}
    found = []
    for name in asking[min(crowds)]:
        mine = {size: asking[size][name] for size in crowds}
        worst = max((_compared(stores, mine, question, REPEATS) for question in USUAL), key=median)
        found.append(Measured("T9", f"a ledger page at 1,000,000 findings against 10,000: {name}", 3, True, worst))
    chief = {size: asking[size]["chief of a county"] for size in crowds}
    sorted_otherwise = max((_compared(stores, chief, question, 1) for question in OTHERWISE), key=median)
    found.append(
        Measured("T9+", "the same for the chief, sorted by opening or by number", None, True, sorted_otherwise)
    )
    for store in stores.values():
        store.close()
    return found


def _compared(
    stores: Mapping[int, Store], asking: Mapping[int, Actor], question: Question, repeats: int
) -> tuple[float, ...]:
    """The great crowd against the small one, round by round."""
    took: dict[int, list[float]] = {size: [] for size in stores}
    for _ in range(ROUNDS):
        for size, store in stores.items():
            after = store.read(partial(question.page, asking[size], None)).next if question.second else None
            work = partial(question.page, asking[size], after)
            took[size].append(seconds_of(partial(store.read, work), repeats))
    few, many = sorted(stores)
    return ratios(took[many], took[few])
