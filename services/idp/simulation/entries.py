"""Part of the simulation API: the people, clients and resource servers of a tenant, changed while it runs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from services.idp import people
from services.idp.members import Membership, User
from services.idp.provider import Now, Provider, Started
from services.idp.registry import Client, Resource
from services.idp.shelf import digest
from services.idp.simulation import names
from services.idp.simulation.names import UnknownName, person

router = APIRouter(prefix="/_sim", include_in_schema=False)


class _Person(BaseModel):
    """What a person has changed; all of it is optional, also for a new one."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    email: str | None = None
    role: str | None = None
    """This, and the two that follow: of the first organization."""
    org_id: str | None = None
    org_name: str | None = None
    memberships: list[Membership] | None = None
    """All of them, in place of what there was."""
    active: bool | None = None
    """Of the account as a whole; and of the membership, if there is one only."""
    claims: dict[str, Any] | None = None


class _Membership(BaseModel):
    """What somebody has changed in one organization."""

    model_config = ConfigDict(extra="forbid")

    role: str | None = None
    active: bool | None = None
    org_name: str | None = None
    slug: str | None = None


@router.get("/users")
async def list_users(provider: Started) -> dict[str, Any]:
    """Everybody."""
    return {"users": list(provider.registry.users.values())}


@router.put("/users/{username}")
async def put_user(username: str, asked: _Person, provider: Started, at: Now) -> User:
    """A new person, or one with these things changed."""
    known = provider.registry.user_named(username) or _newcomer(username, provider)
    first = asked.model_dump(exclude_none=True, include={"role", "org_id", "org_name"})
    given = asked.memberships or [known.memberships[0].model_copy(update=first), *known.memberships[1:]]
    if first and asked.memberships:
        raise ValueError("give either memberships, or role, org_id and org_name of the first")
    others = asked.model_dump(exclude_none=True, include={"name", "email", "claims"})
    user = known.with_memberships(tuple(given))
    user = user if asked.active is None else user.with_account(active=asked.active)
    user = User.model_validate(user.model_dump() | others)
    people.put(user, provider, at=at)
    return user


@router.put("/users/{username}/memberships/{organization}")
async def put_membership(username: str, organization: str, asked: _Membership, provider: Started, at: Now) -> User:
    """Somebody in one more organization, by its id or slug, or with these things changed in it."""
    user, registry = person(username, provider), provider.registry
    own, known = user.membership(organization), registry.membership(organization)
    if known is None and asked.org_name is None:
        raise UnknownName(f"there is no organization {organization!r}: a new one needs org_name")
    usual = own or Membership(
        org_id=known.org_id if known else organization,
        org_name=known.org_name if known else "",
        slug=known.slug if known else "",
        role="requester",
    )
    user = user.with_membership(usual.model_copy(update=asked.model_dump(exclude_none=True)))
    people.put(user, provider, at=at)
    return user


@router.delete("/users/{username}/memberships/{organization}")
async def drop_membership(username: str, organization: str, provider: Started, at: Now) -> User:
    """Somebody in one organization less; in the last one they stay."""
    user = names.member(username, organization, provider).user
    left = tuple(each for each in user.memberships if not each.answers_to(organization))
    if not left:
        raise ValueError("a person is in one organization at least; drop the person, or make them inactive")
    user = user.with_memberships(left)
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


def _newcomer(username: str, provider: Provider) -> User:
    """Somebody in the organization of the first person there is, with the least role."""
    first = next(iter(provider.registry.users.values()), None)
    membership = first.memberships[0] if first else Membership(org_id="org_simulated", org_name="Simulated", role="")
    return User(
        sub=people.new_id(username, provider),
        username=username,
        name=username.capitalize(),
        email=f"{username}@example.test",
        memberships=(membership.model_copy(update={"role": "requester", "active": True}),),
    )


def _client(client: Client) -> dict[str, Any]:
    return client.model_dump(mode="json", exclude={"secret_digest", "registration_digest"})
