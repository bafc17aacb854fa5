"""The charts of the board, drawn from its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from loop.kernel.labels import Label
from loop.kernel.sketch import sketch
from loop.kernel.wording import WEEKDAYS
from loop.kernel.workflow import Workflow
from loop.web.board_tables import DayRow, MonthRow, StageRow
from loop.web.charts import Columns, Entry, Flow, Part, Stage, columns, flow

NOTHING = Label("", "")
HIGH, LOW = 200.0, 150.0


def flow_chart(rows: Iterable[StageRow], declared: Workflow) -> Flow:
    """The stages that are not an end, with the ways that the workflow declares between them."""
    shown = [row for row in rows if not all(declared.states[state.name].end for state in row.states)]
    stages = [Stage(row.name, row.label, row.number.n, row.number.path) for row in shown]
    return flow(stages, set(_links(declared)))


def _links(declared: Workflow) -> Iterator[tuple[str, str]]:
    """From stage to stage; ways that lead back to wherever a finding was are left out."""
    drawn = sketch(declared, "zh")
    exits = [*drawn.common, *(e for frame in drawn.frames for card in frame.cards for e in card.exits)]
    exits += [e for frame in drawn.frames for e in frame.exits]
    for one in exits:
        if not one.returns:
            for source in one.sources:
                yield from ((source.partition(".")[0], target.partition(".")[0]) for target in one.targets)


def week_chart(rows: Sequence[DayRow]) -> Columns:
    """A column for each working day."""

    def entry(row: DayRow) -> Entry:
        n, weekday = row.number.n, WEEKDAYS[row.on.weekday()]
        said = Label(f"{row.day.words.zh}：{n} 项到期", f"{row.day.words.en}: {n} due")
        short = row.on.strftime("%m-%d")
        return Entry(
            (Part("plain", n),), str(n), Label(weekday.zh, weekday.en[:3]), Label(short, short), row.number.path, said
        )

    return columns([entry(row) for row in rows], LOW)


def punctual_chart(rows: Sequence[MonthRow]) -> Columns:
    """What was written off in each month: in time, late, without a date; the share in time above."""

    def entry(row: MonthRow) -> Entry:
        parts = (Part("in-time", row.by_last.n), Part("late", row.late.n), Part("undated", row.off.n - row.dated.n))
        said = Label(
            f"{row.month}：销号 {row.off.n} 项，按期 {row.by_last.n} 项，逾期 {row.late.n} 项",
            f"{row.month}: {row.off.n} written off, {row.by_last.n} in time, {row.late.n} late",
        )
        return Entry(parts, row.on_time, *_month(row.month), row.off.path, said)

    return columns([entry(row) for row in rows], HIGH)


def relapse_chart(rows: Sequence[MonthRow]) -> Columns:
    """Of what was written off in each month, how much has relapsed since."""

    def entry(row: MonthRow) -> Entry:
        n = row.relapsed.n
        said = Label(
            f"{row.month} 销号 {row.off.n} 项，其后反弹 {n} 项",
            f"{row.month}: {n} of {row.off.n} written off have relapsed since",
        )
        return Entry((Part("relapsed", n),), str(n) if n else "", *_month(row.month), row.relapsed.path, said)

    return columns([entry(row) for row in rows], LOW)


def _month(month: str) -> tuple[Label, Label]:
    """The month, and the year under January and the first one shown."""
    number, first = int(month[5:]), date.fromisoformat(f"{month}-01")
    return Label(str(number), first.strftime("%b")), Label(month[:4], month[:4]) if number == 1 else NOTHING
