"""Who is calling (RFC 6749 §2.3, RFC 7523 §2.2, OIDC Core §9): each client proves itself as it is registered to."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from secrets import compare_digest
from typing import get_args
from urllib.parse import unquote_plus

from pydantic import BaseModel, Field
from starlette.requests import Request

from services.idp import assertions, credentials
from services.idp.errors import InvalidClient, InvalidRequest
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import AuthMethod, Client
from services.idp.shelf import digest
from services.shared.claims import InvalidToken
from services.shared.jws import ALGORITHMS, Jws

METHODS: tuple[AuthMethod, ...] = get_args(AuthMethod)
CONFIDENTIAL = tuple(method for method in METHODS if method != "none")
SIGNING_ALGORITHMS = sorted(ALGORITHMS)
"""Of assertions."""

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TYPES = frozenset({"client-authentication+jwt"})


class ClientForm(BaseModel):
    """How a client may name and prove itself in a form, at every endpoint that asks who is calling."""

    client_id: str | None = None
    """Unless another field or the header tells it."""
    client_secret: str | None = Field(default=None, repr=False)
    """RFC 6749 §2.3.1."""
    client_assertion_type: str | None = None
    """RFC 7521 §4.2."""
    client_assertion: str | None = Field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Proof:
    """One way in which somebody says who they are."""

    method: AuthMethod
    client_id: str | None
    secret: str = field(default="", repr=False)
    assertion: Jws | None = field(default=None, repr=False)


def authenticate(request: Request, parameters: Parameters, provider: Provider, *, at: float) -> Client:
    """The client, known for certain if it is confidential, and by name only if it is public.

    Raises:
        InvalidClient: unknown, or not by the method it is registered with.
        InvalidRequest: two names or two methods at once.
    """
    named = parameters.single("client_id")
    proofs = [*_by_header(request), *_by_secret(parameters, named), *_by_assertion(parameters)]
    if len(proofs) > 1:
        raise InvalidRequest("the client authenticates in two ways")
    proof = proofs[0] if proofs else _Proof("none", named)
    if named not in (None, proof.client_id):
        raise InvalidRequest("client_id is not the client that authenticates")
    client = provider.registry.clients.get(proof.client_id or "")
    if client is None:
        raise InvalidClient("the client is unknown")
    if client.auth_method != proof.method:
        how = "does not authenticate" if client.public else f"must authenticate with {client.auth_method}"
        raise InvalidClient(f"the client {how}")
    if proof.assertion:
        _check_assertion(proof.assertion, client, provider, endpoint=request.scope["path"], at=at)
    elif client.secret_digest and not compare_digest(digest(proof.secret), client.secret_digest):
        raise InvalidClient("client authentication failed")
    return client


def claimed(parameters: Parameters) -> str | None:
    """Who a form says is calling, by name or by assertion only (RFC 7521 §4.2): not yet to be believed."""
    named, token = parameters.first("client_id"), parameters.first("client_assertion")
    if named is not None or token is None:
        return named
    try:
        subject = assertions.taken_apart(token).claims.get("sub")
    except InvalidToken:
        return None  # refused, with the reason, when the client authenticates
    return subject if isinstance(subject, str) else None


def authenticate_confidential(request: Request, parameters: Parameters, provider: Provider, *, at: float) -> Client:
    """The same where a name alone is not enough."""
    client = authenticate(request, parameters, provider, at=at)
    if client.public:
        raise InvalidClient("only a client that authenticates may ask here")
    return client


def _by_header(request: Request) -> Iterator[_Proof]:
    """Name and secret, each form-encoded before they were joined (RFC 6749 §2.3.1)."""
    header = credentials.presented(request)
    if header is None:
        return
    scheme, given = header
    if scheme != "basic":
        raise InvalidClient("the Authorization header must be Basic")
    try:
        joined = b64decode(given, validate=True).decode()
    except ValueError:
        raise InvalidClient("the Authorization header is malformed") from None
    client_id, _, secret = joined.partition(":")
    yield _Proof("client_secret_basic", unquote_plus(client_id), secret=unquote_plus(secret))


def _by_secret(parameters: Parameters, named: str | None) -> Iterator[_Proof]:
    secret = parameters.single("client_secret")
    if secret is not None:
        yield _Proof("client_secret_post", named, secret=secret)


def _by_assertion(parameters: Parameters) -> Iterator[_Proof]:
    """The client that an assertion is about; whether it is good is seen when the client's keys are known."""
    kind, token = parameters.single("client_assertion_type"), parameters.single("client_assertion")
    if kind is None and token is None:
        return
    if kind != JWT_BEARER:  # RFC 7521 §4.2.1: invalid_client, whatever is wrong with it
        raise InvalidClient(f"client_assertion_type must be {JWT_BEARER}")
    if token is None:
        raise InvalidClient("client_assertion is missing")
    try:
        assertion = assertions.taken_apart(token)
    except InvalidToken as error:
        raise _no_proof(error) from None
    subject = assertion.claims.get("sub")
    yield _Proof("private_key_jwt", subject if isinstance(subject, str) else None, assertion=assertion)


def _check_assertion(assertion: Jws, client: Client, provider: Provider, *, endpoint: str, at: float) -> None:
    if assertion.claims.get("iss") != client.id:
        raise InvalidClient("client_assertion: iss and sub must both be the client")
    try:
        key = assertions.key_of(assertion, client.jwks or {"keys": []})
        assertions.verify(assertion, key, provider, endpoint=endpoint, types=_TYPES, at=at)
    except InvalidToken as error:
        raise _no_proof(error) from None


def _no_proof(error: InvalidToken) -> InvalidClient:
    return InvalidClient(f"client_assertion: {error.description}")
