"""What clients say of themselves (RFC 7591 §2), whether they register it or publish it: checked, and made a client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from services.idp import scopes
from services.idp.errors import InvalidClientMetadata, InvalidRedirectUri, InvalidSoftwareStatement
from services.idp.grants.code import CodeGrant
from services.idp.grants.refresh import RefreshGrant
from services.idp.provider import Provider
from services.idp.registry import AuthMethod, Client, Registrants, Registry, public_keys
from services.idp.urls import DEFAULT_PORTS, LOOPBACK

LONGEST = 2_000
"""Characters of one address."""

_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
"""A name that its owner has turned round, as ``com.example.app`` (RFC 8252 §7.1)."""

_PLACE = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE)
"""Host and port. What else URLs allow there would mean something in a policy or another host to a browser."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has characters that cannot be seen")
    return text


Address = Annotated[str, Field(max_length=LONGEST)]
Addresses = Annotated[list[Address], Field(max_length=20)]


def _describe(schema: dict[str, Any]) -> None:
    """What is null is not there (RFC 7592 §2.2), so that it is good wherever nothing is."""
    for name, member in schema["properties"].items():
        if name not in schema.get("required", ()):
            schema["properties"][name] = {"anyOf": [member, {"type": "null"}]}
    schema["examples"] = [{"client_name": "Example", "redirect_uris": ["https://client.example/callback"]}]


