"""The command line, as somebody who runs an office types it: on a database of its own, with its exit codes and sentences."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loop import bootstrap
from loop.cli import main
from loop.cli.main import app
from loop.engine.verify import verify
from loop.settings import load_settings
from loop.store import accounts, findings, people, staff
from loop.store.session import Tx
from tests.cast import START, Cast, engage
from tests.world import World, settings_for

Command = Callable[..., Result]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which an office runs the service: its database migrated, its cast engaged."""
    monkeypatch.setenv("LOOP_DATABASE__URL", f"sqlite:///{tmp_path / 'loop.db'}")
    monkeypatch.setenv("LOOP_STORAGE__EVIDENCE", str(tmp_path / "evidence"))
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    return tmp_path


@pytest.fixture
def loop(office: Path) -> Command:
    """Runs a command in the office."""

    def run(*words: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=answer)

    parts = bootstrap.build(load_settings())
    parts.store.write(engage)
    parts.close()
    return run


def world_of(office: Path) -> World:
    """The same database with the stories' world around it, for what the command line does not do."""
    world = World.__new__(World)
    world.clock = START
    world.parts = bootstrap.build(settings_for(f"sqlite:///{office / 'loop.db'}", office), now=lambda: world.clock)
    world.engine = world.parts.engine
    return world


def test_a_token_for_a_calendar_opens_the_calendar_and_stands_alone(loop: Command, office: Path) -> None:
    clear = loop("token", "create", "officer", "--scope", "calendar", "--label", "my phone").stdout.strip()
    parts = bootstrap.build(load_settings())
    token = parts.store.read(lambda tx: accounts.token_of(tx, clear, START))
    parts.close()
    assert token is not None
    assert (token.name, token.scopes) == ("my phone", ("calendar",))


def test_a_person_is_added_given_a_password_and_a_token_and_closed(loop: Command, office: Path) -> None:
    added = loop("user", "add", "lin", "--role", "officer", "--region", "930106", "--full-name", "林某")
    assert added.exit_code == 0
    name, first = added.stdout.strip().split(": ")
    assert (name, len(first) >= 12) == ("lin", True)
    again = loop("user", "add", "lin", "--role", "inspector", "--region", "930106")
    assert "has the post now" in again.stdout
    third = loop("user", "add", "lin", "--role", "chief", "--region", "930106", "--json")
    assert json.loads(third.stdout) == {"name": "lin", "password": None}
    assert loop("user", "passwd", "lin", answer="correct horse battery\n").exit_code == 0
    clear = loop("token", "create", "lin").stdout.strip()
    parts = bootstrap.build(load_settings())
    try:
        token = parts.store.read(lambda tx: accounts.token_of(tx, clear, START))
        assert token is not None
        actor = parts.store.read(lambda tx: people.actor_of(tx, token.person_id, date(2030, 1, 1)))
        assert actor is not None
        assert [post.role for post in actor.posts] == ["officer", "inspector", "chief"]
    finally:
        parts.close()
    assert loop("user", "deactivate", "lin").exit_code == 0
    parts = bootstrap.build(load_settings())
    person = parts.store.read(lambda tx: staff.find_person(tx, "lin"))
    parts.close()
    assert person is not None
    assert not person.active


def test_the_workflow_checks_the_evidence_verifies_the_doctor_is_content(loop: Command) -> None:
    checked = loop("check", "--json")
    faults = json.loads(checked.stdout)["faults"]
    assert checked.exit_code == 1, "the county next door has no director, and the check knows"
    assert {fault["code"] for fault in faults} == {"owner_is_nobody"}, faults
    verified = json.loads(loop("verify", "--json").stdout)
    assert (verified["ok"], verified["broken"]) == (True, None)
    assert loop("verify").stdout.startswith("content")
    seen = {row["what"]: row["ok"] for row in json.loads(loop("doctor", "--json").stdout)}
    assert seen["database 数据库"]
    assert "✓ timers" in loop("doctor").stdout
    assert "✓ board" in loop("doctor").stdout
    assert "0 counts were wrong" in loop("recount").stdout
    assert json.loads(loop("recount", "--json").stdout) == {"wrong": 0}


def test_what_was_changed_past_the_engine_is_named(loop: Command, office: Path) -> None:
    with sqlite3.connect(office / "loop.db") as direct:
        direct.execute("UPDATE person SET full_name = '别人' WHERE name = 'chief'")
    broken = loop("verify")
    assert broken.exit_code == 1
    assert "person" in broken.stdout
    assert json.loads(loop("verify", "--json").stdout)["broken"]["table"] == "person"


