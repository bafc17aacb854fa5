"""The demonstration: every state, level and look-back is inhabited, nothing is refused, the same seed plays the same."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from loop import bootstrap
from loop.bootstrap import Parts
from loop.demo.country import HOME, Builder, Country, cast
from loop.demo.samples import Sample, samples
from loop.demo.stage import folder, last_day
from loop.demo.story import MovableClock, Story
from loop.engine.verify import verify
from loop.kernel.errors import Conflict
from loop.store import evidence
from loop.store.core import table_of
from loop.store.instants import text_of
from loop.store.registry import OfficeRow
from loop.store.schema import migrate
from loop.store.tables import EventRow, FindingRow, TimerRow
from tests.world import settings_for

TODAY = date(2026, 11, 20)
FINDING, EVENT, TIMER, OFFICE = (table_of(row) for row in (FindingRow, EventRow, TimerRow, OfficeRow))
FILE = re.compile(r'"(f\d{3}-\d\d)"')


@contextmanager
def played(place: Path, chosen: tuple[Sample, ...]) -> Iterator[tuple[Parts, Country, Story]]:
    url = f"sqlite:///{place / 'loop.db'}"
    migrate(url)
    clock = MovableClock(datetime(2025, 5, 1, tzinfo=UTC))
    parts = bootstrap.build(settings_for(url, place), now=clock, durable=False)
    try:
        country = parts.store.write(lambda tx: Builder(tx, clock.now, TODAY, "").build(chosen))
        story = Story(parts, country, clock, seed=7)
        story.play(chosen, TODAY, lambda done, total: None)
        yield parts, country, story
    finally:
        parts.close()


def rows(parts: Parts, *columns: Any) -> list[tuple[Any, ...]]:
    return parts.store.read(lambda tx: tx.select(select(*columns)))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parts, Country, Story]]:
    with played(tmp_path_factory.mktemp("demo"), samples()) as made:
        yield made


def test_every_sample_is_played_and_nothing_is_refused(demo: tuple[Parts, Country, Story]) -> None:
    parts, _, story = demo
    assert story.refused == []
    assert len(rows(parts, FINDING.c.number)) == 284


def test_every_state_level_and_dispute_has_inhabitants(demo: tuple[Parts, Country, Story]) -> None:
    parts, _, _ = demo
    found = rows(parts, FINDING.c.state, FINDING.c.level, FINDING.c.dispute, FINDING.c.relapse_count)
    states = Counter(state for state, *_ in found)
    assert states.keys() == parts.engine.book.workflow.states.keys()
    assert {level for _, level, *_ in found} == {0, 1, 2, 3, 4, 5, 6}
    assert {dispute for _, _, dispute, _ in found} >= {"none", "filed", "appealed"}
    assert any(relapses for *_, relapses in found)


def test_the_evidence_of_the_demonstration_holds(demo: tuple[Parts, Country, Story]) -> None:
    parts, _, _ = demo
    assert verify(parts.store, parts.evidence).fault is None


def test_what_the_record_names_as_evidence_is_attached(demo: tuple[Parts, Country, Story]) -> None:
    parts, _, _ = demo
    named = [
        (chain, id_)
        for chain, payload in rows(parts, EVENT.c.chain, EVENT.c.payload)
        for id_ in FILE.findall(str(payload))
    ]
    chains = {chain for chain, _ in named}
    held = parts.store.read(lambda tx: {chain: evidence.ids(tx, chain) for chain in chains})
    assert len(named) > 200
    assert [(chain, id_) for chain, id_ in named if id_ not in held[chain]] == []


def test_offices_are_orderly_publish_nearly_every_letter_and_leave_two_or_three_overdue(
    demo: tuple[Parts, Country, Story],
) -> None:
    parts, _, _ = demo
    now = parts.store.read(parts.engine.clock.now)
    running = parts.store.read(lambda tx: tx.select(
        select(TIMER.c.due_at, OFFICE.c.region).join_from(TIMER, OFFICE, OFFICE.c.id == TIMER.c.office_id)
        .where(TIMER.c.rule == "publish_due", TIMER.c.stopped_at.is_(None))
    ))  # fmt: skip
    late = [region for due, region in running if due < text_of(now)]
    assert 2 <= late.count(HOME) <= 3
    published = [action for (action,) in rows(parts, EVENT.c.action) if action == "publish"]
    assert len(published) > 5 * len(late)


def test_the_samples_say_in_chinese_where_they_come_from(demo: tuple[Parts, Country, Story]) -> None:
    parts, _, _ = demo
    sources = {str(json.loads(sheet)["source"]) for (sheet,) in rows(parts, FINDING.c.sheet)}
    assert sources == {"督导检查"}


def test_the_cast_shown_has_every_role_first_at_home(demo: tuple[Parts, Country, Story]) -> None:
    _, country, _ = demo
    shown = list(cast(country))
    first = {player.role: player for player in reversed(shown)}
    roles = {"inspector", "officer", "chief", "director", "leader", "unit", "department", "auditor", "admin"}
    assert first.keys() == roles
    assert all(first[role].region == HOME for role in ("inspector", "officer", "chief", "director", "leader"))
    assert first["unit"].name == "school"


def test_the_same_seed_and_day_play_the_same(tmp_path: Path) -> None:
    histories = []
    for name in ("once", "again"):
        place = tmp_path / name
        place.mkdir()
        with played(place, samples()[:45]) as (parts, _, _):
            told = rows(parts, EVENT.c.chain, EVENT.c.seq, EVENT.c.action, EVENT.c.at, EVENT.c.actor_name)
            histories.append(sorted(row for row in told if row[0] != "people" and ":" not in row[0]))
    assert histories[0] == histories[1]


def test_a_folder_that_holds_a_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "loop.db").write_bytes(b"somebody's")
    with pytest.raises(Conflict, match="exists already"), folder(tmp_path):
        pass


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-26T00:30:00+08:00", "2026-11-25"),
        ("2026-11-26T09:00:00+08:00", "2026-11-25"),
        ("2026-11-26T12:00:00+08:00", "2026-11-26"),
        ("2026-11-25T23:30:00+00:00", "2026-11-25"),
    ],
)
def test_no_step_of_the_demonstration_lies_in_the_future(now: str, day: str) -> None:
    assert last_day(datetime.fromisoformat(now)).isoformat() == day
