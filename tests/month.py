"""The stage of a month: four counties under a city and a province, people of every role, a mail server that listens, and
findings that take their courses, slot by slot on the product's virtual clock.
"""

from __future__ import annotations

import heapq
import random
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from loop.engine.clock import VirtualClock
from loop.engine.leap import Leap
from loop.kernel.errors import LoopError
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, INSPECTOR, LEADER, OFFICER, UNIT, Actor
from loop.store import contacts, mailbox, offices, places, staff
from loop.store.contacts import Contact
from loop.store.session import Tx
from tests.cast import CITY, PROVINCE, ROOT
from tests.payloads import LAW, Writer
from tests.post_office import PostOffice
from tests.postal import CONSOLE, postal_settings
from tests.world import World

ZONE_HOURS = timedelta(hours=8)
BUSY, SECOND, THIRD, LONELY = "930110", "930111", "930112", "930113"
SEATS = ((INSPECTOR, 3), (OFFICER, 2), (CHIEF, 1), (DIRECTOR, 1), (LEADER, 1))
SCHOOLS = 8
SHARES = ((BUSY, 34), (SECOND, 20), (THIRD, 20), (LONELY, 20), (CITY, 4), (PROVINCE, 2))
"""How many of a hundred findings are each office's."""

OPENED = ((0, "open"), (0, "submit_report"), (1, "approve_report"))
SERVED = (*OPENED, (1, "waive_defence"), (1, "serve_opinion"))
RECEIVED = (*SERVED, (1, "acknowledge"))
EXECUTING = (*RECEIVED, (2, "submit_plan"), (1, "accept_plan"))
REPORTED = (*EXECUTING, (3, "attach"), (0, "submit_rectification"))
BULLETIN = (*EXECUTING, (2, "propose_bulletin"), (1, "issue_bulletin"), (2, "answer_bulletin"))
COURSES: tuple[tuple[int, tuple[tuple[int, str], ...]], ...] = (
    (3, ((0, "open"),)),
    (10, ((0, "open"), (0, "issue_on_the_spot"))),
    (10, ((0, "open"), (0, "issue_on_the_spot"), (3, "attach"), (0, "submit_rectification"), (1, "pass_desk"), (1, "write_off"))),
    (14, (*OPENED, (16, "serve_opinion"))),
    (28, (*REPORTED, (2, "pass_desk"), (1, "write_off"))),
    (8, (*OPENED, (2, "attach"), (0, "defend"), (2, "weigh_defence"), (1, "serve_opinion"), (1, "acknowledge"))),
    (8, (*RECEIVED, (1, "submit_plan"), (1, "return_plan"), (2, "submit_plan"), (1, "accept_plan"))),
    (5, (*EXECUTING, (2, "request_extension"), (1, "grant_extension"))),
    (4, (*SERVED, (1, "withdraw"))),
    (3, (*EXECUTING, (2, "propose_interview"), (1, "notice_interview"))),
    (2, BULLETIN),
    (5, ((0, "open"), (0, "urgent_order"), *OPENED[1:], (1, "waive_defence"), (1, "serve_opinion"), (1, "acknowledge"))),
)  # fmt: skip
"""How many of a hundred findings take each course: days that pass before each step, and the step."""
SHORT_ONLY = frozenset({"issue_on_the_spot", "pass_desk"})
"""What only a normal finding may take."""
BY: dict[str, str] = {
    "approve_report": CHIEF, "serve_opinion": CHIEF, "weigh_defence": OFFICER, "accept_plan": OFFICER, "return_plan": OFFICER,
    "pass_desk": OFFICER, "write_off": CHIEF, "grant_extension": CHIEF, "withdraw": CHIEF, "propose_interview": OFFICER,
    "notice_interview": CHIEF, "propose_bulletin": OFFICER, "issue_bulletin": CHIEF, "open": INSPECTOR,
    "submit_report": INSPECTOR, "issue_on_the_spot": INSPECTOR, "urgent_order": INSPECTOR,
}  # fmt: skip
"""Who takes each step; what is not named is the unit's."""
GOVERNMENT = frozenset({"serve_opinion", "notice_interview", "issue_bulletin"})
"""What the director signs where the unit is a government."""


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """The instant at which the clock in Shanghai shows this."""
    return datetime.combine(day, time(hour, minute), UTC) - ZONE_HOURS