def test_the_chart_and_the_reference_come_from_the_workflow(loop: Command, office: Path) -> None:
    assert "report_draft" in loop("diagram").stdout
    out = office / "chart.svg"
    assert loop("diagram", "--format", "svg", "--language", "en", "--out", str(out)).exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("<svg")
    assert loop("diagram", "--format", "png").exit_code == 2
    assert "整改" in loop("diagram").stdout
    assert "整改" not in loop("diagram", "--language", "en").stdout
    assert "`submit_plan`" in loop("reference").stdout


def test_the_reference_in_the_docs_is_the_generated_one(loop: Command, office: Path) -> None:
    out = office / "reference.md"
    assert loop("reference", "--out", str(out)).exit_code == 0
    shipped = Path(__file__).parent.parent / "docs" / "reference.md"
    assert out.read_text(encoding="utf-8") == shipped.read_text(encoding="utf-8")


LEDGER = "单位,问题,类别,整改时限\n桐峰镇中心小学,围墙开裂,校园安全,2026-12-30\n没有这个学校,问题,校园安全,2026-12-30\n"


def test_a_ledger_is_read_first_then_taken_over_and_given_out(loop: Command, office: Path) -> None:
    file = office / "台账.csv"
    file.write_text(LEDGER, encoding="utf-8-sig")
    rehearsed = loop("import", str(file), "--as", "officer", "--dry-run", "--json")
    dry = json.loads(rehearsed.stdout)
    assert rehearsed.exit_code == 1, "one row is wrong"
    assert [row["status"] for row in dry["rows"]] == ["understood", "wrong"]
    assert dry["rows"][0]["finding"] is None
    done = loop("import", str(file), "--as", "officer")
    assert "YX-" in done.stdout
    assert done.exit_code == 1, "the wrong row was left"
    out = office / "all.csv"
    assert json.loads(loop("export", str(out), "--json").stdout) == {"file": str(out), "findings": 1}
    assert "1 findings" in loop("export", str(out)).stdout
    assert "围墙开裂" in out.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("how", ["--dry-run", "--as=officer"])
@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("桐峰镇中心小学,围墙开裂,校园安全,2026-12-30", 0),
        ("没有这个学校,围墙开裂,校园安全,2026-12-30", 1),
        ("桐峰镇中心小学,围墙开裂,校园安全,近期", 1),
    ],
    ids=["understood", "wrong", "ambiguous"],
)
def test_an_import_fails_unless_every_row_is_understood(
    loop: Command, office: Path, row: str, code: int, how: str
) -> None:
    file = office / "台账.csv"
    file.write_text(f"单位,问题,类别,整改时限\n{row}\n", encoding="utf-8-sig")
    assert loop("import", str(file), "--as", "officer", how).exit_code == code


def on_a_terminal(*words: str) -> str:
    """What a command writes where somebody looks at its standard error."""
    ours, its = pty.openpty()
    program = "import sys; from loop.cli.main import main; sys.exit(main())"
    with subprocess.Popen([sys.executable, "-c", program, *words], stdout=subprocess.DEVNULL, stderr=its):
        os.close(its)
        seen = b""
        with os.fdopen(ours, "rb", buffering=0) as screen, suppress(OSError):  # Linux ends a terminal with an error
            while piece := screen.read(4096):
                seen += piece
    return seen.decode()


