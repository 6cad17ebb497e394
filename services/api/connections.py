"""All that lives as long as the service runs: made when its lifespan starts, closed when it ends."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import httpx2

from services.api.assistant.agent import ChatAgent, make_agent
from services.api.assistant.archive import Archive
from services.api.assistant.floor import Floor
from services.api.circuit import Circuit, alive
from services.api.events.feed import WAIT_S, Feed
from services.api.events.views import PeopleFeedPage, TicketFeedPage
from services.api.events.watch import Watches
from services.api.exchange import TokenExchange
from services.api.mcp_client import KeptClients
from services.api.mcp_server import TIMEOUT_S, Downstream, McpServer
from services.api.rate_limit import RateLimit
from services.api.readiness import Readiness
from services.api.scopes import READ_PEOPLE, READ_TICKETS
from services.api.settings import ApiSettings
from services.api.tables import Base
from services.shared.database import Database, connected
from services.shared.tokens import AccessToken, AccessTokenVerifier


@dataclass(frozen=True)
class Connections:
    """The composition root's product: what dependencies hand out parts of."""

    settings: ApiSettings
    verifier: AccessTokenVerifier
    exchange: TokenExchange
    limit: RateLimit
    ticketing_server: Downstream
    organizations_server: Downstream
    patient_servers: tuple[Downstream, Downstream]
    """The two for calls that wait: no other call waits for theirs, makes room for them, or is judged by their end."""
    agent: ChatAgent
    watches: Watches
    archive: Archive
    floor: Floor
    readiness: Readiness

    def ticketing(self, caller: AccessToken) -> McpServer:
        """The ticketing server as ``caller`` sees it."""
        return McpServer(self.ticketing_server, caller)

    def organizations(self, caller: AccessToken) -> McpServer:
        """The organizations server as ``caller`` sees it."""
        return McpServer(self.organizations_server, caller)

    def feeds(self, caller: AccessToken) -> tuple[Feed, Feed]:
        """What changes, as ``caller`` gets to see it; the order is that of the positions in an event's id."""
        tickets, people = (McpServer(server, caller) for server in self.patient_servers)
        return (
            Feed(READ_TICKETS, self.ticketing(caller), tickets, TicketFeedPage),
            Feed(READ_PEOPLE, self.organizations(caller), people, PeopleFeedPage),
        )


@asynccontextmanager
async def connect(settings: ApiSettings, *, tls: ssl.SSLContext) -> AsyncIterator[Connections]:
    """Make everything the settings ask for. Nothing is called yet: the other services may still be starting."""
    async with (
        httpx.AsyncClient(verify=tls, timeout=TIMEOUT_S) as http,
        httpx2.AsyncHTTPTransport(verify=tls, limits=httpx2.Limits(max_connections=None)) as network,
        _archive(settings.api_database_url) as archive,
    ):
        clients, waiting, watches = KeptClients(), KeptClients(), Watches()
        exchange = TokenExchange(
            token_endpoint=f"{settings.issuer_url}/token",
            client_id="api",
            client_secret=settings.api_client_secret.get_secret_value(),
            first_scopes={
                f"{settings.ticketing_url}/mcp": READ_TICKETS,
                f"{settings.organizations_url}/mcp": READ_PEOPLE,
            },
            circuit=Circuit("identity provider", alive(http, settings.issuer_url)),
            http=http,
        )

        def downstream(name: str, url: str) -> Downstream:
            circuit = Circuit(f"{name} service", alive(http, url))
            return Downstream(name, f"{url}/mcp", exchange, clients, circuit, network=network)

        def patient(name: str, url: str) -> Downstream:
            return replace(downstream(name, url), clients=waiting, timeout=WAIT_S + TIMEOUT_S)

        try:
            yield Connections(
                settings=settings,
                verifier=AccessTokenVerifier(issuer=settings.issuer_url, audience=settings.api_url, http=http),
                exchange=exchange,
                limit=RateLimit(settings.api_requests_per_minute),
                ticketing_server=downstream("ticketing", settings.ticketing_url),
                organizations_server=downstream("organizations", settings.organizations_url),
                patient_servers=(
                    patient("ticketing", settings.ticketing_url),
                    patient("organizations", settings.organizations_url),
                ),
                agent=make_agent(settings.assistant_model),
                watches=watches,
                archive=archive,
                floor=Floor(),
                readiness=Readiness(
                    {
                        "idp": alive(http, settings.issuer_url),
                        "ticketing": alive(http, settings.ticketing_url),
                        "organizations": alive(http, settings.organizations_url),
                        "database": archive.answers,
                    }
                ),
            )
        finally:
            await watches.close()
            await waiting.close()
            await clients.close()


@asynccontextmanager
async def _archive(url: str) -> AsyncIterator[Archive]:
    with connected(url, Base.metadata, lay=_nothing) as database:
        yield Archive(database)


def _nothing(_: Database) -> None:
    """Conversations begin empty in every world; so the tables alone are complete."""
