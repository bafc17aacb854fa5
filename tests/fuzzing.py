"""Calls for the fuzz: what a person would plausibly send to an operation, and what every answer must hold to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from loop.api.problems import MEDIA_TYPE, TITLES, TYPE
from loop.kernel.finding import Finding
from tests.cast import CITY, COUNTY, POSTS
from tests.inhabited import HOME, Inhabited
from tests.web import PASSWORD

API = "/api/v1"
ACTIONS = f"{API}/findings/{{number}}/actions/"
NOBODY = "nobody"
SEATS = (*dict.fromkeys(role for role, _ in POSTS.values()), NOBODY)
"""Every role there is, and who has none."""
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
LEAKS = (
    "Traceback (most recent",
    'File "',
    "site-packages",
    "sqlite3.",
    "psycopg",
    "pydantic",
    str(Path(__file__).parents[1]),
)
FIXED: dict[str, Sequence[str]] = {
    "limit": ("1", "5", "200"), "q": ("消防", "a"), "sort": ("due_at", "-number", "level", "-opened_at"), "open": ("true",),
    "stage": ("rectification", "review"), "state": ("rectification.executing", "report.draft"), "dispute": ("none",),
    "level_min": ("0", "2"), "region": (COUNTY, CITY), "unit": ("school", "bureau"), "category": ("campus_safety",),
    "severity": ("major", "normal"), "light": ("red", "green,grey"), "overdue": ("false", "true"), "suspended": ("false",),
    "due_before": ("2027-01-01", "2027-01-01T09:00:00+08:00"), "opened_after": ("2026-01-01",), "mine": ("true",),
    "changed_after": ("2026-03-02",), "count": ("true",), "active": ("true", "false"), "parent": (COUNTY,),
    "level": ("county",), "identity": ("true",), "status": ("received",), "dry_run": ("true",), "source": ("台账",),
    "unread": ("true",), "department": ("bureau",),
}  # fmt: skip
"""Values that mean something as parameters of a query, whatever the operation."""


@dataclass(slots=True)
class Sent:
    """The parts of a call: who makes it, and what goes where."""

    who: str | None
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    kind: str | None = None


class Clerk:
    """Fills in calls as people of this world would."""

    def __init__(self, home: Inhabited) -> None:
        self.home, self.dice = home, home.dice
        self._numbers = count(1)
        self._feeds: dict[str, str] = home.world.parts.store.write(
            lambda tx: {name: home.site.token(tx, name, "calendar") for name in home.world.cast.ids}
        )

    def call(self, operation: Any, seat: str) -> Sent:
        """A plausible call of `operation` by somebody who holds the role `seat`."""
        if operation.path.startswith(ACTIONS):
            return self._action(operation, operation.path.removeprefix(ACTIONS), seat)
        sent = Sent(self.person(seat))
        sent.path = self.path(operation, sent.who)
        sent.query = self.query(operation) | self._key(operation, sent.who)
        sent.body, sent.kind = self._body(operation, sent)
        return sent

    def person(self, seat: str) -> str | None:
        """Somebody with this role, of this county or, now and then, of another place."""
        held = [name for name, (role, _) in POSTS.items() if role == seat]
        near = [name for name in held if name in HOME]
        return self.dice.choice((near or held) * 4 + held) if held else None

    def able(self, operation: Any) -> str:
        """A seat from which the operation may succeed."""
        if operation.path.startswith(ACTIONS):
            action = self.home.world.engine.book.workflow.actions[operation.path.removeprefix(ACTIONS)]
            named = [POSTS[name][0] for one in self.home.standing() for name in self.home.able(action.name, one, HOME)]
            return self.dice.choice(named or [seat for seat in SEATS if seat in action.by] or ["inspector"])
        if operation.path.endswith("/audit/verify"):
            return "auditor"
        if operation.method.upper() == "GET":
            return self.dice.choice(["officer", "chief", "director", "leader", "admin", "auditor", "inspector"])
        if operation.path.startswith(tuple(API + place for place in ("/regions", "/offices", "/units", "/users"))):
            return "admin"
        return self.dice.choice(["officer", "chief"])

    # ---- paths and queries -------------------------------------------------------------------------------------------

    def path(self, operation: Any, who: str | None) -> dict[str, str]:
        """Real names in all the places of the path, of spare things where something may be changed."""
        names = {parameter.name for parameter in operation.path_parameters}
        number = self.dice.choice(self.home.numbers)
        found = {"number": number} if "number" in names else {}
        for name in names - {"number"}:
            known = self._ids(operation.path, name, number, who) if operation.method.upper() == "GET" else ()
            found[name] = self.dice.choice(list(known) or self._spare(operation.path, name, number, who) or ["none"])
        return found

    def _spare(self, path: str, name: str, number: str, who: str | None) -> list[str]:
        spare = self.home.spare
        return {
            "code": spare.regions, "office": spare.offices, "unit": spare.units, "user": spare.users,
            "supervision": spare.supervisions, "tip_off": spare.tip_offs, "token": spare.tokens.get(who or "", []),
        }.get(name) or self._ids(path, name, number, who)  # fmt: skip

    def _ids(self, path: str, name: str, number: str, who: str | None) -> list[str]:
        home, cast = self.home, self.home.world.cast
        if name == "id" and "/timers/" in path:
            return home.timers(number)
        finders: dict[str, Callable[[], list[str]]] = {
            "id": home.files if "/attachments/" in path else home.papers, "office": lambda: [cast.office_id, "YX"],
            "message": lambda: home.messages(who or "chief"), "code": lambda: [COUNTY, CITY],
            "unit": lambda: ["school", "bureau"], "user": lambda: list(cast.ids.values()),
            "tip_off": lambda: home.spare.tip_offs,
        }  # fmt: skip
        return finders[name]() if name in finders else []

    def query(self, operation: Any) -> dict[str, str]:
        """None or a few of the parameters with values that mean something."""
        known = {**FIXED, "finding": self.home.numbers, "office": [self.home.world.cast.office_id], "kind": ["routine"]}
        if operation.path.endswith("/units"):
            known["kind"] = ["school"]
        names = sorted({parameter.name for parameter in operation.query} & set(known))
        chosen = self.dice.sample(names, min(len(names), self.dice.randrange(3)))
        return {name: self.dice.choice(known[name]) for name in chosen}

    def _key(self, operation: Any, who: str | None) -> dict[str, str]:
        """The token that the address itself carries, where it carries one; now and then one that is good for other things."""
        if who is None or not operation.path.endswith("/calendar.ics"):
            return {}
        site = self.home.site
        return {"token": self.dice.choice([*[self._feeds[who]] * 4, site.tokens[who]])}

    # ---- bodies ------------------------------------------------------------------------------------------------------

    def _action(self, operation: Any, action: str, seat: str) -> Sent:
        held = [name for name, (role, _) in POSTS.items() if role == seat]
        standing = self.home.standing()
        able = [(name, one) for one in standing for name in self.home.able(action, one, held)]
        who, finding = self._free(action, able) or (self.person(seat), self.dice.choice(standing))
        sent = Sent(who, {"number": finding.number})
        if action == "attach":
            sent.body, sent.kind = self._file(), "multipart/form-data"
        else:
            sent.body, sent.kind = self.home.writer.write(action, finding), "application/json"
        return sent

    def _free(self, action: str, able: list[tuple[str, Finding]]) -> tuple[str, Finding] | None:
        """One of those pairs, if possible one where no condition holds the action back."""
        tried = self.dice.sample(able, min(len(able), 6))
        return next((pair for pair in tried if self.home.offered(action, *pair)), tried[0] if tried else None)

    def _body(self, operation: Any, sent: Sent) -> tuple[Any, str | None]:
        content = operation.definition.raw.get("requestBody", {}).get("content", {})
        if not content:
            return None, None
        kind = self.dice.choice(sorted(content))
        if kind == "multipart/form-data":
            return (self._file() if "attachments" in operation.path else {"file": self._ledger().encode()}), kind
        if kind == "text/csv":
            return self._ledger(), kind
        return {**content[kind]["example"], **self._adapted(operation, sent)}, kind

    def _adapted(self, operation: Any, sent: Sent) -> dict[str, Any]:
        """What of the documented example must be of this world."""
        home, fresh = self.home, f"x{next(self._numbers)}"
        number, day = self.dice.choice(home.numbers), home.world.day
        me = sent.who or "chief"
        overrides: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
            ("POST", "/findings"): home.writer.new,
            ("POST", "/findings/actions/open"): home.writer.new,
            ("POST", "/findings/actions/take_over"): home.writer.taken_over,
            ("POST", "/batches"): lambda: {"findings": [number], "preview": self.dice.choice([True, False])},
            ("POST", "/login"): lambda: {"name": me, "password": PASSWORD},
            ("PUT", "/me/substitutes"): lambda: {
                "substitutes": [{"name": "spare0", "from_on": day(1), "until_on": day(9)}],
            },
            ("POST", "/regions"): lambda: {"code": fresh, "level": "township", "parent": COUNTY},
            ("PATCH", "/regions/{code}"): lambda: {"name": f"改名{fresh}"},
            ("POST", "/offices"): lambda: {"code": fresh, "region": home.spare.regions[-1], "doc_prefix": fresh},
            ("PATCH", "/offices/{office}"): lambda: {"doc_prefix": fresh},
            ("POST", "/units"): lambda: {"region": COUNTY, "name": f"新学校{fresh}"},
            ("POST", "/users"): lambda: {"name": fresh, "region": COUNTY},
            ("POST", "/users/{user}/recusals"): lambda: {"unit": "other_school"},
            ("POST", "/supervisions"): lambda: {"period": {"from_on": day(0), "until_on": day(30)}, "team": ["inspector2"]},
            ("PATCH", "/supervisions/{supervision}"): lambda: {"team": ["inspector", "inspector2", "inspector3"]},
            ("POST", "/tip-offs"): lambda: {"region": COUNTY},
            ("POST", "/tip-offs/result"): lambda: {"receipt": self.dice.choice(home.spare.receipts)},
            ("PATCH", "/tip-offs/{tip_off}"): lambda: self.dice.choice([{"status": "checking"}, {"finding": number}, {}]),
            ("POST", "/clock"): lambda: {"advance": self.dice.choice(["1min", "1h", "1d"])},
        }  # fmt: skip
        place = (operation.method.upper(), operation.path.removeprefix(API))
        return overrides[place]() if place in overrides else {}

    def _file(self) -> dict[str, Any]:
        return {"file": b"%PDF-1.7\nproof " + str(next(self._numbers)).encode()}

    def _ledger(self) -> str:
        unit = self.dice.choice(["桐峰镇中心小学", "云溪县第二中学"])
        return f"被督导单位,问题描述,类别,整改期限\n{unit},消防通道堵塞,校园安全,{self.home.world.day(40)}\n"

    def learn(self, operation: Any, sent: Sent, answer: Response) -> None:
        """Remember what an answer has made, and that time has passed."""
        if answer.status_code not in (200, 201) or operation.method.upper() == "GET":
            return
        self.home.changed(sent.path.get("number"))
        made = answer.json() if "json" in answer.headers.get("content-type", [""])[0] else {}
        place = operation.path.removeprefix(API)
        if place == "/clock":
            self.home.notice_time()
        if answer.status_code != 201:
            return
        if "number" in made and "state" in made:
            self.home.numbers.append(made["number"])
        elif place in ("/users", "/units", "/offices", "/supervisions"):
            getattr(self.home.spare, place[1:]).append(made["id"])
        elif place == "/regions":
            self.home.spare.regions.append(made["code"])
        elif place == "/tokens" and sent.who:
            self.home.spare.tokens[sent.who].append(made["id"])


# ---- what every answer holds to --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What became of the calls of a run: how many, how many succeeded, what was wrong with the answers."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    succeeded: Counter[str] = field(default_factory=Counter)
    seats: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The part of the calls that was answered by 2xx."""
        return sum(many for status, many in self.statuses.items() if 200 <= status < 300) / max(1, self.calls)

    def count(self, operation: str, seat: str, status: int) -> None:
        """One call answered."""
        self.calls += 1
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.succeeded[operation] += 1
            self.seats[seat] += 1


