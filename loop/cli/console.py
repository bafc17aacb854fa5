"""How commands speak: sentences for people, JSON for programs, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loop import bootstrap, log
from loop.bootstrap import Parts
from loop.kernel.people import ADMIN, Actor, Post
from loop.settings import Settings, load_settings
from loop.store.chronicle import By

errors = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """One line for a person on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """One line of JSON for a program."""
    say(json.dumps(value, ensure_ascii=False, default=str))


def settings() -> Settings:
    """The settings of this installation, with the log set up as they say."""
    loaded = load_settings()
    log.configure(loaded.observability.log_format, loaded.observability.log_level)
    return loaded


@contextmanager
def parts() -> Iterator[Parts]:
    """The running parts on the configured database, closed afterwards."""
    built = bootstrap.build(settings())
    try:
        yield built
    finally:
        built.close()


def operator() -> By:
    """Who acts from the command line: whoever may read the configuration runs the installation."""
    actor = Actor("console", "console", "命令行", (Post("console", ADMIN),))
    return By(actor, ADMIN, datetime.now(UTC))


@contextmanager
def bar(words: str, *, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error; silent where nobody looks."""
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, disable=quiet or not errors.is_terminal, transient=True) as progress:
        yield progress
