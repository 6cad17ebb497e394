"""What clients say of themselves (RFC 7591 §2), whether they register it or publish it: checked, and made a client."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.idp.errors import InvalidClientMetadata, InvalidRedirectUri, InvalidSoftwareStatement
from services.idp.grants.code import CodeGrant
from services.idp.provider import Provider
from services.idp.registry import AuthMethod, Client, Registrants
from services.idp.settings import LOOPBACK
from services.shared.jws import PublicKey

LONGEST = 2_000
"""Characters of one address."""

_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
"""A name that its owner has turned round, as ``com.example.app`` (RFC 8252 §7.1)."""

Address = Annotated[str, Field(max_length=LONGEST)]
Addresses = Annotated[list[Address], Field(max_length=20)]


class ClientMetadata(BaseModel):
    """RFC 7591 §2; what is not known here is ignored, as it says."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    redirect_uris: Addresses = Field(default_factory=list)
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105  # a method
    grant_types: Annotated[list[str], Field(max_length=20)] = Field(default_factory=lambda: [CodeGrant.name])
    response_types: Annotated[list[Literal["code"]], Field(max_length=5)] | None = None
    client_name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    client_uri: Address | None = None
    logo_uri: Address | None = None
    scope: Annotated[str, Field(max_length=LONGEST)] | None = None
    application_type: Literal["web", "native"] | None = None
    """OpenID Connect Registration §2."""
    jwks: dict[str, Any] | None = None
    jwks_uri: Address | None = None
    software_statement: str | None = None
    post_logout_redirect_uris: Addresses = Field(default_factory=list)
    """RP-Initiated Logout §3.1."""
    backchannel_logout_uri: Address | None = None
    """Back-Channel Logout §2.2."""
    dpop_bound_access_tokens: bool = False
    """RFC 9449 §5.2."""
    require_pushed_authorization_requests: bool = False
    """RFC 9126 §6."""


def read(document: object) -> ClientMetadata:
    """Metadata by their types alone.

    Raises:
        InvalidClientMetadata, InvalidRedirectUri: something has another type, or is too long.
    """
    if not isinstance(document, dict):
        raise InvalidClientMetadata("the metadata must be a JSON object")
    try:
        # What is null is not there (RFC 7592 §2.2).
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
    _check_scope(told, provider)
    _check_keys(told)
    for address in told.redirect_uris:
        _check_redirect_uri(address)
    for address in told.post_logout_redirect_uris:
        _check_redirect_uri(address)
    if told.backchannel_logout_uri is not None and not provider.outbound.allows(told.backchannel_logout_uri):
        raise InvalidClientMetadata("backchannel_logout_uri is not on this machine")
    return Client(
        id=client_id,
        name=told.client_name or client_id,
        grants=told.grant_types,
        resources=allowed.resources,
        auth_method=told.token_endpoint_auth_method,
        jwks=told.jwks,
        native=any(_is_loopback(address) for address in told.redirect_uris),
        redirect_uris=told.redirect_uris,
        post_logout_redirect_uris=told.post_logout_redirect_uris,
        origins={origin for address in told.redirect_uris if (origin := _origin(address))},
        consent=True,
        backchannel_logout_uri=told.backchannel_logout_uri,
        dpop_bound=told.dpop_bound_access_tokens,
        pushes=told.require_pushed_authorization_requests,
        **own,
    )


def _check_grants(told: ClientMetadata, allowed: Registrants) -> None:
    refused = sorted(set(told.grant_types) - allowed.grants)
    if refused:
        raise InvalidClientMetadata("grant_types has one that clients that register themselves do not get")
    redirects = CodeGrant.name in told.grant_types
    if redirects != bool(told.redirect_uris):
        raise InvalidRedirectUri("redirect_uris goes with the grant type authorization_code, and only with it")
    if told.response_types is not None and bool(told.response_types) != redirects:
        raise InvalidClientMetadata("response_types does not go with grant_types")
    if told.token_endpoint_auth_method == "none" and "client_credentials" in told.grant_types:  # noqa: S105  # a method
        raise InvalidClientMetadata("a client without a secret cannot use client_credentials")


def _check_scope(told: ClientMetadata, provider: Provider) -> None:
    if not set((told.scope or "").split()) <= provider.registry.scopes.keys():
        raise InvalidClientMetadata("scope names something unknown")


def _check_keys(told: ClientMetadata) -> None:
    if told.jwks_uri is not None:
        raise InvalidClientMetadata("jwks_uri is not supported: give jwks")
    if (told.token_endpoint_auth_method == "private_key_jwt") != (told.jwks is not None):  # noqa: S105
        raise InvalidClientMetadata("jwks goes with private_key_jwt")
    members = told.jwks.get("keys") if told.jwks else []
    keys = [PublicKey.of({"kid": "", **member} if isinstance(member, dict) else member) for member in members or ()]
    if told.jwks is not None and not any(keys):
        raise InvalidClientMetadata("jwks has no key that is of use here")


def _check_redirect_uri(address: str) -> None:
    """RFC 8252 §7 and §8.3, RFC 9700 §4.1.1: HTTPS, a loopback address, or a scheme that is somebody's own."""
    try:
        url = urlsplit(address)
        well_formed = url.port != 0 and address.isascii() and address.isprintable() and " " not in address
    except ValueError:
        well_formed = False
    if not well_formed or url.fragment or address.endswith("#") or "*" in address or "@" in url.netloc:
        raise InvalidRedirectUri("an address has a form that cannot be compared safely")
    if url.scheme == "https" and url.hostname:
        return
    if url.scheme == "http" and url.hostname in LOOPBACK:
        return
    if _PRIVATE_SCHEME.fullmatch(url.scheme):
        return
    raise InvalidRedirectUri("an address is neither HTTPS nor on the loopback address nor of a scheme of your own")


def _is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in ("127.0.0.1", "::1")


def _origin(address: str) -> str | None:
    url = urlsplit(address)
    return f"{url.scheme}://{url.netloc}" if url.scheme in ("http", "https") else None
