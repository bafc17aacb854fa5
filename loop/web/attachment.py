"""One file of a finding as a page: the photo as large as the screen, whose it is, and the digest that proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from json import loads

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.labels import Label
from loop.store import evidence, journal, names
from loop.store.evidence import Attachment
from loop.store.filetypes import MIME, PICTURES
from loop.store.session import Tx
from loop.store.sight import attachment_seen
from loop.web.page import Crumb, Page, Visitor, show
from loop.web.places import attachment_file, attachment_page, finding_page
from loop.web.times import Moment

router = APIRouter()
PICTURE, FILM, SOUND, OTHER = "picture", "film", "sound", "other"
SHOWN = {**dict.fromkeys(PICTURES, PICTURE), MIME["mp4"]: FILM, MIME["mp3"]: SOUND}
NAMED = {mime: kind.upper() for kind, mime in MIME.items()}
LEDGER = Crumb(Label("问题台账", "Ledger"), "/findings")


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """The file and its neighbours among the files of the finding; `size` in bytes, `place` its place among `count`."""

    name: str
    kind: str
    source: str
    size: int
    type: str
    sha256: str
    note: str
    by: str
    at: Moment | None
    finding: str
    place: int
    count: int
    before: str
    behind: str


@router.get("/attachments/{id}")
async def read(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """The file, as far as the reader may see the finding and the step that brought it."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        kept, finding, shown = attachment_seen(tx, visitor.actor, id)
        held = [one for one in evidence.of_finding(tx, finding.number) if shown is None or one.seq in shown]
        here = Crumb(Label(finding.number, finding.number), f"{finding_page(finding.number)}#files")
        lead = Label(finding.title, finding.title)
        view = _view(tx, visitor, kept, held)
        name = Label(kept.name, kept.name)
        return Page(template="attachment.html", title=name, lead=lead, view=view, crumbs=(LEDGER, here))

    return await show(request, build)


def _view(tx: Tx, visitor: Visitor, kept: Attachment, held: Sequence[Attachment]) -> AttachmentView:
    (step,) = journal.trail(tx, kept.chain, after_seq=kept.seq - 1, limit=1)
    called = names.of_people(tx, [step.actor_id])
    place = [one.id for one in held].index(kept.id)
    before, behind = held[place - 1 : place] if place else (), held[place + 1 : place + 2]
    return AttachmentView(
        name=kept.name, kind=SHOWN.get(kept.type, OTHER), source=attachment_file(kept.id), size=kept.size,
        type=NAMED.get(kept.type, kept.type), sha256=kept.sha256, note=loads(step.payload).get("note") or "",
        by=called[step.actor_id][1], at=visitor.times.past(step.at), finding=f"{finding_page(kept.chain)}#files",
        place=place + 1, count=len(held), before=_path(before), behind=_path(behind),
    )  # fmt: skip


def _path(neighbour: Sequence[Attachment]) -> str:
    return attachment_page(neighbour[0].id) if neighbour else ""
