"""The command line about telling people: a channel is tried, and what was given up is listed, each with its reason."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loop.cli.main import app
from loop.settings import load_settings
from loop.store import contacts
from loop.store.contacts import Contact
from loop.store.session import Tx
from tests.channel_servers import MailServer, mail_server
from tests.world import World

CHIEF = "chief@school.test"
CHANNEL = """
[[channels]]
name = "mail"
kind = "mail"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "loop@example.cn"

[notifications]
attempts = 1
allow_networks = ["127.0.0.0/8"]
"""


def configured(folder: Path, server: MailServer, patch: pytest.MonkeyPatch) -> None:
    """An office whose one channel is this mail server."""
    config = folder / "office.toml"
    config.write_text(CHANNEL.format(port=server.port), encoding="utf-8")
    patch.setenv("LOOP_CONFIG", str(config))
    patch.setenv("LOOP_DATABASE__URL", f"sqlite:///{folder / 'loop.db'}")
    patch.setenv("LOOP_STORAGE__EVIDENCE", str(folder / "evidence"))
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0


async def command(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def test_a_channel_that_is_tried_says_what_it_answered_in_both_languages_and_to_the_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_server({"RCPT": "550 [/red] :skull: nobody " + "here " * 30}) as server:
        configured(tmp_path, server, monkeypatch)
        tried = await command("notify", "test", "mail", "--to", CHIEF)
        told = await command("notify", "test", "mail", "--to", CHIEF, "--json")
    assert (tried.exit_code, told.exit_code) == (1, 1)
    assert not json.loads(told.stdout)["sent"]
    assert json.loads(told.stdout)["error"]["en"].startswith("127.0.0.1 answered 550")
    zh, en = (line for line in tried.stderr.split("\n") if line.startswith("mail: "))
    assert zh.startswith("mail: 127.0.0.1 返回 550：[/red] :skull: nobody here here")
    assert en.startswith("mail: 127.0.0.1 answered 550: [/red] :skull: nobody here here")


async def test_what_was_given_up_is_listed_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with mail_server({"RCPT": "550 5.1.1 nobody"}) as server:
        configured(tmp_path, server, monkeypatch)
        await asyncio.to_thread(_give_up, tmp_path)
        listed, told = await command("outbox", "--dead"), await command("outbox", "--dead", "--json")
        doctor = await command("doctor")
    first, last = listed.stdout.strip().split("\n")
    assert "  mail  chief  given up  1 attempts  127.0.0.1 answered 550: 5.1.1 nobody" in first
    assert last == "1 letters"
    (letter,) = json.loads(told.stdout)["letters"]
    assert letter["error"] == "127.0.0.1 answered 550: 5.1.1 nobody"
    assert "✗ messages" in doctor.stdout
    assert "1 given up" in doctor.stdout
    assert "loop outbox --replay" in doctor.stdout
    assert "✓ channel 渠道 mail: 127.0.0.1" in doctor.stdout, "the server is there, only this letter was refused"
    assert doctor.exit_code == 1


def _give_up(folder: Path) -> None:
    world = World(load_settings())
    chief = world.cast.ids["chief"]

    def wish(tx: Tx) -> None:
        contacts.wish(tx, chief, [Contact("mail", CHIEF)], off=(), digest=False)

    world.parts.store.write(wish)
    world.act("inspector", "submit_report", world.opened())
    world.parts.outbox.drain()
    world.parts.close()
