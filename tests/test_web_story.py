"""The story of a finding speaks of people, files, papers and acts as their readers know them, never by ids."""

from __future__ import annotations

import pytest

from loop.store import evidence, papers
from tests.browsing import Pages, Seen, pages, sqlite_url

__all__ = ["pages", "sqlite_url"]

TITLES = {"zh": "督导意见书", "en": "opinion letter"}


def told(seen: Seen) -> str:
    return seen.root.all("ol", class_="story")[0].text()


def letter(pages: Pages, number: str) -> tuple[str, str]:
    """The id and the number of the opinion letter."""
    made = pages.world.parts.store.read(lambda tx: papers.of_finding(tx, number))
    return next((paper.id, paper.number) for paper, _ in made if paper.kind == "opinion_letter")


@pytest.mark.parametrize("language", TITLES)
async def test_the_story_names_people_papers_and_acts(pages: Pages, language: str) -> None:
    world = pages.world
    number = world.received()
    id_, written = letter(pages, number)
    world.act("chief", "publish", number, document=id_, public_text="督导意见。")
    world.act("school", "object", number, act="opinion", grounds=["认定有误"])
    story = told(await (await pages.browser("officer", language)).get(f"/findings/{number}"))
    assert f"{TITLES[language]} {written}" in story
    assert id_ not in story
    assert language == "en" or "opinion" not in story


async def test_the_story_names_reviewers_and_files_and_evidence_its_owner(pages: Pages) -> None:
    world = pages.world
    number = world.executing()
    world.passed(world.reported(number))
    seen = await (await pages.browser("officer")).get(f"/findings/{number}")
    assert "inspector2·某" in told(seen)
    assert "evidence.pdf" in told(seen)
    files = [node.text() for node in seen.root.all("ul", class_="files")]
    assert any("evidence.pdf" in text and "school·某" in text for text in files)
    (file,) = pages.world.parts.store.read(lambda tx: evidence.ids(tx, number))
    assert file not in told(seen)
