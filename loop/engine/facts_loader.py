"""Loads what a decision needs to know beyond its finding: only the facts that the action's guards name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from loop.kernel import facts as kinds
from loop.kernel.calendar import Calendar, add_months, local_day
from loop.kernel.facts import Facts
from loop.kernel.finding import Finding
from loop.kernel.payloads import Payload
from loop.kernel.people import INSPECTOR, Actor
from loop.kernel.rules import RuleBook
from loop.store import evidence, history, papers, people, places, supervisions, tip_offs
from loop.store.session import Tx

NAMING_FIELDS = ("reviewers", "members", "signed_by", "chair", "privacy_checked_by")
"""Payload fields that hold sign-in names."""


class FactsLoader:
    """Reads facts within one transaction on one day."""

    def __init__(self, tx: Tx, rules: RuleBook, calendar: Calendar, now: datetime) -> None:
        self._tx, self._rules, self._calendar = tx, rules, calendar
        self._now, self._today = now, local_day(now, calendar)

    def load(self, needs: frozenset[str], finding: Finding, payload: Payload, actor: Actor) -> Facts:
        """The facts named in `needs`; everything else stays empty."""
        if not needs:
            return Facts()
        loaders: dict[str, Callable[[Finding, Payload, Actor], dict[str, Any]]] = {
            kinds.UNIT: self._unit,
            kinds.SUPERVISION: self._supervision,
            kinds.PEOPLE: self._people,
            kinds.OFFICE: self._office,
            kinds.REPEAT: self._repeat,
            kinds.ACCOUNTABILITY: self._accountability,
            kinds.TIP_OFFS: self._tip_offs,
            kinds.ATTACHMENTS: self._attachments,
            kinds.DOCUMENTS: self._documents,
            kinds.RECUSAL: self._recusal,
        }
        found: dict[str, Any] = {}
        for need in sorted(needs):
            found |= loaders[need](finding, payload, actor)
        return Facts(**found)

    def _unit(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        unit = places.unit_fact(self._tx, str(getattr(payload, "unit", "")))
        if unit is None:
            return {}
        return {"unit": unit, "recused": self._ground(actor, unit.id)}

    def _recusal(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        return {"recused": self._ground(actor, finding.unit_id)}

    def _ground(self, actor: Actor, unit_id: str) -> str:
        """What bars the actor, or whoever they stand in for, from the unit."""
        persons = {actor.id, *(post.for_id for post in actor.posts if post.for_id)}
        return people.recused(self._tx, persons, unit_id, self._today)

    def _supervision(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        named = getattr(payload, "supervision", None) or finding.supervision_id
        return {"supervision": supervisions.supervision_fact(self._tx, named, self._today) if named else None}

    def _people(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        names: set[str] = set()
        for name in NAMING_FIELDS:
            value = getattr(payload, name, None)
            names.update([value] if isinstance(value, str) else value or ())
        region = finding.place.office_region
        unit_id = finding.unit_id
        return {
            "people": people.named(self._tx, names - {""}, office_region=region, unit_id=unit_id, today=self._today)
        }

    def _office(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        place = finding.place
        found = people.holders(
            self._tx, office_region=place.office_region, superior_region=place.superior_region, today=self._today
        )
        able = frozenset(p for p, _ in people.responsible(self._tx, finding.unit_id, self._today))
        barred = people.barred(self._tx, able | found[INSPECTOR], finding.unit_id, self._today)
        return {"office": {**found, "free": (able - barred) or (found[INSPECTOR] - barred)}}

    def _repeat(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        found_on = date.fromisoformat(str(finding.sheet.get("found_on") or self._today.isoformat()))
        months = self._rules.rule("repeat_window").number
        earlier = history.written_off_alike(
            self._tx, unit_id=finding.unit_id, category=finding.category, other_than=finding.number,
            since=self._start_of(add_months(found_on, -months)), until=self._end_of(found_on),
        )  # fmt: skip
        return {"repeat_of": earlier}

    def _accountability(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        since = add_months(self._today, -self._rules.rule("accountability_window").number)
        return {"accountable_on": history.accountable_since(self._tx, finding.unit_id, since)}

    def _tip_offs(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        return {"tip_offs": tip_offs.unanswered_on(self._tx, finding.number)}

    def _attachments(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        return {"attachments": frozenset(evidence.ids(self._tx, finding.number))}

    def _documents(self, finding: Finding, payload: Payload, actor: Actor) -> dict[str, Any]:
        return {"documents": {paper.id: paper.kind for paper, _ in papers.of_finding(self._tx, finding.number)}}

    def _start_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._calendar.zone).astimezone(UTC)

    def _end_of(self, day: date) -> datetime:
        return datetime.combine(day, time.max, self._calendar.zone).astimezone(UTC)
