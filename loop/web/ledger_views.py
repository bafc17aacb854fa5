"""What a reader keeps about the ledger: views under names of their own, and the columns that they want to see."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from loop.kernel.errors import LoopError
from loop.store import saved_views
from loop.store.session import Tx
from loop.web.faults import wrong_of
from loop.web.language import A_YEAR
from loop.web.ledger import COLUMNS_COOKIE, Typed, page_of
from loop.web.ledger_asked import PLACE, Asked, asked_of
from loop.web.ledger_rows import ALWAYS, COLUMNS
from loop.web.page import Goto, Page, Visitor, change, local, service_of
from loop.web.sent import Sent, sent_of

router = APIRouter()
NAME, QUERY, FORGET, COLUMN, BACK = "name", "query", "forget", "column", "back"
LONGEST_ADDRESS = 4_000


@router.post(f"{PLACE}/views")
async def keep(request: Request) -> Response:
    """Keep what the page shows under a name."""
    sent = await sent_of(request)
    asked = _asked(request, sent)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        saved_views.keep(tx, visitor.actor.id, sent.get(NAME), asked.text)
        return Goto(asked.address, "view-kept")

    return await change(request, sent, work, _again(request, asked, sent.get(NAME)))


@router.post(f"{PLACE}/views/{{view}}")
async def edit(request: Request, view: str) -> Response:
    """Give a view another name, or delete it."""
    sent = await sent_of(request)
    asked = _asked(request, sent)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        if sent.has(FORGET):
            saved_views.forget(tx, visitor.actor.id, view)
            return Goto(asked.address, "view-deleted")
        saved_views.rename(tx, visitor.actor.id, view, sent.get(NAME))
        return Goto(asked.address, "view-renamed")

    return await change(request, sent, work, _again(request, asked, sent.get(NAME), view))


@router.post(f"{PLACE}/columns")
async def choose_columns(request: Request) -> Response:
    """Remember in this browser which columns to show."""
    sent = await sent_of(request)
    chosen = ".".join(name for name in COLUMNS if name == ALWAYS or name in sent.all(COLUMN))

    def work(tx: Tx, visitor: Visitor) -> Goto:
        return Goto(local(sent.get(BACK, PLACE)), "columns-kept")

    response = await change(request, sent, work)
    secure = service_of(request).policy.https_only
    response.set_cookie(
        COLUMNS_COOKIE, chosen, max_age=A_YEAR, path=PLACE, httponly=True, samesite="lax", secure=secure
    )
    return response


def _asked(request: Request, sent: Sent) -> Asked:
    params = QueryParams(sent.get(QUERY)[:LONGEST_ADDRESS])
    return asked_of(params, service_of(request).book.workflow)


def _again(
    request: Request, asked: Asked, name: str, id_: str = ""
) -> Callable[[Tx, Visitor, LoopError], Page]:  # fmt: skip
    """The page once more, with the name as it was typed and what is wrong with it."""
    columns = request.cookies.get(COLUMNS_COOKIE, "")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        typed = Typed(name, id_, wrong_of(error).get(NAME, error.label))
        return page_of(tx, visitor, asked, columns, typed)

    return again
