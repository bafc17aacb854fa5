"""Every page for everybody: the rules of WCAG 2.2 AA, a narrow screen, the keyboard, paper, thin lines and no scripts."""

from __future__ import annotations

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.gallery import PEOPLE, Gallery, gallery, widen
from tests.page_list import GUEST
from tests.screen import DESKTOP, PHONE, browser

__all__ = ["browser", "gallery"]

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
AXE = Axe()
BROKEN = """async (options) => (await axe.run(options)).violations.flatMap(
  (one) => one.nodes.slice(0, 3).map((node) => `${one.id}: ${node.html.slice(0, 160)}`))"""
SCROLLS = "() => Math.max(0, document.documentElement.scrollWidth - innerWidth)"
OPEN_ALL = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
INLINE = """() => [...document.querySelectorAll('*')].filter((one) => one.matches('[style], style, script:not([src])')
  || [...one.attributes].some((given) => given.name.startsWith('on'))).map((one) => one.outerHTML.slice(0, 120))"""


def broken(page: Page) -> list[str]:
    """The rules that the page breaks, and where."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.axe_script)
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": list(RULES)}}
    found: list[str] = page.evaluate(BROKEN, options)
    return found


def wrong_with(page: Page, is_first: bool) -> list[str]:
    """What is wrong with the page that is open, on a desk; where it is seen for the first time, on a telephone as well."""
    found = [*broken(page), *(f"inline: {one}" for one in page.evaluate(INLINE))]
    for width in (DESKTOP["width"], DESKTOP["width"] // 2, PHONE["width"]):
        widen(page, width)
        if page.evaluate(SCROLLS):
            found.append(f"scrolls sideways at {width}")
    page.evaluate(OPEN_ALL)
    if page.evaluate(SCROLLS):
        found.append("scrolls sideways with its details open")
    if is_first:
        found += [f"on a telephone: {one}" for one in broken(page)]
    widen(page, DESKTOP["width"])
    return found


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_keeps_the_rules_and_fits_every_screen(gallery: Gallery, who: str) -> None:
    page, firsts = gallery.browser_of(who), gallery.firsts(who)
    wrong = {}
    for path in gallery.fresh_to[who]:
        page.goto(path)
        if found := wrong_with(page, path in firsts):
            wrong[path] = found
    assert wrong == {}, json.dumps(wrong, indent=1, ensure_ascii=False)
    assert gallery.stage.complaints == []
    assert [one for one in gallery.asked if not one.startswith((f"{gallery.stage.url}/", "data:"))] == []


# ---- forms that come back ----------------------------------------------------------------------------------------------

EMPTY = """(form) => {
  for (const one of form.elements) if (['text', 'textarea', 'date', 'url', 'password', 'select-one'].includes(one.type)) one.value = '';
  form.noValidate = true;
  form.requestSubmit();
}"""
COME_BACK = {
    "/sign-in": GUEST, "/report": GUEST, "/report/state": GUEST, "/findings/new": "inspector", "/findings/take-over": "officer",
    "/supervisions/new": "officer", "/supervisions/{supervision}/edit": "officer", "/profile/password": "officer",
    "/profile/access": "officer", "/webhooks": "officer", "/admin/people/new": "admin", "/admin/units/new": "admin",
    "/admin/regions/new": "admin", "/admin/offices/new": "admin", "/admin/calendar/load": "admin",
    "/admin/people/{id_officer}/posts/new": "admin", "/admin/tokens": "admin",
    "/findings/{planning}/actions/submit_plan": "school", "/findings/{served}/actions/notice_interview": "chief",
}  # fmt: skip
"""Forms that are refused when nothing is filled in, and who is refused."""


@pytest.mark.parametrize("pattern", COME_BACK)
def test_a_form_that_comes_back_keeps_the_rules_and_leads_to_what_is_wrong(gallery: Gallery, pattern: str) -> None:
    page = gallery.browser_of(COME_BACK[pattern])
    path = pattern.format(**gallery.scene.keys, planning=gallery.number("rectification.planning"))
    page.goto(path)
    with page.expect_navigation() as refused:
        page.locator(f"main form[method=post][action='{path}'], main form[method=post]:not([action])").first.evaluate(
            EMPTY
        )
    assert refused.value.status == 422
    assert page.evaluate("document.activeElement.matches('[aria-invalid=true], [role=alert]')")
    assert broken(page) == []
    widen(page, PHONE["width"])
    assert page.evaluate(SCROLLS) == 0
    assert gallery.stage.complaints == []


# ---- the keyboard ------------------------------------------------------------------------------------------------------

CAN_BE_REACHED = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')].filter(
    (one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility() && one.getBoundingClientRect().width > 0
      && !(one.type === 'radio' && !one.checked)).length"""
