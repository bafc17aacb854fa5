"""Every page of an inhabited world in a real browser, with much on it, for everybody who may look at it."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from structlog.testing import capture_logs

from tests.browsing import Pages
from tests.inhabited import Inhabited
from tests.page_list import GUEST, LOOKS, route_at
from tests.page_scene import MAIL, Scene
from tests.postal import CONSOLE, postal_settings
from tests.screen import DESKTOP, Stage, served
from tests.world import World

PEOPLE = ("officer", "school", "admin", "auditor", "chief", "director", "leader", "inspector", "bureau", GUEST)
"""One of each role, and whoever is not signed in; who sees most comes first."""
NOT_PAGES = ("/language/", "/robots.txt", "/units?", "/admin/find/", "/api/")
"""Addresses that answer a file, a piece of a page, or the way to another one."""
FULL = (
    "rectification.executing",
    "rectification.planning",
    "review.onsite",
    "accountability.investigating",
    "lookback.watching",
)
"""The states in which findings have most to show."""
FORMS = {
    "rectification.executing": ("report_progress", "submit_rectification", "request_extension", "suspend", "propose_interview"),
    "rectification.planning": ("submit_plan", "object"),
    "review.desk": ("pass_desk", "assign_review"),
    "accountability.investigating": ("serve_notice",),
}  # fmt: skip
"""Actions whose forms have parts of every kind, by the state in which somebody may take them."""


@dataclass(slots=True)
class Gallery:
    """Addresses by the person who may look at them, and a browser for each person, kept open."""

    stage: Stage
    home: Inhabited
    scene: Scene
    seen_by: dict[str, list[str]]
    fresh_to: dict[str, list[str]]
    """Those where a person sees something that nobody of `PEOPLE` before them saw at the same route."""
    asked: list[str] = field(default_factory=list)
    """What browsers asked for."""
    _opened: dict[tuple[str, bool, str], Page] = field(default_factory=dict)

    def browser_of(self, who: str, *, scripts: bool = True, language: str = "zh") -> Page:
        """The browser of `who`, signed in, as wide as a desk; the same one each time."""
        key = who, scripts, language
        if key not in self._opened:
            how: dict[str, Any] = {"size": DESKTOP, "scripts": scripts, "language": language}
            page = self.stage.person(who, **how) if who else self.stage.guest(**how)
            page.on("request", lambda sent: self.asked.append(sent.url))
            self._opened[key] = page
        widen(self._opened[key], DESKTOP["width"])
        return self._opened[key]

    def firsts(self, who: str) -> set[str]:
        """The addresses that `who` is the first of `PEOPLE` to see."""
        return set(self.seen_by[who]).difference(*(self.seen_by[other] for other in PEOPLE[: PEOPLE.index(who)]))

    def number(self, state: str) -> str:
        """A finding in this state."""
        return next(one.number for one in self.home.standing() if one.state == state)


def widen(page: Page, width: int) -> None:
    """Give the browser's window another width."""
    page.set_viewport_size({"width": width, "height": 900 if width > 600 else 740})


@pytest.fixture(scope="module")
def gallery(browser: Browser, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """One world for the tests of a module, none of which changes what another one looks at."""
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copy(sqlite_template, folder / "loop.db")
    told: dict[str, Any] = {"attempts": 1, "allow_networks": ("127.0.0.0/8",)}
    world = World(postal_settings(f"sqlite:///{folder / 'loop.db'}", folder, CONSOLE, MAIL, **told), virtual=True)
    with capture_logs():
        with ThreadPoolExecutor(1) as beside:  # the browser keeps this thread's loop busy
            home, scene, seen_by, fresh_to = beside.submit(_furnished, world).result()
        with served(scene.pages) as url:
            stage = Stage(browser, scene.pages, url)
            yield Gallery(stage, home, scene, seen_by, fresh_to)
            stage.close()
    world.parts.close()


def _furnished(world: World) -> tuple[Inhabited, Scene, dict[str, list[str]], dict[str, list[str]]]:
    home = Inhabited(world)
    home.settle()
    home.pass_time(timedelta(days=1))  # on a Sunday no letter goes out
    asyncio.run(home.furnish())
    scene = Scene(Pages(world))
    home.notice_time()
    return home, scene, *asyncio.run(_looked_at(scene.pages, addresses(home, scene)))


def addresses(home: Inhabited, scene: Scene) -> list[str]:
    """Every address that somebody may look at, each once, and more of those that look different from case to case."""
    by_state = {one.state: one.number for one in home.standing()}
    several = "&".join(f"finding={one.number}" for one in home.standing() if one.state == "rectification.executing")
    more = [
        "/inbox?unread=true", "/findings?light=red&open=true&severity=grave&due_before=2027-01-01", "/findings?q=没有",
        "/findings?due_after=yesterday", "/admin/deliveries?dead=true", "/admin/gaps?healed=true", "/admin/regions/930106",
        f"/findings/bulk?{several}", f"/findings/bulk/instruct?{several}", f"/findings/bulk/suspend?{several}",
    ]  # fmt: skip
    more += [f"/findings/{by_state[state]}" for state in FULL]
    more += [f"/findings/{by_state[state]}/actions/{one}" for state, names in FORMS.items() for one in names]
    pages = [pattern for pattern in LOOKS if not pattern.startswith(NOT_PAGES)]
    return list(dict.fromkeys([*map(scene.address, pages), *more]))


async def _looked_at(site: Pages, paths: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    known: dict[str, set[str]] = {}
    seen_by: dict[str, list[str]] = {who: [] for who in PEOPLE}
    fresh_to: dict[str, list[str]] = {who: [] for who in PEOPLE}
    for who in PEOPLE:
        reader = await site.browser(who)
        for path in paths:
            answer = await reader.http.get(path, follow_redirects=False)
            assert answer.status_code < 500, (path, answer.text)
            if answer.status_code in (200, 422) and "<!doctype html>" in answer.text:
                parts = _parts(answer.text)
                if not parts <= known.get(route_at("GET", path), set()):
                    fresh_to[who].append(path)
                known.setdefault(route_at("GET", path), set()).update(parts)
                seen_by[who].append(path)
    await site.close()
    return seen_by, fresh_to


def _parts(text: str) -> set[str]:
    """Of what a page is made: its kinds of elements with their classes, and how its headings follow each other."""
    kinds = {re.sub(r'(?<!class)(?<!type)(?<!role)="[^"]*"', "", tag) for tag in re.findall(r"<[a-z][^>]*>", text)}
    levels = re.findall(r"<h([1-6])", text)
    return kinds | {"".join(one for one, before in zip(levels, [" ", *levels], strict=False) if one != before)}