class ClientMetadata(BaseModel):
    """RFC 7591 §2; what is not known here is ignored, as it says."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, json_schema_extra=_describe)

    redirect_uris: Addresses = Field(default_factory=list)
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105  # a method
    grant_types: Annotated[list[str], Field(max_length=20)] = Field(default_factory=lambda: [CodeGrant.name])
    response_types: Annotated[list[Literal["code"]], Field(max_length=5)] | None = None
    client_name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)] | None = None
    """People are shown it."""
    scope: Annotated[str, Field(max_length=LONGEST)] | None = None
    application_type: Literal["web", "native"] | None = None
    """OpenID Connect Registration §2."""
    jwks: dict[str, Any] | None = None
    jwks_uri: Address | None = None
    software_statement: Any = None
    post_logout_redirect_uris: Addresses = Field(default_factory=list)
    """RP-Initiated Logout §3.1."""
    backchannel_logout_uri: Address | None = None
    """Back-Channel Logout §2.2."""
    dpop_bound_access_tokens: bool = False
    """RFC 9449 §5.2."""
    require_pushed_authorization_requests: bool = False
    """RFC 9126 §6."""


def read(document: Mapping[str, Any]) -> ClientMetadata:
    """Metadata by their types alone.

    Raises:
        InvalidClientMetadata, InvalidRedirectUri: something has another type, or is too long.
    """
    try:
        return ClientMetadata.model_validate({name: value for name, value in document.items() if value is not None})
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        kind = InvalidRedirectUri if name == "redirect_uris" else InvalidClientMetadata
        raise kind(f"{name} is not as it must be") from None


def client(client_id: str, told: ClientMetadata, provider: Provider, allowed: Registrants, **own: Any) -> Client:
    """The client that the metadata describe, with the fields of ``own``; people are asked before it gets anything.

    Raises:
        InvalidClientMetadata, InvalidRedirectUri, InvalidSoftwareStatement: it cannot be registered here.
    """
    if told.software_statement is not None:
        raise InvalidSoftwareStatement("software statements are not supported")
    _check_grants(told, allowed)
    if not set((told.scope or "").split()) <= within_reach(allowed.resources, provider.registry):
        raise InvalidClientMetadata("scope names one that clients that register themselves do not get")
    _check_keys(told)
    for address in told.redirect_uris + told.post_logout_redirect_uris:
        _check_redirect_uri(address, own_scheme=told.application_type != "web")
    if told.backchannel_logout_uri is not None and not provider.outbound.allows(told.backchannel_logout_uri):
        raise InvalidClientMetadata("backchannel_logout_uri is not on this machine")
    return Client(
        id=client_id,
        name=told.client_name or client_id,
        grants=told.grant_types,
        resources=allowed.resources,
        default_resource=allowed.default_resource,
        auth_method=told.token_endpoint_auth_method,
        jwks=told.jwks,
        native=_is_native(told),
        redirect_uris=told.redirect_uris,
        post_logout_redirect_uris=told.post_logout_redirect_uris,
        origins={origin for address in told.redirect_uris if (origin := _origin(address))},
        consent=True,
        backchannel_logout_uri=told.backchannel_logout_uri,
        dpop_bound=told.dpop_bound_access_tokens,
        pushes=told.require_pushed_authorization_requests,
        **own,
    )


def within_reach(resources: frozenset[str], registry: Registry) -> frozenset[str]:
    """All scopes that mean something to who gets tokens for these resources."""
    understood = (registry.resources[uri].scopes for uri in resources if uri in registry.resources)
    return (scopes.OPENID | {scopes.OFFLINE}).union(*understood) & registry.scopes.keys()


def _check_grants(told: ClientMetadata, allowed: Registrants) -> None:
    refused = sorted(set(told.grant_types) - allowed.grants)
    if refused:
        raise InvalidClientMetadata("grant_types has one that clients that register themselves do not get")
    if set(told.grant_types) <= {RefreshGrant.name}:
        raise InvalidClientMetadata("grant_types has none to begin with")
    redirects = CodeGrant.name in told.grant_types
    if redirects != bool(told.redirect_uris):
        raise InvalidRedirectUri("redirect_uris goes with the grant type authorization_code, and only with it")
    if told.response_types is not None and bool(told.response_types) != redirects:
        raise InvalidClientMetadata("response_types does not go with grant_types")
    if told.token_endpoint_auth_method == "none" and "client_credentials" in told.grant_types:  # noqa: S105  # a method
        raise InvalidClientMetadata("a client without a secret cannot use client_credentials")


def _check_keys(told: ClientMetadata) -> None:
    if told.jwks_uri is not None:
        raise InvalidClientMetadata("jwks_uri is not supported: give jwks")
    if (told.token_endpoint_auth_method == "private_key_jwt") != (told.jwks is not None):  # noqa: S105
        raise InvalidClientMetadata("jwks goes with private_key_jwt")
    if told.jwks is not None:
        try:
            public_keys(told.jwks)
        except ValueError as error:
            raise InvalidClientMetadata(str(error)) from None


def _check_redirect_uri(address: str, *, own_scheme: bool) -> None:
    """RFC 8252 §7 and §8.3, RFC 9700 §4.1.1: HTTPS, a loopback address, or a scheme that is somebody's own."""
    try:
        url = urlsplit(address)
        well_formed = url.port != 0 and address.isascii() and address.isprintable() and " " not in address
    except ValueError:
        well_formed = False
    if not well_formed or "#" in address or "*" in address or (url.netloc and not _PLACE.fullmatch(url.netloc)):
        raise InvalidRedirectUri("an address has a form that cannot be compared safely")
    if url.scheme == "https" and url.hostname:
        return
    if url.scheme == "http" and url.hostname in LOOPBACK:
        return
    if own_scheme and _PRIVATE_SCHEME.fullmatch(url.scheme):
        return
    raise InvalidRedirectUri(
        "an address is neither HTTPS nor on the loopback address nor, for a native client, of a scheme of its own"
    )


def _is_native(told: ClientMetadata) -> bool:
    """As it says; otherwise it is if it is answered where no web server of the world is (RFC 8252 §7)."""
    if told.application_type is not None:
        return told.application_type == "native"
    return any(urlsplit(address).scheme != "https" for address in told.redirect_uris)


def _origin(address: str) -> str | None:
    """As a browser writes it (RFC 6454 §6.2)."""
    url = urlsplit(address)
    if url.scheme not in DEFAULT_PORTS:
        return None
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    return f"{url.scheme}://{host}" + (f":{url.port}" if url.port not in (None, DEFAULT_PORTS[url.scheme]) else "")
