"""Every action that a person may take is taken by its form in a browser without scripts, and records just what was typed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from loop.kernel.payloads import Payload, hints_of
from loop.store import places
from tests.browsing import Browser, Form, Pages, Seen, pages, sqlite_url
from tests.each_action import CREATING, STORIES, Step, steps
from tests.payloads import Writer

__all__ = ["pages", "sqlite_url"]

PATHS = {"open": "/findings/new", "take_over": "/findings/take-over"}
MOST_ROWS = 6
PDF = ("evidence.pdf", b"%PDF-1.7\nevidence", "application/pdf")


def typed(value: Any, name: str) -> dict[str, Any]:
    """A payload as somebody types it, by the names of the form's fields."""
    if isinstance(value, dict):
        inner = (typed(part, f"{name}.{key}" if name else key) for key, part in value.items())
        return {key: text for one in inner for key, text in one.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {k: t for place, one in enumerate(value) for k, t in typed(one, f"{name}.{place}").items()}
    if isinstance(value, bool):
        return {name: "yes" if value else None}
    if isinstance(value, datetime):
        return {name: value.strftime("%Y-%m-%dT%H:%M")}
    return {name: value}


class Clerk:
    """Somebody's browser, in which forms are filled in."""

    def __init__(self, browser: Browser, world: Any) -> None:
        self.browser, self.world = browser, world
        self.left_out: list[str] = []
        """Files that the form did not offer, because this person may not see them."""

    async def fill(self, path: str, model: type[Payload], payload: dict[str, Any]) -> Seen:
        """Open a form, add rows until it has a place for everything, type, and send it."""
        read = model.model_validate(payload)
        page = await self.browser.get(path)
        assert page.status == 200, page.text
        form = page.form(path)
        wanted = self.words(model, json.loads(read.model_dump_json(by_alias=True, exclude_unset=True)), form)
        for _ in range(MOST_ROWS):
            missing = sorted(name for name in wanted if "." in name and name not in form.names)
            if not missing:
                break
            rows = missing[0].partition(".")[0]
            assert ("_more", rows) in form.buttons, (missing, form.names)
            page = await self.browser.send(form, "_more", rows, **{n: t for n, t in wanted.items() if n in form.names})
            form = page.form(path)
        # Files that this person may not see are not offered; rows that the form proposes beyond the payload's are emptied.
        self.left_out = sorted(name for name in wanted if name in self.boxes and name not in form.names)
        wanted = {name: text for name, text in wanted.items() if name not in self.left_out}
        assert not set(wanted) - set(form.names), (path, wanted, form.names)
        lists = {name.partition(".")[0] for name in wanted if "." in name}
        spare = [name for name in form.names if name.partition(".")[0] in lists and name not in wanted]
        return await self.browser.send(form, **dict.fromkeys(spare, ""), **wanted)

    def words(self, model: type[Payload], values: dict[str, Any], form: Form) -> dict[str, Any]:
        """What is typed into the fields of this form."""
        # What the form proposes and this payload leaves out is emptied.
        usual = {name for name, info in model.model_fields.items() if hints_of(info).get("usually")}
        found: dict[str, Any] = dict.fromkeys(usual - set(values), "")
        for name, text in typed(values, "").items():
            info = model.model_fields.get(name)
            if info and hints_of(info).get("choose") == "unit":
                found[name] = self.unit(str(text))
            elif text == [] or (text is None and name not in form.names):
                continue
            elif isinstance(text, list) and f"{name}.0.text" not in form.names and not self.chosen(form, name):
                found[name] = "\n".join(text)
            elif (isinstance(text, str) and len(text) > 16 and text[10:11] == "T" and "+" in text[16:]) or str(
                text
            ).endswith("Z"):
                found[name] = self.local(str(text))
            else:
                found[name] = text
        return found

    def chosen(self, form: Form, name: str) -> bool:
        return form.names.count(name) > 1 or name in self.boxes

    boxes = frozenset({
        "reviewers", "signed_by", "members", "attachments", "evidence", "proof", "circumstances", "intended_forms",
        "aggravating", "mitigating",
    })  # fmt: skip

    def local(self, text: str) -> str:
        zone = self.world.engine.book.calendar.zone
        return datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%dT%H:%M")

    def unit(self, id_: str) -> str:
        return str(self.world.parts.store.read(lambda tx: places.unit(tx, id_).name))


class Teller:
    """Tells one story by pages."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.world, self.number = pages, pages.world, ""
        self.writer = Writer(pages.world, lambda values: values[0])
        self.clerks: dict[str, Clerk] = {}

    async def clerk(self, who: str) -> Clerk:
        if who not in self.clerks:
            self.clerks[who] = Clerk(await self.pages.browser(who), self.world)
        return self.clerks[who]

    async def tell(self, step: Step) -> None:
        if step.who == "given":
            self.number = getattr(self.world, step.what)(**step.fields)
        elif step.who == "wait":
            self.world.sleep(int(step.what))
        elif step.what == "attach":
            await self.attach(step)
        else:
            await self.take(step)

    async def attach(self, step: Step) -> None:
        clerk = await self.clerk(step.who)
        path = f"/findings/{self.number}/actions/attach"
        form = (await clerk.browser.get(path)).form(path)
        fields = {name: text for name, text in form.fields if not name.startswith("_files:")}
        answer = await clerk.browser.http.post(
            path, data=fields, files={"_files:": PDF}, headers={"origin": "http://loop.test"}
        )
        assert answer.status_code == 200, answer.text
        assert self.world.actions(self.number)[-1] == "attach"
        assert "evidence.pdf" in Seen(answer).text

    async def take(self, step: Step) -> None:
        clerk = await self.clerk(step.who)
        model = self.world.engine.book.workflow.actions[step.what].payload
        if step.what in CREATING:
            made = self.writer.new() if step.what == "open" else self.writer.taken_over()
            path, payload = PATHS[step.what], {**made, **step.fields}
        else:
            written = self.writer.write(step.what, self.world.finding(self.number))
            path, payload = f"/findings/{self.number}/actions/{step.what}", {**written, **step.fields}
        seen = await clerk.fill(path, model, payload)
        assert seen.status == 200, (step, seen.status, seen.text)
        self.number = seen.path.partition("?")[0].rpartition("/")[2]
        assert seen.path == f"/findings/{self.number}?done=acted.{step.what}", (step, seen.path, seen.text)
        event = self.world.trail(self.number)[-1]
        assert event.action == step.what
        recorded, wanted = plain(model.model_validate_json(event.payload)), plain(model.model_validate(payload))
        if step.what == "amend":
            # What was typed and is recorded already is no change.
            wanted = {name: value if recorded[name] is not None else None for name, value in wanted.items()}
            assert recorded["title"] == payload["title"]
        wanted |= {name: [] for name in clerk.left_out}
        assert recorded == wanted, step


def plain(payload: Payload) -> Any:
    """A payload whose instants are told to the minute, as a browser's field for them does."""
    return json.loads(payload.model_dump_json(by_alias=True), object_hook=_minutes)


def _minutes(found: dict[str, Any]) -> dict[str, Any]:
    return {name: _minute(value) for name, value in found.items()}


def _minute(value: Any) -> Any:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return value
    return int(at.timestamp() // 60) if at else value


@pytest.mark.parametrize("story", STORIES)
async def test_every_step_of_a_story_is_taken_by_its_form(pages: Pages, story: str) -> None:
    teller = Teller(pages)
    for step in steps(story):
        await teller.tell(step)
