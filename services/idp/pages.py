"""Pages for people: rendered with escaping, and with headers that let nothing in and nobody frame them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from services.idp.errors import NO_STORE

_TEMPLATES = Path(__file__).parent / "templates"


class Pages:
    """The templates, read once. The style sheet is part of each page: one request, nothing to flash."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, auto_reload=False
        )
        style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
        # Written in the source of this project, so it may stand unescaped: CSS has quotes and >.
        self._environment.globals["style"] = Markup(style)  # noqa: S704
        self._style_hash = b64encode(sha256(style.encode()).digest()).decode()

    def render(
        self, template: str, *, tenant: str = "", form_action: str = "", status: int = 200, **context: Any
    ) -> HTMLResponse:
        """``tenant`` names whose page it is; ``form_action`` is a source expression to which forms may lead besides."""
        policy = (
            "default-src 'none'",
            f"style-src 'sha256-{self._style_hash}'",
            f"form-action 'self' {form_action}".rstrip(),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
        headers = NO_STORE | {
            "Content-Security-Policy": "; ".join(policy),
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }
        return HTMLResponse(self._environment.get_template(template).render(context, tenant=tenant), status, headers)
