"""A question answered, a change made: what the handlers of the registry and its neighbours have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer
from loop.api.bodies import body_of
from loop.api.deps import reading, shaped, writing
from loop.api.describe import IDEMPOTENCY_KEY
from loop.authority import require
from loop.kernel.errors import Fault, Invalid
from loop.kernel.labels import Label
from loop.kernel.payloads import Payload
from loop.store.session import Tx

P = TypeVar("P", bound=Payload)
NOT_NULL = Label("不能为空值。", "cannot be null.")


def sending(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """How a JSON body is described: its schema in one piece, and an example."""
    schema = model.model_json_schema()
    whole = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole, "example": example}}}}


def taking(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """How a POST is described: its body and its Idempotency-Key."""
    return {**sending(model, example), "parameters": [IDEMPOTENCY_KEY]}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema in which every reference is replaced by the part it refers to."""
    if isinstance(schema, list):
        return [_inlined(part, parts) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(part, parts) for name, part in schema.items()}


async def looking(request: Request, work: Callable[[Tx, Caller], Answer]) -> Response:
    """Answer a question."""
    return (await reading(request, work)).response()


async def posting(
    request: Request, model: type[P], work: Callable[[Tx, Caller, Callable[[], P]], Answer], *roles: str
) -> Response:
    """Do `work`, refused first to whoever holds none of `roles`. It is handed a function that reads the body as `model`,
    so that what is not found or not permitted is refused before what is not filled in rightly.
    """
    sent = await body_of(request)

    def admit(_: Tx, caller: Caller) -> None:
        if roles:
            require(caller.actor, *roles)

    def whole(tx: Tx, caller: Caller) -> Answer:
        return work(tx, caller, lambda: shaped(model, sent.wanted))

    return await writing(request, whole, body=sent, admit=admit)


def changes(payload: Payload, *may_be_null: str) -> dict[str, Any]:
    """The fields that a PATCH has sent; raises Invalid for a null where there must be a value."""
    found = {name: getattr(payload, name) for name in payload.model_fields_set}
    faults = [Fault(name, "null", NOT_NULL) for name, v in found.items() if v is None and name not in may_be_null]
    if faults:
        raise Invalid(sorted(faults, key=lambda fault: fault.field))
    return found


def made_at(place: str, view: dict[str, Any]) -> Answer:
    """The answer to something made: where it is found from now on."""
    return json_answer(view, 201, {"Location": f"/api/v1/{place}"})
