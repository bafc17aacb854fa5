"""Where the numbers of the board lead: each to the list of what it counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from loop.kernel.calendar import add_months
from loop.store.board import Lights
from loop.web.charts import Part, Rect, bar
from loop.web.places import ledger_page

LIGHTS = ("red", "yellow", "green", "grey")


@dataclass(frozen=True, slots=True)
class Number:
    """A number with the list behind it; without one where no question to the ledger asks for exactly these."""

    n: int
    path: str = ""

    @property
    def text(self) -> str:
        """As it is read, in groups of three."""
        return f"{self.n:,}"


@dataclass(frozen=True, slots=True)
class LightRow:
    """A region or a unit with its lights, in the order of `LIGHTS`. `path` leads closer to it."""

    name: str
    path: str
    open: Number
    numbers: tuple[Number, ...]
    rects: tuple[Rect, ...]


def board_page(region: str) -> str:
    """The board of a region."""
    return f"/board?{urlencode({'region': region})}"


def open_in(region: str, **filters: object) -> str:
    """The ledger of what is open in a region."""
    return ledger_page(region=region, open=True, **filters)


def light_row(name: str, path: str, lights: Lights, whole: int, filters: dict[str, object] | None) -> LightRow:
    """One line of lights; the bar is full at `whole`."""
    counts = {light: int(getattr(lights, light)) for light in LIGHTS}

    def number(n: int, wanted: dict[str, object]) -> Number:
        return Number(n, ledger_page(**{**filters, "open": True, **wanted}) if filters else "")

    wanted: dict[str, dict[str, object]] = {
        **{light: {"light": light} for light in LIGHTS},
        "grey": {"suspended": True},
    }
    return LightRow(
        name=name, path=path, open=number(lights.open, {}),
        numbers=tuple(number(counts[light], wanted[light]) for light in LIGHTS),
        rects=bar((Part(light, n) for light, n in counts.items()), whole),
    )  # fmt: skip


def due_in(region: str, begin: date, end: date) -> str:
    """The ledger of what falls due from one day to before another, as far as its clock runs."""
    return open_in(region, suspended=False, due_after=begin.isoformat(), due_before=end.isoformat())


def opened_in(region: str, month: str) -> str:
    """The ledger of what was recorded in a month."""
    first = date.fromisoformat(f"{month}-01")
    return ledger_page(region=region, opened_after=first.isoformat(), opened_before=add_months(first, 1).isoformat())


def written_off_in(region: str, month: str, what: str = "off") -> str:
    """The list of what was written off in a month."""
    query = {"region": region, **({} if what == "off" else {"what": what})}
    return f"/board/months/{month}?{urlencode(query)}"
