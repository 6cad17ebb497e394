"""A REST API with one flaw for each check of Schemathesis, so that each can be seen to find what it looks for."""

from __future__ import annotations

from itertools import count
from typing import Any

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

FLAWS = {
    "ST101": "not_a_server_error",
    "ST103": "status_code_conformance",
    "ST105": "content_type_conformance",
    "ST107": "response_headers_conformance",
    "ST108": "response_schema_conformance",
    "ST201": "negative_data_rejection",
    "ST202": "positive_data_acceptance",
    "ST203": "missing_required_header",
    "ST204": "unsupported_method",
    "ST205": "allow_header_conformance",
    "ST301": "use_after_free",
    "ST302": "ensure_resource_availability",
    "ST401": "ignored_auth",
    "ST402": "object_level_authorization",
}

_NOTE = {
    "type": "object",
    "required": ["id", "text"],
    "properties": {"id": {"type": "integer"}, "text": {"type": "string"}},
}
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "maxLength": 20}}}


class Careless:
    """Notes of people who are told apart by their tokens, not always; and some single operations."""

    def __init__(self) -> None:
        self._notes: dict[int, tuple[str, str]] = {}
        self._numbers = count(1)

    def app(self) -> Starlette:
        """All of it."""
        single = {"boom": self.boom, "teapot": self.teapot, "plain": self.plain, "bare": self.fine, "wrong": self.wrong}
        return Starlette(
            routes=[
                Route("/openapi.json", self.described),
                Route("/notes", self.notes, methods=["GET", "POST"]),
                Route("/notes/{id}", self.note, methods=["GET", "DELETE"]),
                Route("/drafts", self.draft, methods=["POST"]),
                Route("/drafts/{id}", self.no_draft),
                Route("/anything", self.anything, methods=["POST"]),
                Route("/nothing", self.nothing, methods=["POST"]),
                Route("/open", self.fine),
                Route("/unheaded", self.fine),
                Route("/any-method", self.fine, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]),
                Route("/misleading", self.misleading, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"]),
                *(Route(f"/{name}", answer) for name, answer in single.items()),
            ]
        )

    async def notes(self, request: Request) -> Response:
        if (owner := _caller(request)) is None:
            return _refused()
        if request.method == "POST":
            if (text := await _text(request)) is None:
                return JSONResponse({"detail": "no text"}, 422)
            number = next(self._numbers)
            self._notes[number] = owner, text
            return JSONResponse({"id": number, "text": text}, 201)
        return JSONResponse([{"id": each, "text": note[1]} for each, note in self._notes.items() if note[0] == owner])

    async def note(self, request: Request) -> Response:
        """Of anybody (ST402). A deleted one stays (ST301)."""
        if _caller(request) is None:
            return _refused()
        told = request.path_params["id"]
        found = self._notes.get(int(told)) if told.isascii() and told.isdigit() and len(told) < 10 else None
        if found is None:
            return JSONResponse({"detail": "no such note"}, 404)
        if request.method == "DELETE":
            return Response(status_code=204)
        return JSONResponse({"id": int(told), "text": found[1]})

    async def draft(self, request: Request) -> Response:
        """It tells an id under which nothing is found (ST302)."""
        if _caller(request) is None:
            return _refused()
        if (text := await _text(request)) is None:
            return JSONResponse({"detail": "no text"}, 422)
        return JSONResponse({"id": next(self._numbers), "text": text}, 201)

    async def no_draft(self, request: Request) -> Response:
        return JSONResponse({"detail": "no such draft"}, 404) if _caller(request) else _refused()

    async def anything(self, request: Request) -> Response:
        return JSONResponse({"text": "thank you"}) if _caller(request) else _refused()

    async def nothing(self, request: Request) -> Response:
        return JSONResponse({"detail": "never"}, 422) if _caller(request) else _refused()

    async def boom(self, request: Request) -> Response:
        return JSONResponse({"detail": "oh"}, 500) if _caller(request) else _refused()

    async def teapot(self, request: Request) -> Response:
        return JSONResponse({"detail": "short and stout"}, 418) if _caller(request) else _refused()

    async def plain(self, request: Request) -> Response:
        return PlainTextResponse("fine") if _caller(request) else _refused()

    async def wrong(self, request: Request) -> Response:
        return JSONResponse({"text": 1}) if _caller(request) else _refused()

    async def fine(self, request: Request) -> Response:
        return JSONResponse({"text": "fine"}) if _caller(request) or request.url.path == "/open" else _refused()

    async def misleading(self, request: Request) -> Response:
        if request.method == "GET":
            return await self.fine(request)
        return JSONResponse({"detail": "no"}, 405, headers={"Allow": "PUT"})

    async def described(self, _: Request) -> Response:
        return JSONResponse(document())


