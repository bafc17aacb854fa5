"""A small world for stories: the cast on a fresh database, the real engine, and a clock that the story moves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loop import bootstrap
from loop.engine.door import Aim, Wish
from loop.engine.record import Outcome
from loop.engine.strike import Struck
from loop.engine.sweep import tick
from loop.kernel.calendar import local_day
from loop.kernel.clocks import Timer
from loop.kernel.finding import Finding
from loop.kernel.people import Actor
from loop.settings import Settings, load_settings
from loop.store import evidence, findings, journal, mailbox, people, timers
from loop.store.journal import Entry
from loop.store.mailbox import Message
from loop.store.session import Tx
from tests.cast import START, Cast, engage


def settings_for(url: str, folder: Path) -> Settings:
    """The shipped settings on this database."""
    base = load_settings()
    return base.model_copy(
        update={
            "database": base.database.model_copy(update={"url": url}),
            "storage": base.storage.model_copy(update={"evidence": str(folder / "evidence")}),
        }
    )


class World:
    """Everything a story needs, in its own words."""

    def __init__(self, settings: Settings, *, virtual: bool = False, durable: bool = True) -> None:
        self.clock = START
        began = START if virtual else None
        self.parts = bootstrap.build(settings, now=lambda: self.clock, virtual_from=began, durable=durable)
        self.engine = self.parts.engine
        self.cast: Cast = self.parts.store.write(engage)

    @property
    def today(self) -> date:
        """The local day of the story."""
        return local_day(self.clock, self.engine.book.calendar)

    def day(self, ahead: int = 0) -> str:
        """The day so many days ahead."""
        return (self.today + timedelta(days=ahead)).isoformat()

    def actor(self, name: str) -> Actor:
        """The person with this sign-in name and today's posts."""
        found = self.parts.store.read(lambda tx: people.actor_of(tx, self.cast.ids[name], self.today))
        assert found is not None
        return found

    # ---- acting ------------------------------------------------------------------------------------------------------

    def act(self, name: str, action: str, number: str | None = None, /, **payload: Any) -> Outcome:
        """`name` takes `action`; refusals raise."""
        wish = Wish(actor=self.actor(name), action=action, number=number, payload=payload)
        return self.engine.act(wish, lambda tx, outcome: outcome).result()

    def act_all(self, name: str, action: str, numbers: list[str], payload: Mapping[str, Any]) -> list[Outcome]:
        """`name` takes `action` on many findings at once."""
        aims = [Aim(number) for number in numbers]
        return list(self.engine.act_all(self.actor(name), action, aims, payload, lambda tx, done: done).result())

    def attach(self, name: str, number: str, content: bytes = b"%PDF-1.7 evidence") -> str:
        """`name` uploads a piece of evidence; answers its attachment id."""
        file = self.parts.evidence.put(content, "evidence.pdf")
        id_ = f"a{hashlib.sha256(number.encode()).hexdigest()[:6]}{self.version(number)}"
        payload = {"attachment": id_, "name": file.name, "sha256": file.sha256, "size": file.size, "type": file.type}
        wish = Wish(actor=self.actor(name), action="attach", number=number, payload=payload)

        def keep(tx: Tx, outcome: Outcome) -> None:
            event = outcome.event
            evidence.attach(tx, file, id_=id_, chain=event.chain, seq=event.seq, by_id=event.actor_id)

        self.engine.act(wish, keep).result()
        return id_

    # ---- time --------------------------------------------------------------------------------------------------------

    def sleep(self, days: float) -> list[Struck]:
        """Let time pass in one leap, then run what is due."""
        self.clock += timedelta(days=days)
        return tick(self.engine)

    def live(self, days: int) -> list[Struck]:
        """Let time pass day by day, running what is due each day."""
        return [struck for _ in range(days) for struck in self.sleep(1)]

    def to(self, day: date, hour: int = 1) -> list[Struck]:
        """Move on to a day and run what is due."""
        self.clock = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
        return tick(self.engine)

    # ---- looking -----------------------------------------------------------------------------------------------------

    def finding(self, number: str) -> Finding:
        """The finding as it stands."""
        found = self.parts.store.read(lambda tx: findings.load(tx, number, lock=False))
        assert found is not None
        return found

    def state(self, number: str) -> str:
        """Its state."""
        return self.finding(number).state

    def version(self, number: str) -> int:
        """How many events it has."""
        return self.finding(number).version

    def trail(self, number: str) -> list[Entry]:
        """Its history."""
        return self.parts.store.read(lambda tx: journal.trail(tx, number))

    def actions(self, number: str) -> list[str]:
        """The names of everything done to it, in order."""
        return [entry.action for entry in self.trail(number)]

    def timers(self, number: str) -> dict[str, Timer]:
        """Its running timers by rule."""
        return {t.rule: t for t in self.parts.store.read(lambda tx: timers.running(tx, number))}

    def due(self, number: str, rule: str) -> date:
        """The local last day of a running timer."""
        return local_day(self.timers(number)[rule].due_at, self.engine.book.calendar)

    def inbox(self, name: str) -> list[Message]:
        """What `name` was told, the newest first."""
        return self.parts.store.read(lambda tx: mailbox.inbox(tx, self.cast.ids[name], limit=200))

    # ---- shortcuts ---------------------------------------------------------------------------------------------------

    def opened(self, **fields: Any) -> str:
        """A finding just recorded by the inspector; answers its number."""
        values: dict[str, Any] = {
            "title": "消防通道堵塞", "unit": "school", "category": "campus_safety", "facts": ["东侧通道堆放杂物"],
            "legal_basis": [{"title": "消防法", "article": "第二十八条"}],
        }  # fmt: skip
        return self.act("inspector", "open", **(values | fields)).finding.number

    def fed_back(self, **fields: Any) -> str:
        """A finding whose preliminary opinion the unit has."""
        number = self.opened(**fields)
        self.act("inspector", "submit_report", number)
        self.act("chief", "approve_report", number, mode="written", fed_back_on=self.day())
        return number

    def received(self, **fields: Any) -> str:
        """A finding whose opinion letter the unit has received."""
        number = self.fed_back(**fields)
        unit = self.finding(number).unit_id
        self.act(unit, "waive_defence", number)
        signer = "director" if self.finding(number).of_government else "chief"
        self.act(signer, "serve_opinion", number, evaluation="总体较好", demands=["清理通道", "建立制度"])
        self.act(unit, "acknowledge", number, receiver={"name": "收发员"}, received_on=self.day())
        return number

    def plan(self, finish: int = 20) -> dict[str, Any]:
        """A complete plan for two demands."""
        item = {"problem": "堵塞", "task": "清理", "measure": "立即清理", "responsible": "副校长", "due": self.day(10)}
        items = [{"demand_no": no, **item} for no in (1, 2)]
        return {"cause": "管理不严", "target": "畅通", "items": items, "finish_on": self.day(finish)}

    def executing(self, **fields: Any) -> str:
        """A finding whose plan is accepted."""
        number = self.received(**fields)
        finding = self.finding(number)
        self.act(finding.unit_id, "submit_plan", number, **self.plan())
        self.act("chief" if finding.major else "officer", "accept_plan", number)
        return number

    def reported(self, number: str) -> str:
        """Hand in the rectification report with evidence."""
        unit = self.finding(number).unit_id
        file = self.attach(unit, number)
        items = [{"status": "done", "text": "已完成", "evidence": [file]}] * 2
        self.act(unit, "submit_rectification", number, items=items, effect="良好", attachments=[file])
        return number

    def passed(self, number: str) -> str:
        """Review it on site and let it pass."""
        reviewers = ["inspector2", "inspector3"]
        self.act("chief", "assign_review", number, reviewers=reviewers, mode="onsite", on=self.day(1))
        checked = [{"text": "通道畅通", "verdict": "pass"}]
        self.act("inspector2", "pass_review", number, items=checked, comments="到位", signed_by=reviewers)
        return number


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """The cast on a fresh database, on SQLite and on PostgreSQL."""
    made = World(settings_for(database_url, tmp_path))
    yield made
    made.parts.close()
