"""What the API says of itself: OpenAPI, the workflow, the chart, problem documents in two languages, few queries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from loop.api import deps, history, problems, shapes
from loop.kernel.errors import Unavailable
from loop.store import staff
from loop.store.faults import FULL, unavailable
from tests.cast import ROOT
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
CREATING = {"open", "take_over"}


async def openapi(site: Site) -> dict[str, Any]:
    document: dict[str, Any] = (await site.get(None, "/openapi.json")).json()
    return document


async def test_every_action_is_a_path_with_schema_example_and_refusals(site: Site) -> None:
    document = await openapi(site)
    for name, action in site.world.engine.book.workflow.actions.items():
        where = "/api/v1/findings/actions/" if name in CREATING else "/api/v1/findings/{number}/actions/"
        operation = document["paths"][where + name]["post"]
        (content,) = operation["requestBody"]["content"].values()
        assert content["schema"]
        if name != "attach":
            action.payload.model_validate(content["example"])
        done = "201" if name in CREATING or name == "attach" else "200"
        assert {done, "401", "403", "404", "409", "412", "413", "415", "422", "429", "503"} == set(
            operation["responses"]
        )
        assert action.label.zh in operation["summary"]


async def test_every_body_has_an_example_and_every_reference_leads_somewhere(site: Site) -> None:
    document = await openapi(site)
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                assert "example" in content or "examples" in content, (method, path, kind)
            named = set(re.findall(r"\{(\w+)\}", path))
            told = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert named == told, (method, path)
    for reference in re.findall(r"#/components/schemas/([^'\"]+)", str(document)):
        assert reference in document["components"]["schemas"], reference


async def test_the_workflow_is_told_as_data(site: Site) -> None:
    answer = await site.get("school", "/workflow")
    told = answer.json()
    flow = site.world.engine.book.workflow
    assert [state["name"] for state in told["states"]] == list(flow.states)
    assert [action["name"] for action in told["actions"]] == list(flow.actions)
    timers = {timer["name"]: timer for timer in told["timers"]}
    assert timers["plan_due"]["values"]["plan_due"]["value"] == "15wd"
    assert timers["plan_due"]["values"]["plan_due"]["source"]
    assert {"zh", "en"} <= set(told["roles"][0]["label"])
    refused(await site.get(None, "/workflow"), 401, "unauthenticated")


async def test_a_workflow_that_the_caller_has_kept_is_not_sent_again(site: Site) -> None:
    first = await site.get("school", "/workflow")
    tag = first.headers["etag"]
    for kept in (tag, f"W/{tag}", f'"a,b", W/"c" ,{tag}', f'W/"c",W/{tag},', " * "):
        again = await site.get("school", "/workflow", headers={"If-None-Match": kept})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag), kept
    for other in ('"other"', tag.strip('"'), tag[:-2] + '"', f'"*", "x{tag[1:]}', "", '"'):
        sent = await site.get("school", "/workflow", headers={"If-None-Match": other})
        assert (sent.status_code, sent.content) == (200, first.content), other
    by = ("Authorization", f"Bearer {site.tokens['school']}")
    lines = [by, ("If-None-Match", '"other"'), ("If-None-Match", tag)]
    assert (await site.http.get("/api/v1/workflow", headers=lines)).status_code == 304


async def test_the_chart_marks_where_a_finding_is(site: Site) -> None:
    number = site.world.received()
    for form, kind in (("svg", "image/svg+xml"), ("mmd", "text/plain")):
        plain = await site.get("school", f"/workflow/diagram.{form}")
        marked = await site.get("school", f"/workflow/diagram.{form}?finding={number}")
        assert plain.headers["content-type"].startswith(kind)
        assert plain.status_code == marked.status_code == 200
        assert plain.text != marked.text
        assert "制定方案" in plain.text


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        (None, "zh"), ("en", "en"), ("en-GB,en;q=0.9", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("fr, en;q=0.3", "en"),
        ("zh;q=0.2,en;q=0.7", "en"), ("*", "zh"), ("en;q=x", "zh"), ("," * 5000, "zh"), ("en;q=0", "zh"),
    ],
)  # fmt: skip
def test_the_language_is_the_one_the_header_prefers(accepted: str | None, spoken: str) -> None:
    assert problems.language_of(accepted) == spoken


async def test_refusals_speak_the_callers_language(site: Site) -> None:
    number = site.world.opened(facts=None)
    zh = refused(await site.act("inspector", number, "submit_report"), 409, "guard_failed")
    path = f"/findings/{number}/actions/submit_report"
    en = refused(await site.post("inspector", path, headers={"Accept-Language": "en"}), 409, "guard_failed")
    assert zh["guard"] == en["guard"] == "facts_and_basis"
    assert zh["detail"] == "请先补充事实和依据。"
    assert en["detail"] == "Fill in the facts and the legal basis first."
    inspector = site.world.cast.ids["inspector"]
    site.world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, inspector, {"language": "en"}))
    assert (await site.act("inspector", number, "submit_report")).json()["detail"] == en["detail"]


async def test_a_fault_of_the_program_shows_a_number_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(history, "sight_of", broken)
    number = site.world.opened()
    with capture_logs() as lines:
        answer = await site.get("chief", f"/findings/{number}/events")
    body = refused(answer, 500, "internal")
    assert body["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    (failed,) = [line for line in lines if line["event"] == "request.failed"]
    assert (failed["request_id"], failed["exc_info"]) == (body["request_id"], True)


async def test_a_full_disk_and_a_stopping_service_say_what_to_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise unavailable(FULL)

    with monkeypatch.context() as patch:
        patch.setattr(deps, "known", full)
        answer = await site.get("chief", "/me", headers={"Accept-Language": "en"})
        assert "free space" in refused(answer, 503, "unavailable")["detail"]
        assert answer.headers["retry-after"]
    site.world.parts.store.close()
    assert isinstance(unavailable(FULL), Unavailable)
    refused(await site.get("chief", "/me"), 503, "unavailable")
    refused(await site.post("chief", "/findings", {}), 503, "unavailable")


async def test_a_given_request_number_comes_back_and_a_strange_one_does_not(site: Site) -> None:
    assert (await site.get(None, "/me", headers={"X-Request-Id": "abc-1"})).headers["x-request-id"] == "abc-1"
    assert (await site.get(None, "/me", headers={"X-Request-Id": "a b\tc"})).headers["x-request-id"] != "a b\tc"


async def test_an_action_and_a_page_of_the_ledger_take_few_queries(site: Site) -> None:
    number = site.world.opened()
    await site.get("officer", "/me")  # the use of the token is on record from here on
    seen: list[str] = []

    def trace(text: str, _: Sequence[Any]) -> None:
        if not text.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "SET")):
            seen.append(text)

    async def counted(call: Any) -> int:
        seen.clear()
        site.world.parts.store.trace = trace
        answer = await call
        site.world.parts.store.trace = None
        assert answer.status_code == 200, answer.text
        return len(seen)

    assert await counted(site.act("officer", number, "comment", text="x")) <= 9
    assert await counted(site.get("officer", "/findings")) <= 4
    assert await counted(site.get("officer", f"/findings/{number}")) <= 7


async def test_a_whole_finding_keeps_its_shape_in_every_answer(site: Site) -> None:
    number = site.world.reported(site.world.executing())
    for who in ("chief", "school", "bureau"):
        finding = await site.get(who, f"/findings/{number}")
        shapes.WholeFinding.model_validate(finding.json())
        shapes.EventList.model_validate((await site.get(who, f"/findings/{number}/events")).json())
        shapes.TimerList.model_validate((await site.get(who, f"/findings/{number}/timers")).json())
        shapes.DocumentList.model_validate((await site.get(who, f"/findings/{number}/documents")).json())
        shapes.Actions.model_validate((await site.get(who, f"/findings/{number}/actions")).json())
    paper = (await site.get("chief", "/documents")).json()["items"][0]["id"]
    shapes.WholeDocument.model_validate((await site.get("chief", f"/documents/{paper}")).json())
    shapes.Me.model_validate((await site.get("chief", "/me")).json())


async def test_a_caller_who_hangs_up_halfway_changes_nothing_and_is_no_fault(site: Site) -> None:
    number = site.world.opened()
    sent: list[Message] = []
    body: Message = {"type": "http.request", "body": b'{"text": ', "more_body": True}
    coming = iter((body, {"type": "http.disconnect"}))

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {site.tokens['officer']}".encode()), (b"content-type", b"application/json")]
    path = f"/api/v1/findings/{number}/actions/comment"
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers,
        "scheme": "http", "server": ("loop.test", 80), "client": ("127.0.0.1", 1), "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    with capture_logs() as lines:
        await site.app(scope, receive, send)
    assert (sent, site.world.version(number)) == ([], 1)
    assert [line["status"] for line in lines if line["event"] == "request"] == [499]
