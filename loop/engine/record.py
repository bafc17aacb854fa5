"""Writes a decision down: the finding, its sealed event, timers, papers, parts and messages, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any

from loop.engine import audience
from loop.engine.audience import Reach
from loop.kernel.calendar import Calendar, local_day
from loop.kernel.case import jsonable
from loop.kernel.clocks import Timer
from loop.kernel.decide import Command, Decision
from loop.kernel.finding import NEVER, Finding
from loop.kernel.people import OFFICE_ROLES, SUPERIOR, SYSTEM, UNIT
from loop.kernel.rules import RuleBook
from loop.kernel.workflow import Paper
from loop.store import (
    findings,
    gaps,
    journal,
    mailbox,
    offices,
    papers,
    parts,
    people,
    places,
    search,
    tallies,
    timers,
    webhooks,
)
from loop.store.canonical import canonical, digest
from loop.store.gaps import Gap
from loop.store.instants import text_of
from loop.store.journal import Entry
from loop.store.mailbox import Message
from loop.store.offices import Office
from loop.store.papers import Document
from loop.store.session import Tx

INBOX = "inbox"
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""A message may be sent as soon as it is there; leases and delays run on the machine's time, whatever the clock says."""
SERIES = "paper"
TEXTS = frozenset({"number", "title", "description", "unit_id"})
"""Columns whose change means that the search must learn the finding's texts anew."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one action has done: the finding as it stands now, the event, the papers made, who was told."""

    finding: Finding
    event: Entry
    documents: tuple[Document, ...]
    told: tuple[Reach, ...]


def hearing(done: Iterable[Outcome]) -> tuple[str, ...]:
    """The persons to whom messages go, once for each message; nobody is sent word of what they did themselves."""
    return tuple(r.person_id for outcome in done for r in outcome.told if r.person_id != outcome.event.actor_id)


class Register:
    """The papers of one transaction: each kind is made once, whatever number of findings it is about."""

    def __init__(self, tx: Tx, rules: RuleBook, calendar: Calendar, number_form: str) -> None:
        self._tx, self._rules, self.calendar, self._form = tx, rules, calendar, number_form
        self._made: dict[str, Document] = {}
        self._offices: dict[str, Office] = {}
        self._units: dict[str, str] = {}

    def paper(self, kind: Paper, decision: Decision, about: Sequence[Finding], at: datetime, seq: int) -> Document:
        """The paper of this kind, made at first need."""
        if kind.kind not in self._made:
            self._made[kind.kind] = self._new(kind, decision, about, at, seq)
        return self._made[kind.kind]

    def _new(self, kind: Paper, decision: Decision, about: Sequence[Finding], at: datetime, seq: int) -> Document:
        finding = decision.after
        office = self.issuer(decision)
        day = local_day(at, self.calendar)
        # Only an office has a series: what a department or a leader writes is filed, not numbered.
        issued = kind.issued and decision.capacity.post.role in (*OFFICE_ROLES, SYSTEM)
        year = day.year if issued else None
        serial = papers.take_serial(self._tx, office.id, SERIES, day.year) if issued else None
        number = self._form.format(word=office.doc_prefix, year=day.year, serial=serial) if issued else ""
        ids = dict.fromkeys((finding.unit_id, *(f.unit_id for f in about)))
        addressed = {id_: self.unit_name(id_) for id_ in ids}
        content = canonical(
            _content(kind, decision, about, office.name, addressed, day, number)
            | ((self._deadline(kind, finding) | self._opened(kind, finding)) if len(addressed) == 1 else {})
        )
        document = Document(
            id=f"{finding.number}.{seq}.{kind.kind}", kind=kind.kind, office_id=office.id, year=year, serial=serial,
            number=number, internal=kind.internal, issued_at=at, content=content, digest=digest(content),
        )  # fmt: skip
        papers.insert(self._tx, document)
        return document

    def _deadline(self, kind: Paper, finding: Finding) -> dict[str, Any]:
        """The deadline that runs once the step is taken, for the paper to name; it may be past. What goes out to a unit names
        no deadline of somebody else.
        """
        theirs = UNIT in finding.waits_for.split(",") or kind.internal
        if finding.due_at == NEVER or not finding.due_rule or not theirs:
            return {}
        return {"deadline": {"rule": finding.due_rule, "due_on": local_day(finding.due_at, self.calendar).isoformat()}}

    def _opened(self, kind: Paper, finding: Finding) -> dict[str, Any]:
        """The deadlines and windows that begin with the receipt of the paper, as long as they are for this kind of unit."""
        named = ((name, self._rules.rules.get(f"{name}_{finding.unit_kind}")) for name in kind.opens)
        told = [(name, rule or self._rules.rule(name)) for name, rule in named]
        opens = [{"rule": name, "number": rule.number, "unit": rule.unit} for name, rule in told]
        return {"opens": opens} if opens else {}

    def issuer(self, decision: Decision) -> Office:
        """The office in whose name the paper is made: the finding's own, or the one above where that one acts."""
        post = decision.capacity.post
        if decision.capacity.name == SUPERIOR and (above := offices.office_at(self._tx, post.region[-1])):
            return above
        return self._office(decision.after.office_id)

    def unit_name(self, id_: str) -> str:
        """What a unit is called today."""
        if id_ not in self._units:
            self._units[id_] = places.unit(self._tx, id_).name
        return self._units[id_]

    def _office(self, id_: str) -> Office:
        if id_ not in self._offices:
            self._offices[id_] = offices.office(self._tx, id_)
        return self._offices[id_]


