"""Verification finds any single edit made behind the engine's back, and names the row."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url
from sqlmodel import SQLModel

from loop.engine.verify import Fault, Report, verify
from loop.kernel.calendar import Day
from loop.store import arrangements, offices, places, staff, tip_offs
from loop.store.accounts import set_password
from loop.store.journal import hash_of
from loop.store.session import Tx
from tests.cast import COUNTRY, COUNTY, ROOT
from tests.world import World, settings_for, world

__all__ = ["world"]

KEYS = {
    "event": ("chain", "seq"), "finding": ("number",), "timer": ("id",), "part": ("chain", "person_id", "part", "seq"),
    "document": ("id",), "document_link": ("document_id", "chain"), "file": ("sha256",), "attachment": ("id",),
    "message": ("key",), "serial": ("office_id", "series", "year"), "region": ("code",), "office": ("id",),
    "unit": ("id",), "person": ("id",), "post": ("id",), "substitute": ("id",), "recusal": ("person_id", "unit_id"),
    "calendar_day": ("day",), "supervision": ("id",), "team": ("supervision_id", "person_id"), "tip_off": ("id",),
}  # fmt: skip
FREE = {
    "message": {
        "id",
        "not_before",
        "attempts",
        "repeat_at",
        "repeats",
        "sent_at",
        "delivered_at",
        "read_at",
        "signed_at",
        "dead",
        "error",
    },
    "person": {"password"},
    "tip_off": {"receipt_digest", "sealed"},
}
"""How far a message got, and what lets people in or must not be known: no event speaks of it."""
CHOSEN = {
    "event": "finding_id IS NOT NULL ORDER BY chain, seq DESC",
    "timer": "stopped_at IS NULL AND error = '' ORDER BY id",
    "document": "serial IS NOT NULL ORDER BY id",
    "person": "name = 'inspector2'",
}
"""Which row is edited, where it matters."""


# ---- a story that leaves something in every table ------------------------------------------------------------------


def play(world: World) -> None:
    """Findings of every sort: served, disputed, batched, suspended, written off and held back by a guard."""
    world.parts.store.write(lambda tx: _registry(tx, world))
    numbers = [world.opened(), world.opened()]
    world.attach("inspector", numbers[0])
    world.attach("inspector2", numbers[0], b"%PDF-1.7 more of it")
    for number in numbers:
        world.act("inspector", "submit_report", number)
        world.act("chief", "approve_report", number, fed_back_on=world.day())
    world.act("school", "defend", numbers[0], grounds=["已经整改"])
    world.act(
        "officer", "weigh_defence", numbers[0], outcome="rejected", reasons=[{"ground_no": 1, "text": "未见整改"}]
    )
    world.sleep(12)
    world.act_all("chief", "serve_opinion", numbers, {"evaluation": "存在隐患", "demands": ["清理楼道"]})
    world.sleep(8)
    world.act("school", "object", numbers[0], act="opinion", grounds=["认定有误"])
    world.act("leader", "instruct", numbers[1], text="限期整改")
    world.sleep(40)
    world.act("chief", "suspend", numbers[1], reason="暑假", until=world.day(30))
    _held_back(world)
    world.parts.store.write(lambda tx: _beside(tx, world))
    world.sleep(60)


def _registry(tx: Tx, world: World) -> None:
    chief = world.cast.ids["chief"]
    staff.set_substitutes(tx, ROOT, chief, (("officer", date(2026, 7, 1), date(2026, 7, 2)),))
    staff.set_substitutes(tx, ROOT, chief, (("officer", date(2026, 8, 1), date(2026, 8, 9)),))
    staff.recuse(tx, ROOT, person_id=chief, unit_id="other_school", ground="亲属任职")
    staff.end_post(tx, ROOT, staff.posts_of(tx, chief)[0].id, date(2027, 12, 31))
    staff.change_person(tx, ROOT, chief, {"full_name": "改名"})
    set_password(tx, ROOT, chief, "another hash")
    places.change_unit(tx, ROOT, "other_school", {"name": "云溪县实验中学"})
    offices.add_office(tx, ROOT, code="ZG", region=COUNTRY, name="国督办", doc_prefix="国教督")
    city = offices.find_office(tx, "QH")
    assert city
    offices.change_office(tx, ROOT, city.id, {"active": False})
    arrangements.load(tx, ROOT, [Day(date(2027, 2, 20), "makeup", "春节", "国办通知")])


def _beside(tx: Tx, world: World) -> None:
    chain, office = f"supervision:{world.cast.supervisions['special']}", world.cast.office_id
    world.engine.side.start(tx, chain, "supervision_report", office, count_from=world.today, now=world.clock)
    told, _ = tip_offs.receive(tx, ROOT, matter="食堂卫生差", region=COUNTY)
    tip_offs.answer(tx, ROOT, told.id, status="answered", result="已处理")


def _held_back(world: World) -> None:
    """A finding whose archiving waits for the answer to an instruction."""
    made = world.act(
        "officer", "take_over", title="旧账", unit="other_school", category="governance", source="在办台账",
        written_off_on=world.day(-200),
    )  # fmt: skip
    number = made.finding.number
    world.sleep(1)
    world.act("inspector", "confirm_held", number, verdict="保持良好")
    world.act("leader", "instruct", number, text="请说明", reply_due=world.day(300))
    world.sleep(30)


@pytest.fixture(scope="module")
def played(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The story on SQLite."""
    folder = tmp_path_factory.mktemp("played")
    shutil.copy(sqlite_template, folder / "loop.db")
    made = World(settings_for(f"sqlite:///{folder / 'loop.db'}", folder))
    play(made)
    yield made
    made.parts.close()


