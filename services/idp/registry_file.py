"""The registry file: read, its placeholders filled in, and checked. A file of your own: ``IDP_REGISTRY``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.idp.errors import flaws
from services.idp.members import Membership, User
from services.idp.registry import Algorithm, Client, Registrants, Resource, TrustedIssuer
from services.idp.settings import IdpSettings
from services.shared import world
from services.shared.world.files import read_yaml

ROOT = ""
"""Name of the tenant that has no path of its own."""

Entry = TypeVar("Entry", bound=BaseModel)


class TenantEntries(BaseModel):
    """One tenant as the file, or somebody at run time, describes it. Clients name resources by their keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    algorithm: Algorithm = "RS256"
    resources: dict[str, dict[str, Any]]
    scopes: dict[str, str]
    clients: dict[str, dict[str, Any]]
    users: list[dict[str, Any]] | None = None
    """None: the people of the seeded world."""
    issuers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Whose assertions are believed, under any name."""
    registration: dict[str, list[str] | str] | None = None
    """Which ``resources`` and ``grants`` clients get that register themselves; None: they cannot."""


class Written(BaseModel):
    """The checked entries of one tenant, by the names used on the wire."""

    model_config = ConfigDict(frozen=True)

    algorithm: Algorithm
    scopes: dict[str, str]
    clients: dict[str, Client]
    resources: dict[str, Resource]
    users: dict[str, User]
    issuers: dict[str, TrustedIssuer]
    registrants: Registrants | None


def read(settings: IdpSettings) -> dict[str, TenantEntries]:
    """Every tenant of the file by its name; the one at the root is called ``ROOT``.

    Raises:
        ValueError: the file cannot be read, or is not in the form of a registry.
    """
    if settings.idp_registry is None:
        name, text = "registry.yaml", resources.files("services.idp").joinpath("registry.yaml").read_text("utf-8")
    else:
        name = str(settings.idp_registry)
        try:
            text = settings.idp_registry.read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f"IDP_REGISTRY cannot be read: {error}") from error
    return dict(_tenants(name, text))


@lru_cache(maxsize=4)
def _tenants(name: str, text: str) -> Mapping[str, TenantEntries]:
    """Kept, since nobody changes it: whoever starts again, or is born of one that has started, need not parse it."""
    document = read_yaml(text)
    if not isinstance(document, dict) or not isinstance(document.get("tenants", {}), dict):
        raise ValueError(f"{name}: must be a mapping, and so must its tenants")
    tenants = {ROOT: {key: value for key, value in document.items() if key != "tenants"}} | document.get("tenants", {})
    read = {tenant: _checked(TenantEntries, entry, f"{name}: tenant {tenant!r}") for tenant, entry in tenants.items()}
    for tenant, entries in read.items():
        for trusts in (entry.get("tenant", ROOT) for entry in entries.issuers.values()):
            if isinstance(trusts, str) and trusts not in read:
                raise ValueError(f"{name}: tenant {tenant!r} trusts tenant {trusts!r}, which there is not")
    return read


def issuer_of(tenant: str, settings: IdpSettings) -> str:
    """The issuer that a tenant is."""
    return settings.issuer_url if tenant == ROOT else f"{settings.issuer_url}/t/{tenant}"


def trusted(entry: Mapping[str, Any], settings: IdpSettings, name: str = "") -> TrustedIssuer:
    """The issuer that an entry describes; one in this service need not be told its own.

    Raises:
        ValueError: the entry is not well formed.
    """
    tenant = entry.get("tenant")
    own = {"issuer": issuer_of(tenant, settings)} if isinstance(tenant, str) else {}
    return _checked(TrustedIssuer, {**entry, **own}, f"issuer {name!r}")


def written(entries: TenantEntries, settings: IdpSettings, *, issuer: str) -> Written:
    """The entries with their placeholders filled in, for the tenant of that issuer.

    Raises:
        ValueError: an entry is not well formed, names an unknown placeholder or an unknown resource.
    """
    places = _places(settings, issuer)
    known = {
        name: _checked(Resource, _filled({**entry, "id": name}, places), f"resource {name!r}")
        for name, entry in entries.resources.items()
    }
    clients = {name: _client(name, _filled(entry, places), known) for name, entry in entries.clients.items()}
    if entries.users is None:
        users = _people(settings)
    else:
        users = [_checked(User, _filled(entry, places), "user") for entry in entries.users]
    issuers = [trusted(_filled(entry, places), settings, name) for name, entry in entries.issuers.items()]
    return Written(
        algorithm=entries.algorithm,
        scopes=entries.scopes,
        clients=clients,
        resources={resource.uri: resource for resource in known.values()},
        users={user.sub: user for user in users},
        issuers={each.issuer: each for each in issuers},
        registrants=_registrants(entries.registration, known),
    )


def _places(settings: IdpSettings, issuer: str) -> dict[str, str]:
    return {
        "ISSUER_URL": issuer,
        "UI_URL": settings.ui_url,
        "API_URL": settings.api_url,
        "TICKETING_URL": settings.ticketing_url,
        "ORGANIZATIONS_URL": settings.organizations_url,
        "API_CLIENT_SECRET": settings.api_client_secret.get_secret_value(),
        "ORGANIZATIONS_CLIENT_SECRET": settings.organizations_client_secret.get_secret_value(),
    }


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    match value:
        case str():
            try:
                return value.format_map(places)
            except (KeyError, ValueError, IndexError) as error:
                raise ValueError(f"the registry: {value!r} names {error}; known: {', '.join(places)}") from None
        case dict():
            return {key: _filled(entry, places) for key, entry in value.items()}
        case list():
            return [_filled(entry, places) for entry in value]
        case _:
            return value


def _registrants(entry: dict[str, list[str] | str] | None, known: Mapping[str, Resource]) -> Registrants | None:
    if entry is None:
        return None

    def uri(name: str) -> str:
        if name not in known:
            raise ValueError(f"the registry: registration names resource {name!r}; known: {', '.join(known)}")
        return known[name].uri

    named: dict[str, Any] = {"resources": [uri(name) for name in entry.get("resources", ())]}
    if "default_resource" in entry:
        named["default_resource"] = uri(str(entry["default_resource"]))
    return _checked(Registrants, {"grants": [], **entry, **named}, "registration")


def _client(name: str, entry: dict[str, Any], known: Mapping[str, Resource]) -> Client:
    def uri(resource: str | None) -> str | None:
        if resource is not None and resource not in known:
            raise ValueError(f"the registry: client {name!r} names resource {resource!r}; known: {', '.join(known)}")
        return known[resource].uri if resource else None

    named = {
        "id": name,
        "resources": [uri(resource) for resource in entry.get("resources", ())],
        "default_resource": uri(entry.get("default_resource")),
        "exchanges": uri(entry.get("exchanges")),
    }
    return _checked(Client, entry | named, f"client {name!r}")


def _checked(kind: type[Entry], entry: Any, what: str) -> Entry:
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        raise ValueError(f"the registry: {what}: {flaws(error)}") from None


def _people(settings: IdpSettings) -> list[User]:
    """Everybody of the world, as a member of each organization that names them.

    Who was invited, or has left, is known and gets no tokens about it; nor does anybody of one that is suspended.
    """
    people: dict[str, User] = {}
    for organization in world.load(settings.world, settings.world_seed).organizations:
        for person in organization.people:
            membership = Membership(
                org_id=organization.id,
                org_name=organization.name,
                slug=organization.slug,
                role=person.role,
                active=person.status == "active" == organization.status,
            )
            known = people.get(person.id)
            people[person.id] = known.with_membership(membership) if known else _person(person, membership)
    return list(people.values())


def _person(person: world.Person, membership: Membership) -> User:
    return User(
        sub=person.id,
        username=person.username,
        name=person.name,
        email=person.email,
        memberships=(membership,),
        active=membership.active,
    )