def _content(
    kind: Paper, decision: Decision, about: Sequence[Finding], office: str, addressed: Mapping[str, str], day: date,
    number: str,
) -> dict[str, Any]:  # fmt: skip
    after = decision.after
    # A paper that joins several units names their findings; what each is accused of is told to each alone.
    alone = len({f.unit_id for f in about}) == 1
    joined = {"units": [{"id": id_, "name": name} for id_, name in addressed.items()]}
    return {
        "kind": kind.kind,
        "title": kind.label._asdict(),
        "number": number,
        "office": office,
        "unit": after.unit_id,
        "unit_name": addressed[after.unit_id],
        **({} if alone else joined),
        "issued_on": day.isoformat(),
        "action": decision.action.name,
        "findings": [_accused(f) if alone else {"number": f.number, "title": f.title} for f in about],
        "signed_by": {"name": decision.actor.full_name, "role": decision.capacity.post.role},
        "cc": list(kind.cc),
        "payload": payload_of(decision),
    }


def _accused(finding: Finding) -> dict[str, Any]:
    """What a finding says, as a paper repeats it."""
    sheet = finding.sheet
    return {
        "number": finding.number, "title": finding.title, "description": finding.description,
        "facts": sheet.get("facts") or [], "legal_basis": sheet.get("legal_basis") or [],
    }  # fmt: skip


def payload_of(decision: Decision) -> dict[str, Any]:
    """The payload as plain JSON data, under the names the API knows."""
    return decision.payload.model_dump(mode="json", by_alias=True)


NOTHING_JOINT: Mapping[str, Sequence[Finding]] = {}


def write(
    tx: Tx, before: Finding, decision: Decision, command: Command, *, run_at: datetime, register: Register,
    rules: str, about: Mapping[str, Sequence[Finding]] = NOTHING_JOINT,
) -> Outcome:  # fmt: skip
    """Record `decision` on `before`; `about` are the findings of each kind of paper, where it joins several. Raises `Moved`
    if the finding changed since it was read.
    """
    after, at, seq = decision.after, command.due_at or run_at, before.version + 1
    seats = _seats(tx, before, decision, local_day(run_at, register.calendar))
    reached, lost = audience.resolve(before, after, decision.told, seats)
    made = tuple(register.paper(p, decision, about.get(p.kind, (after,)), at, seq) for p in decision.papers)
    told = tuple(reach for reach in reached if reach.person_id != decision.actor.id)
    letter = _letter(before, decision, command, register.unit_name(after.unit_id)) if told else ""
    effects = _effects(decision, made, lost, told, letter)
    entry = journal.seal(_entry(before, decision, command, run_at, seq, rules, effects), before.head)
    findings.save(tx, after, was_version=before.version, changed_at=run_at, head=entry.hash, before=before)
    tallies.note(tx, before if before.version else None, after, register.calendar.zone)
    journal.append(tx, entry)
    timers.save(tx, after.number, after.office_id, after.unit_id, decision.timers)
    for document in made:
        papers.link(tx, document.id, after.number, seq)
    _parts(tx, decision, seq)
    tell(tx, told, lost, entry, letter, after.office_id)
    _tell_programs(tx, decision, entry)
    if before.version == 0 or TEXTS & decision.columns.keys():
        name = places.unit(tx, after.unit_id).name
        search.index(tx, after.id, search.body_of(after.number, after.title, after.description, name))
    return Outcome(replace(after, head=entry.hash), entry, made, tuple(reached))


def _seats(tx: Tx, before: Finding, decision: Decision, today: date) -> Sequence[people.Seat]:
    if not decision.told:
        return ()
    regions, units, persons = audience.places_of(before, decision.after, decision.told)
    return people.audience(tx, regions=regions, units=units, persons=persons, today=today)


def _entry(
    before: Finding, decision: Decision, command: Command, run_at: datetime, seq: int, rules: str, effects: str
) -> Entry:
    post = decision.capacity.post
    return Entry(
        chain=before.number, seq=seq, finding_id=before.id, track=decision.action.track, action=decision.action.name,
        from_state=decision.source, to_state=decision.target, actor_id=decision.actor.id,
        actor_name=decision.actor.name, actor_role=post.role, for_id=post.for_id, at=run_at, due_at=command.due_at,
        timer_id=command.timer_id, rung=command.rung, rules=rules, payload=canonical(payload_of(decision)),
        effects=effects,
    )  # fmt: skip


_OF_TIMER = tuple(f.name for f in fields(Timer) if f.name not in ("error", "pauses", "ladder"))
_OF_DOCUMENT = tuple(f.name for f in fields(Document) if f.name != "content")


