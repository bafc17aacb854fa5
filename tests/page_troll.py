"""A scene in which every text that a person can type is one of tests/hostile.py."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loop.almanac import Almanac
from loop.calendars import parse_notice
from loop.engine.door import Wish
from loop.engine.subscriptions import Subscriptions
from loop.engine.tip_off_desk import PUBLIC
from loop.store import accounts, contacts, evidence, offices, places, saved_views, staff, supervisions, tip_offs
from loop.store.chronicle import By
from loop.store.contacts import Contact
from loop.store.session import Tx
from loop.store.tip_offs import Sealed
from tests import hostile
from tests.cast import COUNTY, POSTS, REGIONS, ROOT, UNITS
from tests.each_action import STORIES
from tests.hostile import LONG, MIDDLE, SHORT, TINY
from tests.page_scene import Scene, scene_on
from tests.page_tales import Teller


class Troll:
    """Types such texts wherever a text can be typed."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.world = scene, scene.world
        flow = self.world.engine.book.workflow
        self.teller = Teller(self.world, lambda name, payload: hostile.typed(flow.actions[name].payload, payload))

    def everywhere(self) -> None:
        store = self.world.parts.store
        store.write(self._registry)
        store.write(self._people)
        store.write(self._tip_off)
        officer = self.world.actor("officer")
        self.own(officer.id)
        for story in STORIES:
            self.scene.numbers.append(self.teller.tell(story))
        self.attach(self.scene.numbers[0])
        days = parse_notice(f"day,kind,name\n2028-01-03,holiday,{TINY}")
        Almanac(self.world.engine).load(ROOT, days, LONG)

    def _registry(self, tx: Tx) -> None:
        for code, *_ in REGIONS:
            places.change_region(tx, ROOT, code, {"name": MIDDLE})
        for id_, *_ in UNITS:
            places.change_unit(tx, ROOT, id_, {"name": LONG})
        for office in offices.offices(tx, limit=50).items:
            offices.change_office(tx, ROOT, office.id, {"name": LONG, "doc_prefix": TINY})
        for id_ in self.world.cast.supervisions.values():
            changes = {"title": LONG, "matters": (LONG,), "report": LONG}
            supervisions.change_supervision(tx, ROOT, id_, changes)

    def _people(self, tx: Tx) -> None:
        for name in POSTS:
            staff.change_person(tx, ROOT, self.world.cast.ids[name], {"full_name": MIDDLE})
            contacts.wish(tx, self.world.cast.ids[name], [Contact("desk", LONG)], off=(), digest=False)

    def _tip_off(self, tx: Tx) -> None:
        by = By(PUBLIC, "public", self.world.clock, "test")
        desk, keys = self.scene.pages.service.tip_offs, self.scene.keys
        _, keys["receipt"], _ = desk.take_in(
            tx, by, matter=LONG, region=COUNTY, unit_id="school", sealed=Sealed(LONG, LONG)
        )
        keys["tip_off"] = tip_offs.by_receipt(tx, keys["receipt"]).id
        _, keys["answered"], _ = desk.take_in(
            tx, by, matter=LONG, region=COUNTY, unit_id="school", sealed=Sealed(LONG, LONG)
        )
        desk.answer(tx, ROOT, tip_offs.by_receipt(tx, keys["answered"]), status=tip_offs.ANSWERED, result=LONG)

    def own(self, officer: str) -> None:
        """A view, a token and a subscription."""
        store, real, keys = self.world.parts.store, self.scene.pages.real, self.scene.keys
        actor = self.world.actor("officer")

        def work(tx: Tx) -> None:
            saved_views.rename(tx, officer, keys["view"], SHORT)
            accounts.create_token(
                tx,
                person_id=officer,
                name=MIDDLE,
                scopes=("read",),
                expires_at=real.replace(year=real.year + 1),
                now=real,
            )
            desk = Subscriptions(self.world.engine.book.workflow, self.world.parts.outbox.channels)
            desk.change(tx, desk.own(tx, actor, keys["hook"]), {"name": LONG, "url": f"http://127.0.0.1:1/{TINY}"})

        store.write(work)

    def attach(self, number: str) -> None:
        """A file with such a name."""
        file = self.world.parts.evidence.put(b"%PDF-1.7 evidence", f"{LONG}.pdf")
        payload = {
            "attachment": "hostile",
            "name": file.name,
            "sha256": file.sha256,
            "size": file.size,
            "type": file.type,
        }
        wish = Wish(
            actor=self.world.actor("officer"), action="attach", number=number, payload={**payload, "note": LONG}
        )
        self.world.engine.act(
            wish,
            lambda tx, done: evidence.attach(
                tx, file, id_="hostile", chain=number, seq=done.event.seq, by_id="officer"
            ),
        ).result()


@pytest.fixture(scope="module")
def trolled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene in which every text that can be typed is such a one."""
    folder = tmp_path_factory.mktemp("trolled")
    shutil.copy(sqlite_template, folder / "loop.db")
    with scene_on(f"sqlite:///{folder / 'loop.db'}", folder) as made:
        Troll(made).everywhere()
        yield made
