"""The register of issued papers, and one paper as data and as a page."""

from __future__ import annotations

from collections.abc import Collection
from json import loads
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import Caller
from loop.api import shapes
from loop.api.answers import Answer, json_answer, listed
from loop.api.deps import path_text, query_of, reading, service_of
from loop.api.describe import REFUSALS_OF_READING, parameters, said
from loop.api.history import PageQuery
from loop.api.problems import language
from loop.api.views import document_view
from loop.documents.content import sheet
from loop.documents.page import page
from loop.kernel.errors import NotFound
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.payloads import Nothing
from loop.kernel.people import ROLES, Actor
from loop.store import findings, offices, papers, reach
from loop.store.instants import instant_of, text_of
from loop.store.paging import cursor, key_of
from loop.store.papers import Document, Link
from loop.store.session import Tx
from loop.store.sight import open_steps, sight_of

router = APIRouter(tags=["documents"])
SCOPE = "documents"


@router.get(
    "/documents", summary="The register of issued papers", openapi_extra=parameters(PageQuery),
    responses={**said(shapes.DocumentList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_register(request: Request) -> Response:
    """Numbered papers of the offices in the caller's regions, the newest first."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, PageQuery)
        after: tuple[Any, str] | None = None
        if asked.after:
            at, id_ = key_of(SCOPE, asked.after, str, str)
            after = (instant_of(str(at)), str(id_))
        page_ = papers.register(tx, _offices(tx, caller.actor), limit=asked.limit + 1, after=after)
        shown = page_[: asked.limit]
        following = None
        if len(page_) > asked.limit:
            following = cursor(SCOPE, (text_of(shown[-1].issued_at), shown[-1].id))
        return listed([document_view(paper, service.book) for paper in shown], following)

    return (await reading(request, work)).response()


def _offices(tx: Tx, actor: Actor) -> list[str] | None:
    """The offices whose register the caller may read; None for all of them."""
    regions = {p.region for p in actor.posts if p.role in reach.SEES_REGION and p.region}
    if any(len(path) == 1 for path in regions):
        return None
    return offices.ids_within(tx, regions) if regions else []


@router.get(
    "/documents/{id}.html", summary="One paper as a page", response_class=Response,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **REFUSALS_OF_READING},
)  # fmt: skip
async def show_document(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """The paper as plain HTML in the caller's language."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        paper, about = _open(tx, caller.actor, path_text(request, "id"))
        content = _shown(paper, about)
        action = service.book.workflow.actions.get(content["action"])
        role = content["signed_by"]["role"]
        made = sheet(
            content, action.payload if action else Nothing, role=ROLES.get(role, Label(role, role)),
            digest=paper.digest, language=language(request),
            deadline=service.book.workflow.timers[content["deadline"]["rule"]].label if "deadline" in content else None,
        )  # fmt: skip
        return Answer(page(made), media_type="text/html")

    return (await reading(request, work)).response()


@router.get(
    "/documents/{id}", summary="One paper as data", responses={**said(shapes.WholeDocument), **REFUSALS_OF_READING}
)
async def read_document(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """The paper as it was recorded; `digest` is the SHA-256 of its content in canonical JSON. Of a paper that joins several
    units each reader gets the findings that they may see; the digest is that of the whole.
    """
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        paper, about = _open(tx, caller.actor, path_text(request, "id"))
        view = document_view(paper, service.book)
        view["content"] = _shown(paper, about)
        view["findings"] = about
        return json_answer(view)

    return (await reading(request, work)).response()


def _open(tx: Tx, actor: Actor, id_: str) -> tuple[Document, list[str]]:
    """The paper and those of its findings that the caller may see; raises NotFound where there is none of them."""
    found = papers.get(tx, id_)
    if found is None:
        raise NotFound
    paper, links = found
    known = findings.load_many(tx, [link.chain for link in links], lock=False)
    seen = [link for link in links if link.chain in known and reach.may_see(actor, known[link.chain])]
    if not any(_is_open(tx, actor, paper, known[link.chain], link) for link in seen):
        raise NotFound
    return paper, [link.chain for link in seen]


def _shown(paper: Document, about: Collection[str]) -> dict[str, Any]:
    """The content, without those of its findings that are none of `about`."""
    content: dict[str, Any] = loads(paper.content)
    if "findings" in content:
        content["findings"] = [one for one in content["findings"] if one["number"] in about]
    return content


def _is_open(tx: Tx, actor: Actor, paper: Document, finding: Finding, link: Link) -> bool:
    shown = open_steps(tx, link.chain, sight_of(actor, finding))
    return shown is None or (link.seq in shown and not paper.internal)
