"""Findings by HTTP: opening, reading, the ledger, offers, actions, batches, history."""

from __future__ import annotations

from loop.api import shapes
from tests.web import Site, refused, site  # noqa: F401
from tests.world import world  # noqa: F401

NEW = {
    "title": "消防通道堵塞", "unit": "school", "category": "campus_safety", "facts": ["东侧通道堆放杂物"],
    "legal_basis": [{"title": "消防法", "article": "第二十八条"}],
}  # fmt: skip


async def test_a_finding_is_opened_and_read(site: Site) -> None:  # noqa: F811
    made = await site.post("inspector", "/findings", NEW)
    assert made.status_code == 201, made.text
    number = made.json()["number"]
    assert made.headers["location"] == f"/api/v1/findings/{number}"
    assert made.headers["etag"] == '"1"'
    shapes.FindingOut.model_validate(made.json())
    read = await site.get("inspector", made.headers["location"])
    assert read.status_code == 200, read.text
    assert read.headers["etag"] == '"1"'
    shapes.WholeFinding.model_validate(read.json())
    listed = await site.get("chief", "/findings?count=true")
    shapes.FindingList.model_validate(listed.json())
    assert listed.json()["total"] == 1
    assert listed.json()["items"][0] == {k: v for k, v in read.json().items() if k in shapes.FindingOut.model_fields}