# ---- direct edits ----------------------------------------------------------------------------------------------------


class Direct:
    """The database behind the engine's back, its triggers dropped."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self.mark = "?" if address.get_backend_name() == "sqlite" else "%s"
        self.raw: Any
        if self.mark == "?":
            self.raw = sqlite3.connect(str(address.database), isolation_level=None)
            for change in ("update", "delete"):
                self.run(f"DROP TRIGGER IF EXISTS event_no_{change}")
        else:
            plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
            self.raw = psycopg.connect(plain, autocommit=True)
            self.run("DROP TRIGGER IF EXISTS event_append_only ON event")

    def run(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self.raw.execute(text.replace("?", self.mark), values)
        return list(cursor.fetchall()) if cursor.description else []

    def row(self, table: str, where: str = "") -> dict[str, Any]:
        """One row of a table."""
        cursor = self.raw.execute(f"SELECT * FROM {table} WHERE {where or CHOSEN.get(table, '1 = 1')} LIMIT 1")
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))

    def columns(self, table: str) -> list[str]:
        return list(self.row(table))

    def put(self, table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("?" for _ in row)
        self.run(f"INSERT INTO {table} ({', '.join(map(quoted, row))}) VALUES ({marks})", *row.values())

    def drop(self, table: str, row: dict[str, Any]) -> None:
        self.run(f"DELETE FROM {table} WHERE {_at(table)}", *_key(table, row))

    def close(self) -> None:
        self.raw.close()


def quoted(name: str) -> str:
    return f'"{name}"'


def _key(table: str, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in KEYS[table])


def _at(table: str) -> str:
    return " AND ".join(f"{quoted(name)} = ?" for name in KEYS[table])


def _text(table: str, row: dict[str, Any]) -> str:
    return "/".join(map(str, _key(table, row)))


def other(value: Any) -> Any:
    """Another value that the column takes as well."""
    if isinstance(value, int):
        return value + 1_000
    return f"{value}x" if value else "x"


@contextmanager
def edited(direct: Direct, table: str, column: str, row: dict[str, Any], value: Any) -> Iterator[dict[str, Any]]:
    """One column of one row changed, and changed back."""
    changed = {**row, column: value}
    direct.run(f"UPDATE {table} SET {quoted(column)} = ? WHERE {_at(table)}", value, *_key(table, row))
    try:
        yield changed
    finally:
        direct.run(f"UPDATE {table} SET {quoted(column)} = ? WHERE {_at(table)}", row[column], *_key(table, changed))


@pytest.fixture(scope="module")
def direct(played: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    behind = Direct(played.parts.settings.database.url)
    yield behind
    behind.close()


def content(world: World) -> Report:
    report = verify(world.parts.store, world.parts.evidence)
    assert report.fault is None, str(report.fault)
    return report


def fault(world: World) -> Fault:
    found = verify(world.parts.store, world.parts.evidence).fault
    assert found is not None, "verification is content"
    return found


COLUMNS = [
    (table, column.name)
    for table in KEYS
    for column in SQLModel.metadata.tables[table].columns
    if column.name not in FREE.get(table, ())
]


# ---- what is promised ------------------------------------------------------------------------------------------------


def test_a_database_written_by_the_engine_is_content(played: World) -> None:
    report = content(played)
    empty = [table for table in KEYS if not report.checked.get(table)]
    assert empty == ["team"]  # counted with its supervision


def test_a_timer_that_a_guard_holds_back_is_no_fault(played: World, direct: Direct) -> None:
    held = direct.row("timer", "error <> ''")
    assert held["error"].startswith("blocked: nothing_unanswered")
    content(played)
    for column, value in (("error", ""), ("next_at", "2026-01-01T00:00:00.000000Z"), ("due_at", held["next_at"])):
        with edited(direct, "timer", column, held, value):
            assert (fault(played).table, fault(played).key) == ("timer", held["id"])


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_an_edit_of_any_column_is_found_and_named(played: World, direct: Direct, table: str, column: str) -> None:
    row = direct.row(table)
    with edited(direct, table, column, row, other(row[column])) as changed:
        found = fault(played)
    assert found.table == table, found
    assert found.key in (_text(table, row), _text(table, changed)), found
    content(played)


@pytest.mark.parametrize("table", KEYS)
def test_a_deleted_row_is_found_and_named(played: World, direct: Direct, table: str) -> None:
    row = direct.row(table)
    direct.drop(table, row)
    found = fault(played)
    direct.put(table, row)
    assert (found.table, found.key) == (table, _text(table, row))
    content(played)


@pytest.mark.parametrize(
    "where", ["chain = 'people' ORDER BY seq", "chain = 'people' ORDER BY seq DESC", "seq = 3", "seq = 1"]
)
def test_an_event_missing_anywhere_in_a_chain_is_named(played: World, direct: Direct, where: str) -> None:
    row = direct.row("event", where)
    direct.drop("event", row)
    found = fault(played)
    direct.put("event", row)
    assert (found.table, found.key) == ("event", _text("event", row))
    content(played)


@pytest.mark.parametrize("table", KEYS)
def test_an_inserted_row_is_found_and_named(played: World, direct: Direct, table: str) -> None:
    row = another(direct, table)
    direct.put(table, row)
    found = fault(played)
    direct.drop(table, row)
    assert (found.table, found.key) == (table, _text(table, row))
    content(played)


def another(direct: Direct, table: str) -> dict[str, Any]:
    """A new row like one that is there, with another key."""
    row = direct.row(table)
    keys = KEYS[table]
    last = {"event": "seq", "part": "part", "serial": "year", "document_link": "chain"}.get(table, keys[-1])
    row[last] = other(row[last])
    unique: dict[str, dict[str, Any]] = {
        "event": {"timer_id": None}, "finding": {"id": 10_000}, "document": {"serial": 10_000}, "message": {"id": 10_000},
        "office": {"code": "other", "region": "930106001"}, "person": {"name": "stranger"}, "tip_off": {"receipt_digest": "x"},
    }  # fmt: skip
    return row | unique.get(table, {})


def test_a_well_made_event_behind_the_last_is_named(played: World, direct: Direct) -> None:
    last = direct.row("event", "chain = 'people' ORDER BY seq DESC")
    forged = {**last, "seq": last["seq"] + 1, "effects": "{}"}
    forged["hash"] = hash_of(forged, last["hash"])
    direct.put("event", forged)
    found = fault(played)
    direct.drop("event", forged)
    assert (found.table, found.key) == ("event", _text("event", forged))


@pytest.mark.parametrize(
    "damage",
    [lambda p: p.write_bytes(p.read_bytes() + b"x"), lambda p: p.write_bytes(bytes(p.stat().st_size)), Path.unlink],
    ids=["longer", "other", "gone"],
)
def test_damaged_evidence_is_named(played: World, direct: Direct, damage: Callable[[Path], Any]) -> None:
    sha256 = direct.row("file")["sha256"]
    path = played.parts.evidence.path_of(sha256)
    kept = path.read_bytes()
    damage(path)
    found = fault(played)
    path.write_bytes(kept)
    assert (found.table, found.key) == ("file", sha256)
    content(played)


def test_how_far_a_message_got_is_free(played: World, direct: Direct) -> None:
    row = direct.row("message")
    with edited(direct, "message", "read_at", row, "2026-03-03T00:00:00.000000Z"):
        content(played)


def test_single_chains_and_progress(played: World, direct: Direct) -> None:
    row = direct.row("finding")
    seen: list[tuple[int, int]] = []
    verify(played.parts.store, progress=lambda done, of: seen.append((done, of)))
    assert seen[-1][0] == seen[-1][1] == direct.run("SELECT count(*) FROM event")[0][0]
    with edited(direct, "finding", "title", row, "another"):
        assert verify(played.parts.store, chains=[row["number"]]).fault
        assert verify(played.parts.store, chains=["people"]).ok
        assert verify(played.parts.store, chains=[]).ok


SAMPLE = [("event", "payload"), ("finding", "sheet"), ("timer", "owner"), ("document", "content"), ("post", "until_on"),
          ("message", "gap"), ("serial", "last"), ("file", "size")]  # fmt: skip


def test_the_same_on_both_databases(world: World) -> None:
    play(world)
    content(world)
    with closing(Direct(world.parts.settings.database.url)) as behind:
        for table, column in SAMPLE:
            row = behind.row(table)
            with edited(behind, table, column, row, other(row[column])):
                assert (fault(world).table, fault(world).key) == (table, _text(table, row))
        for table in ("event", "timer", "message", "document_link", "post"):
            row = behind.row(table)
            behind.drop(table, row)
            assert (fault(world).table, fault(world).key) == (table, _text(table, row))
            behind.put(table, row)
    content(world)
