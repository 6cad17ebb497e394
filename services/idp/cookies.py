"""Two cookies: who is signed in here, and which browser opened a login page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from services.idp.urls import DEFAULT_PORTS


@dataclass(frozen=True, slots=True)
class Cookies:
    """Names carry port and tenant: browsers share cookies among all ports of a host (RFC 6265 §8.5)."""

    session: str
    browser: str
    secure: bool

    @classmethod
    def of(cls, issuer: str, tenant: str) -> Self:
        url = urlsplit(issuer)
        port = url.port or DEFAULT_PORTS[url.scheme]
        name = f"idp_{port}_{tenant}" if tenant else f"idp_{port}"
        return cls(f"{name}_session", f"{name}_browser", secure=url.scheme == "https")

    def browser_of(self, request: Request) -> str:
        """The browser's name for itself; a new one on its first visit."""
        return request.cookies.get(self.browser) or secrets.token_urlsafe(24)

    def set(self, response: Response, name: str, value: str) -> None:
        """Until the browser closes. Lax, because the way back from a client is a navigation from another site."""
        response.set_cookie(name, value, httponly=True, samesite="lax", secure=self.secure)

    def delete(self, response: Response, name: str) -> None:
        response.delete_cookie(name, httponly=True, samesite="lax", secure=self.secure)
