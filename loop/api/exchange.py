"""The ledger as a CSV file: out with the filters of the list, in with an answer row by row."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import Response, StreamingResponse

from loop.access import Caller
from loop.api.answers import Answer, json_answer
from loop.api.bodies import Body
from loop.api.deps import query_of, reading, service_of, writing
from loop.api.describe import IDEMPOTENCY_KEY, REFUSALS_OF_READING, REFUSALS_OF_WRITING, parameters, said
from loop.api.problems import language
from loop.api.shapes import Shape
from loop.kernel.errors import Invalid, UnsupportedFile
from loop.kernel.people import Actor
from loop.ledger import exchange
from loop.ledger.exchange import Chunk, Result
from loop.ledger.query import LISTS, LedgerQuery, Word, check_words
from loop.ledger.reading import Doubt, Row
from loop.store.ledger_filter import LedgerFilter
from loop.store.session import Tx

router = APIRouter(tags=["ledger"])
LARGEST = 10 * 1024 * 1024
"""Bytes of a file that is taken in."""
CSV_TYPES = frozenset(
    {"", "text/csv", "text/plain", "application/csv", "application/vnd.ms-excel", "application/octet-stream"}
)
PAGING = frozenset({"limit", "after", "count"})
SOURCE = "台账导入：{name}"


class ImportQuery(BaseModel):
    """`dry_run=true` only says what would happen. The others stand in where the file is silent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dry_run: bool = False
    category: Word | None = None
    kind: Word | None = None
    severity: Word | None = None
    source: Word | None = None


class SaidOut(Shape):
    """What is unclear or wrong about a field, and the readings among which a person may choose."""

    field: str
    code: str
    detail: str
    candidates: list[str]


class RowOut(Shape):
    """What became of one record. `values` is what `take_over` was, or would be, given; `finding` the number it got."""

    record: int
    status: Literal["understood", "ambiguous", "wrong"]
    unit: str
    values: dict[str, Any]
    said: list[SaidOut]
    notes: list[str]
    finding: str | None


class SkippedOut(Shape):
    """A record that is no finding."""

    record: int
    why: str


class HeadingOut(Shape):
    """A heading of the file and the column it stands for; what stands under others is kept in the description."""

    heading: str
    column: str | None


class ImportOut(Shape):
    """The file row by row."""

    dry_run: bool
    encoding: str
    headings: list[HeadingOut]
    counts: dict[str, int]
    rows: list[RowOut]
    skipped: list[SkippedOut]


# ---- out -----------------------------------------------------------------------------------------------------------


def _filters() -> dict[str, Any]:
    described = parameters(LedgerQuery, LISTS)
    return {"parameters": [one for one in described["parameters"] if one["name"] not in PAGING]}


@router.get(
    "/ledger.csv", summary="The ledger as a file", openapi_extra=_filters(),
    responses={
        200: {"description": "UTF-8 with byte order mark", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **REFUSALS_OF_READING,
    },
)  # fmt: skip
async def give_out(request: Request) -> Response:
    """Everything in scope that is asked for, in the order asked for; no cell of it is a formula."""
    service = service_of(request)

    def first(tx: Tx, caller: Caller) -> tuple[Caller, LedgerFilter, str, Chunk]:
        asked = query_of(request, LedgerQuery, lists=LISTS)
        if stray := sorted(PAGING & set(request.query_params)):
            raise Invalid.field(stray[0], "文件不分页。", "a file has no pages.", "extra_forbidden")
        check_words(service.book.workflow, asked)
        chosen = asked.chosen(service.calendar)
        return (
            caller,
            chosen,
            asked.sort,
            _chunk(request, tx, caller=caller, chosen=chosen, sort=asked.sort, after=None),
        )

    caller, chosen, sort, begun = await reading(request, first)

    async def lines() -> AsyncIterator[bytes]:
        part = begun
        yield (exchange.heading_text(language(request)) + part.text).encode()
        while part.next is not None:
            more = partial(_chunk, request, caller=caller, chosen=chosen, sort=sort, after=part.next)
            part = await asyncio.wrap_future(service.store.submit_read(more))
            yield part.text.encode()

    name = f"ledger-{caller.today.isoformat()}.csv"
    shown = quote(f"台账-{caller.today.isoformat()}.csv")
    headers = {"Content-Disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{shown}"}
    return StreamingResponse(lines(), headers=headers, media_type="text/csv; charset=utf-8")


def _chunk(request: Request, tx: Tx, *, caller: Caller, chosen: LedgerFilter, sort: str, after: str | None) -> Chunk:
    return exchange.chunk(
        tx, service_of(request).book, caller.actor, chosen, now=caller.now, sort=sort, after=after,
        language=language(request),
    )  # fmt: skip


# ---- in ------------------------------------------------------------------------------------------------------------


EXAMPLE = "被督导单位,问题描述,类别,整改期限\n桐峰镇中心小学,消防通道堵塞,校园安全,2026-04-30\n"
FILE_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": EXAMPLE},
            "multipart/form-data": {
                "schema": {
                    "type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}
                },
                "example": {"file": EXAMPLE},
            },
        },
    }
}  # fmt: skip


