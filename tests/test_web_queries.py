"""A page asks the database the same few questions however much there is: three of everything, or sixty."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from loop.engine.tip_off_desk import PUBLIC
from loop.kernel.people import Actor
from loop.store import accounts, offices, places, saved_views, staff, supervisions
from loop.store.chronicle import By
from loop.store.session import Tx
from loop.store.tip_offs import Sealed
from tests.browsing import Browser
from tests.cast import COUNTY, ROOT, START
from tests.page_list import LOOKS
from tests.page_scene import Scene, scene_on

MOST = """
    /sign-in                                          guest          0
    /report                                           guest          3
    /report/received                                  guest          0
    /report/state                                     guest          0
    /report/{receipt}                                 guest          0
    /results                                          guest          9
    /results/{result}                                 guest          9
    /robots.txt                                       guest          0
    /l/{link}                                         guest         13
    /language/en                                      guest          0
    /                                                 officer        9
    /inbox                                            leader        10
    /clock                                            officer       11
    /workflow                                         officer        9
    /units?unit=小学                                    officer        7
    /webhooks                                         officer       10
    /webhooks/{hook}                                  officer       11
    /profile                                          officer        9
    /profile/password                                 officer        7
    /profile/substitutes                              officer        9
    /profile/notifications                            officer        9
    /profile/calendar                                 officer        8
    /profile/access                                   officer        9
    /profile/recusals                                 chief         12
    /recusals/{id_inspector2}                         chief         12
    /findings                                         officer       12
    /findings/new                                     inspector     10
    /findings/new?tip_off={tip_off}                   officer       13
    /findings/take-over                               officer       10
    /findings/{served}                                officer       18
    /findings/{draft}                                 inspector     18
    /findings/{served}/actions/comment                officer       10
    /findings/{served}/actions/attach                 school        11
    /findings/{served}/actions/notice_interview       chief         14
    /findings/{draft}/actions/amend                   inspector     10
    /findings/{served}/clocks/{clock}                 officer       10
    /findings/{served}/clocks/{inner_clock}           officer       10
    /findings/bulk?finding={served}                   chief         10
    /findings/bulk/comment?finding={served}           chief         10
    /papers/{paper}                                   school        12
    /papers/{inner_paper}                             officer       11
    /attachments/{file}                               officer       13
    /attachments/{inner_file}                         inspector     13
    /api/v1/attachments/{file}                        officer        9
    /api/v1/attachments/{inner_file}                  inspector      9
    /board                                            chief         18
    /board?region=930108                              next_officer  16
    /board/months/{month}                             chief          9
    /tip-offs                                         officer       11
    /tip-offs/{tip_off}                               officer       14
    /audit                                            admin         12
    /audit/findings                                   auditor        0
    /audit/findings?number={served}                   auditor        0
    /audit/findings/{served}                          auditor       28
    /supervisions                                     officer       15
    /supervisions/new                                 officer       10
    /supervisions/{supervision}                       officer       15
    /supervisions/{supervision}/edit                  officer       13
    /supervisions/{supervision}/report                officer       10
    /admin                                            admin          7
    /admin/channels                                   admin          7
    /admin/deliveries                                 admin          9
    /admin/deliveries/{letter}                        admin         10
    /admin/gaps                                       admin         16
    /admin/find/units?unit=小学                         admin          8
    /admin/find/regions?region=县                      admin          8
    /admin/find/departments?department=局              admin          8
    /admin/regions                                    admin          8
    /admin/regions/new                                admin          7
    /admin/regions/{region}                           admin         11
    /admin/offices                                    admin          9
    /admin/offices/new                                admin          7
    /admin/offices/{office}                           admin         10
    /admin/units                                      admin         10
    /admin/units/new                                  admin          7
    /admin/units/{unit}                               admin         13
    /admin/people                                     admin          9
    /admin/people/new                                 admin          7
    /admin/people/{id_officer}                        admin         12
    /admin/people/{id_officer}/posts/new              admin          9
    /admin/people/{id_inspector2}/substitutes         admin         15
    /admin/tokens                                     admin          9
    /admin/tokens?person={id_officer}                 admin         12
    /admin/rules                                      admin          7
    /admin/calendar?year=2028                         admin          7
    /admin/calendar/load                              admin          7
    /findings                                         school        11
    /findings                                         bureau        10
    /findings                                         auditor       12
    /                                                 chief         10
    /                                                 school         8
    /                                                 inspector      9
    /inbox                                            chief         10
    /inbox                                            school        10
    /board                                            city_chief    18
    /findings/{served}                                school        19
    /findings/{served}                                bureau        19
    /admin/gaps                                       chief         16
    /supervisions                                     auditor       15
    /audit                                            director       7
    /webhooks                                         school         9
    /profile                                          school         9
    /audit                                            auditor       14
    /admin/deliveries                                 auditor        9
    /admin/deliveries?dead=true                       admin          9
