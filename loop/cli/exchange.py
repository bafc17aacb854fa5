"""Commands for the ledger 台账: out to CSV, in from CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from loop.bootstrap import Parts
from loop.cli import console
from loop.kernel.calendar import local_day
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.people import AUDITOR, Actor, Post
from loop.ledger import exchange
from loop.ledger.reading import UNDERSTOOD, Row
from loop.store import people, places, staff
from loop.store.ledger_filter import LedgerFilter
from loop.store.session import Tx

SPREADSHEETS = (".xlsx", ".xls")


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command("import")(take_in)
    app.command("export")(give_out)


def take_in(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    by: Annotated[str, typer.Option("--as", help="Sign-in name of the officer or chief who takes the rows over.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what was understood.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Take findings over from a ledger; each row says what was understood, what is ambiguous, what is wrong.

    Exit 1 if any row is not understood; a real run has taken over the others then.
    """
    raw = file.read_bytes()
    with console.parts() as parts, console.bar("taking over", quiet=as_json) as progress:
        engine = parts.engine

        def work(tx: Tx) -> exchange.Result:
            today = local_day(engine.clock.now(tx), engine.book.calendar)
            actor = _actor(tx, by, today)
            return exchange.take_in(
                tx, engine, actor, raw, source=file.name, defaults={}, dry_run=dry_run, track=progress.track
            )

        result = parts.store.write(work)
    if as_json:
        console.say_json({"dry_run": dry_run, "rows": [_shown(row, result) for row in result.rows]})
    else:
        for row in result.rows:
            console.say(_sentence(row, result))
    raise typer.Exit(0 if all(row.status == UNDERSTOOD for row in result.rows) else 1)


def _actor(tx: Tx, name: str, today: date) -> Actor:
    person = staff.find_person(tx, name)
    found = people.actor_of(tx, person.id, today) if person else None
    if found is None:
        raise NotFound(Label(f"没有账号 {name}。", f"There is no account {name}."))
    return found


def _shown(row: Row, result: exchange.Result) -> dict[str, Any]:
    said = [{"field": d.field, "code": d.code, "zh": d.text.zh, "en": d.text.en} for d in (*row.faults, *row.doubts)]
    return {"row": row.number, "status": row.status, "finding": result.made.get(row.number), "said": said}


def _sentence(row: Row, result: exchange.Result) -> str:
    said = "; ".join(f"{d.field} {d.text.zh} {d.text.en}" for d in (*row.faults, *row.doubts))
    return f"{row.number}: {row.status} {result.made.get(row.number, '')} {said}".rstrip()


def give_out(
    file: Annotated[Path, typer.Argument(help="A CSV file to write.")],
    language: console.Language = "zh",
    as_json: console.AsJson = False,
) -> None:
    """Write every finding to a CSV ledger."""
    if file.suffix.lower() in SPREADSHEETS:
        raise typer.BadParameter(f"{file.suffix} cannot be written yet; name a .csv file, which spreadsheets open")
    written = 0
    with console.parts() as parts, console.bar("exporting", quiet=as_json) as progress, console.writing(file) as out:
        task = progress.add_task("findings", total=None)
        out.write(exchange.heading_text(language))
        for part in _chunks(parts, language):
            out.write(part.text)
            written += part.findings
            progress.update(task, completed=written)
    if as_json:
        console.say_json({"file": str(file), "findings": written})
    else:
        console.say(f"{file}: {written} findings 个问题")


def _chunks(parts: Parts, language: str) -> Iterator[exchange.Chunk]:
    everybody = parts.store.read(_everything)
    after: str | None = None
    while True:
        part = parts.store.read(partial(_part, parts, everybody, after=after, language=language))
        yield part
        after = part.next
        if after is None:
            return


def _part(parts: Parts, reader: Actor, tx: Tx, *, after: str | None, language: str) -> exchange.Chunk:
    now, book = parts.engine.clock.now(tx), parts.engine.book
    return exchange.chunk(tx, book, reader, LedgerFilter(), now=now, sort="number", after=after, language=language)


def _everything(tx: Tx) -> Actor:
    """A reader of everything: whoever runs the installation may export it."""
    roots = [r for r in places.regions(tx, limit=200).items if len(r.path) == 1]
    return Actor("console", "console", "命令行", tuple(Post("console", AUDITOR, r.path) for r in roots))
