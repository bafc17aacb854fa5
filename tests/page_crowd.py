"""A browser for every reader of tests/page_matrix.py, and the forms that their owners would send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx

from tests.browsing import Browser, Form, Seen
from tests.page_list import SENDINGS, Sending
from tests.page_scene import Scene

OURS = "http://loop.test"


class Crowd:
    """A browser for every reader."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.browsers = scene, dict[str, Browser]()

    async def of(self, who: str) -> Browser:
        """Their browser, signed in."""
        if who not in self.browsers:
            self.browsers[who] = await self.scene.pages.browser(who)
        return self.browsers[who]

    async def csrf(self, who: str, *, as_guest: bool = False) -> str:
        """What this reader's own forms carry; the forms of public pages carry another."""
        browser = await self.of(who)
        page = await browser.get("/report" if as_guest or not who else "/profile")
        return dict(page.form("/report" if as_guest or not who else "/profile/language").fields)["csrf"]

    async def form(self, target: str) -> Form:
        """The form that its owner sends there, filled in; one that comes after a preview is taken from the preview."""
        sending, address = SENDINGS[target], self.scene.address(target)
        browser = await self.of(sending.who)
        page = await browser.get(self.scene.address(sending.page))
        assert page.status == 200, (target, page.status, page.text)
        found = _fitting(page, address, sending)
        if not found:
            first = _fitting(page, page.path, sending)
            assert first, (target, [form.action for form in page.forms()])
            page = await browser.send(_filled(first[0], sending, self.scene))
            found = _fitting(page, address, sending)
        assert found, (target, [form.action for form in page.forms()])
        return _filled(found[0], sending, self.scene)

    async def forms(self) -> dict[str, Form]:
        """Every form of the list, as its owner would send it; looked up once for a scene that stays as it is."""
        if not self.scene.forms:
            self.scene.forms |= {target: await self.form(target) for target in SENDINGS}
        return self.scene.forms

    async def send(self, who: str, form: Form, **headers: str) -> httpx.Response:
        """Send a form as it is, from a page of ours unless the headers say otherwise."""
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await (await self.of(who)).http.post(
            form.action,
            content=urlencode(form.fields),
            headers={**kind, "origin": OURS} | headers,
            follow_redirects=False,
        )


def _fitting(page: Seen, address: str, sending: Sending) -> list[Form]:
    """The forms of a page that go to an address; those with the button that is pressed, if any has it."""
    found = [form for form in page.forms() if form.action.partition("?")[0] == address.partition("?")[0]]
    return [form for form in found if sending.button in form.buttons] or found


def _filled(form: Form, sending: Sending, scene: Scene) -> Form:
    fields = [(name, value) for name, value in form.fields if name not in sending.typed]
    for name, value in sending.typed.items():
        fields += [(name, scene.address(str(one))) for one in (value if isinstance(value, list) else [value])]
    return Form(form.action, form.method, fields + ([sending.button] if sending.button[0] else []))


def with_csrf(form: Form, csrf: str | None) -> Form:
    """The form with another csrf, or without one."""
    own = [] if csrf is None else [("csrf", csrf)]
    return Form(form.action, form.method, [pair for pair in form.fields if pair[0] != "csrf"] + own)


@asynccontextmanager
async def gathered(scene: Scene) -> AsyncIterator[Crowd]:
    """Everybody before the pages of a scene."""
    made = Crowd(scene)
    elsewhere = await scene.pages.browser("officer")  # signed in twice, so that there is something to end
    yield made
    if hasattr(scene.pages.app.state, "audit_runs"):
        await scene.pages.app.state.audit_runs.settled()
    for browser in (elsewhere, *made.browsers.values()):
        await browser.http.aclose()
