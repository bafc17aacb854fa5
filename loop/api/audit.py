"""The hash chains, checked on demand: everything for who oversees the whole country, else the findings in one's reach."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import json_answer
from loop.api.deps import reading, service_of
from loop.api.describe import REFUSALS_OF_READING, said
from loop.api.shapes import Shape
from loop.authority import regions_of, require
from loop.engine.verify import Report, verify
from loop.kernel.people import ADMIN, AUDITOR
from loop.store import reach
from loop.store.session import Tx

router = APIRouter(tags=["audit"])


class FaultOut(Shape):
    """The first row that history does not bear out."""

    table: str
    key: str
    what: str


class Verified(Shape):
    """`whole`: the whole database was checked, files and registry included; else the findings in the caller's reach."""

    ok: bool
    whole: bool
    checked: dict[str, int]
    fault: FaultOut | None


@router.get(
    "/audit/verify", summary="Check the hash chains and rebuild every row from its history",
    responses={**said(Verified), **REFUSALS_OF_READING},
)  # fmt: skip
async def verify_chains(request: Request) -> Response:
    """For auditors and administrators. A fault is answered with 200 and `ok: false`: the question was answered."""
    service = service_of(request)

    def reachable(tx: Tx, caller: Caller) -> list[str] | None:
        """The chains to check; None for all there are."""
        require(caller.actor, AUDITOR, ADMIN)
        if any(len(path) == 1 for path in regions_of(caller.actor, AUDITOR, ADMIN)):
            return None
        return reach.numbers(tx, caller.actor)

    chains = await reading(request, reachable)
    whole = chains is None
    report = await asyncio.to_thread(verify, service.store, service.evidence if whole else None, chains)
    return json_answer(_shown(report, whole)).response()


def _shown(report: Report, whole: bool) -> dict[str, Any]:
    fault = report.fault
    return {
        "ok": report.ok, "whole": whole, "checked": dict(report.checked),
        "fault": {"table": fault.table, "key": fault.key, "what": fault.what} if fault else None,
    }  # fmt: skip