def document() -> dict[str, Any]:
    """What is promised."""
    text = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    header = {"name": "X-Reason", "in": "header", "required": True, "schema": {"type": "string", "minLength": 1}}
    to_note = {"read": {"operationId": "getNote", "parameters": {"id": "$response.body#/id"}}} | {
        "delete": {"operationId": "deleteNote", "parameters": {"id": "$response.body#/id"}}
    }
    to_draft = {"read": {"operationId": "getDraft", "parameters": {"id": "$response.body#/id"}}}
    tagged = {"headers": {"ETag": {"required": True, "schema": {"type": "string"}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Careless", "version": "1"},
        "security": [{"bearer": []}],
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "paths": {
            "/notes": {
                "get": _operation("listNotes", {"200": _json({"type": "array", "items": _NOTE})}),
                "post": _operation("createNote", {"201": _json(_NOTE) | {"links": to_note}}, body=_TEXT),
            },
            "/notes/{id}": {
                "get": _operation("getNote", {"200": _json(_NOTE)}, number),
                "delete": _operation("deleteNote", {"204": {"description": "gone"}}, number),
            },
            "/drafts": {"post": _operation("createDraft", {"201": _json(_NOTE) | {"links": to_draft}}, body=_TEXT)},
            "/drafts/{id}": {"get": _operation("getDraft", {"200": _json(_NOTE)}, number)},
            "/anything": {"post": _operation("takeAnything", {"200": _json(text)}, body=_TEXT)},
            "/nothing": {"post": _operation("takeNothing", {"200": _json(text)}, body=_TEXT)},
            "/bare": {"get": _operation("getBare", {"200": _json(text) | tagged})},
            "/unheaded": {"get": _operation("getUnheaded", {"200": _json(text)}, header)},
            **{
                f"/{name}": {"get": _operation(name, {"200": _json(text)})}
                for name in ("boom", "teapot", "plain", "wrong", "open", "any-method", "misleading")
            },
        },
    }


def _operation(
    name: str, answers: dict[str, Any], *parameters: dict[str, Any], body: dict[str, Any] | None = None
) -> dict[str, Any]:
    refusals = {status: _json({}) for status in ("401", "404", "405", "422")}
    told: dict[str, Any] = {"operationId": name, "parameters": list(parameters), "responses": answers | refusals}
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return told


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "an answer", "content": {"application/json": {"schema": schema}}}


def _caller(request: Request) -> str | None:
    """Who it is, as their token says. Nobody looks at its signature."""
    try:
        claims = jwt.decode(
            request.headers["Authorization"].removeprefix("Bearer "), options={"verify_signature": False}
        )
    except (KeyError, jwt.InvalidTokenError):
        return None
    return str(claims["sub"])


def _refused() -> Response:
    return JSONResponse({"detail": "who are you?"}, 401)


async def _text(request: Request) -> str | None:
    try:
        body = await request.json()
    except ValueError:
        return None
    text = body.get("text") if isinstance(body, dict) else None
    return text if isinstance(text, str) and len(text) <= 20 else None
