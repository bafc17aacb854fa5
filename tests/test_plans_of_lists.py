"""How the databases carry out what the pages of the ledger, of batches and of supervisions ask: nothing walks through a big
table, and what a page asks does not depend on how much there is.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from loop.store import saved_views
from tests.browsing import Pages
from tests.browsing import pages_on_both as pages
from tests.test_plans_of_telling import _plans

__all__ = ["pages"]
BIG = "finding|event|timer|message|part|person|post|unit|saved_view|search_gram|document"
WALKS = {
    "sqlite": re.compile(rf"SCAN (?:{BIG})\b"),
    "postgresql": re.compile(rf"Seq Scan on (?:{BIG})\b"),
}
FILTERS = (
    "", "q=消防", "q=防", "light=red&light=yellow", "stage=rectification&sort=-opened_at", "state=review.desk", "unit=school",
    "region=930106", "office=YX", "mine=true", "overdue=true&open=true", "severity=major&category=funding",
    "due_before=2026-04-01&opened_after=2026-01-01", "level_min=2&sort=-level",
)  # fmt: skip


@pytest.mark.parametrize("name", ["officer", "city_chief", "bureau", "school"])
async def test_the_ledger_and_what_follows_it_walk_through_no_big_table(pages: Pages, name: str) -> None:
    world = pages.world
    campaign = world.cast.supervisions["special"]
    numbers = [world.executing(), world.received(severity="major"), world.opened(supervision=campaign)]
    world.parts.store.write(
        lambda tx: saved_views.keep(tx, world.cast.ids["officer"], "我的", "mine=true")
    )  # fmt: skip
    browser = await pages.browser(name)
    said: dict[str, list[Any]] = {}
    world.parts.store.trace = lambda text, values: said.update({text: list(values)})
    chosen = "&".join(f"finding={number}" for number in numbers)
    for query in (*FILTERS, f"supervision={campaign}"):
        assert (await browser.get(f"/findings?{query}")).status == 200, query
    await browser.get(f"/findings/bulk?{chosen}")
    await browser.get(f"/findings/bulk/comment?{chosen}")
    for path in ("/supervisions", f"/supervisions/{campaign}", "/supervisions/new", f"/supervisions/{campaign}/edit"):
        await browser.get(path)
    world.parts.store.trace = None
    asked = {text: values for text, values in said.items() if text.lstrip().startswith(("SELECT", "WITH"))}
    assert any("saved_view" in text for text in asked)
    found = world.parts.store.read(lambda tx: _plans(tx, asked))
    assert [(line, text) for line, text in found if WALKS[world.parts.store.dialect].search(line)] == []
