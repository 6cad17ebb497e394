"""All that lives as long as the service runs: made when its lifespan starts, closed when it ends."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from pydantic_ai.conversation_store import ConversationStore, InMemoryConversationStore

from services.api.assistant.agent import ChatAgent, make_agent
from services.api.exchange import TokenExchange
from services.api.mcp_server import McpServer
from services.api.on_behalf_of import OnBehalfOf
from services.api.rate_limit import RateLimit
from services.api.settings import ApiSettings
from services.shared.tokens import AccessToken, AccessTokenVerifier


@dataclass(frozen=True)
class Connections:
    """The composition root's product: what dependencies hand out parts of."""

    settings: ApiSettings
    tls: ssl.SSLContext
    verifier: AccessTokenVerifier
    limit: RateLimit
    exchange: TokenExchange
    agent: ChatAgent
    conversations: ConversationStore

    def ticketing(self, caller: AccessToken) -> McpServer:
        """The ticketing server as ``caller`` sees it."""
        return self._server("ticketing", self.settings.ticketing_url, caller)

    def organizations(self, caller: AccessToken) -> McpServer:
        """The organizations server as ``caller`` sees it."""
        return self._server("organizations", self.settings.organizations_url, caller)

    def _server(self, name: str, url: str, caller: AccessToken) -> McpServer:
        return McpServer(name, OnBehalfOf(self.exchange, caller, f"{url}/mcp"), tls=self.tls)


@asynccontextmanager
async def connect(settings: ApiSettings, *, tls: ssl.SSLContext) -> AsyncIterator[Connections]:
    """Make everything the settings ask for. Nothing is called yet: the other services may still be starting."""
    async with httpx.AsyncClient(verify=tls, timeout=10) as http:
        yield Connections(
            settings=settings,
            tls=tls,
            verifier=AccessTokenVerifier(issuer=settings.issuer_url, audience=settings.api_url, http=http),
            limit=RateLimit(settings.api_requests_per_minute),
            exchange=TokenExchange(
                token_endpoint=f"{settings.issuer_url}/token",
                client_id="api",
                client_secret=settings.api_client_secret.get_secret_value(),
                first_scopes={
                    f"{settings.ticketing_url}/mcp": "tickets:read",
                    f"{settings.organizations_url}/mcp": "orgs:read",
                },
                http=http,
            ),
            agent=make_agent(settings.assistant_model),
            conversations=InMemoryConversationStore(),
        )
