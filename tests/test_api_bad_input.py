"""Whatever is sent wrongly gets a problem document, never a 5xx, and changes nothing."""

from __future__ import annotations

import json
from typing import Any

from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
NEW: dict[str, Any] = {
    "title": "消防通道堵塞", "unit": "school", "category": "campus_safety", "facts": ["东侧通道堆放杂物"],
    "legal_basis": [{"title": "消防法"}],
}  # fmt: skip
JSON = {"Content-Type": "application/json"}
HUGE = 10**30
EVIL = [
    "'; DROP TABLE finding; --",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "%s%n",
    "../../x",
]

BAD_FIELDS: list[tuple[str, Any]] = [
    ("title", None), ("title", 7), ("title", ["x"]), ("title", {"a": 1}), ("title", ""), ("title", "   "),
    ("title", "x" * 201), ("title", "a\nb"), ("title", "a\x00b"), ("title", "a\x1bb"), ("title", "\ud800"),
    ("title", "a\u2028b"), ("title", True), ("title", "﷐\uffff"),
    ("description", "x" * 10_001), ("description", "\x07"), ("description", 1.5),
    ("unit", "no such unit!"), ("unit", "x" * 500), ("unit", 1), ("unit", "\ud83d"), ("unit", None),
    ("category", "nix"), ("category", ""), ("category", 3), ("severity", "mild"), ("severity", ["grave"]),
    ("kind", "tip"), ("facts", "text"), ("facts", []), ("facts", [""]), ("facts", [{"no": 0, "text": "x"}]),
    ("facts", [{"no": 1, "text": "x"}, {"no": 1, "text": "y"}]), ("facts", [{"no": HUGE, "text": "x"}]),
    ("facts", [{"no": -1, "text": "x"}]), ("facts", [{"no": "1", "text": "x"}]), ("facts", ["x"] * 101), ("facts", [[]]),
    ("legal_basis", [{"article": "1"}]), ("legal_basis", [{"title": "x", "strange": 1}]),
    ("found_on", "2026-02-30"), ("found_on", "2026-2-3"), ("found_on", "2026-03-02T09:00:00+08:00"), ("found_on", 20260302),
    ("found_on", "0001-01-01"), ("found_on", "9999-12-31"), ("found_on", "２０２６-03-02"), ("found_on", -1),
    ("danger_to_life", "yes"), ("danger_to_life", 1), ("long_term", "true"), ("positive", []),
    ("cooperating_units", "x"), ("cooperating_units", ["x" * 500]), ("responsible_person", "x" * 300),
    ("supervision", "a b"), ("strange", 1), ("__proto__", {}), ("number", "YX-2026-0001"), ("level", 6), ("state", "archived"),
]  # fmt: skip


async def test_a_wrong_field_is_named_and_nothing_is_opened(site: Site) -> None:
    for field, value in BAD_FIELDS:
        sent = json.dumps({**NEW, field: value}).encode()
        answer = await site.call("inspector", "POST", "/findings", content=sent, headers=JSON)
        body = refused(answer, 422, "invalid")
        assert body["errors"], (field, value)
        assert all(one["field"].split(".")[0] == field and one["detail"] for one in body["errors"]), (field, value)
    assert (await site.get("inspector", "/findings?count=true")).json()["total"] == 0


BAD_BODIES: list[tuple[bytes, str]] = [
    (b"{", "json"), (b"nix", "json"), (b'{"a": NaN}', "json"), (b'{"a": Infinity}', "json"), (b"\xff\xfe{}", "encoding"),
    ('{"title": "错"}'.encode("gb18030"), "encoding"), (b'{"a": 1, "a": 2}', "repeated"), (b"[" * 100_000, "json"),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "json"), (b"[]", "object"), (b"null", "object"), (b'"x"', "object"), (b"7", "object"),
    (b'{"a": ' + b"9" * 5_000 + b"}", "json"), (b"{}{}", "json"), (b"{'a': 1}", "json"), (b"\x00", "json"),
]  # fmt: skip


async def test_a_body_that_is_no_json_object_is_refused(site: Site) -> None:
    number = site.world.opened()
    for raw, kind in BAD_BODIES:
        for path in ("/findings", f"/findings/{number}/actions/comment"):
            body = refused(await site.call("inspector", "POST", path, content=raw, headers=JSON), 422, "invalid")
            assert body["errors"][0]["kind"] == kind, raw[:40]
        for method, path in (("POST", "/batches"), ("PUT", "/me/substitutes"), ("POST", "/login")):
            refused(await site.call("inspector", method, path, content=raw, headers=JSON), 422, "invalid")
    assert site.world.version(number) == 1


async def test_another_type_than_json_is_refused(site: Site) -> None:
    sent = json.dumps(NEW).encode()
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded"):
        answer = await site.call("inspector", "POST", "/findings", content=sent, headers={"Content-Type": kind})
        refused(answer, 415, "unsupported_file")


async def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(site: Site) -> None:
    number = site.world.opened()
    path = f"/findings/{number}/actions/comment"
    body = refused(await site.post("inspector", path, {"text": "x" * 10_000_000}), 413, "too_large")
    assert body["limit"] == 1024 * 1024
    stated = {**JSON, "Content-Length": "10000000000"}
    refused(await site.call("inspector", "POST", path, content=b"{}", headers=stated), 413, "too_large")

    async def endless() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    refused(await site.call("inspector", "POST", path, content=endless(), headers=JSON), 413, "too_large")
    assert site.world.version(number) == 1


async def test_sql_and_html_are_only_text(site: Site) -> None:
    for evil in EVIL:
        await tell_tales(site, evil)


