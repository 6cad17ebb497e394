"""Part of the simulation API: the people, clients and resource servers of a tenant, changed while it runs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from services.idp import people
from services.idp.provider import Now, Provider, Started
from services.idp.registry import Client, Resource, User
from services.idp.shelf import digest
from services.idp.simulation.names import UnknownName, person

router = APIRouter(prefix="/_sim", include_in_schema=False)


class _Person(BaseModel):
    """What a person has changed; all of it is optional, also for a new one."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    email: str | None = None
    role: str | None = None
    org_id: str | None = None
    org_name: str | None = None
    active: bool | None = None
    claims: dict[str, Any] | None = None


@router.get("/users")
async def list_users(provider: Started) -> dict[str, Any]:
    """Everybody."""
    return {"users": list(provider.registry.users.values())}


@router.put("/users/{username}")
async def put_user(username: str, asked: _Person, provider: Started, at: Now) -> User:
    """A new person, or one with these things changed."""
    known = provider.registry.user_named(username)
    changes = asked.model_dump(exclude_none=True)
    user = User.model_validate((known.model_dump() if known else _newcomer(username, provider)) | changes)
    people.put(user, provider, at=at)
    return user


@router.delete("/users/{username}", status_code=204)
async def drop_user(username: str, provider: Started, at: Now) -> Response:
    """Nobody of that name any more."""
    people.drop(person(username, provider).sub, provider, at=at)
    return Response(status_code=204)


@router.get("/clients")
async def list_clients(provider: Started) -> dict[str, Any]:
    """Every client, without its secret."""
    return {"clients": [_client(client) for client in provider.registry.clients.values()]}


@router.put("/clients/{client_id}")
async def put_client(client_id: str, asked: dict[str, Any], provider: Started) -> dict[str, Any]:
    """A new client, or one with these things changed; ``secret`` gives it one."""
    known = provider.registry.clients.get(client_id)
    usual = known.model_dump(mode="json") if known else {"name": client_id, "grants": []}
    if "secret" in asked:
        secret = asked.pop("secret")
        if not isinstance(secret, str) or not secret:
            raise ValueError("secret must be text")
        asked = {"auth_method": "client_secret_basic", "secret_digest": digest(secret)} | asked
    client = Client.model_validate(usual | asked | {"id": client_id})
    provider.registry.clients.put(client_id, client)
    return _client(client)


@router.delete("/clients/{client_id}", status_code=204)
async def drop_client(client_id: str, provider: Started, at: Now) -> Response:
    """No such client any more; what was granted to it is revoked."""
    if client_id not in provider.registry.clients:
        raise UnknownName(f"there is no client {client_id!r}; there are {', '.join(provider.registry.clients)}")
    provider.registry.clients.drop(client_id)
    provider.store.revoke_client(client_id, at=at)
    return Response(status_code=204)


@router.get("/resources")
async def list_resources(provider: Started) -> dict[str, Any]:
    """Every resource server."""
    return {"resources": list(provider.registry.resources.values())}


@router.put("/resources")
async def put_resource(asked: Resource, provider: Started) -> Resource:
    """A new resource server, or another of the same URI. Clients must be allowed to ask for it."""
    provider.registry.resources.put(asked.uri, asked)
    return asked


@router.delete("/resources", status_code=204)
async def drop_resource(uri: str, provider: Started) -> Response:
    """No such resource server any more."""
    if uri not in provider.registry.resources:
        raise UnknownName(f"there is no resource {uri!r}; there are {', '.join(provider.registry.resources)}")
    provider.registry.resources.drop(uri)
    return Response(status_code=204)


def _newcomer(username: str, provider: Provider) -> dict[str, Any]:
    """Somebody in the organization of the first person there is, with the least role."""
    first = next(iter(provider.registry.users.values()), None)
    return {
        "sub": people.new_id(username, provider),
        "username": username,
        "name": username.capitalize(),
        "email": f"{username}@example.test",
        "role": "requester",
        "org_id": first.org_id if first else "org_simulated",
        "org_name": first.org_name if first else "Simulated",
    }


def _client(client: Client) -> dict[str, Any]:
    return client.model_dump(mode="json", exclude={"secret_digest", "registration_digest"})
