"""The register of issued papers, and one paper as data and as a page."""

from __future__ import annotations

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
from loop.kernel.labels import Label
from loop.kernel.payloads import Nothing
from loop.kernel.people import ROLES, Actor
from loop.store import offices, papers, reach
from loop.store.instants import instant_of, text_of
from loop.store.paging import cursor, key_of
from loop.store.paper_sight import content_seen, paper_seen
from loop.store.session import Tx

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
        paper, about = paper_seen(tx, caller.actor, path_text(request, "id"))
        content = content_seen(paper, about)
        action = service.book.workflow.actions.get(content["action"])
        role = content["signed_by"]["role"]
        made = sheet(
            content, action.payload if action else Nothing, role=ROLES.get(role, Label(role, role)),
            digest=paper.digest, language=language(request),
            clocks={name: rule.label for name, rule in service.book.workflow.timers.items()},
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
        paper, about = paper_seen(tx, caller.actor, path_text(request, "id"))
        view = document_view(paper, service.book)
        view["content"] = content_seen(paper, about)
        view["findings"] = about
        return json_answer(view)

    return (await reading(request, work)).response()
