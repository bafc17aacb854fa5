"""People, posts, recusals and tokens by HTTP."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from loop.store import accounts, journal, people
from tests.cast import CITY, COUNTY, NEXT_DOOR
from tests.test_api_registry import county_admin, pages
from tests.web import PASSWORD, Site, refused, site
from tests.world import world

__all__ = ["county_admin", "site", "world"]
NEW = {"name": "wang.li", "full_name": "王丽", "role": "inspector", "region": COUNTY, "password": PASSWORD}


async def test_a_new_person_can_sign_in_and_the_clear_password_is_kept_nowhere(site: Site) -> None:
    made = await site.post("admin", "/users", NEW)
    assert made.status_code == 201
    body = made.json()
    assert [(p["role"], p["region"], p["from_on"], p["until_on"]) for p in body["posts"]] == [
        ("inspector", COUNTY, site.world.day(), None)
    ]
    assert (await site.post(None, "/login", {"name": "wang.li", "password": PASSWORD})).status_code == 200
    trail = site.world.parts.store.read(lambda tx: journal.trail(tx, "people"))
    assert not [entry for entry in trail if PASSWORD in entry.payload + entry.effects]
    assert PASSWORD not in made.text


async def test_a_known_name_gets_one_more_post(site: Site) -> None:
    more = {"name": "officer", "role": "inspector", "region": COUNTY}
    answer = await site.post("admin", "/users", more)
    assert sorted(p["role"] for p in answer.json()["posts"]) == ["inspector", "officer"]
    refused(await site.post("admin", "/users", more), 409, "conflict")
    refused(await site.post("admin", "/users", {**more, "role": "chief", "full_name": "另一人"}), 409, "conflict")
    refused(await site.post("admin", "/users", {**more, "role": "chief", "password": PASSWORD}), 409, "conflict")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "王丽"}, "name"), ({"full_name": None}, "full_name"), ({"role": "king"}, "role"),
        ({"region": "nowhere"}, "region"), ({"region": None}, "region"), ({"password": "short"}, "password"),
        ({"role": "unit", "region": None, "unit": "nowhere"}, "unit"), ({"until_on": "2020-01-01"}, "until_on"),
        ({"from_on": "2026-02-30"}, "from_on"), ({"unit": "next_school"}, "unit"), ({"language": "fr"}, "language"),
    ],
)  # fmt: skip
async def test_a_person_that_cannot_be(site: Site, changes: dict[str, str | None], field: str) -> None:
    answer = await site.post("admin", "/users", NEW | changes)
    assert [e["field"] for e in refused(answer, 422, "invalid")["errors"]] == [field]


async def test_people_are_seen_within_scope(site: Site) -> None:
    county = {p["name"] for p in await pages(site, "officer", "/users")}
    assert {"officer", "chief", "school", "bureau"} <= county
    assert not county & {"city_chief", "next_officer", "next_school", "admin"}
    assert [p["name"] for p in await pages(site, "school", "/users")] == ["school"]
    refused(await site.get("officer", f"/users/{site.world.cast.ids['next_chief']}"), 404, "not_found")
    assert (await site.get("school", f"/users/{site.world.cast.ids['school']}")).status_code == 200


async def test_a_new_password_ends_sessions_and_a_deactivated_person_is_out(site: Site) -> None:
    id_ = site.world.cast.ids["officer"]
    browser = site.client()
    await browser.post("/api/v1/login", json={"name": "officer", "password": PASSWORD})
    assert (await browser.get("/api/v1/me")).status_code == 200
    changed = await site.call("admin", "PATCH", f"/users/{id_}", {"password": "another good one", "language": "en"})
    assert changed.json()["language"] == "en"
    assert (await browser.get("/api/v1/me")).status_code == 401
    await browser.aclose()
    refused(await site.post(None, "/login", {"name": "officer", "password": PASSWORD}), 401, "unauthenticated")
    assert (await site.call("admin", "PATCH", f"/users/{id_}", {"active": False})).json()["active"] is False
    refused(await site.get("officer", "/me"), 401, "unauthenticated")


async def test_a_post_ends_with_its_last_day(site: Site) -> None:
    id_ = site.world.cast.ids["inspector"]
    (post,) = (await site.get("admin", f"/users/{id_}")).json()["posts"]
    ended = {"end_posts": [{"post": post["id"], "until_on": site.world.day(2)}]}
    answer = await site.call("admin", "PATCH", f"/users/{id_}", ended)
    assert answer.json()["posts"][0]["until_on"] == site.world.day(2)
    assert site.world.actor("inspector").posts
    site.world.sleep(3)
    assert not site.world.actor("inspector").posts
    strange = {"end_posts": [{"post": "none", "until_on": site.world.day()}]}
    refused(await site.call("admin", "PATCH", f"/users/{id_}", strange), 422, "invalid")


async def test_a_county_administrator_does_not_reach_an_account_that_also_serves_elsewhere(
    site: Site, county_admin: str
) -> None:
    ids = site.world.cast.ids
    assert (
        await site.call(county_admin, "PATCH", f"/users/{ids['officer']}", {"full_name": "新名"})
    ).status_code == 200
    await site.post("admin", "/users", {"name": "officer", "role": "inspector", "region": CITY})
    refused(
        await site.call(county_admin, "PATCH", f"/users/{ids['officer']}", {"password": PASSWORD}), 403, "forbidden"
    )
    refused(await site.call(county_admin, "PATCH", f"/users/{ids['city_chief']}", {"active": False}), 404, "not_found")
    refused(await site.call("chief", "PATCH", f"/users/{ids['officer']}", {"active": False}), 403, "forbidden")
    grab = {"name": "someone", "full_name": "某", "role": "admin", "region": CITY}
    assert [e["field"] for e in refused(await site.post(county_admin, "/users", grab), 422, "invalid")["errors"]] == [
        "region"
    ]


async def test_a_recusal_is_for_oneself_to_add_and_for_the_chief_to_lift(site: Site) -> None:
    id_ = site.world.cast.ids["inspector"]
    path = f"/users/{id_}/recusals"
    mine = {"unit": "school", "ground": "配偶在该校任教"}
    assert (await site.post("inspector", path, mine)).status_code == 201
    refused(await site.post("inspector", path, {**mine, "until_on": site.world.day()}), 403, "forbidden")
    refused(await site.post("officer", path, mine), 403, "forbidden")
    refused(await site.post("next_chief", path, mine), 404, "not_found")
    listed = (await site.get("chief", path)).json()
    assert listed == {"items": [{"unit": "school", "ground": "配偶在该校任教", "until_on": None}], "next": None}
    today = site.world.today
    assert site.world.parts.store.read(lambda tx: people.recused(tx, [id_], "school", today))
    lifted = await site.post("chief", path, {**mine, "until_on": site.world.day(-1)})
    assert lifted.json()["until_on"] == site.world.day(-1)
    assert not site.world.parts.store.read(lambda tx: people.recused(tx, [id_], "school", today))
    assert [
        e["field"] for e in refused(await site.post("chief", path, {**mine, "unit": "x"}), 422, "invalid")["errors"]
    ] == ["unit"]


# ---- tokens --------------------------------------------------------------------------------------------------------


async def test_a_token_is_told_once_works_and_ends_when_revoked(site: Site) -> None:
    made = await site.post("officer", "/tokens", {"name": "nightly", "scopes": ["read"]})
    assert made.status_code == 201
    clear = made.json()["token"]
    bearer = {"Authorization": f"Bearer {clear}"}
    assert (await site.get(None, "/me", headers=bearer)).json()["name"] == "officer"
    refused(await site.post(None, "/tokens", {"name": "more"}, headers=bearer), 403, "forbidden")
    listed = await site.get("officer", "/tokens")
    assert clear not in listed.text
    assert [t["revoked"] for t in listed.json()["items"] if t["id"] == made.json()["id"]] == [False]
    assert (await site.call("officer", "DELETE", f"/tokens/{made.json()['id']}")).status_code == 204
    refused(await site.get(None, "/me", headers=bearer), 401, "unauthenticated")
    again = (await site.get("officer", f"/tokens/{made.json()['id']}")).json()
    assert again["revoked"] is True


async def test_a_repeated_request_makes_one_token_and_does_not_tell_it_again(site: Site) -> None:
    key = {"Idempotency-Key": "t-1"}
    first = await site.post("officer", "/tokens", {"name": "one"}, headers=key)
    again = await site.post("officer", "/tokens", {"name": "one"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json() | {"token": ""}
    tokens = site.world.parts.store.read(lambda tx: accounts.tokens_of(tx, site.world.cast.ids["officer"]))
    assert [t.name for t in tokens].count("one") == 1


async def test_tokens_of_others_are_for_those_who_administer_them(site: Site, county_admin: str) -> None:
    made = (await site.post("officer", "/tokens", {"name": "one"})).json()
    officer, city = site.world.cast.ids["officer"], site.world.cast.ids["city_chief"]
    refused(await site.call("chief", "DELETE", f"/tokens/{made['id']}"), 404, "not_found")
    refused(await site.get("chief", f"/tokens?person={officer}"), 403, "forbidden")
    refused(await site.get(county_admin, f"/tokens?person={city}"), 404, "not_found")
    seen = (await site.get(county_admin, f"/tokens?person={officer}")).json()["items"]
    assert made["id"] in [t["id"] for t in seen]
    assert (await site.call(county_admin, "DELETE", f"/tokens/{made['id']}")).status_code == 204
    refused(await site.call("admin", "DELETE", "/tokens/nothing"), 404, "not_found")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": ""}, "name"), ({"name": "x", "scopes": ["root"]}, "scopes.0"), ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "expires_on": "2020-01-01"}, "expires_on"), ({"name": "x", "expires_on": "2190-01-01"}, "expires_on"),
    ],
)  # fmt: skip
async def test_a_token_that_cannot_be(site: Site, wanted: dict[str, object], field: str) -> None:
    answer = await site.post("officer", "/tokens", wanted)
    assert [e["field"] for e in refused(answer, 422, "invalid")["errors"]] == [field]


async def test_next_door_is_another_scope(site: Site) -> None:
    assert {p["name"] for p in await pages(site, "next_officer", "/users")} == {
        "next_officer",
        "next_chief",
        "next_school",
    }
    assert [r["code"] for r in await pages(site, "next_officer", "/regions")] == [NEXT_DOOR]


# ---- substitutes ---------------------------------------------------------------------------------------------------


async def named(site: Site, absent: str, stand_in: str, days: int = 9) -> httpx.Response:
    span = {"name": stand_in, "from_on": site.world.day(), "until_on": site.world.day(days)}
    return await site.call(absent, "PUT", "/me/substitutes", {"substitutes": [span]})


async def lent(site: Site, who: str) -> list[str]:
    """The roles that somebody holds for others today."""
    return [p["role"] for p in (await site.get(who, "/me")).json()["posts"] if p["for_id"]]


@pytest.mark.parametrize(
    ("absent", "stand_in"),
    [
        ("chief", "school"), ("chief", "bureau"), ("officer", "auditor"), ("director", "admin"), ("chief", "leader"),
        ("leader", "inspector"), ("leader", "school"), ("leader", "auditor"), ("school", "other_school"), ("school", "bureau"),
        ("school", "officer"), ("bureau", "school"), ("auditor", "officer"), ("admin", "chief"),
    ],
)  # fmt: skip
async def test_nobody_of_another_kind_can_be_a_substitute(site: Site, absent: str, stand_in: str) -> None:
    body = refused(await named(site, absent, stand_in), 422, "invalid")
    assert [(e["field"], e["kind"]) for e in body["errors"]] == [("substitutes", "unlike")]
    assert stand_in in body["detail"]
    assert (await site.get(absent, "/me")).json()["substitutes"] == []
    assert await lent(site, stand_in) == []


@pytest.mark.parametrize(
    ("absent", "stand_in"),
    [("chief", "inspector"), ("inspector", "next_officer"), ("leader", "director"), ("leader", "city_chief")],
)
async def test_people_of_offices_stand_in_for_each_other_and_for_leaders(
    site: Site, absent: str, stand_in: str
) -> None:
    assert (await named(site, absent, stand_in)).status_code == 200
    assert await lent(site, stand_in) == [absent]


@pytest.mark.parametrize(("absent", "place"), [("school", "school"), ("bureau", "bureau")])
async def test_a_colleague_of_the_same_unit_or_department_stands_in(site: Site, absent: str, place: str) -> None:
    role = "department" if absent == "bureau" else "unit"
    post = {"role": role, "region": None, "unit": place}
    assert (await site.post("admin", "/users", NEW | post)).status_code == 201
    assert (await named(site, absent, "wang.li")).status_code == 200
    browser = site.client()
    await browser.post("/api/v1/login", json={"name": "wang.li", "password": PASSWORD})
    posts = (await browser.get("/api/v1/me")).json()["posts"]
    await browser.aclose()
    assert [(p["role"], p["unit"], p["for_id"]) for p in posts] == [
        (role, place, None), (role, place, site.world.cast.ids[absent])
    ]  # fmt: skip


async def test_a_post_given_later_that_forbids_it_ends_the_loan_and_the_telling(site: Site) -> None:
    assert (await named(site, "chief", "inspector2")).status_code == 200
    assert await lent(site, "inspector2") == ["chief"]
    first = site.world.opened()
    site.world.act("inspector", "submit_report", first)
    assert first in [message.chain for message in site.world.inbox("inspector2")]
    post = {"name": "inspector2", "role": "unit", "unit": "other_school"}
    assert (await site.post("admin", "/users", post)).status_code == 201
    assert await lent(site, "inspector2") == []
    second = site.world.opened()
    site.world.act("inspector", "submit_report", second)
    assert second not in [message.chain for message in site.world.inbox("inspector2")]
    refused(
        await site.act("inspector2", second, "approve_report", mode="written", fed_back_on=site.world.day()),
        403,
        "forbidden",
    )


async def test_who_leaves_office_is_lent_nothing_any_more(site: Site) -> None:
    assert (await named(site, "chief", "inspector2")).status_code == 200
    id_ = site.world.cast.ids["inspector2"]
    (post,) = (await site.get("admin", f"/users/{id_}")).json()["posts"]
    ended = {"end_posts": [{"post": post["id"], "until_on": site.world.day(2)}]}
    assert (await site.call("admin", "PATCH", f"/users/{id_}", ended)).status_code == 200
    site.world.sleep(2)
    assert await lent(site, "inspector2") == ["chief"]
    site.world.sleep(1)
    assert await lent(site, "inspector2") == []


async def test_an_author_without_a_post_is_told_nothing_any_more(site: Site) -> None:
    told: list[bool] = []
    for leaves in (False, True):
        number = site.world.opened()
        site.world.act("inspector", "submit_report", number)
        if leaves:
            id_ = site.world.cast.ids["inspector"]
            (post,) = (await site.get("admin", f"/users/{id_}")).json()["posts"]
            ended = {"end_posts": [{"post": post["id"], "until_on": site.world.day()}]}
            assert (await site.call("admin", "PATCH", f"/users/{id_}", ended)).status_code == 200
            site.world.clock += timedelta(days=1)
        site.world.act("chief", "return_report", number, reason="事实不清")
        told.append(number in [message.chain for message in site.world.inbox("inspector")])
    assert told == [True, False]
