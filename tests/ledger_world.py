"""Findings of all sorts and readers of all scopes, for the tests of the ledger."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from loop.kernel.finding import NEVER, is_open
from loop.kernel.people import Actor, Post
from loop.store.instants import text_of
from tests.small_country import (
    CITY,
    COUNTRY,
    COUNTY,
    NOW,
    OTHER_CITY,
    PATHS,
    PROVINCE,
    TOWN,
    SmallCountry,
)

AUDITOR = Actor("p", "p", "某", (Post("1", "auditor", PATHS[COUNTRY]),))
STATES = (
    "report.draft", "feedback.served", "rectification.planning", "rectification.executing", "review.desk",
    "interview.proposed", "lookback.watching", "archived", "withdrawn",
)  # fmt: skip


def some_findings(country: SmallCountry, number: int = 240) -> list[dict[str, Any]]:
    """Findings of all sorts, the same in every run; many share a due date, a level or an opening instant."""
    lot = random.Random(7)
    rows = []
    for id_ in range(1, number + 1):
        state = lot.choice(STATES)
        region, unit, department, office = lot.choice(
            [
                (TOWN, country.school.id, country.bureau.id, country.county.id),
                (COUNTY, country.bureau.id, None, country.county.id),
                (OTHER_CITY, country.far_school.id, None, country.other.id),
                (PROVINCE, "provincial", None, country.province.id),
            ]
        )
        due = NEVER if state in ("archived", "withdrawn") else NOW + timedelta(days=lot.randint(-20, 20))
        rows.append(
            {
                "id": id_, "path": PATHS[region], "unit_id": unit, "department_id": department, "office_id": office,
                "state": state, "is_open": int(is_open(state)), "level": lot.choice([0, 0, 0, 1, 2, 4]),
                "served": int(state != "report.draft"), "due_at": text_of(due),
                "opened_at": text_of(NOW - timedelta(days=lot.randint(0, 30))),
                "changed_at": text_of(NOW - timedelta(hours=lot.randint(0, 90))),
                "suspended_at": text_of(NOW if lot.random() < 0.1 else NEVER),
                "dispute": lot.choice(["none", "filed"]), "severity": lot.choice(["normal", "major", "grave"]),
                "category": lot.choice(["campus_safety", "funding"]), "kind": lot.choice(["routine", "special"]),
                "supervision_id": lot.choice([None, "s1"]),
            }
        )  # fmt: skip
    return rows


SCOPES: dict[str, tuple[Post, ...]] = {
    "country": AUDITOR.posts,
    "province": (Post("1", "leader", PATHS[PROVINCE]),),
    "city": (Post("1", "chief", PATHS[CITY]),),
    "county": (Post("1", "inspector", PATHS[COUNTY]),),
    "town": (Post("1", "officer", PATHS[TOWN]),),
    "unit": (Post("1", "unit", (), "school"),),
    "department": (Post("1", "department", (), "bureau"),),
    "three posts": (
        Post("1", "chief", PATHS[OTHER_CITY]),
        Post("2", "officer", PATHS[TOWN]),
        Post("3", "department", (), "bureau"),
    ),
    "admin": (Post("1", "admin", PATHS[COUNTRY]),),
    "nobody": (),
}


def actor_in(scope: str, country: SmallCountry) -> Actor:
    real = {"school": country.school.id, "bureau": country.bureau.id}
    posts = tuple(replace(p, unit_id=real[p.unit_id]) if p.unit_id else p for p in SCOPES[scope])
    return Actor("p", "p", "某", posts)
