"""Evidence by HTTP: a file is streamed to disk, recognised by its content, and attached by the action `attach`."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import FileResponse, Response

from loop.access import Caller
from loop.api import shapes
from loop.api.answers import Answer, json_answer
from loop.api.bodies import Body
from loop.api.deps import engaged, once_of, path_text, reading, service_of
from loop.api.describe import IDEMPOTENCY_KEY, REFUSALS_OF_ACTIONS, REFUSALS_OF_READING, made, refusals
from loop.api.findings import ATTACH, FORM, expected_of
from loop.engine.door import Wish
from loop.engine.record import Outcome
from loop.kernel.decide import action_named, admitted
from loop.kernel.errors import Invalid, LoopError, Unavailable, UnsupportedFile
from loop.kernel.labels import Label
from loop.store import evidence
from loop.store.evidence import Attachment, StoredFile
from loop.store.filetypes import MIME
from loop.store.places import new_id
from loop.store.session import Refused, Tx
from loop.store.sight import attachment_seen, seen

router = APIRouter(tags=["evidence"])
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
FIELDS = frozenset({"file", "note"})
AS_IT_IS = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(MIME.values())}
"""A download has the media type that the upload was recognised as."""
SEND_A_FORM = Label(
    "附件请以 multipart/form-data 上传，文件放在 file 字段。",
    "Send a file as multipart/form-data, in the field `file`.",
)


class RangeNotSatisfiable(LoopError):
    """The range begins behind the end of the file."""

    status = 416
    code = "range_not_satisfiable"
    text = Label("文件只有 {size} 字节。", "The file has only {size} bytes.")


@router.post("/findings/{number}/actions/attach", status_code=201, include_in_schema=False)
@router.post(
    "/findings/{number}/attachments", status_code=201, summary="Attach a file",
    responses={**made(shapes.FileOut, "Attached"), **REFUSALS_OF_ACTIONS},
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {"required": True, "content": FORM},
    },
)  # fmt: skip
async def attach(request: Request, number: str) -> Response:
    """The action `attach`: `file`, and a `note` if wanted. What the file is, its content says, never its name."""
    service = service_of(request)

    def admit(tx: Tx, caller: Caller) -> None:
        finding = seen(tx, caller.actor, path_text(request, "number"))
        admitted(action_named(service.book, ATTACH), caller.actor, finding)

    await reading(request, admit)
    stored, note = await _received(request)
    id_ = new_id()
    payload = {
        "attachment": id_, "name": stored.name, "sha256": stored.sha256, "size": stored.size, "type": stored.type,
        "note": note,
    }  # fmt: skip
    covered = Body(None, json.dumps([stored.name, stored.sha256, note]))

    def work(tx: Tx, caller: Caller) -> Answer | Refused:
        wish = Wish(
            actor=caller.actor, action=ATTACH, number=number, payload=payload, expected=expected_of(request)
        )  # fmt: skip
        return service.engine.act_in(
            tx, wish, lambda tx, done: _attached(tx, stored, id_, done), once_of(request, caller, covered)
        )

    return (await engaged(request, work)).response()


def _attached(tx: Tx, stored: StoredFile, id_: str, done: Outcome) -> Answer:
    entry = done.event
    kept = evidence.attach(tx, stored, id_=id_, chain=entry.chain, seq=entry.seq, by_id=entry.actor_id)
    return json_answer(file_view(kept), 201, {"Location": f"/api/v1/attachments/{id_}"})


def file_view(kept: Attachment) -> dict[str, Any]:
    """An attached file as answers show it."""
    return {
        "id": kept.id, "name": kept.name, "sha256": kept.sha256, "size": kept.size, "type": kept.type, "seq": kept.seq,
    }  # fmt: skip


async def _received(request: Request) -> tuple[StoredFile, str]:
    """The file on disk, and the note; raises Invalid, UnsupportedFile, TooLarge or Unavailable."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedFile(SEND_A_FORM)
    try:
        async with request.form(max_files=1, max_fields=4, max_part_size=64 * 1024) as form:
            sent = form.get("file")
            if not isinstance(sent, UploadFile):
                raise Invalid.field("file", "必须上传一个文件。", "is required: one file.", "missing")
            if strangers := sorted(set(form) - FIELDS):
                raise Invalid.field(strangers[0][:64], "不是此事项的字段。", "is not a field of this request.", "extra")
            store = service_of(request).evidence
            kept = await asyncio.to_thread(store.put, sent.file, sent.filename or "")
            return kept, str(form.get("note", ""))
    except (MultiPartException, HTTPException, UnicodeDecodeError):
        raise Invalid.field("body", "不是正确的表单。", "is not a well-formed multipart form.", "form") from None
    except OSError as error:
        raise Unavailable(why=f"the upload cannot be kept ({error.strerror})") from error


@router.get(
    "/attachments/{id}", summary="Download a file", response_class=Response,
    responses={
        200: {"description": "The file", "content": AS_IT_IS},
        206: {"description": "A part of the file", "content": AS_IT_IS},
        **REFUSALS_OF_READING, **refusals(416),
    },
)  # fmt: skip
async def download(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """The file, whole or by range; always as a download, never shown in place."""

    def work(tx: Tx, caller: Caller) -> Attachment:
        return attachment_seen(tx, caller.actor, path_text(request, "id"))[0]

    kept = await reading(request, work)
    path = await asyncio.to_thread(service_of(request).evidence.path_of, kept.sha256)
    _check_range(request, kept.size)
    etag = f'"{kept.sha256}"'
    return FileResponse(
        path, media_type=kept.type, filename=kept.name, headers={"ETag": etag, "Cache-Control": "private, no-cache"}
    )


def _check_range(request: Request, size: int) -> None:
    """Drop a range header that is none, as HTTP wants it; raise for one behind the end."""
    stated = request.headers.get("range")
    if stated is None:
        return
    match = _RANGE.fullmatch(stated.strip())
    if match is None or (match[1] and match[2] and int(match[2]) < int(match[1])):
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
    elif (match[1] and int(match[1]) >= size) or match[3] == "0":
        raise RangeNotSatisfiable(size=size)