async def tell_tales(site: Site, evil: str) -> None:
    made = await site.post("inspector", "/findings", {**NEW, "title": evil, "description": evil, "facts": [evil]})
    assert made.status_code == 201, made.text
    number = made.json()["number"]
    assert made.json()["title"] == evil
    await site.act("inspector", number, "submit_report")
    paper = (await site.get("chief", f"/findings/{number}/documents")).json()["items"][0]["id"]
    page = await site.get("chief", f"/documents/{paper}.html")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text
    assert "<img" not in page.text
    found = await site.get("chief", "/findings", params={"q": evil})
    assert found.status_code == 200
    for parameter in ("unit", "region", "office", "supervision", "category", "after", "sort"):
        answer = await site.get("chief", "/findings", params={parameter: evil})
        assert answer.status_code in (200, 422), (parameter, answer.text)


BAD_QUERIES = [
    "limit=0", "limit=201", "limit=x", "limit=-1", "limit=1.5", f"limit={HUGE}", "sort=nix", "sort=--due_at", "after=nix",
    "after=AAAA", "light=pink", "state=nix", "stage=nix", "dispute=nix", "open=maybe", "overdue=2", "level_min=x",
    f"level_min={HUGE}", "due_before=2026-02-30", "due_before=nix", "due_before=2026-03-02T09:00:00", "opened_after=1e9",
    "region=nix", "office=nix", "as_of=2026-01-01", "strange=1", "limit=1&limit=2", "q=%00", "unit=%00", "count=x", "mine=x",
    "q=" + "x" * 101, "unit=" + "x" * 101,
]  # fmt: skip


async def test_a_wrong_question_to_the_ledger_is_refused(site: Site) -> None:
    for query in BAD_QUERIES:
        body = refused(await site.get("chief", f"/findings?{query}"), 422, "invalid")
        assert body["errors"][0]["field"].split(".")[0] in query, query
    assert (await site.get("chief", "/findings?sort=&q=&after=")).status_code == 200  # left empty is not asked


async def test_a_wrong_question_about_the_history_is_refused(site: Site) -> None:
    number = site.world.opened()
    for path in (f"/findings/{number}/events", "/documents"):
        for query in ("limit=0", "limit=201", "after=x", "after=AAAAAAAAAAAAAAA", "strange=1"):
            refused(await site.get("chief", f"{path}?{query}"), 422, "invalid")


BAD_NAMES = [
    "%00",
    "%ED%A0%80",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "x" * 5_000,
    "'%20OR%201=1--",
    "%F0%9F%98%80",
    "YX-2026-9999",
    "-1",
]


async def test_a_name_that_names_nothing_is_not_found(site: Site) -> None:
    number = site.world.opened()
    for name in BAD_NAMES:
        await look_for(site, number, name)


async def look_for(site: Site, number: str, name: str) -> None:
    for path in (
        f"/findings/{name}", f"/findings/{name}/actions", f"/findings/{name}/events", f"/findings/{name}/timers",
        f"/findings/{name}/documents", f"/findings/{number}/timers/{name}/proof", f"/documents/{name}",
        f"/documents/{name}.html", f"/attachments/{name}", f"/workflow/diagram.svg?finding={name}",
    ):  # fmt: skip
        refused(await site.get("chief", path), 404, "not_found")
    refused(await site.post("chief", f"/findings/{name}/actions/comment", {"text": "x"}), 404, "not_found")
    refused(await site.post("chief", f"/findings/{number}/actions/{name}", {"text": "x"}), 404, "not_found")


BAD_BATCHES: list[Any] = [
    {}, {"action": "comment"}, {"action": "comment", "findings": []}, {"action": "comment", "findings": "YX"},
    {"action": "comment", "findings": [1]}, {"action": "comment", "findings": ["x y"]}, {"action": 7, "findings": ["A"]},
    {"action": "comment", "findings": ["A"] * 501}, {"action": "comment", "findings": ["NUMBER", "NUMBER"], "payload": {"text": "x"}},
    {"action": "comment", "findings": [{"number": "NUMBER", "version": "1"}]},
    {"action": "comment", "findings": [{"number": "NUMBER", "version": -1}]},
    {"action": "comment", "findings": ["NUMBER"], "payload": []}, {"action": "comment", "findings": ["NUMBER"], "preview": "yes"},
    {"action": "comment", "findings": ["NUMBER"], "payload": {}}, {"action": "attach", "findings": ["NUMBER"], "payload": {}},
    {"action": "comment", "findings": ["NUMBER"], "payload": {"text": "\x00"}}, {"action": "comment", "findings": ["NUMBER"], "x": 1},
]  # fmt: skip


async def test_a_wrong_batch_is_refused_whole(site: Site) -> None:
    number = site.world.opened()
    for sent in BAD_BATCHES:
        text = json.dumps(sent).replace("NUMBER", number)
        refused(await site.call("officer", "POST", "/batches", content=text.encode(), headers=JSON), 422, "invalid")
    assert site.world.version(number) == 1


async def test_addresses_and_methods_that_there_are_not(site: Site) -> None:
    number = site.world.opened()
    for path in (
        "/nix",
        "/",
        "",
        "/findings/",
        f"/findings/{number}/",
        f"/findings/{number}/nix",
        "/../../etc/passwd",
        "//findings",
    ):
        refused(await site.get("chief", path), 404, "not_found")
    for method, path, allow in (
        ("PATCH", f"/findings/{number}", "GET"), ("DELETE", "/findings", "GET, POST"), ("GET", "/login", "POST"),
        ("POST", "/me", "GET"), ("TRACE", "/workflow", "GET"), ("DELETE", f"/findings/{number}/actions/comment", "POST"),
    ):  # fmt: skip
        answer = await site.call("chief", method, path)
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == allow
