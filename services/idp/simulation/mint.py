"""Any token, for anybody and any resource server, without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.idp.grants import Authorization
from services.idp.provider import Provider
from services.idp.registry import Client, Resource
from services.idp.simulation import names
from services.idp.simulation.forge import Forgery, forged
from services.idp.simulation.recipes import RECIPES, Presentation, Recipe, Setting
from services.idp.tokens import access_claims

SUBJECT_CLIENT = "cli"
"""Whose tokens they are unless another client is named."""


class Mint(Forgery):
    """What kind of token, and what is wrong with it. Without anything: a good one of the first person there is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: str | None = None
    """A name of ``RECIPES``, instead of one's own changes."""
    user: str | None = None
    """Username of the subject."""
    organization: str | None = None
    """Id or slug of the one it is about; the first of the person's unless given."""
    machine: bool = False
    """Whether the client is the subject."""
    client: str = SUBJECT_CLIENT
    """May be unknown here."""
    audience: str | None = None
    """URI of a resource server, known or not, or the key of one in the registry. ``api`` unless given."""
    scopes: tuple[str, ...] | None = None
    """All that the resource understands unless given."""
    ttl: int = 600
    """Seconds until it expires; with a negative number it has."""


class Request(BaseModel):
    """The parts of a request that bring a token along."""

    headers: list[tuple[str, str]] = []
    query: dict[str, str] = {}
    form: dict[str, str] = {}


class Minted(BaseModel):
    """The token, and how to bring it along."""

    token: str
    claims: dict[str, Any]
    """As they were before anything was bent."""
    request: Request
    expect: list[dict[str, Any]]
    """What a resource server may answer; empty for a token of one's own making."""


def mint(asked: Mint, provider: Provider, others: Mapping[str, Provider], *, at: float) -> Minted:
    """Make it. ``others`` are all tenants by name, whose keys may sign.

    Raises:
        UnknownName: the recipe, person, organization or audience is not known.
        UnknownSigner: ``sign_with`` names nothing that is known here.
    """
    recipe = _recipe(asked.recipe) if asked.recipe else None
    target = _resource(asked.audience or "api", provider)
    machine = asked.machine or (recipe is not None and recipe.machine)
    member = None if machine else names.member(asked.user, asked.organization, provider)
    issued_at = int(at) if asked.ttl > 0 else int(at) + asked.ttl - 600
    usual = access_claims(
        Authorization(
            member=member,
            client=provider.registry.clients.get(asked.client) or Client(id=asked.client, name=asked.client, grants=()),
            resource=target,
            scopes=target.scopes if asked.scopes is None else frozenset(asked.scopes),
            parent=None,
        ),
        provider,
        issued_at=issued_at,
        expires_at=int(at) + asked.ttl,
    )
    setting = Setting(provider.issuer, target.uri, int(at))
    forgery = recipe.forgery(setting) if recipe else asked
    token = recipe.literal if recipe and recipe.literal else _forged(usual, forgery, provider, others)
    if recipe and recipe.revoked:
        provider.store.revoke_access_token(usual["jti"], expires_at=usual["exp"])
    request = presented(recipe.present if recipe else "bearer", token)
    expect = [asdict(outcome) for outcome in recipe.outcomes] if recipe else []
    return Minted(token=token, claims=usual, request=request, expect=expect)


def presented(how: Presentation, token: str) -> Request:
    """Headers, query and form that bring the token (RFC 6750 §2)."""
    bearer = ("Authorization", f"Bearer {token}")
    ways: Mapping[Presentation, Request] = {
        "bearer": Request(headers=[bearer]),
        "lower-case": Request(headers=[("Authorization", f"bearer {token}")]),
        "empty": Request(headers=[("Authorization", "Bearer")]),
        "basic": Request(headers=[("Authorization", "Basic YWxpY2U6c2VjcmV0")]),
        "twice": Request(headers=[bearer, bearer]),
        "query": Request(query={"access_token": token}),
        "form": Request(form={"access_token": token}),
        "nothing": Request(),
    }
    return ways[how]


def _forged(claims: Mapping[str, Any], forgery: Forgery, provider: Provider, others: Mapping[str, Provider]) -> str:
    return forged(claims, forgery, provider.keys, {name: other.keys for name, other in others.items()})


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise names.UnknownName(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def _resource(named: str, provider: Provider) -> Resource:
    for resource in provider.registry.resources.values():
        if named in (resource.uri, resource.id):
            return resource
    if "://" in named:
        return Resource(uri=named, name=named, scopes=())
    known = ", ".join(resource.id for resource in provider.registry.resources.values())
    raise names.UnknownName(f"there is no resource {named!r}; there are {known}; or give a URI")
