"""One paper as a page to read and to print: the words as they were recorded, with the digest that proves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.documents.content import Sheet, sheet
from loop.kernel.labels import Label
from loop.kernel.payloads import Nothing, Payload
from loop.kernel.people import ROLES
from loop.store import evidence, names
from loop.store.paper_sight import content_seen, paper_seen
from loop.store.session import Tx
from loop.web.called import PERSON, accounts_in, in_words
from loop.web.page import Crumb, Page, Visitor, show
from loop.web.places import finding_page

router = APIRouter()


@dataclass(frozen=True, slots=True)
class PaperView:
    """The paper as headings and fields, and the findings that it is about, as far as the reader sees them."""

    sheet: Sheet
    about: tuple[tuple[str, str], ...]
    data: str


@router.get("/papers/{id}")
async def read(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """The paper, in the reader's language."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        paper, about = paper_seen(tx, visitor.actor, id)
        content, flow = content_seen(paper, about), visitor.service.book.workflow
        action = flow.actions.get(content["action"])
        if action:
            content["payload"] = _named(tx, content.get("payload") or {}, action.payload, about)
        role = content["signed_by"]["role"]
        made = sheet(
            content, action.payload if action else Nothing, role=ROLES.get(role, Label(role, role)), digest=paper.digest,
            language=visitor.language,
            clocks={name: rule.label for name, rule in flow.timers.items()},
        )  # fmt: skip
        title = Label(content["title"]["zh"], content["title"]["en"]).as_heading()
        crumbs = (Crumb(Label("问题台账", "Ledger"), "/findings"), *(_crumb(number) for number in about[:1]))
        view = PaperView(
            made, tuple((number, finding_page(number)) for number in about), f"/api/v1/documents/{paper.id}"
        )
        return Page(template="paper.html", title=title, view=view, crumbs=crumbs)

    return await show(request, build)


def _named(tx: Tx, values: Mapping[str, Any], model: type[Payload], about: Sequence[str]) -> dict[str, Any]:
    """What was handed in, with the names of the files and persons in place of their ids; the record itself keeps those."""
    files = {one.id: one.name for number in about[:1] for one in evidence.of_finding(tx, number)}
    accounts = set(accounts_in(values, model))
    return in_words(values, model, {"file": files, PERSON: names.of_accounts(tx, accounts) if accounts else {}})


def _crumb(number: str) -> Crumb:
    return Crumb(Label(number, number), finding_page(number))