@router.post(
    "/ledger/import", summary="Take findings over from a file",
    openapi_extra={
        **FILE_BODY, "parameters": [*parameters(ImportQuery)["parameters"], IDEMPOTENCY_KEY],
    },
    responses={**said(ImportOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def take_in(request: Request) -> Response:
    """Each row that is understood becomes a finding by `take_over`, all in one transaction; the others are left, and say
    why. UTF-8 or GB18030, headings in Chinese or English.
    """
    service = service_of(request)

    def admit(tx: Tx, caller: Caller) -> None:
        exchange.admit(caller.actor, service.book)

    await reading(request, admit)
    raw, name = await _received(request)
    covered = Body(None, json.dumps([sorted(request.query_params.multi_items()), hashlib.sha256(raw).hexdigest()]))

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, ImportQuery)
        result = _taken(tx, request, caller.actor, raw, name, asked)
        return json_answer(_shown(result, asked.dry_run, language(request)))

    return await writing(request, work, body=covered, admit=admit)


def _taken(tx: Tx, request: Request, actor: Actor, raw: bytes, name: str, asked: ImportQuery) -> Result:
    defaults = {"category": asked.category, "kind": asked.kind, "severity": asked.severity}
    source = asked.source or SOURCE.format(name=name)
    engine = service_of(request).engine
    return exchange.take_in(tx, engine, actor, raw, source=source, defaults=defaults, dry_run=asked.dry_run)


async def _received(request: Request) -> tuple[bytes, str]:
    """The file and a name for it; raises UnsupportedFile or Invalid."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in CSV_TYPES:
        return await request.body(), "CSV"
    if kind != "multipart/form-data":
        shown = kind.encode("ascii", "replace").decode()[:80]
        raise UnsupportedFile(type=shown, accepted="text/csv, multipart/form-data")
    try:
        async with request.form(max_files=1, max_fields=1, max_part_size=64 * 1024) as form:
            sent = form.get("file")
            if not isinstance(sent, UploadFile):
                raise Invalid.field("file", "必须上传一个文件。", "is required: one file.", "missing")
            shown = "".join(c for c in sent.filename or "" if c.isprintable())[:100]
            return await sent.read(), shown or "CSV"
    except (MultiPartException, HTTPException, UnicodeDecodeError):
        raise Invalid.field("body", "不是正确的表单。", "is not a well-formed multipart form.", "form") from None


def _shown(result: Result, dry_run: bool, spoken: str) -> dict[str, Any]:
    sheet = result.sheet
    return {
        "dry_run": dry_run,
        "encoding": sheet.encoding,
        "headings": [
            {"heading": heading.text, "column": heading.column.key if heading.column else None}
            for heading in sheet.headings
        ],
        "counts": {**dict(exchange.counted(result.rows)), "skipped": len(sheet.skipped)},
        "rows": [_row(row, result.made.get(row.number), spoken) for row in result.rows],
        "skipped": [{"record": one.number, "why": one.why.in_(spoken)} for one in sheet.skipped],
    }


def _row(row: Row, number: str | None, spoken: str) -> dict[str, Any]:
    return {
        "record": row.number, "status": row.status, "unit": row.unit, "values": row.values,
        "said": [_doubt(doubt, spoken) for doubt in (*row.faults, *row.doubts)],
        "notes": [note.in_(spoken) for note in row.notes], "finding": number,
    }  # fmt: skip


def _doubt(doubt: Doubt, spoken: str) -> dict[str, Any]:
    return {
        "field": doubt.field, "code": doubt.code, "detail": doubt.text.in_(spoken), "candidates": list(doubt.candidates),
    }  # fmt: skip
