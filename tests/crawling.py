"""Somebody who follows every link and presses every button of the pages that they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urldefrag, urlencode, urljoin, urlsplit

from tests.browsing import Browser, Form, Node, Seen
from tests.page_list import route_at

ELSEWHERE = ("/language/", "/sign-out")
"""What would change how everything after it is seen."""
LINKS = (("a", "href"), ("link", "href"), ("script", "src"), ("img", "src"))
ASKS = ("hx-get", "hx-post", "formaction", "data-href")
ALIKE = 3
"""So many pages of one kind, or under questions of one kind, are opened, and so many forms of one kind pressed."""
EACH = ("/findings/{number}", "/admin/people/{who}")
"""Pages of which each is opened."""


@dataclass(slots=True)
class Crawler:
    """A browser that goes on from page to page; of a page under several questions the first alone leads on."""

    browser: Browser
    kinds: Counter[tuple[str, ...]] = field(default_factory=Counter)
    answers: dict[str, int] = field(default_factory=dict)
    """What each address answered."""
    found_on: dict[str, str] = field(default_factory=dict)
    """On which page each address was found first."""
    forms: dict[tuple[str, str], str] = field(default_factory=dict)
    """Where each kind of form, as (route, action), was found."""

    async def from_(self, *addresses: str) -> None:
        """Everything that can be reached from here."""
        waiting, opened = list(addresses), set[str]()
        while waiting:
            address = waiting.pop(0)
            if address in self.answers or not self._is_new(address):
                continue
            seen = await self.browser.get(address)
            self.answers[address] = seen.status
            path = seen.path.partition("?")[0]
            if path in opened or not seen.answer.headers.get("content-type", "").startswith("text/html"):
                continue
            opened.add(path)
            for form in seen.forms():
                if form.method == "post" and not form.action.startswith(ELSEWHERE):
                    self.forms.setdefault((route_at("POST", form.action), form.action), address)
            for link in links_of(seen):
                self.found_on.setdefault(link, address)
                waiting.append(link)

    def _is_new(self, address: str) -> bool:
        """Whether not enough of this kind was opened yet; counts it."""
        parts = urlsplit(address)
        route = route_at("GET", address)
        # An action has a form of its own, whatever the finding.
        named = parts.path.rpartition("/")[2] if route.endswith("{action}") else ""
        kind = (route or parts.path, named, *sorted(name for name, _ in parse_qsl(parts.query)))
        self.kinds[kind] += 1
        return route in EACH or self.kinds[kind] <= ALIKE

    def dead(self) -> dict[str, tuple[int, str]]:
        """Links that lead nowhere: what they answered and where they stand."""
        return {
            address: (status, self.found_on.get(address, ""))
            for address, status in self.answers.items()
            if status != 200
        }

    async def press_all(self) -> dict[str, tuple[int, str]]:
        """Send the forms as they stand, each from its page as it is then; answers what each that is still there gave."""
        pressed: dict[str, tuple[int, str]] = {}
        kinds: Counter[str] = Counter()
        for (kind, action), address in self.forms.items():
            if kinds[kind] >= ALIKE:
                continue
            page = await self.browser.get(address)
            form = next((one for one in page.forms() if one.action == action and one.method == "post"), None)
            if form is None:
                continue
            kinds[kind] += 1
            button = next((one for one in form.buttons if one[0]), ("", ""))
            pressed[action] = ((await self.browser.send(form, *button)).status, address)
        return pressed


def links_of(seen: Seen) -> Iterator[str]:
    """Where a page leads, by links and by forms that ask."""
    base = seen.path
    for tag, name in LINKS:
        for node in seen.root.all(tag):
            yield from _ours(base, node.attrs.get(name, ""))
    for node in _every(seen.root):
        for name in ASKS:
            yield from _ours(base, node.attrs.get(name, ""))
    for form in seen.forms():
        if form.method == "get":
            yield from _asked(form)


def _asked(form: Form) -> Iterator[str]:
    query = urlencode([pair for pair in form.fields if pair[1]])
    yield from _ours(form.action, f"?{query}" if query else form.action)


def _every(node: Node) -> Iterator[Node]:
    for child in node.children:
        if isinstance(child, Node):
            yield child
            yield from _every(child)


def _ours(base: str, link: str) -> Iterator[str]:
    address = urldefrag(urljoin(base, link)).url
    if link and not link.startswith("#") and address.startswith("/") and not address.startswith(ELSEWHERE):
        yield address
