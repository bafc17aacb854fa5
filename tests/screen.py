"""A real browser before the real pages: Chromium, if one is installed, and the site on a port of its own."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browsing import Pages
from tests.web import PASSWORD
from tests.world import World, settings_for

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FONTS = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>{}</dir><cachedir>{}</cachedir></fontconfig>'


def chromium() -> str | None:
    """The browser named by LOOP_CHROMIUM, else the first one that is installed."""
    named = os.environ.get("LOOP_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def opened_browser(folder: Path) -> Iterator[Browser]:
    """A Chromium that can show Chinese, whatever fonts the machine has; skips the test where there is none."""
    path = chromium()
    if path is None:
        pytest.skip("no browser: install chromium, or name one in LOOP_CHROMIUM")
    spec = find_spec("pylopdf_fonts_zh_cn")
    assert spec
    assert spec.submodule_search_locations
    fonts = folder / "fonts.conf"
    fonts.write_text(FONTS.format(spec.submodule_search_locations[0], folder / "fontcache"))
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    env: dict[str, Any] = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
    with sync_playwright() as played:
        browser = played.chromium.launch(executable_path=path, args=[*FLAGS, *sandbox], env=env)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the tests of a module."""
    with opened_browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


class Stage:
    """The site of a world, served on a port, for people with a browser context each."""

    def __init__(self, browser: Browser, site: Pages, url: str) -> None:
        self.browser, self.site, self.world, self.url = browser, site, site.world, url
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        """What the browser's console or a script complained of."""

    def person(self, name: str, *, size: dict[str, int], language: str = "zh", scripts: bool = True) -> Page:
        """A browser of its own in which `name` signs in by the page for it."""
        page = self.guest(size=size, language=language, scripts=scripts)
        page.goto(f"{self.url}/sign-in")
        page.fill('input[name="name"]', name)
        page.fill('input[name="password"]', PASSWORD)
        page.click('main button[type="submit"]')
        page.wait_for_url("**/?done=signed-in")
        return page

    def guest(self, *, size: dict[str, int], language: str = "zh", scripts: bool = True) -> Page:
        """A browser of its own in which nobody is signed in."""
        context = self.browser.new_context(
            viewport={"width": size["width"], "height": size["height"]}, java_script_enabled=scripts, base_url=self.url
        )
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        context.add_cookies([{"name": "loop_language", "value": language, "url": self.url}])
        page = context.new_page()
        page.on("console", lambda told: self._complain(told.type, told.text, page))
        page.on("pageerror", lambda error: self._complain("error", str(error), page))
        page.on("requestfailed", lambda asked: self._complain("request", f"{asked.url} {asked.failure}", page))
        return page

    def _complain(self, kind: str, text: str, page: Page) -> None:
        # An answer of 4xx that a test asks for on purpose is told on the console as well.
        if kind in ("error", "warning", "request") and "status of 4" not in text and "ERR_ABORTED" not in text:
            self.complaints.append(f"{page.url}: {kind} {text}")

    def close(self) -> None:
        """Close every browser context."""
        for context in self.contexts:
            context.close()


@contextmanager
def served(site: Pages) -> Iterator[str]:
    """The site on a free port of this machine."""
    server = uvicorn.Server(
        uvicorn.Config(site.app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def stage(browser: Browser, sqlite_template: Path, tmp_path: Path) -> Iterator[Stage]:
    """The pages of a fresh world in a real browser."""
    database = tmp_path / "loop.db"
    shutil.copy(sqlite_template, database)
    site = Pages(World(settings_for(f"sqlite:///{database}", tmp_path)))
    with served(site) as url:
        made = Stage(browser, site, url)
        yield made
        made.close()
    site.world.parts.close()
