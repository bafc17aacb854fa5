"""Styles, scripts and pictures: our own files and a few out of wheels, each under an address that names its content."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loop.kernel.errors import NotFound

ROOT = "/assets"
FOREVER = "public, max-age=31536000, immutable"
"""An address that names its content never has another one."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages use: in which package it lies and where there. `sha256` pins what is not ours."""

    name: str
    package: str
    path: str
    media_type: str
    sha256: str = ""


CSS, SVG, SCRIPT = "text/css; charset=utf-8", "image/svg+xml", "text/javascript; charset=utf-8"
ASSETS = (
    Asset(
        "tabler.css",
        "sqladmin",
        "statics/css/tabler.min.css",
        CSS,
        "b200b267a969ac1163229932a92bc6b2af8ce2d5bd1de056a2ef40b13ded965a",
    ),
    Asset(
        "htmx.js",
        "js_lib_htmx",
        "static/htmx/htmx.min.js",
        SCRIPT,
        "491955cd1810747d7d7b9ccb936400afb760e06d25d53e4572b64b6563b2784e",
    ),
    Asset("loop.css", "loop.web", "static/loop.css", CSS),
    Asset("finding.css", "loop.web", "static/finding.css", CSS),
    Asset("board.css", "loop.web", "static/board.css", CSS),
    Asset("workflow.css", "loop.web", "static/workflow.css", CSS),
    Asset("loop.js", "loop.web", "static/loop.js", SCRIPT),
    Asset("upload.js", "loop.web", "static/upload.js", SCRIPT),
    Asset("rows.css", "loop.web", "static/rows.css", CSS),
    Asset("copy.js", "loop.web", "static/copy.js", SCRIPT),
    Asset("ledger.css", "loop.web", "static/ledger.css", CSS),
    Asset("ledger.js", "loop.web", "static/ledger.js", SCRIPT),
    Asset("admin.css", "loop.web", "static/admin.css", CSS),
    Asset("favicon.svg", "loop.web", "static/favicon.svg", SVG),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An asset in memory, as it is and compressed."""

    asset: Asset
    address: str
    body: bytes
    small: bytes


class Shelf:
    """All assets, read once."""

    def __init__(self, assets: tuple[Asset, ...] = ASSETS) -> None:
        loaded = [_load(asset) for asset in assets]
        self.addresses: Mapping[str, str] = {one.asset.name: one.address for one in loaded}
        """Address by name, for templates."""
        self._by_address = {one.address: one for one in loaded}

    @property
    def compressed_size(self) -> int:
        """Bytes that a first visit fetches."""
        return sum(len(one.small) for one in self._by_address.values())

    def route(self) -> Route:
        """The route that serves them."""
        return Route(f"{ROOT}/{{digest}}/{{name}}", self._serve, methods=["GET"])

    async def _serve(self, request: Request) -> Response:
        found = self._by_address.get(request.url.path)
        if found is None:
            raise NotFound
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(found.small, headers=headers, media_type=found.asset.media_type)
        return Response(found.body, headers=headers, media_type=found.asset.media_type)


@cache
def _load(asset: Asset) -> Loaded:
    body = _folder(asset.package).joinpath(asset.path).read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    return Loaded(asset, f"{ROOT}/{digest[:16]}/{asset.name}", body, gzip.compress(body, 9, mtime=0))


def _folder(package: str) -> Path:
    """Where a package lies. It is not imported: of others' we want the files, not what their code drags in."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return Path(spec.submodule_search_locations[0])
