"""Part of the simulation API: whose assertions about people a tenant believes (RFC 7523)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.idp import registry_file
from services.idp.provider import Started
from services.idp.registry import TrustedIssuer
from services.idp.simulation.names import UnknownName

router = APIRouter(prefix="/_sim/issuers", include_in_schema=False)


@router.get("")
async def list_issuers(provider: Started) -> dict[str, Any]:
    """Each of them."""
    return {"issuers": list(provider.registry.issuers.values())}


@router.put("")
async def put_issuer(asked: dict[str, Any], provider: Started) -> TrustedIssuer:
    """One more, or the same with other keys or another meaning of its subjects."""
    if isinstance(tenant := asked.get("tenant"), str) and tenant not in provider.siblings:
        raise UnknownName(f"there is no tenant {tenant!r}; there are {', '.join(filter(None, provider.siblings))}")
    issuer = registry_file.trusted(asked, provider.settings)
    provider.registry.issuers.put(issuer.issuer, issuer)
    return issuer


@router.delete("", status_code=204)
async def drop_issuer(issuer: str, provider: Started) -> Response:
    """It is believed no more."""
    if issuer not in provider.registry.issuers:
        raise UnknownName(f"{issuer!r} is not trusted; there are {', '.join(provider.registry.issuers) or 'none'}")
    provider.registry.issuers.drop(issuer)
    return Response(status_code=204)
