"""A browser without a screen: it keeps cookies, reads pages, fills in the forms that it finds there and sends them."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from loop.web.install import install
from tests.web import PASSWORD, Site
from tests.world import World, settings_for

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(slots=True)
class Form:
    """A form as it stands on the page: where it goes and what it would send; of its buttons none was pressed yet."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Node:
    """An element with its attributes and what is in it."""

    tag: str
    attrs: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    def text(self) -> str:
        """The words within, as somebody reads them."""
        if self.tag in ("script", "style", "head"):
            return ""
        return re.sub(r"\s+", " ", "".join(c if isinstance(c, str) else c.text() + " " for c in self.children))

    def all(self, tag: str, **attrs: str) -> list[Node]:
        """Every element within of this kind whose attributes are these; `class_` asks for one class among several."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
                if child.tag == tag and all(
                    value in child.attrs.get(n, "").split() if n == "class" else child.attrs.get(n) == value
                    for n, value in wanted.items()
                ):
                    found.append(child)
                found += child.all(tag, **attrs)
        return found


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        places = [place for place, node in enumerate(self._open) if node.tag == tag]
        if places and places[-1]:
            del self._open[places[-1] :]

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


class Seen:
    """A page as it came: its answer, its tree, its words."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.path = answer.request.url.raw_path.decode()
        tree = _Tree()
        tree.feed(answer.text)
        self.root = tree.root

    @property
    def text(self) -> str:
        """Its words."""
        return self.root.text()

    @property
    def heading(self) -> str:
        """The words of its first heading."""
        return self.root.all("h1")[0].text().strip()

    def links(self) -> dict[str, str]:
        """Where its links lead, by their words."""
        return {node.text().strip(): node.attrs.get("href", "") for node in self.root.all("a")}

    def forms(self) -> list[Form]:
        """Its forms, with the fields that name a form from outside it."""
        return [_form(node, self.root, self.path) for node in self.root.all("form")]

    def form(self, action: str) -> Form:
        """The form that goes there; the first one of several."""
        found = [one for one in self.forms() if one.action == action]
        assert found, (action, [one.action for one in self.forms()], self.status, self.text[:500])
        return found[0]


def _form(node: Node, root: Node, path: str) -> Form:
    form = Form(node.attrs.get("action") or path, node.attrs.get("method", "get").lower())
    outside = [
        n for tag in ("input", "select", "textarea", "button") for n in root.all(tag, form=node.attrs.get("id", "?"))
    ]
    for one in [n for tag in ("input", "select", "textarea", "button") for n in node.all(tag)] + outside:
        name = one.attrs.get("name", "")
        if one.attrs.get("form") not in (None, node.attrs.get("id")) or "disabled" in one.attrs:
            continue
        kind = one.attrs.get("type", "")
        if one.tag == "button" or kind in ("submit", "button"):
            form.buttons.append((name, one.attrs.get("value", "")))
        elif name:
            form.names.append(name)
            if one.tag == "select":
                options = one.all("option")
                chosen = [o for o in options if "selected" in o.attrs] or (
                    [] if "multiple" in one.attrs else options[:1]
                )
                form.fields += [(name, o.attrs.get("value", o.text())) for o in chosen]
            elif one.tag == "textarea":
                form.fields.append((name, "".join(c for c in one.children if isinstance(c, str)).removeprefix("\n")))
            elif kind not in ("checkbox", "radio") or "checked" in one.attrs:
                form.fields.append((name, one.attrs.get("value", "on" if kind == "checkbox" else "")))
    return form


class Browser:
    """One person's browser; follows redirects as browsers do."""

    def __init__(self, site: Site, language: str = "zh") -> None:
        self.site = site
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=site.app), base_url="http://loop.test", follow_redirects=True
        )
        if language != "zh":
            self.http.cookies.set("loop_language", language, domain="loop.test")

    async def get(self, path: str, **more: Any) -> Seen:
        """Open an address."""
        return Seen(await self.http.get(path, **more))

    async def send(self, form: Form, button: str | None = None, value: str = "", /, **given: Any) -> Seen:
        """Send a form of a page, with these fields filled in; a list fills in every field of that name, None leaves one out."""
        pairs = [(name, text) for name, text in form.fields if name not in given]
        for name, values in given.items():
            pairs += [(name, str(one)) for one in (values if isinstance(values, list) else [values]) if one is not None]
        if button:
            pairs.append((button, value))
        if form.method == "get":
            return await self.get(form.action.partition("?")[0], params=pairs)
        body = urlencode(pairs)
        return Seen(
            await self.http.post(
                form.action,
                content=body,
                headers={"content-type": "application/x-www-form-urlencoded", "origin": "http://loop.test"},
            )
        )

    async def sign_in(self, name: str, password: str = PASSWORD) -> Seen:
        """By the page for it."""
        page = await self.get("/sign-in")
        return await self.send(page.form("/sign-in"), name=name, password=password)


class Pages(Site):
    """A site with its pages, everybody with a password."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        install(self.app, self.service)
        world.parts.store.write(self.give_passwords)
        self.browsers: list[Browser] = []

    async def browser(self, name: str = "", language: str = "zh") -> Browser:
        """A new browser, signed in as `name` if one is given."""
        made = Browser(self, language)
        self.browsers.append(made)
        if name:
            seen = await made.sign_in(name)
            assert seen.path.startswith("/?done=signed-in"), (seen.path, seen.text)
        return made

    async def close(self) -> None:
        """Close every browser."""
        for one in self.browsers:
            await one.http.aclose()
        await self.http.aclose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh migrated SQLite database: enough for what has no statement of its own."""
    shutil.copy(sqlite_template, tmp_path / "loop.db")
    return f"sqlite:///{tmp_path / 'loop.db'}"


@pytest.fixture
async def pages(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """The pages over the world. That each of them answers on PostgreSQL as well is the matrix's to say."""
    async with opened(sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
async def pages_on_both(database_url: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """The pages over the world, on SQLite and on PostgreSQL."""
    async with opened(database_url, tmp_path) as made:
        yield made


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Pages]:
    """The pages over a world on this database."""
    made = Pages(World(settings_for(url, folder)))
    yield made
    await made.close()
    made.world.parts.close()