REACHED = """() => {
  const one = document.activeElement;
  if (one === window.before) return { what: '', wrong: '' };
  window.before = one;
  if (one === document.body || one.dataset.reached) return null;
  one.dataset.reached = 'yes';
  const style = getComputedStyle(one), place = one.getBoundingClientRect();
  const middle = document.elementFromPoint(place.left + place.width / 2, Math.max(0, place.top) + Math.min(place.height, innerHeight) / 2);
  const ringed = style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 3;
  const uncovered = middle && (one.contains(middle) || middle.contains(one) || [...(one.labels || [])].some((label) => label.contains(middle)));
  const wrong = [!ringed && 'no ring', !uncovered && 'covered', one.tabIndex !== 0 && 'out of order'].filter(Boolean);
  return { what: one.outerHTML.slice(0, 140), wrong: wrong.join(', ') };
}"""
MOST_STOPS = 500
BY_KEYBOARD = {
    "/": "officer", "/findings": "officer", "/findings/{served}": "officer", "/board": "chief",
    "/findings/{planning}/actions/submit_plan": "school",
}  # fmt: skip


def walked(page: Page, key: str) -> list[dict[str, str]]:
    """Everything at which the key stops, until it leaves the page or comes round; a field for a date has several stops."""
    steps: list[dict[str, str]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        if not (step := page.evaluate(REACHED)):
            return steps
        steps.append(step)
    raise AssertionError(f"never left the page: {steps[-3:]}")


@pytest.mark.parametrize("width", [DESKTOP["width"], PHONE["width"]], ids=["desk", "phone"])
@pytest.mark.parametrize("pattern", BY_KEYBOARD)
def test_tab_reaches_everything_in_order_and_shows_where_it_is(gallery: Gallery, pattern: str, width: int) -> None:
    page = gallery.browser_of(BY_KEYBOARD[pattern])
    widen(page, width)
    page.emulate_media(reduced_motion="reduce")  # what is looked at stands still
    page.goto(pattern.format(**gallery.scene.keys, planning=gallery.number("rectification.planning")))
    wanted = page.evaluate(CAN_BE_REACHED)
    for key, least in (("Tab", wanted), ("Shift+Tab", wanted - 1)):
        steps = walked(page, key)
        assert [one for one in steps if one["wrong"]] == []
        assert len([one for one in steps if one["what"]]) >= least
        page.evaluate(
            "() => document.querySelectorAll('[data-reached]').forEach((one) => { delete one.dataset.reached; })"
        )


@pytest.mark.parametrize("pattern", BY_KEYBOARD)
def test_a_page_begins_with_the_way_to_its_content_and_escape_closes_its_menus(gallery: Gallery, pattern: str) -> None:
    page = gallery.browser_of(BY_KEYBOARD[pattern])
    page.goto(pattern.format(**gallery.scene.keys, planning=gallery.number("rectification.planning")))
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate(
        "(one) => one === document.activeElement && one.getBoundingClientRect().left >= 0"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    menus = page.locator("details.menu, details.pop")
    assert menus.count() >= 1
    for menu in menus.all():
        menu.locator("summary").focus()
        page.keyboard.press("Enter")
        assert menu.evaluate("(one) => one.open")
        assert broken(page) == []
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        assert not menu.evaluate("(one) => one.open")
        assert menu.locator("summary").evaluate("(one) => one === document.activeElement")


# ---- thin lines, paper, no scripts -------------------------------------------------------------------------------------

FIRST_VISIT, LATER_VISIT = 250_000, 40_000
"""Bytes on the wire."""


@pytest.mark.parametrize("pattern", ["/board", "/findings", "/findings/{served}"])
def test_pages_are_light_on_a_thin_line(gallery: Gallery, pattern: str) -> None:
    page = gallery.browser_of("chief")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.clearBrowserCache")
    came: list[float] = []
    line.on("Network.loadingFinished", lambda told: came.append(told["encodedDataLength"]))
    path = gallery.scene.address(pattern)
    page.goto(path, wait_until="networkidle")
    first = sum(came)
    came.clear()
    page.goto(path, wait_until="networkidle")
    line.detach()
    assert 0 < sum(came) <= LATER_VISIT
    assert sum(came) < first <= FIRST_VISIT


@pytest.mark.parametrize(
    "pattern", ["/board", "/findings", "/findings/{served}", "/papers/{paper}", "/supervisions/{supervision}"]
)
def test_a_page_on_paper_is_its_content_alone(gallery: Gallery, pattern: str) -> None:
    page = gallery.browser_of("chief")
    page.goto(gallery.scene.address(pattern))
    heading = page.locator("h1").inner_text()
    page.emulate_media(media="print")
    shown = page.evaluate("() => document.body.innerText")
    left_over = page.locator("header.top, .tabs, .foot, .skip, .btn, nav, form, summary").filter(visible=True).count()
    page.emulate_media(media="screen")
    assert heading in shown
    assert left_over == 0
    assert "跳到正文" not in shown


SAID = """() => {
  const main = document.querySelector('main').cloneNode(true);
  for (const one of main.querySelectorAll('button, [hidden], [data-chosen-count], [data-only-script]')) one.remove();
  return main.textContent.replace(/\\s+/g, ' ');
}"""


def test_without_scripts_every_page_says_the_same(gallery: Gallery) -> None:
    plain, rich = gallery.browser_of("officer", scripts=False), gallery.browser_of("officer")
    for path in gallery.fresh_to["officer"]:
        plain.goto(path)
        rich.goto(path)
        assert plain.evaluate(SAID) == rich.evaluate(SAID), path
