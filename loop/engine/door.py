"""The one door: every action on every finding, by people, programs and timers, goes through `Engine.act` or `act_all`.

One action is one transaction: what is already due on the finding runs first, then the decision is taken and written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol, TypeVar, cast

from loop.engine.birth import blank, may_create, payload_for
from loop.engine.clock import Clock
from loop.engine.facts_loader import FactsLoader
from loop.engine.record import Outcome, Register, write
from loop.engine.side import SideTimers
from loop.engine.strike import Striker, first_due
from loop.kernel.decide import (
    Book,
    Command,
    Decision,
    Offer,
    action_named,
    admitted,
    allowed_from,
    decide,
    offered,
    offers,
)
from loop.kernel.errors import (
    ActionNotAllowed,
    Forbidden,
    GuardFailed,
    Invalid,
    LoopError,
    NotFound,
    Stale,
    Unavailable,
)
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.payloads import Nothing, Payload
from loop.kernel.people import Actor
from loop.kernel.workflow import Action
from loop.store import findings, journal
from loop.store.reach import may_see
from loop.store.session import Refused, Store, Tx

T = TypeVar("T")
MOST_IN_A_BATCH = 500
CHANGES = 50
"""So many changes are looked through for somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody wants to take an action: on the finding `number`, or, without one, to create a finding.

    `expected` is the version the caller last saw, `own` how many steps they took since then, uploads say; a finding that
    moved on otherwise is refused as stale. In place of a payload stands the error that kept it from being read: it is raised
    when the order of refusals comes to it.
    """

    actor: Actor
    action: str
    number: str | None = None
    payload: Mapping[str, Any] | Payload | LoopError = field(default_factory=dict)
    expected: int | None = None
    own: int = 0


@dataclass(frozen=True, slots=True)
class Aim:
    """One finding of a batch, with the version the caller last saw."""

    number: str
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A finding, what was asked, and what becomes of it."""

    before: Finding
    command: Command
    decision: Decision


class Once(Protocol[T]):
    """Makes a repeated request harmless: finds its earlier answer, or keeps the new one, in the same transaction."""

    def earlier(self, tx: Tx) -> T | None:
        """The answer given before; raises `IdempotencyMismatch` if it belonged to another request."""

    def keep(self, tx: Tx, answer: T) -> None:
        """Keep the answer for the next time."""


class BatchRefused(LoopError):
    """Some findings of a batch refuse the action; nothing was done."""

    status = 409
    code = "guard_failed"

    def __init__(self, first: LoopError, failures: Sequence[Mapping[str, Any]]) -> None:
        self.status, self.code = first.status, first.code
        numbers = ", ".join(str(f["number"]) for f in failures)
        text = Label(
            f"整批未办理，{len(failures)} 个问题不符合条件（{numbers}）：{first.label.zh}",
            f"Nothing was done: {len(failures)} findings refuse ({numbers}): {first.label.en}",
        )
        super().__init__(text, failures=list(failures), guard=first.facts.get("guard"))


