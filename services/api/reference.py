"""The page for people who read the contract: rendered here, from the document, so it needs no script and no network."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_TEMPLATES = Path(__file__).parent / "templates"
_SCHEMAS = "#/components/schemas/"


class Reference:
    """``GET /docs``. The page is made when somebody first asks for it, like the document."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        app.add_api_route("/docs", self._answer, include_in_schema=False)

    async def _answer(self, _: Request) -> Response:
        content, policy = self._page
        return HTMLResponse(content, headers={"Content-Security-Policy": policy})

    @cached_property
    def _page(self) -> tuple[str, str]:
        from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415  # few ever ask

        style = (_TEMPLATES / "reference.css").read_text(encoding="utf-8")
        environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True)
        document = self._app.openapi()
        content = environment.get_template("reference.html").render(
            document=document,
            operations=_operations(document),
            shown=shown,
            prose=prose,
            style=Markup(style),  # noqa: S704  # ours: CSS has quotes and >
        )
        digest = b64encode(sha256(style.encode()).digest()).decode()
        return content, f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"


def _operations(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"path": path, "method": method.upper(), **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def prose(text: str | None) -> Markup:
    """A description, with what stands in backticks as code."""
    return Markup(re.sub(r"(`+)([^`]+)\1", r"<code>\2</code>", str(escape(text or ""))))  # noqa: S704  # escaped here


def shown(schema: Mapping[str, Any]) -> Markup:
    """A schema in a few words, with links to those it names."""
    schema = schema.get("contentSchema", schema)
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMAS)
        return Markup('<a href="#{0}">{0}</a>').format(name)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return Markup(" or ").join(shown(each) for each in schema[several])
    if "enum" in schema or "const" in schema:
        return escape(", ".join(map(str, schema.get("enum") or [schema["const"]])))
    if schema.get("type") == "array":
        return Markup("list of {}").format(shown(schema.get("items", {})))
    if "properties" in schema:
        return Markup(", ").join(Markup("{}: {}").format(name, shown(of)) for name, of in schema["properties"].items())
    return escape(", ".join([str(schema.get("type", "anything")), *_limits(schema)]))


def _limits(schema: Mapping[str, Any]) -> list[str]:
    names = ("format", "minLength", "maxLength", "minimum", "maximum")
    return [str(schema[name]) if name == "format" else f"{name} {schema[name]}" for name in names if name in schema]
