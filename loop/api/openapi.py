"""The OpenAPI document: what the routes say of themselves, and every action as a path of its own, made from the workflow."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from loop.api.describe import IDEMPOTENCY_KEY, IF_MATCH, REFUSALS_OF_ACTIONS, Responses, refusals
from loop.api.findings import ATTACH, FORM
from loop.api.problems import Problem
from loop.kernel.payloads import example_of
from loop.kernel.people import ROLES
from loop.kernel.workflow import Action, Workflow

API = "/api/v1"
REF = "#/components/schemas/{model}"
FINDING = {"$ref": "#/components/schemas/FindingOut"}
NUMBER = {
    "name": "number", "in": "path", "required": True, "description": "The finding's number.",
    "schema": {"type": "string", "maxLength": 64},
}  # fmt: skip
DESCRIPTION = (
    "Supervision findings from report to look-back. Times are RFC 3339 with offset, dates YYYY-MM-DD; every refusal is a "
    "problem document (RFC 9457) with a stable `code`. Refusals come in this order: 401, 404, 403, idempotency, 412, "
    "409 for the state, 422, 409 for a condition."
)


def document_of(app: FastAPI, workflow: Workflow) -> dict[str, Any]:
    """The document of `app`, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
        _add_actions(made, workflow)
        _add_limits(made)
        _add_security(made)
        app.openapi_schema = made
    return app.openapi_schema


def _add_actions(made: dict[str, Any], workflow: Workflow) -> None:
    shown = [action for action in workflow.actions.values() if action.name != ATTACH]
    models: list[type[BaseModel]] = [Problem, *dict.fromkeys(action.payload for action in shown)]
    asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    refs, definitions = models_json_schema(asked, ref_template=REF)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(definitions["$defs"])
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for action in shown:
        operation = _operation(action, refs[action.payload, "validation"])
        if action.creates:
            made["paths"][f"{API}/findings/actions/{action.name}"] = {"post": operation}
            if action.name == "open":
                _complete(made["paths"][f"{API}/findings"]["post"], operation)
        else:
            made["paths"][f"{API}/findings/{{number}}/actions/{action.name}"] = {"post": operation}
    made["paths"][f"{API}/findings/{{number}}/actions/{ATTACH}"] = {"post": _attaching(workflow.actions[ATTACH])}


def _complete(route: dict[str, Any], operation: dict[str, Any]) -> None:
    route["requestBody"], route["parameters"] = operation["requestBody"], operation["parameters"]


def _operation(action: Action, schema: dict[str, Any]) -> dict[str, Any]:
    fields = action.payload.model_fields
    needed = any(info.is_required() for info in fields.values())
    content = {"schema": schema, "example": example_of(action.payload)}
    who = ", ".join(ROLES[name].en if name in ROLES else name for name in action.by)
    return {
        "tags": ["actions"],
        "operationId": f"act_{action.name}",
        "summary": f"{action.label.zh} · {action.label.en}",
        "description": f"By: {who}. Answers the finding as it stands then.",
        "parameters": [IDEMPOTENCY_KEY] if action.creates else [NUMBER, IDEMPOTENCY_KEY, IF_MATCH],
        "requestBody": {"required": needed, "content": {"application/json": content}},
        "responses": _responses("201" if action.creates else "200"),
    }


def _responses(status: str) -> dict[str, Any]:
    done = {
        "description": "The finding",
        "headers": {"ETag": {"schema": {"type": "string"}, "description": "Its version."}},
        "content": {"application/json": {"schema": FINDING}},
    }
    if status == "201":
        done["headers"] = {**done["headers"], "Location": {"schema": {"type": "string"}}}  # type: ignore[dict-item]
    return {status: done, **_keyed(REFUSALS_OF_ACTIONS)}


def _keyed(responses: Responses) -> dict[str, Any]:
    return {str(status): response for status, response in responses.items()}


def _attaching(action: Action) -> dict[str, Any]:
    return {
        "tags": ["actions"],
        "operationId": "act_attach",
        "summary": f"{action.label.zh} · {action.label.en}",
        "description": "The same as POST /findings/{number}/attachments.",
        "parameters": [NUMBER, IDEMPOTENCY_KEY, IF_MATCH],
        "requestBody": {"required": True, "content": FORM},
        "responses": {
            "201": {
                "description": "Attached",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FileOut"}}},
            },
            **_keyed(REFUSALS_OF_ACTIONS),
        },
    }


def _add_limits(made: dict[str, Any]) -> None:
    """Whatever is asked, a body that is too large is refused before anybody looks at the question."""
    for operations in made["paths"].values():
        for operation in operations.values():
            operation["responses"] = {**_keyed(refusals(413)), **operation["responses"]}


def _add_security(made: dict[str, Any]) -> None:
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "loop_session"},
        "feed": {"type": "apiKey", "in": "query", "name": "token", "description": "A token of the scope `calendar`."},
    }
    made["security"] = [{"token": []}, {"session": []}]
