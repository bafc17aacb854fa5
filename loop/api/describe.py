"""How operations are described in OpenAPI: answers, refusals, query parameters, bodies."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from loop.api.problems import MEDIA_TYPE, TITLES
from loop.kernel import errors
from loop.kernel.errors import LoopError

Responses = dict[int | str, dict[str, Any]]
PROBLEM = {"$ref": "#/components/schemas/Problem"}
ERRORS: tuple[type[LoopError], ...] = (
    errors.Unauthenticated, errors.Forbidden, errors.NotFound, errors.ActionNotAllowed, errors.GuardFailed,
    errors.IdempotencyMismatch, errors.Conflict, errors.Stale, errors.TooLarge, errors.UnsupportedFile, errors.Invalid,
    errors.RateLimited, errors.Unavailable,
)  # fmt: skip
_CODES: dict[int, list[str]] = {}
for _error in ERRORS:
    _CODES.setdefault(_error.status, []).append(_error.code)
_CODES[416] = ["range_not_satisfiable"]


def refusals(*statuses: int) -> Responses:
    """Refusals of these statuses as problem documents."""
    return {
        status: {
            "description": " / ".join(f"`{code}` {TITLES[code].en}" for code in _CODES[status]),
            "content": {MEDIA_TYPE: {"schema": PROBLEM}},
        }
        for status in statuses
    }


REFUSALS_OF_READING = refusals(401, 403, 404, 422, 503)
REFUSALS_OF_WRITING = refusals(401, 403, 404, 409, 413, 415, 422, 429, 503)
REFUSALS_OF_ACTIONS = refusals(401, 403, 404, 409, 412, 413, 415, 422, 429, 503)


def said(model: type[BaseModel], description: str = "The answer") -> Responses:
    """A 200 with a body of this shape."""
    return {200: {"model": model, "description": description}}


def made(model: type[BaseModel], description: str = "Made") -> Responses:
    """A 201 with a body of this shape."""
    return {201: {"model": model, "description": description}}


def parameters(model: type[BaseModel], lists: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields of `model` as query parameters."""
    properties = model.model_json_schema()["properties"]
    return {"parameters": [_parameter(name, dict(schema), name in lists) for name, schema in properties.items()]}


def _parameter(name: str, schema: dict[str, Any], many: bool) -> dict[str, Any]:
    schema.pop("title", None)
    kinds = [part for part in schema.pop("anyOf", ()) if part.get("type") != "null"]
    if len(kinds) == 1:
        schema = {**kinds[0], **schema}
    elif kinds:
        schema["anyOf"] = kinds
    if schema.get("default", 0) is None:
        del schema["default"]
    described: dict[str, Any] = {"name": name, "in": "query", "required": False, "schema": schema}
    return described | ({"explode": True, "style": "form"} if many else {})


def body(model: type[BaseModel], example: Any, *, required: bool = True) -> dict[str, Any]:
    """A JSON body of this shape, with an example."""
    whole = model.model_json_schema()
    schema = _inlined(whole, whole.pop("$defs", {}))
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}
    }


def _inlined(part: Any, shapes: dict[str, Any]) -> Any:
    """`part` with every reference to one of `shapes` replaced by what it refers to."""
    if isinstance(part, list):
        return [_inlined(one, shapes) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(shapes[part["$ref"].removeprefix("#/$defs/")], shapes)
    return {name: _inlined(one, shapes) for name, one in part.items()}


def header(name: str, description: str, example: str) -> dict[str, Any]:
    """An optional header of a request."""
    return {
        "name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"},
        "example": example,
    }  # fmt: skip


IDEMPOTENCY_KEY = header(
    "Idempotency-Key", "Makes a repetition harmless: the stored answer is given again (7 days).", "6f1c-open-1"
)
IF_MATCH = header("If-Match", "The version last seen; refused with 412 if it is no longer current.", '"3"')
