"""The doctor: each thing that is wrong with an installation is named, says what to do, and makes the command fail."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from loop.cli import diagnosis
from loop.cli.main import app
from loop.engine.clock import VirtualClock
from loop.settings import load_settings
from tests.cast import START
from tests.channel_servers import HttpServer, MailServer, http_server, mail_server, reply
from tests.world import World, settings_for

CHANNELS = """
[notifications]
allow_networks = {networks}

[[channels]]
name = "group"
kind = "wecom"
url = "http://127.0.0.1:{http}/send?key=693a91f6"

[[channels]]
name = "sms"
kind = "sms"
url = "http://127.0.0.1:{http}/{{address}}/{{text}}"
success = {{ path = "code" }}

[[channels]]
name = "post"
kind = "mail"
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "loop@example.cn"
timeout = {patience}

[[channels]]
name = "log"
kind = "console"
"""


@pytest.fixture
def at(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office whose service runs on this database; answers its folder."""
    monkeypatch.setenv("LOOP_DATABASE__URL", database_url)
    monkeypatch.setenv("LOOP_STORAGE__EVIDENCE", str(tmp_path / "evidence"))
    # A command takes the log over, and here it would outlive what it writes to.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    return tmp_path


def configured(folder: Path, patch: pytest.MonkeyPatch, text: str) -> None:
    """The office has this file of its own."""
    config = folder / "office.toml"
    config.write_text(text, encoding="utf-8")
    patch.setenv("LOOP_CONFIG", str(config))


def seen() -> dict[str, dict[str, Any]]:
    """What the doctor says, by the thing looked at; that it fails exactly where something is wrong is seen to."""
    ended = CliRunner().invoke(app, ["doctor", "--json"])
    found = {row["what"].rpartition(" ")[2] if "channel" in row["what"] else row["what"].partition(" ")[0]: row
             for row in json.loads(ended.stdout)}  # fmt: skip
    assert all(row["ok"] or row["do"] for row in found.values()), "each fault says what to do"
    assert ended.exit_code == (0 if all(row["ok"] for row in found.values()) else 1)
    return found


# ---- the clock -------------------------------------------------------------------------------------------------------


def test_a_machine_behind_what_is_recorded_is_told_to_set_its_clock(at: Path, database_url: str) -> None:
    world = World(settings_for(database_url, at))
    world.opened()
    assert seen()["clock"]["ok"]
    world.clock = datetime.now(UTC) + timedelta(hours=2)
    world.opened()
    world.parts.close()
    clock = seen()["clock"]
    assert not clock["ok"]
    assert f"{world.clock:%F %T}" in clock["said"]
    assert "NTP" in clock["do"]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("off", "ok"), [(-120, False), (-20, True), (20, True), (120, False)])
def test_a_machine_that_disagrees_with_the_database_server_is_told_so(at: Path, off: int, ok: bool) -> None:
    found = diagnosis.examine(load_settings, lambda: datetime.now(UTC) + timedelta(seconds=off))
    (clock,) = (one for one in found if one.what.startswith("clock"))
    assert (clock.ok, "NTP" in clock.do) == (ok, not ok)


def test_a_database_that_ran_on_a_virtual_clock_is_not_for_real_work(at: Path, database_url: str) -> None:
    world = World(settings_for(database_url, at), virtual=True)
    clock = world.engine.clock
    assert isinstance(clock, VirtualClock)
    world.parts.store.write(lambda tx: clock.set(tx, START + timedelta(days=1)))
    world.parts.close()
    found = seen()["clock"]
    assert not found["ok"]
    assert "2026-03-03" in found["said"]
    assert "--virtual-clock" in found["do"]


# ---- the channels ----------------------------------------------------------------------------------------------------

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


@asynccontextmanager
async def reachable() -> AsyncIterator[tuple[HttpServer, MailServer]]:
    """A server for robots and gateways, and a post office."""
    async with http_server(reply({"errcode": 0})) as http, mail_server() as office:
        yield http, office


@on_sqlite
async def test_channels_are_tried_without_a_letter(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reachable() as (http, office):
        words = CHANNELS.format(networks='["127.0.0.0/8"]', http=http.port, smtp=office.port, patience=5)
        configured(at, monkeypatch, words)
        found = await asyncio.to_thread(seen)
    assert http.requests == []
    assert office.envelopes == []
    assert [name for name in ("group", "sms", "post", "log") if not found[name]["ok"]] == []
    assert "127.0.0.1 can be reached" in found["post"]["said"]
    assert "loop notify test log" in found["log"]["said"], "a channel without a host can't be tried"


@on_sqlite
async def test_a_channel_behind_the_wall_says_how_to_open_it(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with reachable() as (http, office):
        configured(at, monkeypatch, CHANNELS.format(networks="[]", http=http.port, smtp=office.port, patience=5))
        found = await asyncio.to_thread(seen)
    for name in ("group", "sms"):
        assert not found[name]["ok"]
        assert "allow_networks" in found[name]["said"]
    assert found["post"]["ok"], "mail goes to the server that the office names"


@on_sqlite
def test_a_channel_without_anybody_behind_it_is_a_fault(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as left:
        nobody = left.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = silent.getsockname()[1]
        configured(at, monkeypatch, CHANNELS.format(networks='["127.0.0.0/8"]', http=nobody, smtp=mute, patience=0.3))
        found = seen()
    assert "127.0.0.1 can't be reached" in found["group"]["said"]
    assert "127.0.0.1 did not answer in time" in found["post"]["said"]
    for name in ("group", "sms", "post"):
        assert not found[name]["ok"]
        assert f"loop notify test {name}" in found[name]["do"]
        assert "693a91f6" not in found[name]["said"], "the address of a robot is its secret"


# ---- the configuration -----------------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[deadlines]\nplan_do = '10wd'\n", "plan_do"),
        ("[[channels]]\nname = 'x'\nkind = 'pigeon'\n", "pigeon"),
        ("[[routes]]\nname = 'x'\nvia = ['pigeon']\n", "pigeon"),
    ],
    ids=["setting", "channel", "route"],
)
def test_a_wrong_setting_is_named_with_its_line(
    at: Path, monkeypatch: pytest.MonkeyPatch, text: str, named: str
) -> None:
    assert seen()["configuration"]["ok"]
    configured(at, monkeypatch, text)
    found = seen()["configuration"]
    assert not found["ok"]
    assert named in found["said"]
    assert "office.toml, line " in found["said"]
