"""What a reader asks of the ledger: the filters of `GET /findings` as one frozen value, and as conditions on a finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import MAXYEAR, MINYEAR, datetime

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.sql.expression import FromClause

from loop.kernel.errors import Invalid
from loop.store import offices, places, reach
from loop.store.core import table_of
from loop.store.instants import NEVER_TEXT, text_of
from loop.store.lights import LIGHTS, overdue_now, shows
from loop.store.paging import storable
from loop.store.session import Tx
from loop.store.tables import PartRow

_PART = table_of(PartRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilter:
    """What to show; empty fields ask for nothing. Several values of one field are alternatives.

    Instants are half-open spans: `…_after` includes its instant, `…_before` does not, and a finding without a due date is
    in no span of due dates. `unit` and `supervision` are ids, `office` an id or a code, `region` a code anywhere in the
    tree, `light` from `LIGHTS`; `mine` means that the reader is author, reviewer, member or signer.
    """

    open: bool | None = None
    stage: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    dispute: tuple[str, ...] = ()
    level_min: int | None = None
    unit: str | None = None
    region: str | None = None
    office: str | None = None
    supervision: str | None = None
    category: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    light: tuple[str, ...] = ()
    overdue: bool | None = None
    suspended: bool | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    opened_after: datetime | None = None
    opened_before: datetime | None = None
    changed_after: datetime | None = None
    mine: bool = False
    q: str = ""

    def __post_init__(self) -> None:
        """Refuse what no database could look up; raises Invalid."""
        for field in fields(self):
            if not _usable(getattr(self, field.name)):
                raise Invalid.field(field.name, "含有不能使用的值。", "holds a value that cannot be used.")
        if strangers := set(self.light) - set(LIGHTS):
            named = ", ".join(sorted(strangers))
            raise Invalid.field(
                "light", f"没有这种灯：{named}。", f"no such light: {named}; one of {', '.join(LIGHTS)}."
            )


def _usable(value: object) -> bool:
    """Whether both databases can compare with `value`."""
    if isinstance(value, tuple):
        return all(map(_usable, value))
    if isinstance(value, datetime):
        return value.tzinfo is not None and MINYEAR < value.year < MAXYEAR
    return storable(value) if isinstance(value, str) else True


def narrow(chosen: LedgerFilter, person_id: str, finding: FromClause) -> list[ColumnElement[bool]]:
    """Conditions that leave so few findings that it is best to fetch those first and to sort them after."""
    found = []
    if chosen.unit is not None:
        found.append(finding.c.unit_id == chosen.unit)
    if chosen.mine:
        mine = select(_PART.c.chain).where(_PART.c.person_id == person_id, _PART.c.ended == 0)
        found.append(finding.c.number.in_(mine))
    return found


def conditions(tx: Tx, chosen: LedgerFilter, finding: FromClause, now: datetime) -> Iterator[ColumnElement[bool]]:
    """All other conditions, `q` apart. Raises Invalid for a region or an office that there is not."""
    yield from _choices(chosen, finding)
    yield from _flags(chosen, finding, now)
    yield from _spans(chosen, finding)
    if chosen.region is not None:
        yield reach.within(_region(tx, chosen.region), finding)
    if chosen.office is not None:
        yield finding.c.office_id == _office(tx, chosen.office)


def _choices(chosen: LedgerFilter, finding: FromClause) -> Iterator[ColumnElement[bool]]:
    for name in ("state", "dispute", "category", "severity", "kind"):
        if values := getattr(chosen, name):
            yield finding.c[name] == values[0] if len(values) == 1 else finding.c[name].in_(sorted(set(values)))
    if chosen.stage:
        state = finding.c.state
        yield or_(*(or_(state == s, state.startswith(f"{s}.", autoescape=True)) for s in chosen.stage))
    if chosen.supervision is not None:
        yield finding.c.supervision_id == chosen.supervision


def _flags(chosen: LedgerFilter, finding: FromClause, now: datetime) -> Iterator[ColumnElement[bool]]:
    if chosen.open is not None:
        yield finding.c.is_open == int(chosen.open)
    if chosen.suspended is not None:
        still = finding.c.suspended_at != NEVER_TEXT
        yield still if chosen.suspended else ~still
    if chosen.overdue is not None:
        late = overdue_now(finding, now)
        yield late if chosen.overdue else ~late
    if chosen.level_min is not None:
        # A number that no column can hold is still a fair question.
        yield finding.c.level >= max(chosen.level_min, 0) if chosen.level_min < 100 else false()
    if chosen.light:
        yield shows(finding, dict.fromkeys(chosen.light), now)


def _spans(chosen: LedgerFilter, finding: FromClause) -> Iterator[ColumnElement[bool]]:
    c = finding.c
    if chosen.due_before:
        yield c.due_at < text_of(chosen.due_before)
    if chosen.due_after:
        yield and_(c.due_at >= text_of(chosen.due_after), c.due_at < NEVER_TEXT)
    if chosen.opened_after:
        yield c.opened_at >= text_of(chosen.opened_after)
    if chosen.opened_before:
        yield c.opened_at < text_of(chosen.opened_before)
    if chosen.changed_after:
        yield and_(c.changed_at >= text_of(chosen.changed_after), c.changed_at < NEVER_TEXT)


def _region(tx: Tx, code: str) -> tuple[str, ...]:
    if found := places.find_region(tx, code):
        return found.path
    raise Invalid.field("region", "没有这个地区。", "there is no such region.", "unknown")


def _office(tx: Tx, name: str) -> str:
    if found := offices.find_office(tx, name):
        return found.id
    raise Invalid.field("office", "没有这个督导机构。", "there is no such office.", "unknown")
