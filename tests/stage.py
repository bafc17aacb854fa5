"""A stage for stories: one county with its office and full cast, the office above it, schools, a bureau and a government.

`build` fills a migrated database; `Stage` drives the real engine on it at an instant that the test moves.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import workflows
from loop import calendars
from loop.engine.clock import RealClock
from loop.engine.door import Engine, Wish
from loop.engine.record import Outcome
from loop.engine.sweep import tick
from loop.kernel.calendar import local_day
from loop.kernel.decide import Book
from loop.kernel.finding import Finding
from loop.kernel.machine import compile_table
from loop.kernel.people import Actor
from loop.settings import load_settings, rule_book
from loop.store import evidence, findings, offices, people, places, staff, supervisions
from loop.store.chronicle import By
from loop.store.evidence import Evidence, StoredFile
from loop.store.session import Store, Tx
from loop.store.supervisions import Supervision
from tests.small_country import ADMINISTRATOR, BY, COUNTY, NOW, PROVINCE, REGIONS, TOWN
from workflows.ladder import SYSTEM_PAYLOADS

FROM = date(2020, 1, 1)
AT_COUNTY = {
    "inspector": ("ins1", "ins2", "ins3", "ins4"),
    "officer": ("off1", "off2"),
    "chief": ("chief1", "chief2"),
    "director": ("dir1", "dir2"),
    "leader": ("lead1",),
    "auditor": ("audit1",),
}
AT_PROVINCE = {"chief": ("pchief",), "director": ("pdir",), "leader": ("plead",), "inspector": ("pins",)}
UNITS = (
    ("school", "school", "桐峰镇中心小学", TOWN),
    ("school2", "school", "桐峰镇第二小学", TOWN),
    ("gov", "government", "桐峰镇人民政府", TOWN),
)
AT_UNITS = {"head": "school", "head2": "school2", "mayor": "gov"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)


def build(tx: Tx) -> None:
    """The country, its offices, units and people, and one special supervision with a team of three."""
    for code, name, level, parent in REGIONS:
        places.add_region(tx, BY, code=code, name=name, level=level, parent=parent)
    offices.add_office(tx, BY, code="HT", region=PROVINCE, name="省督导办", doc_prefix="海棠教督", id_="office-p")
    offices.add_office(tx, BY, code="YX", region=COUNTY, name="县督导办", doc_prefix="云教督", id_="office-c")
    places.add_unit(tx, BY, name="云溪县教育局", kind="department", region=COUNTY, id_="bureau")
    for id_, kind, name, region in UNITS:
        places.add_unit(tx, BY, name=name, kind=kind, region=region, department_id="bureau", id_=id_)
    for cast, region in ((AT_COUNTY, COUNTY), (AT_PROVINCE, PROVINCE)):
        for role, names in cast.items():
            for name in names:
                _enrol(tx, name, role, region=region)
    for name, unit in AT_UNITS.items():
        _enrol(tx, name, "unit", unit_id=unit)
    _enrol(tx, "bureau1", "department", unit_id="bureau")
    _supervision(tx)


def _enrol(tx: Tx, name: str, role: str, **where: str) -> None:
    staff.enrol(tx, BY, name=name, full_name=f"{name}某", role=role, from_on=FROM, password="a hash", **where)


def _supervision(tx: Tx) -> None:
    wanted = Supervision(
        "", "office-c", "special", "校园安全专项督导", date(2026, 1, 5), date(2026, 12, 31), "ins1", ("ins1", "ins2", "ins3")
    )
    supervisions.add_supervision(tx, By(ADMINISTRATOR, "admin", NOW, "test"), wanted)


@dataclass
class Stage:
    """The engine on one database, and the time. Nothing here decides anything."""

    store: Store
    evidence: Evidence
    book: Book
    now: datetime = NOW
    engine: Engine = field(init=False)
    supervision: str = field(init=False)
    _ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        clock = RealClock(lambda: self.now)
        self.engine = Engine(
            self.store, self.book, clock, rungs=SYSTEM_PAYLOADS, number_form="{word}〔{year}〕{serial}号"
        )
        self.supervision = self.store.read(lambda tx: supervisions.supervisions(tx)).items[0].id

    @property
    def today(self) -> date:
        return local_day(self.now, self.book.calendar)

    def actor(self, name: str) -> Actor:
        return self.store.read(lambda tx: self._actor(tx, name))

    def _actor(self, tx: Tx, name: str) -> Actor:
        if name not in self._ids:
            found = staff.find_person(tx, name)
            assert found, name
            self._ids[name] = found.id
        actor = people.actor_of(tx, self._ids[name], self.today)
        assert actor, name
        return actor

    def act(self, who: str, action: str, number: str | None = None, **payload: Any) -> Outcome:
        """Take an action; raises what the engine refuses it with."""
        wish = Wish(actor=self.actor(who), action=action, number=number, payload=payload)
        return self.engine.act(wish, lambda _, outcome: outcome).result()

    def attach(self, who: str, number: str, content: bytes = PNG, name: str = "照片.png") -> str:
        """Upload evidence; answers its id."""
        stored = self.evidence.put(content, name)
        id_ = places.new_id()
        actor = self.actor(who)
        wish = Wish(actor=actor, action="attach", number=number, payload=attachment(id_, stored))

        def keep(tx: Tx, outcome: Outcome) -> Outcome:
            evidence.attach(tx, stored, id_=id_, chain=number, seq=outcome.event.seq, by_id=actor.id)
            return outcome

        self.engine.act(wish, keep).result()
        return id_

    def finding(self, number: str) -> Finding:
        found = self.store.read(lambda tx: findings.load(tx, number, lock=False))
        assert found
        return found

    def later(self, **span: float) -> int:
        """Let time pass and everything due happen; how many points ran."""
        self.now += timedelta(**span)
        return len(tick(self.engine))


def attachment(id_: str, stored: StoredFile) -> Mapping[str, Any]:
    """The payload of `attach` for a file that is stored."""
    return {"attachment": id_, "name": stored.name, "sha256": stored.sha256, "size": stored.size, "type": stored.type}


def book() -> Book:
    """The shipped workflow and rules, the shipped calendar."""
    flow = workflows.declared()
    return Book(flow, compile_table(flow), rule_book(load_settings()), calendars.build(zone="Asia/Shanghai"))


def template(migrated: Path, folder: Path) -> Path:
    """A copy of a migrated SQLite file with the cast on it, to be copied in its turn."""
    path = folder / "stage.db"
    shutil.copy(migrated, path)
    store = Store.open(f"sqlite:///{path}")
    store.write(build)
    store.close()
    return path


@contextmanager
def opened(url: str, folder: Path, book: Book) -> Iterator[Stage]:
    """A stage on a database that `build` has filled."""
    store = Store.open(url)
    try:
        yield Stage(store, Evidence(folder / "evidence", 1 << 20), book)
    finally:
        store.close()

