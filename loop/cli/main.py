"""The command line `loop`: every command is one function; exit codes are 0 done, 1 the check failed, 2 wrong use."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer

from loop.cli import accounts, checks, console, exchange, serving, telling, working_days
from loop.kernel.errors import LoopError
from loop.settings import SettingsError

app = typer.Typer(
    name="loop", no_args_is_help=True, invoke_without_command=True, add_completion=False, pretty_exceptions_enable=False,
    help="The rectification loop 整改闭环: findings of education supervision, from report to look-back.",
)  # fmt: skip


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """The rectification loop 整改闭环: findings of education supervision, from report to look-back."""
    if version:
        console.say(metadata.version("rectification-loop"))
        raise typer.Exit


serving.add_to(app)
accounts.add_to(app)
exchange.add_to(app)
checks.add_to(app)
working_days.add_to(app)
telling.add_to(app)


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error, never a stack trace."""
    try:
        app()
    except (SettingsError, LoopError) as refusal:
        said = f"{refusal.label.zh}\n{refusal.label.en}" if isinstance(refusal, LoopError) else str(refusal)
        sys.stderr.write(f"{said}\n")
        sys.exit(2)
