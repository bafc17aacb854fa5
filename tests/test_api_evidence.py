"""Evidence by HTTP: uploads that are what they say, uploads that lie, and downloads by range."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

from loop.api import shapes
from tests.web import UPLOAD_LIMIT, Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
PDF = b"%PDF-1.7 " + bytes(range(256))


async def upload(
    site: Site, number: str, content: bytes, name: str = "证据.pdf", who: str = "officer", **more: Any
) -> Any:
    return await site.post(
        who,
        f"/findings/{number}/attachments",
        files={"file": (name, content, more.pop("type", "application/pdf"))},
        **more,
    )


async def test_a_file_is_attached_by_the_action_and_read_back(site: Site) -> None:
    number = site.world.opened()
    made = await upload(site, number, PDF, data={"note": "现场照片"})
    assert made.status_code == 201, made.text
    file = made.json()
    shapes.FileOut.model_validate(file)
    digest = hashlib.sha256(PDF).hexdigest()
    assert (file["name"], file["sha256"], file["size"], file["type"]) == (
        "证据.pdf",
        digest,
        len(PDF),
        "application/pdf",
    )
    event = (await site.get("officer", f"/findings/{number}/events")).json()["items"][-1]
    assert (event["action"], event["seq"]) == ("attach", file["seq"])
    assert (event["payload"]["sha256"], event["payload"]["note"]) == (digest, "现场照片")
    got = await site.get("officer", made.headers["location"])
    assert got.content == PDF
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["etag"] == f'"{digest}"'


async def test_the_address_of_the_action_takes_the_same_form(site: Site) -> None:
    number = site.world.opened()
    path = f"/findings/{number}/actions/attach"
    assert (await site.post("officer", path, files={"file": ("a.pdf", PDF)})).status_code == 201
    forged = {"attachment": "A-1", "name": "a.pdf", "sha256": "0" * 64, "size": 1, "type": "application/pdf"}
    refused(await site.post("officer", path, forged), 415, "unsupported_file")


async def test_a_file_is_downloaded_by_range(site: Site) -> None:
    number = site.world.opened()
    path = (await upload(site, number, PDF)).headers["location"]
    whole = len(PDF)
    for stated, status, content in (
        ("bytes=0-3", 206, PDF[:4]), ("bytes=9-", 206, PDF[9:]), ("bytes=-4", 206, PDF[-4:]), ("bytes=0-99999999", 206, PDF),
        ("bytes=3-1", 200, PDF), ("lines=1-2", 200, PDF), ("bytes=x", 200, PDF), ("", 200, PDF),
    ):  # fmt: skip
        got = await site.get("officer", path, headers={"Range": stated})
        assert (got.status_code, got.content) == (status, content), stated
    for stated in (f"bytes={whole}-", "bytes=-0", "bytes=999999999999999999-"):
        answer = await site.get("officer", path, headers={"Range": stated})
        refused(answer, 416, "range_not_satisfiable")
        assert answer.headers["content-range"] == f"bytes */{whole}"


NAMES = {
    "../../etc/passwd.pdf": "passwd.pdf",
    "C:\\temp\\a.pdf": "a.pdf",
    ".hidden.pdf": "hidden.pdf",
    "a\u202efdp.exe": "afdp.exe",
    "x" * 300 + ".pdf": "x" * 116 + ".pdf",
    "..": "file",
    "<script>.pdf": "<script>.pdf",
}


async def test_a_name_is_only_a_name(site: Site) -> None:
    number = site.world.opened()
    for sent, kept in NAMES.items():
        made = await upload(site, number, PDF, name=sent)
        assert made.status_code == 201, made.text
        assert made.json()["name"] == kept
        got = await site.get("officer", made.headers["location"])
        assert "\n" not in got.headers["content-disposition"]


def packed(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return held.getvalue()


async def test_a_file_that_lies_about_its_type_is_refused(site: Site) -> None:
    number = site.world.opened()
    for content in (
        b"MZ\x90\x00" + bytes(200), b"<html><script>alert(1)</script>", b"<?xml version='1.0'?><svg/>", b"\x7fELF" + bytes(64),
        packed("a.txt"), packed("word/document.xml", "word/vbaProject.bin"), b"\x00\x01\x02" * 50, b"PK\x03\x04broken",
    ):  # fmt: skip
        body = refused(await upload(site, number, content), 415, "unsupported_file")
        assert "pdf" in body["accepted"]
    assert (await upload(site, number, b"plain text", name="a.exe")).json()["type"] == "text/plain"
    assert site.world.version(number) == 2


async def test_a_form_that_is_none_is_refused(site: Site) -> None:
    number = site.world.opened()
    path = f"/findings/{number}/attachments"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for content in (b"", b"--x", b"--x\r\n\r\nnix", b"\xff" * 100, b"--x--\r\n"):
        refused(await site.call("officer", "POST", path, content=content, headers=form), 422, "invalid")
    refused(
        await site.call("officer", "POST", path, content=b"x", headers={"Content-Type": "multipart/form-data"}),
        422,
        "invalid",
    )
    refused(await site.post("officer", path, files={"other": ("a.pdf", PDF)}), 422, "invalid")
    refused(
        await site.post("officer", path, files=[("file", ("a.pdf", PDF)), ("file", ("b.pdf", PDF))]), 422, "invalid"
    )
    refused(await site.post("officer", path, data={"file": "text"}), 415, "unsupported_file")
    refused(await upload(site, number, PDF, data={"strange": "x"}), 422, "invalid")
    refused(await upload(site, number, PDF, data={"note": "x" * 10_001}), 422, "invalid")
    refused(await upload(site, number, PDF, data={"note": "a\x00b"}), 422, "invalid")
    refused(await upload(site, number, b""), 422, "invalid")
    assert site.world.version(number) == 1


async def test_a_file_that_is_too_large_is_refused_while_it_comes_in(site: Site) -> None:
    number = site.world.opened()
    path = f"/findings/{number}/attachments"
    form = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(UPLOAD_LIMIT * 2)}
    refused(await site.call("officer", "POST", path, content=b"--x", headers=form), 413, "too_large")
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7 '
        while True:
            sent += 1 << 20
            yield bytes(1 << 20)

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(await site.call("officer", "POST", path, content=endless(), headers=form), 413, "too_large")
    assert sent <= UPLOAD_LIMIT + (2 << 20)
    assert site.world.version(number) == 1


async def test_a_file_whose_bytes_are_gone_is_said_to_be_unavailable(site: Site) -> None:
    number = site.world.opened()
    made = await upload(site, number, PDF)
    site.service.evidence.path_of(made.json()["sha256"]).unlink()
    refused(await site.get("officer", made.headers["location"]), 503, "unavailable")
