"""A finding, its timers and its papers as answers show them: the fields of the contract, times local with offset."""

from __future__ import annotations

from datetime import date, datetime
from json import loads
from typing import Any

from loop.kernel.calendar import Calendar, local_day
from loop.kernel.clocks import Timer
from loop.kernel.decide import Book
from loop.kernel.finding import NEVER, Finding, is_open
from loop.kernel.labels import Label
from loop.kernel.workflow import WINDOW
from loop.store.ledger import LedgerRow
from loop.store.lights import is_overdue, light
from loop.store.names import Names
from loop.store.papers import Document

_PLAIN = (
    "number", "title", "description", "state", "stage", "dispute", "level", "round", "relapse_count", "severity",
    "category", "kind", "version", "responsible_person", "long_term", "danger_to_life", "positive",
)  # fmt: skip


def instant(at: datetime | None, calendar: Calendar) -> str | None:
    """RFC 3339 in local time with offset; None for "none"."""
    return None if at is None or at == NEVER else at.astimezone(calendar.zone).isoformat()


def day(on: date | None) -> str | None:
    """A date as YYYY-MM-DD."""
    return on.isoformat() if on else None


def both(label: Label) -> dict[str, str]:
    """A label in both languages."""
    return {"zh": label.zh, "en": label.en}


def finding_view(finding: Finding, names: Names, now: datetime, calendar: Calendar) -> dict[str, Any]:
    """One finding as the contract lists it."""
    due, stopped = finding.due_at, finding.suspended_at
    region = finding.place.region[-1] if finding.place.region else ""
    return {
        **{name: getattr(finding, name) for name in _PLAIN},
        "unit": {"id": finding.unit_id, "name": names.unit, "kind": finding.unit_kind},
        "department": finding.department_id,
        "office": names.office_code,
        "office_name": names.office,
        "region": region,
        "region_name": names.region,
        "supervision": finding.supervision_id,
        "due_rule": finding.due_rule or None,
        "waits_for": finding.waits_for or None,
        "overdue": is_overdue(due_at=due, suspended_at=stopped, now=now),
        "light": light(
            is_open=is_open(finding.state), suspended_at=stopped, due_at=due, level=finding.level, now=now
        ),
        **_instants(finding, calendar),
    }  # fmt: skip


def row_view(row: LedgerRow, calendar: Calendar) -> dict[str, Any]:
    """One line of the ledger, with the same fields as a finding."""
    return {
        **{name: getattr(row, name) for name in _PLAIN},
        "unit": {"id": row.unit.id, "name": row.unit.name, "kind": row.unit.kind},
        "department": row.department_id,
        "office": row.office.id,
        "office_name": row.office.name,
        "region": row.region.id,
        "region_name": row.region.name,
        "supervision": row.supervision_id,
        "due_rule": row.due_rule or None,
        "waits_for": row.waits_for or None,
        "overdue": row.overdue,
        "light": row.light,
        **_instants(row, calendar),
    }


def _instants(of: Finding | LedgerRow, calendar: Calendar) -> dict[str, str | None]:
    names = ("opened_at", "due_at", "written_off_at", "suspended_at")
    return {name: instant(getattr(of, name), calendar) for name in names}


def timer_view(timer: Timer, book: Book, now: datetime) -> dict[str, Any]:
    """One clock, running or stopped."""
    calendar, declared = book.calendar, book.workflow.timers.get(timer.rule)
    due_on = local_day(timer.due_at, calendar)
    over = declared is not None and declared.kind == WINDOW and timer.is_past(now)
    running = timer.stopped_at is None and not over
    return {
        "id": timer.id,
        "rule": timer.rule,
        "label": both(declared.label) if declared else both(Label(timer.rule, timer.rule)),
        "kind": declared.kind if declared else "",
        "owner": timer.owner or None,
        "running": running,
        "paused": timer.paused,
        "length": f"{timer.number}{timer.unit}",
        "source": timer.source,
        "provenance": timer.provenance,
        "started_on": day(timer.started_on),
        "started_at": instant(timer.started_at, calendar),
        "due_at": instant(timer.due_at, calendar),
        "first_due_at": instant(timer.first_due_at, calendar),
        "next_at": instant(timer.next_at, calendar) if running else None,
        "stopped_at": instant(timer.stopped_at, calendar),
        "overdue": running and not timer.paused and timer.due_at < now,
        "rung": timer.rung,
        "left": timer.left,
        "pauses": [{"since": day(p.since), "until": day(p.until), "why": p.why} for p in timer.pauses],
        "note": timer.note,
        "provisional": calendar.is_provisional(timer.started_on, due_on),
    }


def document_view(document: Document, book: Book, seq: int | None = None) -> dict[str, Any]:
    """The head of one paper: what a register shows."""
    return {
        "id": document.id,
        "kind": document.kind,
        "title": loads(document.content)["title"],
        "number": document.number or None,
        "office": document.office_id,
        "year": document.year,
        "serial": document.serial,
        "internal": document.internal,
        "issued_at": instant(document.issued_at, book.calendar),
        "digest": document.digest,
        **({"seq": seq} if seq is not None else {}),
    }