@contextmanager
def database(backend: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh migrated database that lives as long as the block."""
    if backend == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "loop.db")
        yield f"sqlite:///{folder / 'loop.db'}"
        return
    server = request.getfixturevalue("postgres")
    url = str(server.create(server.template))
    yield url
    server.drop(url)


@dataclass
class Bureau:
    """One office: its people by role, and its units with their people."""

    code: str
    seats: dict[str, list[str]] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Course:
    """One finding and the steps that are still to come."""

    bureau: Bureau
    steps: tuple[tuple[int, str], ...]
    unit: str
    author: str
    danger: bool
    severity: str
    at: int = 0
    number: str = ""


def _ways(name: str, role: str, code: str) -> tuple[str, ...]:
    """How somebody is reached: of each unit the second person by the inbox alone, one county by mail, one office by mail and
    else at its desks.
    """
    if role == UNIT:
        by_mail = code == SECOND and name.startswith(("unit0", "unit1", "unit2"))
        return () if name.endswith("-1") else ("mail",) if by_mail else ("desk",)
    return {SECOND: ("mail",), THIRD: ("mail", "desk")}.get(code, ("desk",))


class Month(World):
    """The world of the month."""

    def __init__(self, url: str, folder: Path, budget: int) -> None:
        self.office = PostOffice(clock=self.shown)
        mail: dict[str, Any] = {
            "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": self.office.port, "security": "none",
            "sender": "整改闭环 <loop@example.cn>",
        }  # fmt: skip
        told = {"base_url": "http://loop.test", "budget": budget}
        super().__init__(postal_settings(url, folder, mail, CONSOLE, **told), virtual=True, durable=False)
        # As in a service that runs, the time of leases and retries goes on with the time of the findings.
        self.parts = replace(self.parts, outbox=replace(self.parts.outbox, real=lambda: self.clock))
        self.dice = random.Random(20260302)
        self.writer = Writer(self, lambda options: options[0])
        self.leap = Leap(self.engine, self.parts.outbox, self.parts.reconciliation)
        self.bureaus: dict[str, Bureau] = {}
        self.deaf: set[str] = set()
        self.refused: list[str] = []
        self._actors: dict[str, Actor] = {}
        self._queue: list[tuple[datetime, int, Course]] = []
        self._count = 0
        self.parts.store.write(self._settle)

    def close(self) -> None:
        """Let database and mail server go."""
        self.parts.close()
        self.office.close()

    def shown(self) -> datetime:
        """What the service's clock shows, read anew."""
        return self.parts.store.read(self.engine.clock.now)

    def succeed(self, code: str, role: str, name: str) -> None:
        """`name`, who has an account by now, holds the only post of this role in an office."""
        person = self.parts.store.read(lambda tx: staff.find_person(tx, name))
        assert person is not None
        self.cast.ids[name] = person.id
        self.bureaus[code].seats[role] = [name]

    def actor(self, name: str) -> Actor:
        if name not in self._actors:
            self._actors[name] = super().actor(name)
        return self._actors[name]

    # ---- the country -------------------------------------------------------------------------------------------------

    def _settle(self, tx: Tx) -> None:
        for code in (BUSY, SECOND, THIRD, LONELY):
            places.add_region(tx, ROOT, code=code, name=f"{code}县", level="county", parent=CITY)
            offices.add_office(tx, ROOT, code=f"C{code}", region=code, name=f"{code}督导办", doc_prefix=f"{code}督")
        for code, _ in SHARES:
            self._bureau(tx, code)

    def _bureau(self, tx: Tx, code: str) -> None:
        bureau = self.bureaus[code] = Bureau(code)
        for role, number in SEATS:
            many = 1 if (code, role) == (LONELY, OFFICER) else number
            bureau.seats[role] = [self._person(tx, f"{role}{k}-{code}", role, code) for k in range(many)]
        department = None
        if code not in (CITY, PROVINCE):
            department = places.add_unit(tx, ROOT, name=f"{code}教育局", kind="department", region=code).id
            for k in range(2):
                self._person(tx, f"bureau{k}-{code}", DEPARTMENT, code, unit=department)
        for k in range(SCHOOLS):
            kind, above = ("government", None) if k == 0 else ("school", department)
            unit = places.add_unit(tx, ROOT, name=f"{code}单位{k}", kind=kind, region=code, department_id=above).id
            bureau.units[unit] = [self._person(tx, f"unit{k}-{code}-{j}", UNIT, code, unit=unit) for j in range(2)]
            if k % 3 == 2:
                self.deaf.update(bureau.units[unit])

    def _person(self, tx: Tx, name: str, role: str, code: str, *, unit: str | None = None) -> str:
        at: dict[str, Any] = {"unit_id": unit} if unit else {"region": code}
        since = date(2020, 1, 1)
        person, _ = staff.enrol(tx, ROOT, name=name, full_name=f"{name}·某", role=role, from_on=since, **at)
        self.cast.ids[name] = person.id
        held = [Contact(way, f"{name}@example.cn") for way in _ways(name, role, code)]
        contacts.wish(tx, person.id, held, off=(), digest=name.startswith("bureau1"))
        return name

    # ---- findings and their courses ----------------------------------------------------------------------------------

    def foresee(self, count: int, began: date, days: int = 28) -> None:
        """Have so many findings opened in the weeks from `began` on."""
        weights = [weight for weight, _ in COURSES]
        for _ in range(count):
            code = self.dice.choices([code for code, _ in SHARES], [share for _, share in SHARES])[0]
            steps = self.dice.choices([steps for _, steps in COURSES], weights)[0] if code != PROVINCE else BULLETIN
            names = {name for _, name in steps}
            short = names & SHORT_ONLY
            bureau = self.bureaus[code]
            course = Course(
                bureau, steps, self.dice.choice(list(bureau.units)), self.dice.choice(bureau.seats[INSPECTOR]),
                "urgent_order" in names, "normal" if short else self.dice.choice(["normal", "normal", "major", "grave"]),
            )  # fmt: skip
            self._put(course, began + timedelta(days=self.dice.randrange(days)))

    def _put(self, course: Course, day: date) -> None:
        """Have the next step of a course taken on this day or soon after; some work late or at weekends."""
        action, dice = course.steps[course.at][1], self.dice
        late = dice.random() < 0.06
        if action == "urgent_order":
            at = local(day, 22, 30)
        else:
            day = day if late else self.engine.book.calendar.on_or_after(day)
            at = local(day, 21) if late else local(day, dice.randrange(8, 20), dice.choice([0, 30]))
        self._count += 1
        heapq.heappush(self._queue, (max(at, self.clock), self._count, course))

    def _step(self, course: Course) -> None:
        action = course.steps[course.at][1]
        try:
            if not self._take(course, action):
                self._put(course, self.today + timedelta(days=1))
                return
        except LoopError as refusal:
            self.refused.append(f"{course.number} {action}: {refusal}")
            return
        course.at += 1
        if course.at < len(course.steps):
            self._put(course, self.today + timedelta(days=course.steps[course.at][0]))

    def _take(self, course: Course, action: str) -> bool:
        """Whoever has to takes a step; False where nobody holds the post."""
        who = self._who(course, action)
        if not who:
            return False
        if action == "open":
            fields = self.new(course)
            course.number = self.act(who, "open", **fields).finding.number
        elif action == "attach":
            self.attach(who, course.number)
        else:
            payload = self.writer.write(action, self.finding(course.number))
            own = {"notice_interview": {"chair": course.bureau.seats[DIRECTOR][0]}}.get(action, {})
            self.act(who, action, course.number, **payload | own)
        return True

    def _who(self, course: Course, action: str) -> str:
        seats = course.bureau.seats
        role = BY.get(action, UNIT)
        if role == UNIT:
            return course.bureau.units[course.unit][0]
        if role == INSPECTOR:
            return course.author
        if action == "accept_plan" and course.severity != "normal":
            role = CHIEF
        if action in GOVERNMENT and self.finding(course.number).of_government:
            role = DIRECTOR
        return next(iter(seats[role]), "")

    def new(self, course: Course) -> dict[str, Any]:
        """What the inspector records."""
        return {
            "title": "消防通道堵塞", "unit": course.unit, "category": self.dice.choice(["campus_safety", "health_canteen"]),
            "facts": ["东侧通道堆放杂物"], "legal_basis": LAW, "severity": course.severity, "danger_to_life": course.danger,
        }  # fmt: skip

    # ---- time --------------------------------------------------------------------------------------------------------

    def live(self, until: datetime) -> None:  # type: ignore[override]
        """Let time pass slot by slot up to an instant: what is due runs, people act, letters go, the attentive read."""
        for at in self._slots(until):
            self.leap_to(at)
            self.work()
            while self.parts.outbox.drain() or self.parts.store.read(mailbox.owed_count):
                pass  # an alarm that sending raised goes with the next beat, seconds later
            if (at + ZONE_HOURS).time() == time(17):
                self.parts.store.write(self._read)

    def sleep_until(self, until: datetime) -> None:
        """Nothing beats up to an instant, but people go on acting."""
        for at in self._slots(until):
            self.clock = at
            self.parts.store.write(self._set_clock)
            self.work()

    def _set_clock(self, tx: Tx) -> None:
        clock = self.engine.clock
        assert isinstance(clock, VirtualClock)
        clock.set(tx, self.clock)

    def leap_to(self, at: datetime) -> None:
        """Move the product's clock on, with everything that happens on the way."""
        clock = self.engine.clock
        assert isinstance(clock, VirtualClock)
        self.clock = at
        self.leap.to(clock, at)

    def work(self) -> None:
        """Everybody takes the steps that are due by now."""
        while self._queue and self._queue[0][0] <= self.clock:
            self._step(heapq.heappop(self._queue)[2])

    def _slots(self, until: datetime) -> Iterable[datetime]:
        day = self.today
        while True:
            hours = [(h, m) for h in range(8, 20) for m in (0, 30)]
            hours = [(6, 30), *hours, (20, 30), (21, 30), (22, 30)]
            if not self.engine.book.calendar.is_workday(day):
                hours = [(9, 0), (15, 0), (21, 30), (22, 30)]
            for hour, minute in hours:
                at = local(day, hour, minute)
                if at > until:
                    return
                if at > self.clock:
                    yield at
            day += timedelta(days=1)

    def _read(self, tx: Tx) -> None:
        for name, id_ in self.cast.ids.items():
            if name not in self.deaf:
                for message in mailbox.inbox(tx, id_, limit=200, unread=True):
                    mailbox.acknowledge(tx, message.id, id_, self.clock)
