"""Everybody known here: people of the seeded world, clients and resources of ``registry.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

from services.idp.settings import IdpSettings
from services.shared import world
from services.shared.world import Organization, read_yaml

Names = Annotated[frozenset[str], BeforeValidator(frozenset)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resource(_Entry):
    """A resource server: the ``aud`` of its tokens, and the scopes it understands (RFC 8707)."""

    uri: str
    name: str
    scopes: Names


class Client(_Entry):
    """An OAuth client. Without a ``secret`` it is public (RFC 6749 §2.1)."""

    id: str
    name: str
    grants: Names
    resources: Names
    """URIs it may ask tokens for."""
    secret: SecretStr | None = None
    native: bool = False
    """Redirects to the loopback address may use any port (RFC 8252 §7.3)."""
    redirect_uris: Names = frozenset()
    post_logout_redirect_uris: Names = frozenset()
    origins: Names = frozenset()
    """Browser origins its scripts run on: they may read what this provider answers."""
    default_resource: str | None = None
    exchanges: str | None = None
    """The audience of the tokens it may exchange: its own (RFC 8693)."""


@dataclass(frozen=True)
class User:
    """Somebody who can sign in, with the claims others are told."""

    sub: str
    username: str
    name: str
    email: str
    role: str
    org_id: str
    org_name: str

    def claims(self, scopes: frozenset[str]) -> dict[str, Any]:
        """What ID token and userinfo say about the person under these scopes (OIDC Core §5.4)."""
        claims: dict[str, Any] = {}
        if "profile" in scopes:
            claims |= {"name": self.name, "preferred_username": self.username, "org_id": self.org_id}
        if "email" in scopes:
            claims |= {"email": self.email, "email_verified": True}
        return claims


@dataclass(frozen=True)
class Registry:
    """All of it, looked up by the names used on the wire."""

    clients: Mapping[str, Client]
    resources: Mapping[str, Resource]
    """By URI."""
    scopes: Mapping[str, str]
    """All scopes there are, with what they mean to a person."""
    users: Mapping[str, User]
    """By subject."""
    organizations: tuple[Organization, ...]

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose scripts may read answers."""
        return frozenset().union(*(client.origins for client in self.clients.values()))

    def user_named(self, username: str) -> User | None:
        return next((user for user in self.users.values() if user.username == username), None)

    @classmethod
    def load(cls, settings: IdpSettings) -> Self:
        """Read file and world.

        Raises:
            ValueError: an entry is not well formed, names an unknown placeholder or an unknown resource.
        """
        text = resources.files("services.idp").joinpath("registry.yaml").read_text(encoding="utf-8")
        document = _filled(read_yaml(text), _places(settings))
        known = {name: Resource.model_validate(entry) for name, entry in document["resources"].items()}
        clients = {name: _client(name, entry, known) for name, entry in document["clients"].items()}
        people = world.load(settings.world, settings.world_seed).organizations
        return cls(
            clients=clients,
            resources={resource.uri: resource for resource in known.values()},
            scopes=document["scopes"],
            users={user.sub: user for user in _users(people)},
            organizations=people,
        )


def _places(settings: IdpSettings) -> dict[str, str]:
    return {
        "UI_URL": settings.ui_url,
        "API_URL": settings.api_url,
        "TICKETING_URL": settings.ticketing_url,
        "ORGANIZATIONS_URL": settings.organizations_url,
        "API_CLIENT_SECRET": settings.api_client_secret.get_secret_value(),
    }


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    match value:
        case str():
            try:
                return value.format_map(places)
            except KeyError as error:
                raise ValueError(f"registry.yaml: {value!r} names {error}; known: {', '.join(places)}") from None
        case dict():
            return {key: _filled(entry, places) for key, entry in value.items()}
        case list():
            return [_filled(entry, places) for entry in value]
        case _:
            return value


def _client(name: str, entry: dict[str, Any], known: Mapping[str, Resource]) -> Client:
    def uri(resource: str | None) -> str | None:
        if resource is not None and resource not in known:
            raise ValueError(f"registry.yaml: client {name!r} names resource {resource!r}; known: {', '.join(known)}")
        return known[resource].uri if resource else None

    return Client.model_validate(
        entry
        | {
            "id": name,
            "resources": [uri(resource) for resource in entry["resources"]],
            "default_resource": uri(entry.get("default_resource")),
            "exchanges": uri(entry.get("exchanges")),
        }
    )


def _users(organizations: tuple[Organization, ...]) -> list[User]:
    return [
        User(
            sub=person.id,
            username=person.username,
            name=person.name,
            email=person.email,
            role=person.role,
            org_id=organization.id,
            org_name=organization.name,
        )
        for organization in organizations
        for person in organization.people
    ]
