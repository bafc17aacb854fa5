"""Sets the demonstration up in a folder of its own and serves it."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn

from loop import application, bootstrap, log
from loop.access import READ, WRITE, Passwords
from loop.bootstrap import Parts
from loop.demo.country import Builder, Country, Player, cast
from loop.demo.samples import samples
from loop.demo.story import MovableClock, Story
from loop.kernel.errors import Conflict
from loop.kernel.labels import Label
from loop.kernel.people import ROLES
from loop.settings import Settings, load_settings
from loop.store import accounts, names, tallies
from loop.store.schema import migrate
from loop.store.session import Tx

PASSWORD = "loop-demo"  # noqa: S105  shown to everybody who starts the demonstration
HISTORY = timedelta(days=540)
OVER = time(12)
"""When the morning on which the histories end is over; they take some twenty minutes of it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A demonstration that can be served: its parts and the sign-ins to show."""

    parts: Parts
    people: tuple[dict[str, str | None], ...]
    places: Mapping[str, str]
    """The names of the regions and units at which they hold their posts."""


@contextmanager
def folder(named: Path | None) -> Iterator[Path]:
    """The folder for the database: the one named, which must not hold one yet, or a temporary one that goes afterwards."""
    if named is None:
        with tempfile.TemporaryDirectory(prefix="loop-demo-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    named.mkdir(parents=True, exist_ok=True)
    if (named / "loop.db").exists():
        kept = named / "loop.db"
        raise Conflict(
            Label(
                f"{kept} 已存在；请换一个文件夹，或先移走它。",
                f"{kept} exists already; name another folder or remove it.",
            )
        )
    yield named


def _settings(place: Path) -> Settings:
    base = load_settings()
    return base.model_copy(
        update={
            "database": base.database.model_copy(update={"url": f"sqlite:///{place / 'loop.db'}"}),
            "storage": base.storage.model_copy(update={"evidence": str(place / "evidence")}),
        }
    )


def last_day(now: datetime) -> date:
    """The day on which the histories end: today in the time zone of the service, yesterday as long as today's morning, in which
    they end, is not over: no step may lie in the future.
    """
    local = now.astimezone(ZoneInfo(load_settings().server.zone))
    return local.date() if local.time() >= OVER else local.date() - timedelta(days=1)


@contextmanager
def set_up(place: Path, *, today: date, seed: int, virtual: bool, quiet: bool) -> Iterator[Ready]:
    """Build the country, play the samples' histories up to `today`, make tokens for the cast."""
    settings = _settings(place)
    log.configure(settings.observability.log_format, "warning")
    migrate(settings.database.url)
    began = datetime.combine(today, time(9), UTC) - HISTORY
    clock = MovableClock(began)
    stage = bootstrap.build(settings, now=clock, durable=False)
    try:
        hashed = Passwords().hash(PASSWORD)
        country = stage.store.write(lambda tx: Builder(tx, began, today, hashed).build(samples()))
        Story(stage, country, clock, seed).play(samples(), today, _told(quiet=quiet))
        stage.outbox.drain()
        tallies.fold(stage.store, stage.engine.book.calendar.zone)
        people = stage.store.write(lambda tx: _signins(tx, country))
        places = stage.store.read(lambda tx: _places(tx, people))
        last = clock.now
    finally:
        stage.close()
    parts = bootstrap.build(settings, virtual_from=last if virtual else None)
    try:
        yield Ready(parts, people, places)
    finally:
        parts.close()


def _told(*, quiet: bool) -> Callable[[int, int], None]:
    shown = sys.stderr.isatty() and not quiet

    def progress(done: int, total: int) -> None:
        if shown:
            sys.stderr.write(f"\r正在演绎示例问题 playing the samples {done}/{total} ")
            sys.stderr.flush()

    return progress


def _signins(tx: Tx, country: Country) -> tuple[dict[str, str | None], ...]:
    now = datetime.now(UTC)
    return tuple(_signin(tx, player, now) for player in cast(country))


def _places(tx: Tx, people: Iterable[Mapping[str, str | None]]) -> dict[str, str]:
    regions, units = ([str(person[kind]) for person in people if person[kind]] for kind in ("region", "unit"))
    return names.of_regions(tx, regions) | names.of_units(tx, units)


def _signin(tx: Tx, player: Player, now: datetime) -> dict[str, str | None]:
    expires = now + timedelta(days=365)
    _, clear = accounts.create_token(
        tx, person_id=player.id, name="demo", scopes=(READ, WRITE), expires_at=expires, now=now
    )
    return {
        "name": player.name, "role": player.role, "region": player.region, "unit": player.unit, "password": PASSWORD,
        "token": clear,
    }  # fmt: skip


def listen(port: int) -> socket.socket:
    """The port to serve on, taken at once so that a busy one is told before anything is made; 0 takes a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise Conflict(
            Label(f"端口 {port} 已被占用；请用 --port 换一个。", f"Port {port} is in use; choose another with --port.")
        ) from None
    return listener


def serve(ready: Ready, listener: socket.socket, *, as_json: bool) -> None:
    """Serve until stopped; announces the address and the sign-ins once connections are accepted."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    words = _announcement(url, ready, as_json=as_json)
    with application.web(ready.parts, scheduler=not ready.parts.engine.clock.virtual) as app:
        _Announcing(uvicorn.Config(app, log_config=None, access_log=False), words).run(sockets=[listener])


class _Announcing(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, words: str) -> None:
        super().__init__(config)
        self._words = words

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(self._words)
        sys.stdout.flush()


INTRODUCED = (
    "inspector",
    "inspector2",
    "officer",
    "chief",
    "director",
    "leader",
    "auditor",
    "department",
    "school",
    "admin",
)
"""Whom somebody meets first; all others are told by --json."""


def _introduced(ready: Ready) -> list[dict[str, str | None]]:
    by_name = {person["name"]: person for person in ready.people}
    return [by_name[name] for name in INTRODUCED if name in by_name]


def _line(person: Mapping[str, str | None], places: Mapping[str, str]) -> str:
    role, place = ROLES[person["role"] or ""], places.get(person["region"] or person["unit"] or "", "")
    return f"  {person['name']:<12} {place} {role.zh} ({role.en})"


def _announcement(url: str, ready: Ready, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"url": url, "people": list(ready.people)}, ensure_ascii=False) + "\n"
    lines = [
        f"整改闭环演示已启动 The rectification loop is running: {url}",
        f"接口说明 OpenAPI: {url}/openapi.json",
        f"所有人的密码 everybody's password: {PASSWORD}",
        *(_line(person, ready.places) for person in _introduced(ready)),
        f"（共 {len(ready.people)} 人，其余见 --json  {len(ready.people)} people in all; --json lists them）",
        "Ctrl+C 结束 ends it",
    ]
    return "\n".join(lines) + "\n"