class Engine:
    """Takes wishes, answers outcomes. Thread-safe; keeps nothing in memory that the database does not hold."""

    def __init__(
        self, store: Store, book: Book, clock: Clock, *, rungs: Mapping[str, Mapping[str, Any]], number_form: str
    ) -> None:
        self.store, self.book, self.clock = store, book, clock
        self._number_form = number_form
        self.striker = Striker(book, clock, rungs, self.register)
        self.side = SideTimers(book)

    def register(self, tx: Tx) -> Register:
        """The papers of one transaction."""
        return Register(tx, self.book.rules, self.book.calendar, self._number_form)

    # ---- one finding -----------------------------------------------------------------------------------------------

    def act(self, wish: Wish, finish: Callable[[Tx, Outcome], T], once: Once[T] | None = None) -> Future[T]:
        """Take the action in its own transaction; the future answers `finish(tx, outcome)`, run within it.

        The future raises the refusal: `NotFound`, `Forbidden`, `IdempotencyMismatch`, `Stale`, `ActionNotAllowed`,
        `Invalid`, `GuardFailed`. With `once` a repeated request gets its earlier answer.
        """
        return self.store.submit(lambda tx: self.act_in(tx, wish, finish, once))

    def act_in(
        self, tx: Tx, wish: Wish, finish: Callable[[Tx, Outcome], T], once: Once[T] | None = None
    ) -> T | Refused:
        """`act` within a transaction that the caller owns. A `Refused`, which must not undo what was due before it, is for
        the store: committed first, raised after.
        """
        if wish.number is None:
            now = self.clock.now(tx)
            may_create(action_named(self.book, wish.action), wish.actor)
            return self._once(tx, once, lambda: finish(tx, self._create(tx, wish, now)))
        finding = self._seen(tx, wish.actor, wish.number)
        now = self.clock.now(tx)  # read under the lock, so that neighbouring events never step back in time
        if first_due(finding, now) is None:
            return self._one(tx, wish, finding, now, finish, once)
        self.striker.strike(tx, finding, now)
        try:
            with tx.attempt():
                return self._one(tx, wish, self._seen(tx, wish.actor, wish.number), now, finish, once)
        except Unavailable:
            raise
        except LoopError as error:
            return Refused(error)

    def _one(
        self, tx: Tx, wish: Wish, finding: Finding, now: datetime, finish: Callable[[Tx, Outcome], T],
        once: Once[T] | None,
    ) -> T:  # fmt: skip
        admitted(action_named(self.book, wish.action), wish.actor, finding)
        return self._once(tx, once, lambda: finish(tx, self._decided(tx, finding, wish, now, self.register(tx))))

    def _once(self, tx: Tx, once: Once[T] | None, work: Callable[[], T]) -> T:
        if once is None:
            return work()
        earlier = once.earlier(tx)
        if earlier is not None:
            return earlier
        answer = work()
        once.keep(tx, answer)
        return answer

    def _seen(self, tx: Tx, actor: Actor, number: str) -> Finding:
        finding = findings.load(tx, number, lock=True)
        if finding is None or not may_see(actor, finding):
            raise NotFound
        return finding

    def _create(self, tx: Tx, wish: Wish, now: datetime) -> Outcome:
        action = action_named(self.book, wish.action)
        born = blank(tx, self.book, action, wish.actor, wish.payload, now)
        return self._decided(tx, born.finding, replace(wish, payload=born.payload), now, self.register(tx))

    def _decided(self, tx: Tx, finding: Finding, wish: Wish, now: datetime, register: Register) -> Outcome:
        return self._written(tx, self._decide(tx, finding, wish, now), now, register, {})

    def _decide(self, tx: Tx, finding: Finding, wish: Wish, now: datetime) -> Decided:
        """What becomes of the finding; nothing is written yet."""
        action, payload = self._admit(tx, finding, wish)
        command = Command(action=action.name, actor=wish.actor, payload=payload)
        loader = FactsLoader(tx, self.book.rules, self.book.calendar, now)
        facts = loader.load(action.facts, finding, payload, wish.actor)
        return Decided(finding, command, decide(self.book, finding, command, facts, now))

    def _written(
        self, tx: Tx, one: Decided, now: datetime, register: Register, about: Mapping[str, Sequence[Finding]]
    ) -> Outcome:
        return write(
            tx, one.before, one.decision, one.command, run_at=now, register=register, about=about,
            rules=self.book.workflow.version,
        )  # fmt: skip

    def _admit(self, tx: Tx, finding: Finding, wish: Wish) -> tuple[Action, Payload]:
        """The action and its payload; refused in the order of the contract: 404, 403, 412, 409 state, 422."""
        action = action_named(self.book, wish.action)
        admitted(action, wish.actor, finding)
        self._check_version(tx, finding, wish)
        allowed_from(self.book, action, finding)
        return action, payload_for(action, wish.payload)

    def _check_version(self, tx: Tx, finding: Finding, wish: Wish) -> None:
        """Raises Stale naming who changed it last: somebody else, where the caller's own steps are among the changes."""
        seen = wish.expected
        if seen is None or seen + wish.own == finding.version:
            return
        last = journal.latest(tx, finding.number, finding.version + 1, CHANGES)
        others = (one for one in last if one.seq > seen and one.actor_id != wish.actor.id)
        changed = next(others, last[0] if last else None)
        by, at = (changed.actor_name, changed.at) if changed else ("?", datetime.now(UTC))
        local = at.astimezone(self.book.calendar.zone).isoformat(timespec="seconds")
        raise Stale(by=by, at=local, version=finding.version)

    def offers(self, tx: Tx, actor: Actor, finding: Finding) -> tuple[Offer, ...]:
        """What `actor` may do to `finding` now, and what a guard holds back."""
        now = self.clock.now(tx)
        needs: frozenset[str] = frozenset()
        for action in offered(self.book, finding, actor):
            needs |= action.facts_beforehand
        facts = FactsLoader(tx, self.book.rules, self.book.calendar, now).load(needs, finding, Nothing(), actor)
        return offers(self.book, finding, actor, facts, now)

    # ---- many findings, one paper ------------------------------------------------------------------------------------

    def act_all(
        self, actor: Actor, action: str, aims: Sequence[Aim], payload: Mapping[str, Any] | LoopError,
        finish: Callable[[Tx, Sequence[Outcome]], T], *, preview: bool = False, once: Once[T] | None = None,
    ) -> Future[T]:  # fmt: skip
        """The same action on many findings in one transaction with one paper; for all or for none.

        With `preview` everything is decided and answered, then undone.
        """
        return self.store.submit(
            lambda tx: self.act_all_in(tx, actor, action, aims, payload, finish, preview=preview, once=once)
        )

    def act_all_in(
        self, tx: Tx, actor: Actor, action: str, aims: Sequence[Aim], payload: Mapping[str, Any] | LoopError,
        finish: Callable[[Tx, Sequence[Outcome]], T], *, preview: bool = False, once: Once[T] | None = None,
    ) -> T:  # fmt: skip
        """`act_all` within a transaction that the caller owns. Refused in the order of the contract: whatever is not found,
        not permitted, or asked before under this key, before anything else about any of the findings.
        """
        now = self.clock.now(tx)
        named = action_named(self.book, action)
        found = self._batch(tx, actor, aims)
        if named.creates:
            raise NotFound
        for finding in found.values():
            admitted(named, actor, finding)

        def work() -> T:
            return finish(tx, self._all(tx, actor, action, aims, payload, now, found))

        return self._once(tx, once, (lambda: previewed(tx, work)) if preview else work)

    def _all(
        self,
        tx: Tx,
        actor: Actor,
        action: str,
        aims: Sequence[Aim],
        payload: Mapping[str, Any] | LoopError,
        now: datetime,
        found: dict[str, Finding],
    ) -> list[Outcome]:
        if len(found) != len(aims):
            raise Invalid.field("findings", "同一问题出现两次。", "a finding is named twice")
        for finding in list(found.values()):
            if first_due(finding, now):
                self.striker.strike(tx, finding, now)
                found[finding.number] = self._seen(tx, actor, finding.number)
        decided = self._decide_all(tx, actor, action, aims, payload, now, found)
        register, about = self.register(tx), _about(decided)
        self._check_joint(action_named(self.book, action), decided, register)
        return [self._written(tx, one, now, register, about) for one in decided]

    def _decide_all(
        self,
        tx: Tx,
        actor: Actor,
        action: str,
        aims: Sequence[Aim],
        payload: Mapping[str, Any] | LoopError,
        now: datetime,
        found: Mapping[str, Finding],
    ) -> list[Decided]:
        """What becomes of each; raises BatchRefused naming all that refuse, or Invalid for what is wrong with the payload."""
        decided: list[Decided] = []
        failures: list[tuple[str, LoopError]] = []
        for aim in aims:
            wish = Wish(actor=actor, action=action, number=aim.number, payload=payload, expected=aim.expected)
            try:
                decided.append(self._decide(tx, found[aim.number], wish, now))
            except LoopError as error:
                failures.append((aim.number, error))
        if failures:
            first = min((error for _, error in failures), key=_place_of)
            if isinstance(first, Invalid):
                raise first  # the payload is the same for all of them
            said = [{"number": n, "code": e.code, "guard": e.facts.get("guard"), "label": e.label} for n, e in failures]
            raise BatchRefused(first, said)
        return decided

    def _batch(self, tx: Tx, actor: Actor, aims: Sequence[Aim]) -> dict[str, Finding]:
        if not 1 <= len(aims) <= MOST_IN_A_BATCH:
            raise Invalid.field("findings", "一批须有 1 至 500 个问题。", "a batch takes 1 to 500 findings")
        numbers = list(dict.fromkeys(aim.number for aim in aims))
        found = findings.load_many(tx, numbers, lock=True)
        missing = [n for n in numbers if n not in found or not may_see(actor, found[n])]
        if missing:
            raise NotFound
        return found

    def _check_joint(self, action: Action, decided: Sequence[Decided], register: Register) -> None:
        """An interview or bulletin may join units; any other paper is addressed to one, and each is made by one office."""
        if not joins_units(action) and len({one.before.unit_id for one in decided}) > 1:
            raise GuardFailed(
                Label("这类文书一次只能发给一个单位。", "A paper of this kind is addressed to one unit."),
                guard="one_unit",
            )
        if len({register.issuer(one.decision).id for one in decided if one.decision.papers}) > 1:
            raise GuardFailed(
                Label(
                    "一份文书只能由一个督导机构制发，请分别办理。", "One office makes a paper: do this for each apart."
                ),
                guard="one_office",
            )


