"""The generated part of docs/performance.md: one row for each figure, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.rounds import Measured

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- figures: written by python -m benchmarks -->", "<!-- end of figures -->"
HEAD = "| id | measured | target | median | rounds | |\n|---|---|---|---|---|---|"


def table(found: Sequence[Measured], on: date) -> str:
    """The figures of one day as Markdown."""
    return "\n".join([f"Figures of {on.isoformat()}.", "", HEAD, *map(_row, found)])


def write(found: Sequence[Measured], on: date, page: Path = PAGE) -> None:
    """Put the figures between the marks of `page`; raises ValueError where the marks are missing."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} lacks the marks {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{table(found, on)}\n{END}{after}", encoding="utf-8")


def _row(one: Measured) -> str:
    bound = "none" if one.target is None else f"{'≤' if one.at_most else '≥'} {_figure(one.target, one.unit)}"
    rounds = f"{_figure(min(one.rounds), one.unit)} to {_figure(max(one.rounds), one.unit)}"
    return f"| {one.id} | {one.what} | {bound} | {_figure(one.value, one.unit)} | {rounds} | {one.verdict} |"


def _figure(value: float, unit: str) -> str:
    digits = f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return f"{digits}{unit}" if unit == "x" else f"{digits} {unit}".strip()
