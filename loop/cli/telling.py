"""Commands about telling people: try a channel, look at what waits or was given up, send it once more."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from loop.bootstrap import Parts
from loop.cli import console
from loop.engine.trial import trial
from loop.kernel.errors import Invalid
from loop.store import deliveries, names
from loop.store.deliveries import Delivery

notify = typer.Typer(no_args_is_help=True, help="Ways to reach people.")
LARGEST_ID, PAGE, SHOWN = 2**62, 200, 1_000
STATUS = {0: "owed", deliveries.GIVEN_UP: "given up", deliveries.NOT_NEEDED: "not needed"}


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(notify, name="notify")
    app.command()(outbox)


@notify.command("test")
def try_channel(
    channel: Annotated[str, typer.Argument(help="The name of a [[channels]] table.")],
    to: Annotated[str, typer.Option("--to", help="The address; a group needs none.")] = "",
    as_json: console.AsJson = False,
) -> None:
    """Send a test letter by one channel and say what it answered."""
    with console.parts() as parts:
        known = parts.outbox.postage.ways
        if channel not in known:
            raise _unknown(channel, ", ".join(sorted(known)) or "none")
        tried = asyncio.run(trial(parts.outbox.channels[channel], to))
    if as_json:
        error = {"zh": tried.error.zh, "en": tried.error.en} if tried.error else None
        console.say_json({"channel": channel, "sent": not error, "delivered": tried.delivered, "error": error})
    elif tried.error:
        # Printed with markup, what a server answered could colour the line or break it.
        console.errors.out(f"{channel}: {tried.error.zh}\n{channel}: {tried.error.en}")
    else:
        console.say(f"{channel}: {'delivered 已送达' if tried.delivered else 'sent 已发送'}")
    raise typer.Exit(1 if tried.error else 0)


def _unknown(channel: str, known: str) -> Invalid:
    return Invalid.field(
        "channel",
        f"没有名为 {channel} 的渠道；现有：{known}。",
        f"there is no channel {channel}; there are: {known}.",
        "unknown",
    )


def outbox(
    dead: Annotated[bool, typer.Option("--dead", help="Only what was given up.")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Send what was given up once more.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Show the letters that wait or were given up, the newest first; with --replay those given up go again."""
    with console.parts() as parts:
        shown = _all(parts, dead=dead or replay)
        again = [d for d in shown if replay and _replay(parts, d)]
        called = parts.store.read(lambda tx: names.of_people(tx, (d.person_id for d in shown)))
    if as_json:
        console.say_json({
            "replayed": len(again),
            "letters": [
                {
                    "id": d.key, "channel": d.channel, "person": called.get(d.person_id, ("",))[0], "status": STATUS[d.dead],
                    "attempts": d.attempts, "error": _why(d),
                }
                for d in shown
            ],
        })  # fmt: skip
        return
    for d in shown:
        person = called.get(d.person_id, ("–",))[0]
        console.say(f"{d.key}  {d.channel}  {person}  {STATUS[d.dead]}  {d.attempts} attempts  {_why(d)}")
    console.say(f"{len(again)} go again" if replay else f"{len(shown)} letters")


def _why(delivery: Delivery) -> str:
    return delivery.error.en if delivery.error else ""


def _all(parts: Parts, *, dead: bool) -> list[Delivery]:
    found: list[Delivery] = []
    before = LARGEST_ID
    while len(found) < SHOWN:
        page = parts.store.read(
            lambda tx, before=before: deliveries.unsent(tx, limit=PAGE, before=before, dead=dead)  # type: ignore[misc]
        )
        found += page
        if len(page) < PAGE:
            break
        before = page[-1].id
    return found


def _replay(parts: Parts, delivery: Delivery) -> bool:
    return parts.store.write(lambda tx: deliveries.replay(tx, delivery.id, datetime.now(UTC)))
