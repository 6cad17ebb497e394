"""Who is calling the token and revocation endpoints (RFC 6749 §2.3, §3.2.1)."""

from __future__ import annotations

from base64 import b64decode
from secrets import compare_digest
from urllib.parse import unquote_plus

from starlette.requests import Request

from services.idp.errors import InvalidClient, InvalidRequest
from services.idp.parameters import Parameters
from services.idp.registry import Client, Registry, digest

METHODS = ("none", "client_secret_basic")


def authenticate(request: Request, parameters: Parameters, registry: Registry) -> Client:
    """The client, known for certain if it is confidential, and by name only if it is public.

    Raises:
        InvalidClient: unknown, or not by the method it is registered with.
        InvalidRequest: two names or two methods at once.
    """
    named = parameters.single("client_id")
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("the Authorization header is given more than once")
    if not headers:
        return _public(named, registry)
    if parameters.single("client_secret"):
        raise InvalidRequest("the client authenticates in two ways")
    client_id, secret = _basic(headers[0])
    if named not in (None, client_id):
        raise InvalidRequest("client_id is not the client that authenticates")
    return _confidential(client_id, secret, registry)


def _public(client_id: str | None, registry: Registry) -> Client:
    client = registry.clients.get(client_id or "")
    if client is None:
        raise InvalidClient("the client is unknown")
    if not client.public:
        raise InvalidClient("the client must authenticate with client_secret_basic")
    return client


def _confidential(client_id: str, secret: str, registry: Registry) -> Client:
    client = registry.clients.get(client_id)
    expected = client.secret_digest if client else None
    if client is None or expected is None or not compare_digest(digest(secret), expected):
        raise InvalidClient("client authentication failed")
    return client


def _basic(header: str) -> tuple[str, str]:
    """Name and secret, each form-encoded before they were joined (RFC 6749 §2.3.1)."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("the client must authenticate with client_secret_basic")
    try:
        joined = b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        raise InvalidClient("the Authorization header is malformed") from None
    client_id, _, secret = joined.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
