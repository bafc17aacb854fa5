"""Commands that run the service: demo, serve, worker, migrate."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from loop import application, bootstrap
from loop.cli import console
from loop.demo import stage
from loop.store.schema import migrate as migrate_schema


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.command()(demo)
    app.command()(serve)
    app.command()(worker)
    app.command()(migrate)


def demo(
    port: Annotated[int, typer.Option(help="Port to serve on; 0 takes a free one.", min=0, max=65535)] = 8000,
    data: Annotated[Path | None, typer.Option(help="Folder for the database; default: a temporary one.")] = None,
    virtual_clock: Annotated[bool, typer.Option("--virtual-clock", help="Time moves only on the page /clock.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON once it is ready.")] = False,
    seed: Annotated[int, typer.Option(help="Same seed and date, same histories.")] = 7,
    on: Annotated[str | None, typer.Option("--date", help="The day the demonstration plays on (YYYY-MM-DD).")] = None,
) -> None:
    """Serve a fresh database with the sample findings and people of every role."""
    today = _day(on) if on else stage.last_day(datetime.now(UTC))
    listener = stage.listen(port)
    with (
        stage.folder(data) as place,
        stage.set_up(place, today=today, seed=seed, virtual=virtual_clock, quiet=as_json) as ready,
    ):
        stage.serve(ready, listener, as_json=as_json)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write the date as YYYY-MM-DD") from None


def serve(
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="Leave timers to `loop worker`.")] = False,
    virtual_clock: Annotated[bool, typer.Option("--virtual-clock", help="Time moves only on the page /clock.")] = False,
) -> None:
    """Serve the API and run the scheduler."""
    settings = console.settings()
    parts = bootstrap.build(settings, virtual_from=datetime.now(UTC) if virtual_clock else None)
    try:
        with application.web(parts, scheduler=not (no_scheduler or virtual_clock)) as app:
            uvicorn.run(app, host=settings.server.host, port=settings.server.port, log_config=None, access_log=False)
    finally:
        parts.close()


def worker() -> None:
    """Run timers and deliveries only; any number of workers may share one PostgreSQL."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with console.parts() as parts:
        parts.beat.start()
        console.errors.print("timers and deliveries run; Ctrl+C ends them")
        ended.wait()
        parts.beat.stop()


def migrate() -> None:
    """Bring the database to this version's schema."""
    settings = console.settings()
    migrate_schema(settings.database.url)
    console.say("the database has the schema of this version")
