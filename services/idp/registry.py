"""Everybody a tenant knows: people, clients and resources, from ``registry.yaml`` and as changed at run time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from services.idp.directory import Directory
from services.idp.members import Member, Membership, Organization, User
from services.idp.shelf import digest
from services.shared.jws import ALGORITHMS, PRIVATE_MEMBERS, PublicKey

Algorithm = Literal["RS256", "ES256", "EdDSA"]
"""What a tenant may sign with (RFC 7518 §3.1, RFC 8037 §3.1)."""

AuthMethod = Literal["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
"""How a client proves itself (OIDC Core §9)."""


def _without_order(names: object) -> object:
    return frozenset(names) if isinstance(names, list | tuple) else names


Names = Annotated[frozenset[str], BeforeValidator(_without_order), PlainSerializer(sorted)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resource(_Entry):
    """A resource server: the ``aud`` of its tokens, and the scopes it understands (RFC 8707)."""

    uri: str
    name: str
    scopes: Names
    id: str = ""
    """Its key in the registry file."""


class Client(_Entry):
    """An OAuth client. Without a secret or keys it is public (RFC 6749 §2.1)."""

    id: str
    name: str
    grants: Names
    resources: Names = frozenset()
    """URIs it may ask tokens for."""
    auth_method: AuthMethod = "none"
    secret_digest: str | None = Field(default=None, repr=False)
    """SHA-256 of the secret, in hexadecimal. Give ``secret`` instead, which is not kept."""
    jwks: dict[str, Any] | None = None
    """Its public keys (RFC 7591 §2), for ``private_key_jwt``."""
    native: bool = False
    """Redirects to the loopback address may use any port (RFC 8252 §7.3)."""
    redirect_uris: Names = frozenset()
    post_logout_redirect_uris: Names = frozenset()
    origins: Names = frozenset()
    """Browser origins its scripts run on: they may read what this provider answers."""
    default_resource: str | None = None
    exchanges: str | None = None
    """The audience of the tokens it may exchange: its own (RFC 8693)."""
    switches: bool = False
    """It may exchange a token for one about another organization that the same person is a member of."""
    consent: bool = False
    """People are asked before it gets anything for the first time."""
    backchannel_logout_uri: str | None = None
    """Where it is told that a session has ended (OIDC Back-Channel Logout §2.2)."""
    dpop_bound: bool = False
    """It gets no bearer tokens (RFC 9449 §5.2, ``dpop_bound_access_tokens``)."""
    pushes: bool = False
    """It must push its authorization requests (RFC 9126 §6, ``require_pushed_authorization_requests``)."""
    registration_digest: str | None = Field(default=None, repr=False)
    """SHA-256 of the token it manages its own registration with (RFC 7592 §3); None if it did not register itself."""
    issued_at: int = 0
    """POSIX seconds (RFC 7591 §3.2.1); 0 for those of the file."""

    @model_validator(mode="before")
    @classmethod
    def _keep_no_secret(cls, entry: Any) -> Any:
        if not isinstance(entry, dict) or "secret" not in entry:
            return entry
        secret = entry["secret"]
        if not isinstance(secret, str) or not secret:
            raise ValueError("secret must be text")
        given = {"secret_digest": digest(secret), "auth_method": "client_secret_basic"}
        return given | {name: value for name, value in entry.items() if name != "secret"}

    @model_validator(mode="after")
    def _can_prove_itself(self) -> Client:
        by_secret = self.auth_method.startswith("client_secret")
        if by_secret != (self.secret_digest is not None):
            raise ValueError("a secret goes with client_secret_basic or client_secret_post")
        if (self.auth_method == "private_key_jwt") != (self.jwks is not None):
            raise ValueError("jwks goes with private_key_jwt")
        return self

    @field_validator("jwks")
    @classmethod
    def _keys_to_check_with(cls, jwks: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if jwks is None else public_keys(jwks)

    @property
    def registered_itself(self) -> bool:
        """Whether nobody but itself vouches for what is written here (RFC 7591 §5)."""
        return self.issued_at > 0

    @property
    def described_by_its_id(self) -> bool:
        """Whether what it says of itself was read at the address that its id is."""
        return self.registered_itself and self.registration_digest is None

    @property
    def public(self) -> bool:
        """Whether it is known by name only."""
        return self.auth_method == "none"


class TrustedIssuer(_Entry):
    """Somebody else whose word about people is believed (RFC 7523 §3), by keys that are told or by a tenant's own."""

    issuer: str
    subject: Literal["sub", "username", "email"] = "email"
    """By which claim the two know the same person: ``sub``, ``preferred_username`` or ``email``."""
    jwks: dict[str, Any] | None = None
    tenant: str | None = None
    """Name of the tenant of this service that the issuer is."""

    @model_validator(mode="after")
    def _has_keys(self) -> TrustedIssuer:
        if (self.jwks is None) == (self.tenant is None):
            raise ValueError("a trusted issuer has either jwks or the name of a tenant")
        return self

    @field_validator("jwks")
    @classmethod
    def _keys_to_check_with(cls, jwks: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if jwks is None else public_keys(jwks)


class Registrants(_Entry):
    """What clients that register themselves may have."""

    resources: Names
    """URIs."""
    grants: Names
    default_resource: str | None = None
    """For those that do not know of RFC 8707."""


@dataclass(frozen=True)
class Registry:
    """All of it, looked up by the names used on the wire."""

    algorithm: Algorithm
    scopes: Mapping[str, str]
    """All scopes there are, with what they mean to a person."""
    clients: Directory[Client]
    resources: Directory[Resource]
    """By URI."""
    users: Directory[User]
    """By subject."""
    issuers: Directory[TrustedIssuer]
    """Whose assertions are believed, by ``iss``."""
    registrants: Registrants | None = None
    """None: clients cannot register themselves."""

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose scripts may read answers."""
        return frozenset().union(*(client.origins for client in self.clients.values()))

    @property
    def organizations(self) -> Iterator[Organization]:
        """Those who can sign in; who is in several is in each of them."""
        people: dict[str, list[Member]] = {}
        for user in self.users.values():
            for member in user.members:
                people.setdefault(member.org_id, []).append(member)
        for org_id, members in people.items():
            yield Organization(org_id, members[0].membership.org_name, tuple(members))

    def organization(self, named: str) -> Organization | None:
        """That of this id or slug, if anybody can sign in to it."""
        return next((each for each in self.organizations if each.people[0].membership.answers_to(named)), None)

    def membership(self, named: str) -> Membership | None:
        """Somebody's in the organization of that id or slug, whoever it is: it says how the organization is called."""
        return next((found for user in self.users.values() if (found := user.membership(named)) is not None), None)

    def user_named(self, username: str) -> User | None:
        """The person who signs in by that name."""
        return next((user for user in self.users.values() if user.username == username), None)

    def user_hinted(self, hint: str) -> User | None:
        """Whom a ``login_hint`` means: it may be whatever somebody signs in by elsewhere (OIDC Core §3.1.2.1)."""
        wanted = hint.casefold()
        for user in self.users.values():
            if hint == user.sub or wanted in (user.username.casefold(), user.email.casefold()):
                return user
        return None

    def user(self, subject: str) -> User | None:
        """The person of that subject, if they may still get tokens."""
        user = self.users.get(subject)
        return user if user is not None and user.can_sign_in else None

    def member(self, subject: str, org_id: str) -> Member | None:
        """The same, as that organization has them, if they may still get tokens about it."""
        members = self.users[subject].members if subject in self.users else ()
        return next((member for member in members if member.org_id == org_id), None)

    def restore(self) -> None:
        """As the file has it."""
        for directory in (self.clients, self.resources, self.users, self.issuers):
            directory.restore()


def public_keys(jwks: dict[str, Any]) -> dict[str, Any]:
    """The JWK Set itself, if something can be checked with every key in it (RFC 7517 §5).

    Raises:
        ValueError: it is empty, or a member is no public key for a signature by an algorithm of this system.
    """
    members = jwks.get("keys")
    if not isinstance(members, list) or not members:
        raise ValueError("jwks must have a list of keys")
    for member in members:
        if not isinstance(member, dict) or PublicKey.of({"kid": "", **member}) is None:
            raise ValueError(f"jwks has a member that is no key for {', '.join(sorted(ALGORITHMS))}")
        if PRIVATE_MEMBERS & member.keys():
            raise ValueError("jwks has a private key, which is for nobody but its owner")
    return jwks
