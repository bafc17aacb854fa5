"""Takes the pictures of the README and the tutorial anew: `./dev pictures`. Needs a Chromium."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.screen import opened_browser

FOLDER = Path(__file__).parent / "pictures"
DESKTOP, PHONE = (1280, 860), (390, 780)
PASSWORD = "loop-demo"  # noqa: S105  everybody's in the demonstration
SHOTS: tuple[tuple[str, str, str, tuple[int, int]], ...] = (
    ("board", "leader", "/board", DESKTOP),
    ("finding", "officer", "/findings/{talk}", DESKTOP),
    ("ledger", "chief", "/findings", DESKTOP),
    ("desk-phone", "school", "/findings", PHONE),
    ("record-phone", "inspector", "/findings/new", PHONE),
    ("board-phone", "leader", "/board", PHONE),
)
"""Name of the picture, who looks, at which page, on which screen."""


def main() -> None:
    """Play the demonstration, look at its pages, keep the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as kept:
        program = str(Path(sys.executable).parent / "loop")
        command = [program, "demo", "--port", "0", "--data", f"{kept}/demo", "--virtual-clock", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as demo:  # noqa: S603
            assert demo.stdout  # noqa: S101
            ready = json.loads(demo.stdout.readline())
            try:
                with opened_browser(Path(kept)) as browser:
                    for name, who, path, size in SHOTS:
                        take(browser, ready["url"], name, who, path, size)
            finally:
                demo.terminate()


def take(browser: Browser, url: str, name: str, who: str, path: str, size: tuple[int, int]) -> None:
    """One picture, as large as the screen."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, base_url=url)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=name]", who)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/?done=signed-in")
    page.goto(path.format(talk=talked_to(page)) if "{talk}" in path else path)
    page.screenshot(path=str(FOLDER / f"{name}.png"))
    context.close()


def talked_to(page: Page) -> str:
    """The number of a finding that has gone far round the loop."""
    page.goto("/findings?stage=bulletin")
    return str(page.locator("main a[href^='/findings/']").first.get_attribute("href")).rpartition("/")[2]


if __name__ == "__main__":
    main()
