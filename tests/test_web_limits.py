"""What somebody may send before anybody knows who they are is little; only the forms that take files take much."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from io import StringIO

import pytest
import structlog

from loop import log
from tests.browsing import Pages
from tests.browsing import pages_on_both as pages
from tests.web import UPLOAD_LIMIT

__all__ = ["pages"]

FORM = {"content-type": "application/x-www-form-urlencoded", "origin": "http://loop.test"}
PDF = b"%PDF-1.7 "


async def much(read: list[int]) -> AsyncIterator[bytes]:
    """A form that does not end before its reader has enough; `read` counts what was taken of it."""
    for _ in range(64):
        read.append(1)
        yield b"&a=" + b"x" * (200 * 1024)


async def test_a_stranger_cannot_make_the_service_read_much(pages: Pages) -> None:
    browser = await pages.browser()
    for path in (
        "/findings/views",
        "/findings/columns",
        "/findings/bulk/comment",
        "/findings/views/1",
        "/sign-in",
        "/report",
    ):
        read: list[int] = []
        answer = await browser.http.post(path, content=much(read), headers=FORM)
        assert answer.status_code == 413, path
        assert len(read) < 8, (path, len(read))


@pytest.mark.parametrize("name", ["%00", "YX-2026%00", "%ED%A0%80", "x" * 5000])
async def test_what_no_database_could_hold_is_not_found(pages: Pages, name: str) -> None:
    officer = await pages.browser("officer")
    for path in ("/findings/{}", "/findings/{}/actions/comment", "/findings/{}/clocks/1", "/papers/{}", "/tip-offs/{}"):
        assert (await officer.get(path.format(name))).status == 404, path
    form = {"csrf": dict((await officer.get("/profile")).form("/profile/language").fields)["csrf"]}
    for path in (
        "/findings/{}/actions/comment",
        "/findings/views/{}",
        "/webhooks/{}",
        "/profile/access/tokens/{}/revoke",
    ):
        answer = await officer.http.post(
            path.format(name), data=form | {"forget": "1"}, headers={"origin": "http://loop.test"}
        )
        assert answer.status_code == 404, path


async def test_a_page_takes_several_files_at_once(pages: Pages) -> None:
    number = pages.world.executing()
    browser = await pages.browser("school")
    for action, field in (("attach", ""), ("report_progress", "attachments")):
        place = f"/findings/{number}/actions/{action}"
        csrf = dict((await browser.get(place)).form(place).fields)["csrf"]
        files = [
            (f"_files:{field}", (f"{n}.pdf", PDF + bytes([n]) * (UPLOAD_LIMIT // 2), "application/pdf"))
            for n in range(3)
        ]
        data = {"csrf": csrf, "text": "见附件", "percent": "50"}
        answer = await browser.http.post(place, data=data, files=files, headers={"origin": "http://loop.test"})
        assert answer.status_code == 200, (action, answer.text[:500])
        assert "2.pdf" in answer.text


async def test_the_log_never_holds_a_receipt_code(pages: Pages) -> None:
    root, out = logging.getLogger(), StringIO()
    handlers, level = root.handlers[:], root.level
    log.configure("json", "info", out)
    try:
        browser = await pages.browser()
        assert (await browser.get("/report/ABCDEFGHJKLMNPQRSTUV")).status == 200
        assert (await browser.get("/report/state")).status == 200
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert "/report/" in out.getvalue()
    assert "ABCDEFGHJK" not in out.getvalue()
