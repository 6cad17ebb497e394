"""The OpenAPI document: what FastAPI knows of the routes, and who may ask what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_SCHEMES: Mapping[str, Mapping[str, str]] = {
    "clientSecretBasic": {
        "type": "http",
        "scheme": "basic",
        "description": "A client and its secret.",
    },
    "accessToken": {"type": "http", "scheme": "bearer", "description": "An access token with the scope `openid`."},
    "directoryToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A service's token for the directory.",
    },
    "registrationToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "Given out at registration.",
    },
}
_PUBLIC_TOO: list[dict[str, list[str]]] = [{"clientSecretBasic": []}, {}]
"""Clients without a secret name themselves in the form."""

_SECURITY: Mapping[str, list[dict[str, list[str]]]] = {
    "/token": _PUBLIC_TOO,
    "/revoke": _PUBLIC_TOO,
    "/par": _PUBLIC_TOO,
    "/device_authorization": _PUBLIC_TOO,
    "/introspect": [{"clientSecretBasic": []}],
    "/userinfo": [{"accessToken": []}],
    "/scim/v2/Users": [{"directoryToken": []}],
    "/scim/v2/Users/{user_id}": [{"directoryToken": []}],
    "/register/{client_id}": [{"registrationToken": []}],
}
"""By path; whatever is not here is open to everybody."""


def described(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes, servers=app.servers)
        document.setdefault("components", {})["securitySchemes"] = dict(_SCHEMES)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                if path in _SECURITY:
                    operation["security"] = _SECURITY[path]
        app.openapi_schema = document
    return app.openapi_schema