def faults(case: Any, answer: Response, home: Inhabited) -> Iterator[str]:
    """What is wrong with an answer."""
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as failures:
        yield from (f"{type(one).__name__}: {one}" for one in failures.exceptions)
    yield from leaks(answer.content, home)
    if answer.status_code >= 400:
        yield from misformed(answer.status_code, answer.headers, answer.json())


def leaks(content: bytes, home: Inhabited) -> Iterator[str]:
    """What an answer tells of the machine and the program."""
    text = content.decode("utf-8", "replace")
    yield from (f"says {leak!r}" for leak in (*LEAKS, home.world.parts.settings.storage.evidence) if leak in text)


def misformed(status: int, headers: Mapping[str, Any], problem: Any) -> Iterator[str]:
    """What is wrong with a problem document; `headers` by their names in small letters."""

    def stated(name: str) -> str:
        value = headers.get(name, "")
        return str(value[0] if isinstance(value, list) else value)

    if stated("content-type") != MEDIA_TYPE:
        yield f"a refusal as {stated('content-type')}"
    code = problem.get("code")
    if code not in TITLES or problem.get("type") != TYPE + code or problem.get("status") != status:
        yield f"no problem document: {str(problem)[:600]}"
    if not problem.get("title") or not problem.get("detail") or problem.get("request_id") != stated("x-request-id"):
        yield f"an incomplete problem document: {str(problem)[:600]}"
    if (code == "invalid") != bool(problem.get("errors")):
        yield f"{code} with errors {problem.get('errors')}"
    if status == 429 and not stated("retry-after").isdecimal():
        yield "429 without Retry-After"


def case_of(operation: Any, sent: Sent) -> Any:
    """The call as a case of Schemathesis."""
    given = {} if sent.body is None else {"body": sent.body, "media_type": sent.kind}
    return operation.Case(path_parameters=dict(sent.path), query=dict(sent.query), **given)


def operations(app: Any) -> list[Any]:
    """Every operation of the application's own OpenAPI document, as Schemathesis reads it."""
    found: Iterable[Any] = schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations()
    return [one.ok() for one in found]
