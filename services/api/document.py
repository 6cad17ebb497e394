"""The OpenAPI document: what FastAPI describes, made complete and true to OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from services.shared.problems import Problem

ABOUT: dict[str, Any] = {
    "title": "Dress Rehearsal API",
    "version": "0.1.0",
    "description": "Tickets, people and the assistant, for the signed-in user.",
    "license_info": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    "openapi_tags": [
        {"name": "tickets", "description": "Tickets of the caller's organization, and what becomes of them."},
        {"name": "people", "description": "The caller, members, teams and organizations."},
        {"name": "events", "description": "What changes, as it happens."},
        {"name": "assistant", "description": "Talking to the assistant."},
    ],
}

_EVENTS = "text/event-stream"
_NO_CONTENT = "204"
_UNSAID = "Successful Response"
"""FastAPI's words for whatever a route does not describe."""


def complete(app: FastAPI) -> None:
    """Let the document of ``app`` be complete. It is made when somebody first asks for it."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(describe())
        return describe()

    app.openapi = described  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    # FastAPI places the model of an additional response under the route's own media type, and that of problems is
    # another: so the routes refer to it by name, and it is added here.
    schemas: dict[str, Any] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= schemas.pop("$defs") | {"Problem": schemas}
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"] = dict(sorted(operation["responses"].items()))
            for status, answer in operation["responses"].items():
                if answer["description"] == _UNSAID:
                    answer["description"] = _said(status, answer, document["components"]["schemas"])
                if _EVENTS in answer.get("content", {}):
                    answer["content"][_EVENTS] = _stream(answer["content"][_EVENTS])


def _said(status: str, answer: dict[str, Any], schemas: dict[str, Any]) -> str:
    """What an answer is, in the words of the model that it is made of."""
    (content,) = answer.get("content", {"": {}}).values()
    if "$ref" in content.get("schema", {}):
        about: str = schemas[content["schema"]["$ref"].rpartition("/")[2]]["description"]
        return about
    return "Done; there is nothing to read." if status == _NO_CONTENT else "Events, as they happen."


def _stream(described: dict[str, Any]) -> dict[str, Any]:
    """A stream of events. FastAPI writes ``itemSchema``, which came with OpenAPI 3.2; before, it is the schema."""
    item = described.get("itemSchema") or _event_of(described["schema"])
    return {"schema": {"description": "Each event of the stream.", **item}}


def _event_of(data: dict[str, Any]) -> dict[str, Any]:
    """The same for a route that makes its stream by itself, and describes what is in it.

    FastAPI says of everything that is not sent as JSON that it is a text; what is in this one is an object.
    """
    text = {"type": "string"}
    told = {"type": "string", "contentMediaType": "application/json", "contentSchema": {"$ref": data["$ref"]}}
    return {"type": "object", "properties": {"id": text, "event": text, "data": told}, "required": ["id"]}
