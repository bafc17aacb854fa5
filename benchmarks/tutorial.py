"""The tutorial way, to compare with: `def` endpoints, one SQLModel session, a nested machine bound to the row.

It writes the same rows as the product, but does not work them out: texts, dates and digests are taken from a recording.
Where a tutorial would make it fail rather than slow (two writers at once) it is helped. Run as a process of its own:
`python -m benchmarks.tutorial DATABASE RECORDING`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import Connection
from sqlmodel import Session, SQLModel, create_engine, or_, select
from transitions import EventData
from transitions.extensions import LockedHierarchicalMachine
from transitions.extensions.nesting import NestedState

import workflows
from benchmarks.server import serve
from loop.kernel.workflow import Workflow
from loop.store import postal, tables, tally
from loop.store.registry import OfficeRow, PersonRow, PostRow, TokenRow, UnitRow
from loop.store.tables import FindingRow, SerialRow, TimerRow

ROWS: dict[str, type[SQLModel]] = {
    str(row.__tablename__): row
    for room in (tables, tally, postal)
    for row in vars(room).values()
    if isinstance(row, type) and issubclass(row, SQLModel) and row is not SQLModel
}
FTS = text("INSERT INTO search(rowid, grams) VALUES (:rowid, :grams)")
UNBORN = "unborn"
Changes = list[tuple[str, dict[str, Any]]]
"""Rows that one action writes: (table, values), in order."""

NestedState.separator = "."


class Subject:
    """What the machine is bound to in a request."""

    def __init__(self, state: str, target: str) -> None:
        self.state, self.target = state, target

    def chosen(self, asked: EventData) -> bool:
        """Whether a fork leads this way."""
        return bool(asked.transition and asked.transition.dest == self.target)


def machine_of(workflow: Workflow) -> LockedHierarchicalMachine:
    """The nested machine of the course, shared by the threads."""
    stages: dict[str, list[str]] = {}
    for state in workflow.states:
        stage, _, name = state.partition(".")
        stages.setdefault(stage, []).extend([name] if name else [])
    states = [{"name": stage, "children": names} if names else stage for stage, names in stages.items()]
    machine = LockedHierarchicalMachine(
        model=None, states=[UNBORN, *states], initial=UNBORN, auto_transitions=False, send_event=True
    )
    for action in workflow.actions.values():
        for source in sorted({s for one in action.moves for s in one.sources if action.track == "course"}):
            for target in workflow.targets(action, source):
                machine.add_transition(action.name, source or UNBORN, target, conditions="chosen")
    return machine


def database(path: Path) -> Engine:
    """The database with the settings of the product: write-ahead log, full synchronous."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False, "timeout": 60})

    @event.listens_for(engine, "connect")
    def opened(raw: Any, _: object) -> None:
        raw.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def session(request: Request) -> Iterator[Session]:
    """One for each request."""
    with Session(request.app.state.engine) as opened:
        yield opened


app = FastAPI()


@app.post("/findings/{number}/actions/{action}", response_model=FindingRow)
def act(
    request: Request, number: str, action: str, payload: dict[str, Any], db: Annotated[Session, Depends(session)],
    authorization: Annotated[str, Header()],
) -> FindingRow:  # fmt: skip
    """Take an action."""
    person = signed_in(db, authorization.removeprefix("Bearer "))
    if not db.exec(select(PostRow).where(PostRow.person_id == person.id)).all():
        raise HTTPException(403)
    changes: Changes = request.app.state.recorded[f"{number} {action}"]
    finding = db.exec(select(FindingRow).where(FindingRow.number == number)).first()
    move(request.app.state.machine, finding, action, changes)
    db.exec(select(TimerRow).where(TimerRow.chain == number)).all()
    write(db, changes)
    found = db.exec(select(FindingRow).where(FindingRow.number == number)).one()
    told(db, found)
    db.commit()
    db.refresh(found)
    return found


def signed_in(db: Session, token: str) -> PersonRow:
    """Whose token this is."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    known = db.exec(select(TokenRow).where(TokenRow.digest == digest)).first()
    person = db.get(PersonRow, known.person_id) if known else None
    if person is None:
        raise HTTPException(401)
    return person


def move(machine: LockedHierarchicalMachine, finding: FindingRow | None, action: str, changes: Changes) -> None:
    """Bind the row, trigger, unbind; 409 where the machine refuses."""
    target = [values["state"] for table, values in changes if table == "finding"][-1]
    subject = Subject(finding.state if finding and finding.state else UNBORN, target)
    machine.add_model(subject, initial=subject.state)
    try:
        if not machine.dispatch(action) or subject.state != target:
            raise HTTPException(409)
    finally:
        machine.remove_model(subject)


def write(db: Session, changes: Changes) -> None:
    """The rows, by the session."""
    for table, values in changes:
        if table == "search":
            db.flush()
            db.execute(FTS, values)
        elif table == "serial":
            key = (values["office_id"], values["series"], values["year"])
            if serial := db.get(SerialRow, key):
                serial.last += 1
            else:
                db.add(SerialRow(**values))
        elif table in ("finding", "timer"):
            db.merge(ROWS[table](**values))
        else:
            db.add(ROWS[table](**values))


def told(db: Session, finding: FindingRow) -> None:
    """Look up who is to be told."""
    office, unit = db.get(OfficeRow, finding.office_id), db.get(UnitRow, finding.unit_id)
    if office is None or unit is None:
        raise HTTPException(404)
    at = or_(PostRow.region == office.region, PostRow.unit_id == unit.id)
    db.exec(select(PersonRow).join(PostRow, PostRow.person_id == PersonRow.id).where(at)).all()  # type: ignore[arg-type]


if __name__ == "__main__":
    app.state.engine = database(Path(sys.argv[1]))
    app.state.recorded = json.loads(Path(sys.argv[2]).read_text())
    app.state.machine = machine_of(workflows.declared())
    serve(app)
