"""Very long words and texts that run from right to left, on a telephone: the page stays within its edges and in its order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.page_list import LOOKS
from tests.page_scene import Scene
from tests.page_troll import trolled
from tests.screen import PHONE, Stage, browser, served

__all__ = ["browser", "trolled"]

SIDEWAYS = "() => Math.max(0, document.documentElement.scrollWidth - innerWidth)"
TURNED = """() => [...document.querySelectorAll('a, span, strong, b, em, code, small, time, label, summary, td, dd, h1, h2, h3')]
    .filter((one) => one.textContent.includes('\\u202e') && !one.children.length && getComputedStyle(one).display === 'inline')
    .filter((one) => !getComputedStyle(one).unicodeBidi.startsWith('isolate')).map((one) => one.outerHTML.slice(0, 80))"""
"""Elements within a line that let what comes after them run from right to left as well."""
NOT_PAGES = ("/api/", "/robots.txt", "/language/", "/units?", "/admin/find/", "/audit/findings?")


@pytest.fixture(scope="module")
def stage(trolled: Scene, browser: Browser) -> Iterator[Stage]:
    """The pages of the scene in a real browser, which is opened when the scene stands: it keeps a loop running."""
    with served(trolled.pages) as url:
        made = Stage(browser, trolled.pages, url)
        yield made
        made.close()


@pytest.mark.parametrize("who", sorted({who for who in LOOKS.values() if who}))
def test_no_text_pushes_a_page_out_of_its_edges_or_turns_what_stands_after_it(
    stage: Stage, trolled: Scene, who: str
) -> None:
    page = stage.person(who, size=PHONE)
    wrong = {}
    told = [f"/findings/{number}" for number in trolled.numbers[:3]] if who in ("officer", "auditor") else []
    for address in (*told, *(trolled.address(one) for one, reader in LOOKS.items() if reader == who)):
        if address.startswith(NOT_PAGES):
            continue
        page.goto(f"{stage.url}{address}")
        found = (page.evaluate(SIDEWAYS), page.evaluate(TURNED))
        if found != (0, []):
            wrong[address] = found
    assert wrong == {}
    assert stage.complaints == []
