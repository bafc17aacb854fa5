"""The files behind the pages: what comes out of wheels is what was looked at, and an address never changes its content."""

from __future__ import annotations

import hashlib

import pytest

from loop.web.assets import ASSETS, FOREVER, Shelf
from tests.browsing import Pages, pages, sqlite_url

__all__ = ["pages", "sqlite_url"]

FOREIGN = tuple(asset for asset in ASSETS if asset.package != "loop.web")


def test_whatever_is_not_ours_is_pinned() -> None:
    assert FOREIGN
    assert [asset.name for asset in FOREIGN if not asset.sha256] == []


@pytest.mark.parametrize("name", [asset.name for asset in ASSETS])
async def test_a_file_is_served_forever_under_the_digest_of_its_content(pages: Pages, name: str) -> None:
    address = Shelf().addresses[name]
    browser = await pages.browser()
    plain = await browser.http.get(address, headers={"accept-encoding": "identity"})
    small = await browser.http.get(address, headers={"accept-encoding": "gzip"})
    digest = hashlib.sha256(plain.content).hexdigest()
    assert address.split("/")[2] == digest[:16]
    assert plain.headers["cache-control"] == small.headers["cache-control"] == FOREVER
    assert (small.headers["content-encoding"], small.content) == ("gzip", plain.content)
    pinned = {asset.name: asset.sha256 for asset in FOREIGN}
    assert pinned.get(name, digest) == digest


async def test_an_address_that_names_other_content_is_not_found(pages: Pages) -> None:
    browser = await pages.browser()
    address = Shelf().addresses["loop.css"]
    assert (await browser.http.get(address.replace("/assets/", "/assets/0"))).status_code == 404
    assert (await browser.http.get("/assets/0123456789abcdef/../../config.toml")).status_code == 404
