"""Commands for the working calendar: show a year, load a published arrangement and move the deadlines it touches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from loop import calendars
from loop.cli import console
from loop.engine.recalendar import Sends, Shift

calendar = typer.Typer(no_args_is_help=True, help="The working calendar.")


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(calendar, name="calendar")


@calendar.command()
def show(
    year: Annotated[int, typer.Argument(min=1990, max=2199)],
    as_json: console.AsJson = False,
) -> None:
    """Show what is special about a year: holidays and make-up working days, with their notice."""
    with console.parts() as parts:
        kept = parts.engine.book.calendar
    first = date(year, 1, 1)
    days = [kept.day(first + timedelta(days=k)) for k in range((date(year + 1, 1, 1) - first).days)]
    special = [day for day in days if day.kind in ("holiday", "makeup")]
    if as_json:
        rows = [{"day": d.on.isoformat(), "kind": d.kind, "name": d.name, "source": d.source} for d in special]
        console.say_json({"year": year, "official": kept.official(year), "days": rows})
        return
    console.say(f"{year}: {'published 已公布' if kept.official(year) else 'provisional 暂按法定节假日推算'}")
    for day in special:
        console.say(f"  {day.on}  {'休' if day.kind == 'holiday' else '班'}  {day.name}  {day.source}")


@calendar.command()
def load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    reason: Annotated[str, typer.Option(help="Why deadlines move; recorded with each.")] = "holiday notice loaded",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would move.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Load a published arrangement (CSV: day, kind, name, source) and move the running deadlines and reminders it touches."""
    try:
        days = calendars.parse_notice(file.read_text(encoding="utf-8-sig"))
    except (calendars.NoticeError, UnicodeDecodeError) as wrong:
        console.errors.print(str(wrong), markup=False)
        raise typer.Exit(1) from None
    with console.parts() as parts:
        with console.bar("counting messages", quiet=as_json) as progress:
            effect = parts.almanac.effect(days, progress.track)
        _show(effect.moved, effect.told, as_json=as_json, dry_run=dry_run)
        if not dry_run:
            with console.bar("moving deadlines", quiet=as_json) as progress:
                parts.almanac.load(console.operator(), days, reason, track=progress.track)


def _show(moved: Sequence[Shift], told: Sends, *, as_json: bool, dry_run: bool) -> None:
    reminders = [move for move in moved if move.reminder]
    if as_json:
        console.say_json({
            "dry_run": dry_run, "messages": told.messages, "people": told.people,
            "moves": [_move(move) for move in moved if not move.reminder], "reminders": [_move(move) for move in reminders],
        })  # fmt: skip
        return
    for move in moved:
        console.say(f"{move.number}  {move.rule}  {'reminder  ' * move.reminder}{move.before} -> {move.after}")
    moves = "would move" if dry_run else "move"
    console.say(f"{len(moved) - len(reminders)} deadlines {moves}")
    if reminders:
        console.say(f"{len(reminders)} reminders {moves}, untold until they come")
    console.say(f"this sends {told.messages} messages to {told.people} people")


def _move(move: Shift) -> dict[str, object]:
    return {"finding": move.number, "timer": move.rule, "from": move.before, "to": move.after}
