"""Closing somebody's account: first what that means for whatever waits for them; and opening it again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop import staffing
from loop.authority import keeper, require
from loop.engine import audience
from loop.engine.door import previewed
from loop.kernel.errors import LoopError
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, ROLES, Actor
from loop.store import desk, findings, lookup, names, people
from loop.store.people import Seat
from loop.store.reach import may_see
from loop.store.session import Tx
from loop.store.staff import Person
from loop.store.timers import Todo
from loop.web.admin import PEOPLE, change_admin, show_admin, within
from loop.web.admin_person import ONE, crumbs_to, ours
from loop.web.page import Goto, Page, Visitor, service_of, visitor_of
from loop.web.places import page_of
from loop.web.sent import sent_of
from loop.web.times import Due

router = APIRouter()
TITLE = Label("停用账号", "Close the account")
MOST = 50
"""So many tasks are listed."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for the person, and who has it then: those in office, or, with `gap`, those who stand in."""

    path: str
    chain: str
    title: str
    what: Label
    due: Due | None
    heirs: tuple[str, ...]
    gap: bool


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A post of the person, and who else holds it."""

    role: Label
    place: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingView:
    """What closing an account means: tasks, posts, messages that are told to others, absences that nobody covers any more."""

    person: Person
    here: str
    back: str
    tasks: tuple[Task, ...]
    more: bool
    vacancies: tuple[Vacancy, ...]
    covers: tuple[str, ...]
    messages: int
    told: tuple[str, ...]
    refusal: Label | None = None


@router.get(f"{ONE}/leaving")
async def ask(request: Request, who: str) -> Response:
    """What it means, before it is done."""
    told = await _told(request, who)

    def build(tx: Tx, visitor: Visitor) -> Page:
        person = ours(tx, visitor, who)
        keeper(tx, visitor.caller, visitor.service, person)
        return _page(tx, visitor, person, told)

    return await show_admin(request, build)


async def _told(request: Request, id_: str) -> list[str]:
    """Whom closing the account would send messages to: it is done and undone."""
    service = service_of(request)

    def work(tx: Tx) -> list[str]:
        visitor = visitor_of(request, tx)
        require(visitor.actor, ADMIN)
        person = ours(tx, visitor, id_)
        keeper(tx, visitor.caller, service, person)
        if not person.active or person.id == visitor.actor.id:
            return []

        def leave() -> list[str]:
            staffing.change_person(tx, visitor.caller, service, person, {"active": False})
            return service.reconciliation.parting(tx, person.id)

        return previewed(tx, leave)

    return await asyncio.wrap_future(service.store.submit(work))


@router.post(f"{ONE}/active")
async def close_or_open(request: Request, who: str) -> Response:
    """Close the account, or open it again."""
    sent = await sent_of(request)
    active = sent.get("active") == "1"

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = ours(tx, visitor, who)
        staffing.change_person(tx, visitor.caller, visitor.service, person, {"active": active})
        return Goto(within(PEOPLE, person.id), "account-opened" if active else "account-closed")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(tx, visitor, ours(tx, visitor, who), [], error.label)

    return await change_admin(request, sent, work, again)


def _page(tx: Tx, visitor: Visitor, person: Person, told: Sequence[str], refusal: Label | None = None) -> Page:
    here = within(PEOPLE, person.id)
    actor = people.actor_of(tx, person.id, visitor.today) or Actor(person.id, person.name, person.full_name)
    own = replace(actor, posts=tuple(post for post in actor.posts if post.for_id is None))
    flow = visitor.service.book.workflow
    waiting = desk.page(tx, own, flow, now=visitor.now, limit=MOST)
    tasks, seats = _tasks(tx, visitor, own, waiting.items)
    covered = lookup.covered_by(tx, person.id, visitor.today)
    called = names.of_people(tx, {*told, *(id_ for id_, _ in covered)})
    view = LeavingView(
        person=person, here=f"{here}/active", back=here, tasks=tasks, more=waiting.next is not None,
        vacancies=_vacancies(tx, own, seats), covers=tuple(f"{called[id_][1]}（–{until}）" for id_, until in covered),
        messages=len(told), told=tuple(sorted(called[id_][1] for id_ in set(told))), refusal=refusal,
    )  # fmt: skip
    return Page(template="admin_leaving.html", title=TITLE, view=view, crumbs=crumbs_to(person))


def _tasks(
    tx: Tx, visitor: Visitor, own: Actor, waiting: Sequence[Todo]
) -> tuple[tuple[Task, ...], tuple[Seat, ...]]:  # fmt: skip
    """The tasks, each with whoever has it without this person; and everybody who sits where the person's posts are."""
    about = findings.load_many(tx, [one.chain for one in waiting if ":" not in one.chain], lock=False)
    regions = {post.region[-1] for post in own.posts if post.region}
    units = {post.unit_id for post in own.posts if post.unit_id}
    persons: set[str] = set()
    for todo in waiting:
        if finding := about.get(todo.chain):
            more = audience.places_of(finding, finding, todo.owner.split(","))
            regions, units, persons = regions | more[0], units | more[1], persons | more[2]
    seats = people.audience(tx, regions=regions, units=units, persons=persons, today=visitor.today)
    left = tuple(seat for seat in seats if own.id not in (seat.person_id, seat.for_id))
    called = {seat.person_id: seat.full_name for seat in left}
    return tuple(_task(todo, about.get(todo.chain), left, called, visitor) for todo in waiting), left


def _task(
    todo: Todo, finding: Finding | None, left: Iterable[Seat], called: dict[str, str], visitor: Visitor
) -> Task:  # fmt: skip
    rule = visitor.service.book.workflow.timers.get(todo.rule)
    if finding:
        reached, _ = audience.resolve(finding, finding, todo.owner.split(","), left)
    else:
        reached = [audience.Reach(seat.person_id, seat.role) for seat in left if seat.role in todo.owner.split(",")]
    sitting = [one for one in reached if not one.gap]
    heirs = dict.fromkeys(called[one.person_id] for one in sitting or reached)
    # Whoever keeps the accounts need not see what the findings are about.
    is_seen = finding is not None and may_see(visitor.actor, finding)
    return Task(
        path=page_of(todo.chain) if is_seen else "", chain="" if ":" in todo.chain else todo.chain,
        title=(todo.title or "") if is_seen else "",
        what=rule.label if rule else Label(todo.rule, todo.rule), due=visitor.times.due(todo.due_at), heirs=tuple(heirs),
        gap=not sitting,
    )  # fmt: skip


def _vacancies(tx: Tx, own: Actor, seats: Iterable[Seat]) -> tuple[Vacancy, ...]:
    """The person's posts with whoever else holds each."""
    regions = names.of_regions(tx, (post.region[-1] for post in own.posts if post.region))
    units = names.of_units(tx, (post.unit_id or "" for post in own.posts))
    held = list(seats)
    return tuple(
        Vacancy(
            ROLES[post.role],
            units.get(post.unit_id or "", "") or regions.get(post.region[-1] if post.region else "", ""),
            tuple(
                dict.fromkeys(
                    s.full_name
                    for s in held
                    if s.for_id is None and (s.role, s.region, s.unit_id) == (post.role, post.region, post.unit_id)
                )
            ),
        )
        for post in own.posts
    )
