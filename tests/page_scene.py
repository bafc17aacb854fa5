"""One of everything that a page can be about, in a county where everybody of the cast works, by what it is called."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import SQLModel

from loop.engine import links
from loop.engine.subscriptions import Subscriptions
from loop.engine.tip_off_desk import PUBLIC
from loop.kernel.people import Actor
from loop.store import accounts, contacts, deliveries, offices, papers, places, saved_views, staff, timers, tip_offs
from loop.store import links as kept_links
from loop.store.chronicle import By
from loop.store.contacts import Contact
from loop.store.mailbox import Message
from loop.store.session import Tx
from loop.store.tip_offs import Sealed
from tests.browsing import Form, Pages
from tests.cast import COUNTY, ROOT, TOWN
from tests.postal import CONSOLE, postal_settings
from tests.world import World

MAIL: dict[str, Any] = {
    "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": 1, "security": "none", "sender": "loop@example.cn",
}  # fmt: skip
"""A mail server that nobody runs."""
NOBODY_LISTENS = "http://127.0.0.1:1/loop"
REASONS = [{"text": "整改不力", "code": "AC_POOR_RECTIFY"}]


class Scene:
    """The pages of a world; `keys` are the things in it, by what stands for them in the braces of an address."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.world, self.keys = pages, pages.world, dict[str, str]()
        self.numbers: list[str] = []
        """Findings of which a story was told."""
        self.forms: dict[str, Form] = {}
        """What its owners would send, once somebody has looked it up."""
        self._furnish()

    def address(self, pattern: str) -> str:
        """An address with the things that it names."""
        return pattern.format(**self.keys)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the database, by table."""
        tables = SQLModel.metadata.sorted_tables
        return self.world.parts.store.read(
            lambda tx: {table.name: sorted(tx.select(select(table)), key=repr) for table in tables}
        )

    def _furnish(self) -> None:
        world, keys = self.world, self.keys
        store = world.parts.store
        store.write(self._reach)
        keys |= {f"id_{name}": id_ for name, id_ in world.cast.ids.items()}
        keys["spare_office"] = store.write(self._spare)
        keys |= {
            "unit": "school",
            "office": world.cast.office_id,
            "region": TOWN,
            "supervision": world.cast.supervisions["special"],
        }
        keys |= {"month": world.today.isoformat()[:7], "day": world.today.isoformat()}
        self._findings()
        officer = world.actor("officer")
        told = next(one for one in world.inbox("leader") if one.chain == keys["served"])
        keys["message"] = str(told.id)
        store.write(lambda tx: self._link(tx, told))
        store.write(self._tip_off)
        store.write(lambda tx: self._own(tx, officer))
        world.act("officer", "comment", keys["served"], text="已部署")
        world.parts.outbox.drain()
        store.read(self._letters)

    def _reach(self, tx: Tx) -> None:
        """Two who are told by mail as well."""
        for name in ("chief", "officer"):
            contacts.wish(tx, self.world.cast.ids[name], [Contact("mail", f"{name}@example.cn")], off=(), digest=False)

    def _spare(self, tx: Tx) -> str:
        """Two townships that nothing hangs on, one of them with an office."""
        for code in ("930106055", "930106066"):
            places.add_region(tx, ROOT, code=code, name=f"备用镇{code[-2:]}", level="township", parent=COUNTY)
        return offices.add_office(tx, ROOT, code="BY", region="930106066", name="备用督导组", doc_prefix="备教督").id

    def _findings(self) -> None:
        """One that was served, with files and papers and published; one that its unit must not know of."""
        world, keys = self.world, self.keys
        served, draft = world.executing(), world.opened(title="尚未送达的问题")
        keys |= {"served": served, "draft": draft}
        keys |= {"file": world.attach("school", served), "inner_file": world.attach("inspector", draft)}
        world.act("officer", "comment", served, text="请抓紧办理")
        keys["paper"] = self.paper("opinion_letter")
        world.act("chief", "publish", served, document=keys["paper"], public_text="某校消防通道已责令整改")
        world.act("officer", "propose_interview", served, reasons=REASONS)
        keys |= {"result": self.paper("publication"), "inner_paper": self.paper("interview_proposal")}
        running = {timer.rule: timer.id for timer in world.parts.store.read(lambda tx: timers.all_of(tx, served))}
        keys |= {"clock": running["rectify_by"], "inner_clock": running["interview_decide"]}

    def paper(self, kind: str) -> str:
        """The last paper of this kind about the served finding."""
        made = self.world.parts.store.read(lambda tx: papers.of_finding(tx, self.keys["served"]))
        found = [paper.id for paper, _ in made if paper.kind == kind]
        assert found, (kind, [paper.kind for paper, _ in made])
        return found[-1]

    def _link(self, tx: Tx, told: Message) -> None:
        link = links.link_for(told.person_id, told.id, told.chain, life=timedelta(days=3), now=self.pages.real)
        kept_links.add(tx, [link])
        self.keys["link"] = links.make_seal(tx).token(link)

    def _tip_off(self, tx: Tx) -> None:
        by = By(PUBLIC, "public", self.world.clock, "test")
        _, receipt, _ = self.pages.service.tip_offs.take_in(
            tx, by, matter="食堂食材过期", region=COUNTY, unit_id="school", sealed=Sealed("陈某某", "13800000000")
        )
        self.keys |= {"receipt": receipt, "tip_off": tip_offs.by_receipt(tx, receipt).id}

    def _own(self, tx: Tx, officer: Actor) -> None:
        """What the officer keeps: a view, tokens, a subscription; somebody who stands in for an inspector and stays away."""
        real = self.pages.real
        staff.recuse(
            tx, ROOT, person_id=self.world.cast.ids["inspector2"], unit_id="next_school", ground="配偶在该校任教"
        )
        saved_views.keep(tx, officer.id, "我的视图", "state=rectification.executing")
        ends = real + timedelta(days=30)
        for key in ("token", "own_token"):
            token, _ = accounts.create_token(
                tx, person_id=officer.id, name="月报程序", scopes=("read",), expires_at=ends, now=real
            )
            self.keys[key] = token.id
        desk = Subscriptions(self.world.engine.book.workflow, self.world.parts.outbox.channels)
        hook, _ = desk.add(
            tx, officer, name="县平台", url=NOBODY_LISTENS, region=COUNTY, unit=None, actions=[], real=real
        )
        absent, day = self.keys["id_inspector2"], self.world.today
        staff.set_substitutes(tx, ROOT, absent, (("inspector3", day, day),))
        self.keys |= {"view": saved_views.of_person(tx, officer.id)[0].id, "hook": hook.id}

    def _letters(self, tx: Tx) -> None:
        found = deliveries.page(tx, limit=100, before=2**60)
        self.keys["letter"] = next(one.key for one in found if one.channel == "mail")
        self.keys["hook_letter"] = next(one.key for one in found if one.webhook_id)


@contextmanager
def scene_on(url: str, folder: Path) -> Iterator[Scene]:
    """A scene on a fresh migrated database."""
    settings = postal_settings(url, folder, CONSOLE, MAIL, attempts=1, allow_networks=("127.0.0.0/8",))
    world = World(settings, virtual=True)
    try:
        yield Scene(Pages(world))
    finally:
        world.parts.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene for tests that only look, on SQLite and on PostgreSQL."""
    folder = tmp_path_factory.mktemp("scene")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "loop.db")
        with scene_on(f"sqlite:///{folder / 'loop.db'}", folder) as made:
            yield made
        return
    server = request.getfixturevalue("postgres")
    url = server.create(server.template)
    with scene_on(url, folder) as made:
        yield made
    server.drop(url)


@pytest.fixture
def own_scene(sqlite_template: Path, tmp_path: Path) -> Iterator[Scene]:
    """A scene that a test may change."""
    shutil.copy(sqlite_template, tmp_path / "loop.db")
    with scene_on(f"sqlite:///{tmp_path / 'loop.db'}", tmp_path) as made:
        yield made
