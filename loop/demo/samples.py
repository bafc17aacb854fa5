"""The sample findings and the region tree of the demonstration, read from the CSV files beside this module.

Nothing is read at import. Names of units, counties and townships are invented, provinces and prefectures are
real; what the sources say of no place lies in one invented province.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from io import StringIO


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One division; `level` is country, province, prefecture, county or township, the root has no `parent_code`."""

    code: str
    name: str
    level: str
    parent_code: str | None
    invented: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """One finding to open. Texts are Chinese, and empty where the source is silent.

    `region` is the code of the unit's region in `regions()`. `severity` is None only for what is commended
    (`positive`), `found_on` where no full date is known. `outcome` is done, phase_done, not_done or None;
    `due` and `escalation` are the words of the source, not codes.
    """

    seq: int
    kind: str
    category: str
    severity: str | None
    positive: bool
    unit_kind: str
    unit_type: str
    province: str
    city: str
    region: str
    unit_name: str
    title: str
    description: str
    requirement: str
    measure: str
    due: str
    found_on: date | None
    outcome: str | None
    outcome_note: str
    escalation: str


@cache
def samples() -> tuple[Sample, ...]:
    """Return the 284 sample findings in the order of their `seq`."""
    return tuple(_sample(row) for row in _rows("findings.csv"))


@cache
def regions() -> tuple[RegionRow, ...]:
    """Return the region tree, every parent before its children."""
    return tuple(
        RegionRow(
            code=row["code"],
            name=row["name"],
            level=row["level"],
            parent_code=row["parent_code"] or None,
            invented=row["invented"] == "1",
        )
        for row in _rows("regions.csv")
    )


def _sample(row: dict[str, str]) -> Sample:
    return Sample(
        seq=int(row["seq"]),
        kind=row["kind"],
        category=row["category"],
        severity=row["severity"] or None,
        positive=row["positive"] == "1",
        unit_kind=row["unit_kind"],
        unit_type=row["unit_type"],
        province=row["province"],
        city=row["city"],
        region=row["region"],
        unit_name=row["unit_name"],
        title=row["title"],
        description=row["description"],
        requirement=row["requirement"],
        measure=row["measure"],
        due=row["due"],
        found_on=date.fromisoformat(row["found_on"]) if row["found_on"] else None,
        outcome=row["outcome"] or None,
        outcome_note=row["outcome_note"],
        escalation=row["escalation"],
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("loop.demo").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(StringIO(text))
