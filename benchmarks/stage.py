"""Databases for the measurements: the cast of the tests on fresh SQLite files, and the product's parts over them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loop import bootstrap
from loop.bootstrap import Parts
from loop.kernel.calendar import local_day
from loop.kernel.people import Actor
from loop.settings import Settings, load_settings
from loop.store import accounts, people
from loop.store.schema import migrate
from loop.store.session import Store, Tx
from tests.cast import START, Cast, engage


def settings_for(path: Path) -> Settings:
    """The shipped settings on this database file."""
    base = load_settings()
    return base.model_copy(
        update={
            "database": base.database.model_copy(update={"url": f"sqlite:///{path}"}),
            "storage": base.storage.model_copy(update={"evidence": str(path.parent / "evidence")}),
        }
    )


class Stage:
    """A folder with one database that holds the cast and nothing else, to be copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.origin = folder / "cast.db"
        migrate(f"sqlite:///{self.origin}")
        store = Store.open(f"sqlite:///{self.origin}")
        self.cast: Cast = store.write(engage)
        self.tokens: dict[str, str] = store.write(self._tokens)
        store.close()

    def _tokens(self, tx: Tx) -> dict[str, str]:
        now = datetime.now(UTC)
        later = now + timedelta(days=30)
        made = {
            name: accounts.create_token(
                tx, person_id=id_, name="benchmark", scopes=("read", "write"), expires_at=later, now=now
            )
            for name, id_ in self.cast.ids.items()
        }
        for token, _ in made.values():
            accounts.used(tx, token, (now + timedelta(days=1)).date())
        return {name: clear for name, (_, clear) in made.items()}

    def copy(self, name: str, source: Path | None = None) -> Path:
        """A fresh copy of the database, or of another one."""
        path = self.folder / f"{name}.db"
        for old in self.folder.glob(f"{path.name}*"):
            old.unlink()
        shutil.copy(source or self.origin, path)
        return path


@contextmanager
def parts_on(path: Path, now: Callable[[], datetime] = lambda: START) -> Iterator[Parts]:
    """The running product on a database, at an instant that stands still unless `now` says otherwise."""
    parts = bootstrap.build(settings_for(path), now=now)
    try:
        yield parts
    finally:
        parts.close()


def actors(parts: Parts, cast: Cast, now: datetime = START) -> dict[str, Actor]:
    """Everybody, by sign-in name, with the posts of that day."""
    today = local_day(now, parts.engine.book.calendar)

    def load(tx: Tx) -> dict[str, Actor]:
        found = {name: people.actor_of(tx, id_, today) for name, id_ in cast.ids.items()}
        return {name: actor for name, actor in found.items() if actor}

    return parts.store.read(load)