def test_long_work_shows_how_far_it_is_where_somebody_looks(
    loop: Command, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = office / "台账.csv"
    file.write_text(LEDGER, encoding="utf-8-sig")
    given = ("import", str(file), "--as", "officer", "--dry-run")
    assert loop(*given).stderr == ""
    assert "2/2" in on_a_terminal(*given)


@pytest.mark.parametrize(
    "words",
    [
        ("export", "{office}/all.csv", "--language", "xx"),
        ("diagram", "--language", "xx"),
        ("export", "{office}/all.xlsx"),
        ("export", "{office}/nowhere/all.csv"),
        ("diagram", "--out", "{office}/nowhere/chart.mmd"),
        ("reference", "--out", "{office}"),
    ],
    ids=" ".join,
)
def test_wrong_use_writes_nothing_and_ends_with_two(loop: Command, office: Path, words: tuple[str, ...]) -> None:
    before = sorted(office.iterdir())
    refused = loop(*(word.format(office=office) for word in words))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Invalid value" in refused.stderr
    assert [path for path in sorted(office.iterdir()) if path.suffix != ".db-shm"] == before


NOTICE = "day,kind,name,source\n2027-02-05,holiday,春节,国务院办公厅通知\n2027-02-08,holiday,春节,国务院办公厅通知\n"


def test_a_published_calendar_shows_then_moves_the_deadlines_it_touches(loop: Command, office: Path) -> None:
    world = world_of(office)
    world.cast = world.parts.store.read(_known_cast)
    world.clock = world.clock.replace(year=2027, month=1, day=25)
    number = world.received()
    before = world.due(number, "plan_due")
    world.parts.close()
    file = office / "2027.csv"
    extra = "".join(
        f"2027-02-{d:02d},holiday,春节,国务院办公厅通知\n" for d in (9, 10, 11, 12, 15, 16, 17, 18, 19, 22, 23)
    )
    file.write_text(NOTICE + extra, encoding="utf-8")
    shown = json.loads(loop("calendar", "load", str(file), "--dry-run", "--json").stdout)
    assert any(move["finding"] == number and move["timer"] == "plan_due" for move in shown["moves"])
    done = loop("calendar", "load", str(file), "--reason", "通知已公布")
    assert "deadlines move" in done.stdout
    assert "春节" in loop("calendar", "show", "2027").stdout
    assert json.loads(loop("calendar", "show", "2027", "--json").stdout)["year"] == 2027
    settings = settings_for(f"sqlite:///{office / 'loop.db'}", office)
    parts = bootstrap.build(settings)
    try:
        finding = parts.store.read(lambda tx: findings.load(tx, number, lock=False))
        assert finding is not None
        timer = finding.timer("plan_due")
        assert timer is not None
        assert timer.due_at.date() > before
        assert verify(parts.store).fault is None
    finally:
        parts.close()


def _known_cast(tx: Tx) -> Cast:
    names = ("inspector", "chief", "school", "officer", "director")
    return Cast(ids={name: person.id for name in names if (person := staff.find_person(tx, name))})


def test_a_notice_that_cannot_be_read_names_its_lines(loop: Command, office: Path) -> None:
    file = office / "bad.csv"
    file.write_text("day,kind,name,source\n2027-13-01,holiday,x,y\n[/red],holiday,x,y\n", encoding="utf-8")
    refused = loop("calendar", "load", str(file))
    assert refused.exit_code == 1
    assert "2027-13-01" in refused.stderr
    assert "[/red]" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "passwd", "nobody"), "nobody"),
        (("token", "create", "nobody"), "nobody"),
        (("token", "create", "officer", "--scope", "calendar", "--scope", "read"), "scopes"),
        (("token", "create", "officer", "--scope", "everything"), "scopes"),
        (("user", "add", "x", "--role", "king", "--region", "930106"), "role"),
    ],
)
def test_a_refusal_is_a_sentence_and_exit_code_two(
    loop: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["loop", *words])
    monkeypatch.setattr(sys, "stdin", _line())
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def _line() -> StringIO:
    return StringIO("correct horse battery\n")


def test_without_a_schema_every_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOOP_DATABASE__URL", f"sqlite:///{tmp_path / 'none.db'}")
    monkeypatch.setenv("LOOP_STORAGE__EVIDENCE", str(tmp_path / "evidence"))
    monkeypatch.setattr(sys, "argv", ["loop", "verify"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    assert "loop migrate" in capsys.readouterr().err
    doctor = CliRunner().invoke(app, ["doctor"])
    assert doctor.exit_code == 1
    assert "loop migrate" in doctor.stdout
    assert CliRunner().invoke(app, ["check"]).exit_code == 0


def test_a_wrong_setting_names_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "own.toml"
    config.write_text("[deadlines]\nplan_do = '10wd'\n", encoding="utf-8")
    monkeypatch.setenv("LOOP_CONFIG", str(config))
    monkeypatch.setattr(sys, "argv", ["loop", "check"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    assert "plan_do" in capsys.readouterr().err


def test_an_empty_installation_begins_with_its_first_administrator(office: Path) -> None:
    assert "no faults" in CliRunner().invoke(app, ["check"]).stdout
    empty = CliRunner().invoke(app, ["doctor"])
    assert "no office yet" in empty.stdout
    added = CliRunner().invoke(app, ["user", "add", "admin", "--role", "admin"])
    assert added.exit_code == 0, added.stdout
    assert added.stdout.startswith("admin: ")
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.strip()[0].isdigit()