def timer_values(timer: Timer) -> dict[str, Any]:
    """A timer as the plain data that an event records."""
    values = {name: _plain(getattr(timer, name)) for name in _OF_TIMER}
    values["pauses"] = [{"since": _plain(p.since), "until": _plain(p.until), "why": p.why} for p in timer.pauses]
    return values | {"ladder": asdict(timer.ladder)} if timer.ladder else values


def _plain(value: Any) -> Any:
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, datetime):
        return text_of(value)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return jsonable(value)


def _effects(
    decision: Decision, made: Sequence[Document], lost: Sequence[str], told: Sequence[Reach], letter: str
) -> str:
    """What this event changed, complete enough to rebuild every row by folding the effects in order."""
    columns = {k: _plain(v) for k, v in decision.columns.items()}
    recorded: dict[str, Any] = {
        "finding": columns,
        "region": list(decision.after.place.region),
        "sheet": dict(decision.sheet),
        "timers": [timer_values(t) for t in decision.timers],
        "documents": [document_values(d) for d in made],
        "told": list(decision.told),
        "messages": [told_values(reach) for reach in told],
        "letter": digest(letter) if told else "",
        "parts": [list(pair) for pair in decision.parts],
        "left_parts": sorted(decision.left_parts),
        "remarks": _plain(dict(decision.remarks)),
        "capacity": decision.capacity.name,
    }
    if lost:
        recorded["nobody"] = list(lost)
    return canonical(recorded)


def told_values(reach: Reach) -> dict[str, str]:
    """Who was told, as the plain data that an event records."""
    return {"person": reach.person_id, "role": reach.role, "gap": reach.gap}


def document_values(document: Document) -> dict[str, Any]:
    """A paper as the plain data that an event records; its content by its digest."""
    return {name: _plain(getattr(document, name)) for name in _OF_DOCUMENT}


def _parts(tx: Tx, decision: Decision, seq: int) -> None:
    number = decision.after.number
    if decision.left_parts:
        parts.leave(tx, number, decision.left_parts, seq)
    if decision.parts:
        parts.take(tx, number, seq, decision.parts)


def _letter(before: Finding, decision: Decision, command: Command, unit_name: str) -> str:
    """What everybody who is told of this event is told, as canonical JSON; `loop.kernel.wording` puts it into words."""
    after = decision.after
    timer = next((t for t in after.timers if t.id == command.timer_id), None)
    # What still runs after the act is what it presses for; where the act moved the finding, it is the next deadline.
    rule, due_at = (timer.rule, timer.due_at) if timer else (after.due_rule, after.due_at)
    units = {t.rule: t.unit for t in after.timers}
    known = {t.id for t in before.timers}
    beside = {t.rule: t for t in after.timers if t.id not in known and t.rule != rule}
    return canonical(
        {
            "number": after.number, "title": after.title, "unit": after.unit_id, "unit_name": unit_name,
            "action": decision.action.name, "state": after.state, "level": after.level, "waits_for": after.waits_for,
            "danger": bool(after.danger_to_life), "due_at": text_of(due_at), "due_rule": rule,
            "due_unit": units.get(rule, ""),
            "beside": {name: {"due_at": text_of(t.due_at), "unit": t.unit} for name, t in beside.items()},
            "about": getattr(decision.payload, "about_step", ""),
        }
    )  # fmt: skip


def tell(tx: Tx, told: Sequence[Reach], lost: Sequence[str], entry: Entry, letter: str, office_id: str) -> None:
    """Queue `letter` for everybody in `told`, one message for each person and event; note whom it does not reach."""
    should_at = entry.due_at or entry.at
    mailbox.post(
        tx,
        [
            Message(
                key=f"{entry.chain}:{entry.seq}:{reach.person_id}:{INBOX}", chain=entry.chain, seq=entry.seq,
                person_id=reach.person_id, step=entry.action, channel=INBOX, content=letter, role=reach.role,
                gap=reach.gap, should_at=should_at, queued_at=entry.at, not_before=AT_ONCE,
            )
            for reach in told
        ],
    )  # fmt: skip
    missed = dict.fromkeys(lost, gaps.NOBODY) | {reach.gap: gaps.STOOD_IN for reach in told if reach.gap}
    gaps.add(
        tx,
        [
            Gap(
                chain=entry.chain,
                seq=entry.seq,
                role=role,
                office_id=office_id,
                step=entry.action,
                why=why,
                at=should_at,
            )
            for role, why in missed.items()
        ],
    )


def _tell_programs(tx: Tx, decision: Decision, entry: Entry) -> None:
    """Queue the step for the webhooks in whose scope the finding lies; a unit's hear of it once something was served."""
    after = decision.after
    units = [id_ for id_ in (after.unit_id, after.department_id) if id_ and after.served]
    if decision.remarks.get("internal"):
        units = []
    webhooks.tell(
        tx, chain=entry.chain, seq=entry.seq, step=entry.action, regions=after.place.region, units=units, at=entry.at
    )