"""
"""By whom each page is opened, and how many questions it may ask at most: a little more than it asks today."""
DOES_THE_WORK = {"/admin/people/{id_chief}/leaving": "to say whom a departure tells, it is done and undone"}
"""Pages whose questions are as many as what they try out."""
FEW, MANY = 3, 60
MOST_VIEWS = 20
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ")


class Growing:
    """Puts so many of everything into a scene."""

    def __init__(self, scene: Scene, n: int) -> None:
        self.scene, self.world, self.n = scene, scene.world, n
        self.world.parts.store.write(self._registry)
        self._findings()
        officer = self.world.actor("officer")
        self.world.parts.store.write(lambda tx: self._own(tx, officer))
        self.world.parts.outbox.drain()

    def _registry(self, tx: Tx) -> None:
        """Townships with offices, schools, people with posts, supervisions, tip-offs."""
        by = By(PUBLIC, "public", self.world.clock, "test")
        for i in range(self.n):
            code = f"9301067{i:02}"
            places.add_region(tx, ROOT, code=code, name=f"第{i}镇", level="township", parent=COUNTY)
            offices.add_office(tx, ROOT, code=f"T{i}", region=code, name=f"第{i}督导组", doc_prefix=f"镇{i}")
            places.add_unit(
                tx, ROOT, name=f"第{i}小学", kind="school", region=COUNTY, department_id="bureau", id_=f"u{i}"
            )
            staff.enrol(
                tx, ROOT, name=f"more{i}", full_name=f"督学{i}", role="inspector", region=COUNTY, from_on=START.date()
            )
            plan = supervisions.Supervision(
                id="", office_id=self.world.cast.office_id, kind="special", title=f"专项{i}", from_on=START.date(),
                until_on=START.date(), lead="inspector", team=("inspector", "inspector2"),
            )  # fmt: skip
            supervisions.add_supervision(tx, ROOT, plan)
            self.scene.pages.service.tip_offs.take_in(
                tx, by, matter=f"反映{i}", region=COUNTY, unit_id="school", sealed=Sealed("", "")
            )

    def _findings(self) -> None:
        """Findings of one unit and of many; and one with a long history, many files and papers."""
        world, served = self.world, self.scene.keys["served"]
        for i in range(self.n):
            number = world.opened(title=f"隐患{i}", unit="school" if i % 2 else f"u{i}", severity="normal")
            world.act("inspector", "issue_on_the_spot", number, opinion="清理", rectify_by=world.day(20))
            world.act("officer", "comment", served, text=f"第{i}次询问")
            world.attach("inspector", served, b"%PDF-1.7 " + str(i).encode())
            world.act("chief", "publish", served, document=self.scene.keys["paper"], public_text=f"第{i}次公开")
            world.parts.outbox.drain()

    def _own(self, tx: Tx, officer: Actor) -> None:
        real = self.scene.pages.real
        for i in range(self.n):
            accounts.create_token(
                tx,
                person_id=officer.id,
                name=f"程序{i}",
                scopes=("read",),
                expires_at=real.replace(year=real.year + 1),
                now=real,
            )
            if i < MOST_VIEWS:
                saved_views.keep(tx, officer.id, f"视图{i}", "state=archived")


@pytest.fixture(scope="module")
def grown(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Scene]]:
    """A scene with few of everything, and one with many."""
    with ExitStack() as stack:
        scenes = []
        for n in (FEW, MANY):
            folder = tmp_path_factory.mktemp("grown")
            shutil.copy(sqlite_template, folder / "loop.db")
            scene = stack.enter_context(scene_on(f"sqlite:///{folder / 'loop.db'}", folder))
            Growing(scene, n)
            scenes.append(scene)
        yield scenes[0], scenes[1]


class Asking:
    """Counts what pages ask in one scene; each was opened once before."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.browsers = scene, dict[str, Browser]()

    async def questions(self, who: str, pattern: str) -> list[str]:
        if who not in self.browsers:
            self.browsers[who] = await self.scene.pages.browser(who)
        browser, address, store = self.browsers[who], self.scene.address(pattern), self.scene.world.parts.store
        assert (await browser.get(address)).status == 200
        said: list[str] = []
        store.trace = lambda text, values: None if text.startswith(CONTROL) else said.append(text)
        await browser.http.get(address, follow_redirects=False)
        store.trace = None
        return said


def bounds() -> dict[tuple[str, str], int]:
    """The most that each page may ask, by address and reader."""
    lines = (line.split() for line in MOST.strip().splitlines())
    return {(address, "" if who == "guest" else who): int(most) for address, who, most in lines}


def test_every_page_has_its_bound() -> None:
    assert {address for address, _ in bounds()} >= set(LOOKS) - set(DOES_THE_WORK)


async def test_no_page_asks_more_where_there_is_more(grown: tuple[Scene, Scene]) -> None:
    few, many = (Asking(scene) for scene in grown)
    too_many, growing = {}, {}
    for (address, who), most in bounds().items():
        with_few, with_many = await few.questions(who, address), await many.questions(who, address)
        if len(with_many) > len(with_few):
            growing[address, who] = Counter(with_many) - Counter(with_few)
        if max(len(with_few), len(with_many)) > most:
            too_many[address, who] = (most, len(with_few), len(with_many))
    assert growing == {}
    assert too_many == {}
