"""Holds the series of numbers against what was numbered: papers without a gap, findings up to the last one given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from loop.engine.comparing import Broken
from loop.engine.rebuild import Rebuilt
from loop.engine.record import SERIES
from loop.engine.verify_chains import DOCUMENT, is_finding
from loop.store.core import table_of
from loop.store.session import Tx
from loop.store.tables import SerialRow

SERIAL = table_of(SerialRow)
FINDINGS = "number"
"""The series of the numbers of findings."""

Series = tuple[str, str, int]


@dataclass(slots=True)
class Numbers:
    """The highest number given to a finding by each office and year, gathered while the chains go by."""

    last: dict[Series, int] = field(default_factory=dict)

    def take(self, rebuilt: Rebuilt) -> None:
        """Add one chain."""
        if not is_finding(rebuilt.chain) or not rebuilt.finding:
            return
        _, year, number = rebuilt.chain.rsplit("-", 2)
        series = (rebuilt.finding["office_id"], FINDINGS, int(year))
        self.last[series] = max(self.last.get(series, 0), int(number))

    def check(self, tx: Tx) -> int:
        """Raises `Broken` for a series that does not end with what was numbered last; answers how many were checked."""
        expected = {**self.last, **_papers(tx)}
        query = select(SERIAL.c.office_id, SERIAL.c.series, SERIAL.c.year, SERIAL.c.last)
        kept: Mapping[Series, int] = {(row[0], row[1], row[2]): row[3] for row in tx.select(query)}
        for series in sorted({*expected, *kept}):
            if series not in kept:
                raise Broken("serial", series, "the row is missing")
            if series not in expected:
                raise Broken("serial", series, "nothing was numbered in this series")
            if kept[series] != expected[series]:
                raise Broken("serial", series, f"last is {kept[series]}, the last one given is {expected[series]}")
        return len(kept)


def _papers(tx: Tx) -> dict[Series, int]:
    found: dict[Series, int] = {}
    query = (
        select(DOCUMENT.c.office_id, DOCUMENT.c.year, func.count(), func.max(DOCUMENT.c.serial))
        .where(DOCUMENT.c.serial.is_not(None))
        .group_by(DOCUMENT.c.office_id, DOCUMENT.c.year)
    )
    for office_id, year, papers, last in tx.select(query):
        if papers != last:
            raise Broken("serial", (office_id, SERIES, year), f"{last} numbers were given, {papers} papers have one")
        found[office_id, SERIES, year] = last
    return found
