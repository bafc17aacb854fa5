"""Commands for accounts: people, their posts and passwords, tokens for programs."""

from __future__ import annotations

import getpass
import secrets
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from loop.access import READ, SCOPES, WRITE, Passwords, issue_token
from loop.cli import console
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, ROLES
from loop.store import accounts, places, staff
from loop.store.session import Tx
from loop.store.staff import Person

COUNTRY = "100000"
"""Code of the country, under which an installation without regions begins."""

user = typer.Typer(no_args_is_help=True, help="People and their posts.")
token = typer.Typer(no_args_is_help=True, help="Access for programs.")


def add_to(app: typer.Typer) -> None:
    """Register the commands of this module."""
    app.add_typer(user, name="user")
    app.add_typer(token, name="token")


def _known(tx: Tx, name: str) -> Person:
    found = staff.find_person(tx, name)
    if found is None:
        raise NotFound(Label(f"没有账号 {name}。", f"There is no account {name}."))
    return found


def _region(tx: Tx, role: str, region: str | None) -> str | None:
    """The region of the post. The first administrator of an empty installation brings the country along."""
    if role != ADMIN or places.regions(tx, limit=1).items:
        return region
    code = region or COUNTRY
    places.add_region(tx, console.operator(), code=code, name="全国", level="country", parent=None)
    return code


@user.command()
def add(
    name: str,
    role: Annotated[str, typer.Option(help=", ".join(ROLES))],
    region: Annotated[str | None, typer.Option(help="Region code of the post.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit id of the post.")] = None,
    full_name: Annotated[str, typer.Option(help="The name people read.")] = "",
    as_json: console.AsJson = False,
) -> None:
    """Add a person with a post, or a post to a known person; a new person's first password is printed once."""
    with console.parts() as parts:
        first = secrets.token_urlsafe(12)
        hashed = Passwords().hash(first)
        today = datetime.now(parts.engine.book.calendar.zone).date()

        def work(tx: Tx) -> bool:
            region_code = _region(tx, role, region)
            fresh = staff.find_person(tx, name) is None
            staff.enrol(
                tx, console.operator(), name=name, full_name=full_name or name, role=role, from_on=today, region=region_code,
                unit_id=unit, password=hashed,
            )  # fmt: skip
            return fresh

        fresh = parts.store.write(work)
    if as_json:
        console.say_json({"name": name, "password": first if fresh else None})
    else:
        console.say(f"{name}: {first}" if fresh else f"{name} has the post now")


@user.command()
def passwd(name: str) -> None:
    """Set a password, asked for twice on a terminal or read as one line from a pipe."""
    if sys.stdin.isatty():
        given = getpass.getpass("password: ")
        if getpass.getpass("again: ") != given:
            raise typer.BadParameter("the two passwords differ")
    else:
        given = sys.stdin.readline().rstrip("\n")
    with console.parts() as parts:
        hashed = Passwords().hash(given)
        parts.store.write(lambda tx: accounts.set_password(tx, console.operator(), _known(tx, name).id, hashed))
    console.say(f"{name}: password set")


@user.command()
def deactivate(name: str) -> None:
    """Close an account; what it did stays on record."""
    with console.parts() as parts:
        by = console.operator()
        parts.store.write(lambda tx: staff.change_person(tx, by, _known(tx, name).id, {"active": False}))
    console.say(f"{name} can no longer sign in")


@token.command("create")
def create_token(
    name: str,
    label: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"One or more of {', '.join(SCOPES)} (which stands alone); default: {READ} {WRITE}."),
    ] = None,
) -> None:
    """Print a new token for the person NAME; it is shown this once. `--scope calendar` opens the calendar feed alone."""
    with console.parts() as parts:

        def work(tx: Tx) -> str:
            _, clear = issue_token(
                tx, person_id=_known(tx, name).id, name=label, scopes=scope or (READ, WRITE), life=parts.settings.auth.token,
                now=datetime.now(UTC), calendar=parts.engine.book.calendar,
            )  # fmt: skip
            return clear

        console.say(parts.store.write(work))
