"""How commands speak: sentences for people, JSON for programs, progress on standard error; the options they share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from loop import bootstrap, log
from loop.bootstrap import Parts
from loop.kernel.labels import LANGUAGES
from loop.kernel.people import ADMIN, Actor, Post
from loop.settings import Settings, load_settings
from loop.store.chronicle import By

errors = Console(stderr=True, highlight=False)


def _spoken(language: str) -> str:
    if language not in LANGUAGES:
        raise typer.BadParameter(f"write {' or '.join(LANGUAGES)}")
    return language


AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Language = Annotated[str, typer.Option("--language", help=" or ".join(LANGUAGES), callback=_spoken)]


def say(text: str) -> None:
    """One line for a person on standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """One line of JSON for a program."""
    say(json.dumps(value, ensure_ascii=False, default=str))


@contextmanager
def writing(file: Path) -> Iterator[TextIO]:
    """A file to write, with line ends as they are written; one that cannot be is wrong use."""
    try:
        out = file.open("w", encoding="utf-8", newline="")
    except OSError as closed:
        raise typer.BadParameter(f"{file} cannot be written: {closed.strerror}") from closed
    with out:
        yield out


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
