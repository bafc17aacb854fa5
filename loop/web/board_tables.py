"""The tables of the board: lights by region and by unit, states, working days, months; each number with its list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from loop.kernel.calendar import Calendar, add_months, at_local
from loop.kernel.labels import Label
from loop.kernel.workflow import Workflow
from loop.store import tallies, write_offs
from loop.store.board import Standing
from loop.web.board_lists import LightRow, Number, board_page, due_in, light_row, opened_in, written_off_in
from loop.web.places import ledger_page
from loop.web.times import Moment, Times

WEEK, MONTHS = 5, 12
Unit = tuple[str, str]
"""The id of a unit and the smallest region that it lies in, empty for the country."""


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state and how many findings are in it."""

    name: str
    label: Label
    number: Number


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage, how many findings are in it, and its states."""

    name: str
    label: Label
    number: Number
    states: tuple[StateRow, ...]


@dataclass(frozen=True, slots=True)
class DayRow:
    """A working day and what falls due from it until before the next one."""

    on: date
    day: Moment
    number: Number


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month: recorded, written off, of these with a date set, by the first and by the last one, and relapsed since."""

    month: str
    opened: Number
    off: Number
    dated: Number
    by_first: Number
    by_last: Number
    late: Number
    relapsed: Number

    @property
    def on_time(self) -> str:
        """The share that came by the last date set."""
        return share(self.by_last.n, self.dated.n)

    @property
    def on_time_first(self) -> str:
        """The share that came by the first date set."""
        return share(self.by_first.n, self.dated.n)

    @property
    def relapse(self) -> str:
        """The share that did not hold."""
        return share(self.relapsed.n, self.off.n)


def share(part: int, of: int) -> str:
    """As a percentage; nothing where there is nothing to be a part of."""
    return f"{100 * part / of:.0f}%" if of else ""


# ---- lights ----------------------------------------------------------------------------------------------------------


def region_rows(stands: Standing, below: Sequence[tuple[str, str, bool]], own: str) -> tuple[LightRow, ...]:
    """The regions directly below, the most urgent first, then what lies in none of them, called `own`, if there is any."""
    lights = {code: stands.lights(code) for code, _, _ in below}
    names = {code: name for code, name, active in below if active or lights[code].open}
    rest = stands.lights().without(lights.values())
    whole = max((one.open for one in (*lights.values(), rest)), default=0)
    order = sorted(names, key=lambda code: (-lights[code].red, -lights[code].yellow, -lights[code].open, code))
    rows = [light_row(names[code], board_page(code), lights[code], whole, {"region": code}) for code in order]
    if rows and rest.open:
        rows.append(light_row(own, "", rest, whole, None))
    return tuple(rows)


def unit_rows(stands: Standing, units: Sequence[Unit], names: Mapping[str, str], country: str) -> tuple[LightRow, ...]:
    """The units in the order given."""
    lights = {unit: stands.lights(tallies.of_unit(*unit)) for unit in units}
    whole = max((one.open for one in lights.values()), default=0)
    rows = []
    for (id_, region), shown in lights.items():
        where: dict[str, object] = {"unit": id_, "region": region or country}
        rows.append(light_row(names.get(id_, id_), ledger_page(**where, open=True), shown, whole, where))
    return tuple(rows)


# ---- states ----------------------------------------------------------------------------------------------------------


def stage_rows(stands: Standing, region: str, flow: Workflow) -> tuple[StageRow, ...]:
    """The stages in their order with their states; a finding that has come to an end is in a stage of its own."""
    found = []
    for stage, label in flow.stages.items():
        states = tuple(
            StateRow(s.name, s.label, Number(stands.in_state(s.name), ledger_page(region=region, state=s.name)))
            for s in flow.states.values()
            if s.name.partition(".")[0] == stage
        )
        total = sum(row.number.n for row in states)
        found.append(StageRow(stage, label, Number(total, ledger_page(region=region, stage=stage)), states))
    return tuple(found)


# ---- days and months -------------------------------------------------------------------------------------------------


def working_days(today: date, calendar: Calendar) -> tuple[date, ...]:
    """The next working days, today among them if it is one, and the day on which the last of them is over."""
    first = calendar.on_or_after(today)
    return tuple(calendar.add_workdays(first, k) for k in range(WEEK + 1))


def midnights(days: Sequence[date], calendar: Calendar) -> tuple[datetime, ...]:
    """The instants at which these days begin."""
    return tuple(at_local(day, "00:00", calendar) for day in days)


def day_rows(stands: Standing, region: str, days: Sequence[date], times: Times) -> tuple[DayRow, ...]:
    """What falls due on each of the working days."""
    due = [stands.due_before(mark) for mark in midnights(days, times.calendar)]
    return tuple(
        DayRow(day, times.day(day), Number(due[k + 1] - due[k], due_in(region, day, days[k + 1])))
        for k, day in enumerate(days[:-1])
    )


def months_until(today: date) -> tuple[str, ...]:
    """The last twelve months, this one among them, "2026-03"."""
    first = today.replace(day=1)
    return tuple(add_months(first, k - MONTHS + 1).isoformat()[:7] for k in range(MONTHS))


def month_rows(stands: Standing, region: str, months: Sequence[str]) -> tuple[MonthRow, ...]:
    """What was recorded and written off in each month."""

    def off(month: str, n: int, what: str) -> Number:
        return Number(n, written_off_in(region, month, what))

    found = []
    for month in months:
        counts = {what: stands.in_month(what, month) for what in (tallies.OPENED, *write_offs.MEASURES)}
        counts[write_offs.LATE] = counts[write_offs.DATED] - counts[write_offs.BY_LAST]
        opened = Number(counts.pop(tallies.OPENED), opened_in(region, month))
        found.append(MonthRow(month, opened, **{what: off(month, n, what) for what, n in counts.items()}))
    return tuple(found)
