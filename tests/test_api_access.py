"""Getting in: passwords, sessions, forged requests, tokens with scopes, and who that makes the caller."""

from __future__ import annotations

from datetime import date, timedelta

import httpx

from loop.api import shapes
from loop.store import accounts, staff
from tests.cast import ROOT
from tests.web import API, PASSWORD, Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
COMMENT = {"text": "请注意"}


async def signed_in(site: Site, name: str) -> tuple[httpx.AsyncClient, dict[str, str]]:
    """A browser in which `name` is signed in, and the header that its pages send."""
    browser = site.client()
    answer = await browser.post(f"{API}/login", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    shapes.Me.model_validate(answer.json())
    return browser, {"X-CSRF-Token": answer.json()["csrf"]}


async def test_a_browser_signs_in_looks_acts_and_signs_out(site: Site) -> None:
    number = site.world.opened()
    browser, page = await signed_in(site, "chief")
    me = await browser.get(f"{API}/me")
    assert me.json()["name"] == "chief"
    assert me.json()["posts"][0]["role"] == "chief"
    assert me.json()["scope"] == {"regions": ["930106"], "units": []}
    done = await browser.post(f"{API}/findings/{number}/actions/comment", json=COMMENT, headers=page)
    assert done.status_code == 200, done.text
    assert (await browser.post(f"{API}/logout", headers=page)).status_code == 204
    refused(await browser.get(f"{API}/me"), 401, "unauthenticated")
    await browser.aclose()


async def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    answer = await site.post(None, "/login", {"name": "chief", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert PASSWORD not in answer.text


FORGED: tuple[dict[str, str], ...] = (
    {},
    {"X-CSRF-Token": "wrong"},
    {"X-CSRF-Token": "错"},
    {"X-CSRF-Token": "TOKEN", "Sec-Fetch-Site": "cross-site"},
    {"X-CSRF-Token": "TOKEN", "Sec-Fetch-Site": "same-site"},
    {"X-CSRF-Token": "TOKEN", "Origin": "http://evil.test"},
    {"X-CSRF-Token": "TOKEN", "Origin": "null"},
)


async def test_a_forged_request_does_nothing(site: Site) -> None:
    number = site.world.opened()
    browser, page = await signed_in(site, "chief")
    for headers in FORGED:
        sent = [(k.encode(), (page["X-CSRF-Token"] if v == "TOKEN" else v).encode()) for k, v in headers.items()]
        answer = await browser.post(f"{API}/findings/{number}/actions/comment", json=COMMENT, headers=sent)
        refused(answer, 403, "forbidden")
    assert site.world.version(number) == 1
    await browser.aclose()


async def test_a_page_of_this_service_is_no_forgery(site: Site) -> None:
    number = site.world.opened()
    browser, page = await signed_in(site, "chief")
    for more in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://loop.test"}):
        answer = await browser.post(f"{API}/findings/{number}/actions/comment", json=COMMENT, headers=page | more)
        assert answer.status_code == 200, answer.text
    refused(
        await browser.post(
            f"{API}/login", json={"name": "chief", "password": PASSWORD}, headers={"Origin": "http://evil.test"}
        ),
        403,
        "forbidden",
    )
    await browser.aclose()


async def test_a_wrong_sign_in_says_nothing_about_which_part_is_wrong(site: Site) -> None:
    for name, password in (("chief", "wrong"), ("nobody", PASSWORD), ("chief", PASSWORD + " ")):
        answer = await site.post(None, "/login", {"name": name, "password": password})
        assert refused(answer, 401, "unauthenticated")["detail"] == "登录名或密码不正确。"
    sent = b'{"name": "chief", "password": "\\ud800"}'
    answer = await site.call(None, "POST", "/login", content=sent, headers={"Content-Type": "application/json"})
    refused(answer, 422, "invalid")


async def test_a_deactivated_person_is_out_at_once(site: Site) -> None:
    browser, _ = await signed_in(site, "officer")
    chief = site.world.cast.ids["officer"]
    site.world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, chief, {"active": False}))
    refused(await browser.get(f"{API}/me"), 401, "unauthenticated")
    refused(await site.get("officer", "/me"), 401, "unauthenticated")
    refused(await site.post(None, "/login", {"name": "officer", "password": PASSWORD}), 401, "unauthenticated")
    await browser.aclose()


async def test_guessing_is_slowed_down_by_name_and_by_address(site: Site) -> None:
    for _ in range(5):
        refused(await site.post(None, "/login", {"name": "chief", "password": "guess"}), 401, "unauthenticated")
    for name in ("chief", "officer"):  # the name, and then the address, have had their tries
        answer = await site.post(None, "/login", {"name": name, "password": PASSWORD})
        body = refused(answer, 429, "rate_limited")
        assert int(answer.headers["retry-after"]) == body["retry_after"] == 900
    site.real += timedelta(minutes=15, seconds=1)
    assert (await site.post(None, "/login", {"name": "chief", "password": PASSWORD})).status_code == 200


async def test_signing_in_rightly_is_never_counted(site: Site) -> None:
    for _ in range(12):
        assert (await site.post(None, "/login", {"name": "chief", "password": PASSWORD})).status_code == 200


async def test_a_session_ends_by_itself(site: Site) -> None:
    browser, _ = await signed_in(site, "chief")
    site.real += timedelta(hours=12, seconds=1)
    refused(await browser.get(f"{API}/me"), 401, "unauthenticated")
    await browser.aclose()


async def test_a_token_is_good_for_its_scopes_until_it_expires(site: Site) -> None:
    number = site.world.opened()
    store = site.world.parts.store
    site.tokens["chief"] = store.write(lambda tx: site.token(tx, "chief", "read", days=2))
    assert (await site.get("chief", f"/findings/{number}")).status_code == 200
    body = refused(await site.act("chief", number, "comment", **COMMENT), 403, "forbidden")
    assert body["scope"] == "write"
    site.tokens["chief"] = store.write(lambda tx: site.token(tx, "chief", "other", days=2))
    refused(await site.get("chief", f"/findings/{number}"), 403, "forbidden")
    site.tokens["chief"] = store.write(lambda tx: site.token(tx, "chief", "write", days=2))
    assert (await site.get("chief", "/me")).json()["scopes"] == ["write"]
    site.real += timedelta(days=2, seconds=1)
    refused(await site.get("chief", "/me"), 401, "unauthenticated")


async def test_the_day_of_a_tokens_last_use_is_kept_and_a_revoked_one_is_dead(site: Site) -> None:
    store, chief = site.world.parts.store, site.world.cast.ids["chief"]
    await site.get("chief", "/me")
    (held,) = store.read(lambda tx: accounts.tokens_of(tx, chief))
    assert held.used_on is not None
    store.write(lambda tx: accounts.revoke_token(tx, held.id))
    refused(await site.get("chief", "/me"), 401, "unauthenticated")


async def test_a_credential_that_is_none_is_refused(site: Site) -> None:
    for header in ("Bearer", "Bearer  ", "Bearer loop_x", "Basic YTpi", "bearer \x7f", "x" * 9000):
        answer = await site.get(None, "/me", headers={"Authorization": header})
        refused(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_substitute_acts_in_their_own_name_for_the_other(site: Site) -> None:
    number = site.world.opened()
    site.world.act("inspector", "submit_report", number)
    day = site.world.day()
    span = {"name": "inspector2", "from_on": day, "until_on": day}
    set_ = await site.call("chief", "PUT", "/me/substitutes", {"substitutes": [span]})
    assert set_.status_code == 200, set_.text
    assert set_.json()["substitutes"][0]["name"] == "inspector2"
    done = await site.act("inspector2", number, "approve_report", mode="written", fed_back_on=day)
    assert done.status_code == 200, done.text
    last = (await site.get("chief", f"/findings/{number}/events")).json()["items"][-1]["actor"]
    assert (last["name"], last["role"], last["for_id"]) == ("inspector2", "chief", site.world.cast.ids["chief"])


async def test_a_wrong_substitute_changes_nothing(site: Site) -> None:
    right = {"name": "officer", "from_on": "2026-03-02", "until_on": "2026-03-02"}
    for wrong in (
        {"name": "nobody"},
        {"name": "chief"},
        {"from_on": "2026-03-03"},
        {"from_on": "2026-02-30"},
        {"x": 1},
    ):
        sent = {"substitutes": [{**right, **wrong}]}
        refused(await site.call("chief", "PUT", "/me/substitutes", sent), 422, "invalid")
    bodies: tuple[object, ...] = ({"substitutes": {}}, {}, [])
    for body in bodies:
        refused(await site.call("chief", "PUT", "/me/substitutes", body), 422, "invalid")
    assert (await site.get("chief", "/me")).json()["substitutes"] == []


async def test_posts_follow_the_clock_of_the_service(site: Site) -> None:
    store, cast = site.world.parts.store, site.world.cast
    (post,) = store.read(lambda tx: staff.posts_of(tx, cast.ids["officer"]))
    store.write(lambda tx: staff.end_post(tx, ROOT, post.id, date(2026, 3, 3)))
    assert len((await site.get("officer", "/me")).json()["posts"]) == 1
    site.world.clock += timedelta(days=2)
    assert (await site.get("officer", "/me")).json()["posts"] == []
