"""Telling clients that a session has ended (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

from services.idp.provider import Provider
from services.idp.records import Session
from services.idp.registry import Client

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME_S = 120
"""Of a logout token: §2.4 recommends two minutes at most."""
TIMEOUT_S = 5.0
"""For one attempt."""
PAUSES_S = (1.0, 4.0)
"""Before each further attempt."""

_TRY_AGAIN = frozenset({408, 429})


def tell(session: Session, provider: Provider, *, at: float) -> None:
    """Tell every client that took part in a session and wants to know. It happens in the background: nobody waits."""
    for client_id in provider.store.participants(session.sid, at=at):
        client = provider.registry.clients.get(client_id)
        if client is None or client.backchannel_logout_uri is None:
            continue
        if not provider.outbound.allows(client.backchannel_logout_uri):
            logger.warning(
                "%s is not told of a logout: OUTBOUND_HOSTS lacks %s", client_id, client.backchannel_logout_uri
            )
            continue
        provider.outbound.begin(_deliver(logout_token(session, client, provider, at=at), client, provider))


def logout_token(session: Session, client: Client, provider: Provider, *, at: float) -> str:
    """§2.4."""
    claims = {
        "iss": provider.issuer,
        "sub": session.subject,
        "aud": client.id,
        "iat": int(at),
        "exp": int(at) + LIFETIME_S,
        "jti": secrets.token_urlsafe(12),
        "sid": session.sid,
        "events": {EVENT: {}},
    }
    return provider.keys.sign(claims, typ="logout+jwt")


async def _deliver(token: str, client: Client, provider: Provider) -> None:
    """The same token each time, so that a client that had already understood can see it (its ``jti``)."""
    outcome = await _attempt(token, client, provider.outbound.client)
    for pause in PAUSES_S:
        if outcome is None:
            return
        await asyncio.sleep(pause)
        outcome = await _attempt(token, client, provider.outbound.client)
    if outcome is not None:
        logger.warning("%s could not be told of a logout at %s: %s", client.id, client.backchannel_logout_uri, outcome)


async def _attempt(token: str, client: Client, http: httpx.AsyncClient) -> str | None:
    """What went wrong and may go well another time; None if there is nothing more to do (§2.8)."""
    from httpx import HTTPError  # noqa: PLC0415 - see Outbound.client

    request = http.build_request("POST", str(client.backchannel_logout_uri), data={"logout_token": token})
    try:
        async with asyncio.timeout(TIMEOUT_S):
            response = await http.send(request, stream=True)  # its body says nothing, however long it is
            await response.aclose()
    except (HTTPError, TimeoutError) as error:
        return repr(error)
    status = response.status_code
    if status >= 500 or status in _TRY_AGAIN:  # noqa: PLR2004
        return f"status {status}"
    level = logging.INFO if response.is_success else logging.WARNING
    logger.log(level, "%s was told of a logout: status %d", client.id, status)
    return None