def _about(decided: Sequence[Decided]) -> dict[str, list[Finding]]:
    """The findings that each kind of paper is about: those whose decision makes it."""
    found: dict[str, list[Finding]] = {}
    for one in decided:
        for paper in one.decision.papers:
            found.setdefault(paper.kind, []).append(one.decision.after)
    return found


def joins_units(action: Action) -> bool:
    """Whether one paper of this action, if it makes any, may be addressed to several units."""
    joining = ("interview", "reschedule", "bulletin", "filing")
    return not action.papers or any(paper.kind.startswith(joining) for paper in action.papers)


ORDER = (NotFound, Forbidden, Stale, ActionNotAllowed, Invalid)
"""In which order refusals speak for a batch; any other comes after these."""


def _place_of(error: LoopError) -> int:
    return next((place for place, kind in enumerate(ORDER) if isinstance(error, kind)), len(ORDER))


def previewed(tx: Tx, work: Callable[[], T]) -> T:
    """What `work` answers, undone."""
    try:
        with tx.attempt():
            undo(work())
    except Undone as undone:
        return cast("T", undone.answer)
    raise AssertionError("a preview is always undone")


def undo(answer: object) -> NoReturn:
    """End a stretch so that everything it did is undone, carrying its answer out."""
    raise Undone(answer)


class Undone(Exception):
    """Carries the answer of a preview out of the stretch that is then undone."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        super().__init__("preview")
