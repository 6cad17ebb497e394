"""What a route may ask for. Its signature says who may call it: each of these begins with a verified token."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import StringConstraints

from services.api import scopes
from services.api.assistant.conversations import Conversations
from services.api.assistant.thread import Thread
from services.api.assistant.toolbox import Toolbox
from services.api.assistant.turn import Turn
from services.api.assistant.views import ChatRequest
from services.api.connections import Connections
from services.api.events.stream import EVENT_ID, Follower
from services.api.organizations import Organizations
from services.api.parameters import Omittable
from services.api.session import Session
from services.api.ticketing import Ticketing
from services.shared.credentials import check_single
from services.shared.problems import Forbidden, Unauthenticated, Unavailable
from services.shared.tokens import AccessToken, InvalidToken, KeysUnavailable

_bearer = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT",
    description="An access token (RFC 9068) of the identity provider, issued for this service.",
    auto_error=False,
)


# Asynchronous although it waits for nothing, as are all here: FastAPI runs others in a thread, which costs more.
async def _connections(request: Request) -> Connections:
    connections: Connections = request.app.state.connections
    return connections


ConnectionsOfApp = Annotated[Connections, Depends(_connections)]


async def _caller(
    request: Request,
    connections: ConnectionsOfApp,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> AccessToken:
    check_single(request.headers)
    if credentials is None:
        # RFC 6750 §3.1: without any credentials, the challenge carries no error code.
        raise Unauthenticated("Send an access token as bearer.", headers={"WWW-Authenticate": "Bearer"})
    try:
        caller = await connections.verifier.verify(credentials.credentials)
    except InvalidToken as error:
        challenge = f'Bearer error="invalid_token", error_description="{error.description}"'
        raise Unauthenticated(
            f"The access token is not valid here: {error.description}.", headers={"WWW-Authenticate": challenge}
        ) from None
    except KeysUnavailable as error:
        raise Unavailable(
            "Access tokens cannot be checked now: the identity provider does not give out its keys."
        ) from error
    if caller.org_id is None:
        raise Forbidden("The token is about no organization: this service works for people, in one of theirs.")
    connections.limit.take(_owner(caller), at=time.time())
    return caller


Caller = Annotated[AccessToken, Depends(_caller)]


async def _ticketing(connections: ConnectionsOfApp, caller: Caller) -> Ticketing:
    server = connections.ticketing(caller)
    await server.authorize()
    return Ticketing(server)


async def _organizations(connections: ConnectionsOfApp, caller: Caller) -> Organizations:
    server = connections.organizations(caller)
    await server.authorize()
    return Organizations(server)


async def _session(
    connections: ConnectionsOfApp, caller: Caller, organizations: Annotated[Organizations, Depends(_organizations)]
) -> Session:
    return Session(caller, organizations, connections.exchange, audience=connections.settings.api_url)


async def _model_name(connections: ConnectionsOfApp) -> str:
    return connections.settings.assistant_model


ModelName = Annotated[str, Depends(_model_name)]
TicketingClient = Annotated[Ticketing, Depends(_ticketing)]
OrganizationsClient = Annotated[Organizations, Depends(_organizations)]
SessionOfCaller = Annotated[Session, Depends(_session)]


async def _toolbox(connections: ConnectionsOfApp, caller: Caller) -> Toolbox:
    servers = {
        scopes.READ_TICKETS: connections.ticketing(caller),
        scopes.READ_PEOPLE: connections.organizations(caller),
    }
    return await Toolbox.open_to(*(server for scope, server in servers.items() if scope in caller.scopes))


AssistantTools = Annotated[Toolbox, Depends(_toolbox)]


async def _talker(caller: Caller) -> AccessToken:
    if not scopes.readable(caller):
        raise scopes.missing("The assistant and its conversations need one of these scopes.", scopes.READING)
    return caller


_Talker = Annotated[AccessToken, Depends(_talker)]


async def _conversations(connections: ConnectionsOfApp, caller: _Talker) -> Conversations:
    return Conversations(connections.archive, _owner(caller), scopes.readable(caller))


OwnConversations = Annotated[Conversations, Depends(_conversations)]


def _owner(caller: AccessToken) -> str:
    return f"{caller.org_id}/{caller.subject}"


async def _turn(
    body: ChatRequest, connections: ConnectionsOfApp, caller: _Talker, toolbox: AssistantTools
) -> AsyncIterator[Turn]:
    async with Thread.open(
        connections.archive,
        connections.floor,
        owner=_owner(caller),
        scopes=scopes.readable(caller),
        id=body.thread_id,
        message=body.message,
    ) as thread:
        turn = Turn(connections.agent, toolbox, thread, body.message)
        try:
            yield turn
        finally:
            await turn.end()


ChatTurn = Annotated[Turn, Depends(_turn)]


_LastEventId = Annotated[
    Annotated[str, StringConstraints(pattern=EVENT_ID)] | None,
    Omittable(),
    Header(
        alias="Last-Event-ID",
        examples=["0.0"],
        description=(
            "The `id` of the event you were told last: you are told all that came after it. Left out: what comes from "
            "now on; `0.0`: from the beginning. 409 when it is of another life of the system, or of another "
            "organization; then read everything anew."
        ),
    ),
]


async def _follower(
    request: Request, connections: ConnectionsOfApp, caller: Caller, last_event_id: _LastEventId = None
) -> Follower:
    watches, leaving = connections.watches, getattr(request.state, "leaving", None)
    return Follower.of(caller, connections.feeds(caller), watches.until(leaving), last_event_id=last_event_id)


EventFollower = Annotated[Follower, Depends(_follower)]
