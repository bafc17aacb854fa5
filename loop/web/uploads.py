"""Files in a page's form: streamed to disk, recognised by their content, and attached to the finding one by one.

Each is an action of its own, so that what was uploaded stays although the form it came with is refused.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from loop.access import NOT_FROM_HERE
from loop.browser import is_foreign
from loop.engine.door import Wish
from loop.engine.record import Outcome
from loop.kernel.errors import Fault, Forbidden, Invalid, LoopError, TooLarge, Unavailable, UnsupportedFile
from loop.kernel.labels import Label
from loop.store import evidence
from loop.store.evidence import StoredFile
from loop.store.places import new_id
from loop.store.session import Refused, Tx
from loop.web.once import sending_of
from loop.web.page import Visitor, service_of, visitor_of
from loop.web.sent import LARGEST_PART, MOST_FIELDS, Sent, broken, sent_of, texts_of

FILES = "_files:"
"""Begins the names of the fields that carry files; the field that they are chosen for follows."""
ATTACH = "attach"
MOST_FILES = 20
NAMED = Label("{name}：{why}", "{name}: {why}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that lies on disk, and the field for which it was sent."""

    field: str
    file: StoredFile


@dataclass(frozen=True, slots=True)
class SentFiles:
    """A form with its files; `faults` say which of them were not taken, and why."""

    sent: Sent
    uploads: tuple[Upload, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def whole(self) -> Sent:
        """The form with what its files are: the same words with other photos are another form."""
        return self.sent.plus(*((FILES + one.field, f"{one.file.sha256} {one.file.name}") for one in self.uploads))


async def sent_with_files(request: Request) -> SentFiles:
    """The form in this request and its files on disk; raises Invalid, TooLarge, Unavailable, or Forbidden for a form that
    another site's page sent.
    """
    if is_foreign(request):
        raise Forbidden(NOT_FROM_HERE)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return SentFiles(await sent_of(request))
    uploads: list[Upload] = []
    faults: list[Fault] = []
    try:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LARGEST_PART) as form:
            texts = texts_of(form)
            for name, value in form.multi_items():
                if isinstance(value, UploadFile) and name.startswith(FILES) and value.filename:
                    await _keep(request, name.removeprefix(FILES), value, uploads, faults)
    except (MultiPartException, HTTPException, UnicodeDecodeError):
        raise broken() from None
    return SentFiles(texts, tuple(uploads), tuple(faults))


async def _keep(request: Request, field: str, file: UploadFile, uploads: list[Upload], faults: list[Fault]) -> None:
    name = file.filename or ""
    try:
        kept = await asyncio.to_thread(service_of(request).evidence.put, file.file, name)
    except (TooLarge, UnsupportedFile) as refused:
        faults.append(_fault(field, name, refused))
    except OSError as error:
        raise Unavailable(why=f"the upload cannot be kept ({error.strerror})") from error
    except LoopError as refused:
        if refused.status != 422:
            raise
        faults.append(_fault(field, name, refused))
    else:
        uploads.append(Upload(field, kept))


def _fault(field: str, name: str, why: LoopError) -> Fault:
    label = why.faults[0].label if isinstance(why, Invalid) else why.label
    said = Label(NAMED.zh.format(name=name, why=label.zh), NAMED.en.format(name=name, why=label.en))
    return Fault(field, why.code, said)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that is on record with a finding, and the version that the finding has since."""

    field: str
    id: str
    name: str
    version: int


async def attach_all(request: Request, number: str, given: SentFiles) -> list[Attached]:
    """Attach every uploaded file to the finding, each in a transaction of its own, and of a form that is sent twice each
    once; raises what the engine refuses.
    """
    store = service_of(request).store

    def work(place: int) -> Callable[[Tx], Attached | Refused]:
        return lambda tx: _attach_once(request, tx, number, given, place)

    return [await asyncio.wrap_future(store.submit(work(place))) for place in range(len(given.uploads))]


def _attach_once(request: Request, tx: Tx, number: str, given: SentFiles, place: int) -> Attached | Refused:
    visitor, upload = visitor_of(request, tx, given.sent), given.uploads[place]
    sending = sending_of(request, given.whole, visitor.actor.id, visitor.service.access.real())
    if sending is None:
        return attach_in(tx, visitor, number, upload)
    sending = sending.part(str(place))
    if earlier := sending.went_to(tx):
        return Attached(*json.loads(earlier))
    done = attach_in(tx, visitor, number, upload)
    if isinstance(done, Refused):
        sending.give_up(tx)
    else:
        sending.keep(tx, json.dumps(astuple(done)))
    return done


def attach_in(tx: Tx, visitor: Visitor, number: str, upload: Upload) -> Attached | Refused:
    """Attach one file by the action `attach`, within a transaction that the caller owns."""
    file, id_ = upload.file, new_id()
    payload = {
        "attachment": id_, "name": file.name, "sha256": file.sha256, "size": file.size, "type": file.type, "note": "",
    }  # fmt: skip

    def kept(tx: Tx, done: Outcome) -> Attached:
        entry = done.event
        evidence.attach(tx, file, id_=id_, chain=entry.chain, seq=entry.seq, by_id=entry.actor_id)
        return Attached(upload.field, id_, file.name, done.finding.version)

    wish = Wish(actor=visitor.actor, action=ATTACH, number=number, payload=payload)
    return visitor.service.engine.act_in(tx, wish, kept)


def ticked(sent: Sent, attached: Iterable[Attached]) -> Sent:
    """The form with the attached files chosen in the fields for which they were sent."""
    return sent.plus(*((one.field, one.id) for one in attached if one.field))
