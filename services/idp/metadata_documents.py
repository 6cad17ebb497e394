"""Client id metadata documents (draft-ietf-oauth-client-id-metadata-document): a client's id is where it is described.

Such a client is fetched when it is first named, and again when its description has grown old. What holds for a client
that registers itself holds for it, too; and its host must be one that this provider may ask at all.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import SplitResult, unquote, urlsplit

from services.idp import client_auth, client_metadata
from services.idp.errors import InvalidClient, OAuthError
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import Client
from services.idp.urls import DEFAULT_PORTS, LOOPBACK
from services.shared import bodies, strict_json

LONGEST = 10 * 1024
"""Bytes of a document."""

WITHIN_S = 3.0
USUAL_S, LONGEST_S = 300.0, 3600.0
"""How long a document is believed that does not say, and at most."""

MOST = 1_000
"""Clients of this kind in a tenant; the one that was first named makes room for the next."""

_SECRET = frozenset({"client_secret", "client_secret_expires_at"})
"""Members that a document must not have (§4.1 of the draft)."""

_MAX_AGE = re.compile(r"max-age=(\d{1,9})")


class DocumentRefused(Exception):  # noqa: N818 - says what has happened
    """The client cannot be known; the text says why, and never what was read."""


def is_address(client_id: str) -> bool:
    """Whether a client id is one of this kind."""
    return "://" in client_id


async def learn(parameters: Parameters, provider: Provider, *, at: float) -> None:
    """Know the client that a form or its assertion names, if it is described elsewhere. Others cost nothing here.

    Raises:
        InvalidClient: it cannot be known.
    """
    client_id = client_auth.claimed(parameters)
    if client_id is None or not is_address(client_id):
        return
    try:
        await know(client_id, provider, at=at)
    except DocumentRefused as error:
        raise InvalidClient(f"the client is unknown: {error}") from None


async def know(client_id: str, provider: Provider, *, at: float) -> None:
    """See to it that the client of this address is in the registry, as it describes itself now.

    Raises:
        DocumentRefused: it cannot be known.
    """
    known = provider.registry.clients.get(client_id)
    if known is not None and not known.described_by_its_id:
        return
    if provider.registry.registrants is None or not _may_be_asked(client_id, provider):
        raise DocumentRefused("this is not an address where a client may describe itself")
    documents = provider.documents
    if known is not None and at < documents.get(client_id, 0):
        return
    try:
        async with asyncio.timeout(WITHIN_S):
            body, seconds = await _fetched(client_id, provider)
    except TimeoutError:
        raise DocumentRefused("its description did not come in time") from None
    client = _client(client_id, body, provider, issued_at=known.issued_at if known else int(at))
    if client != known:
        provider.registry.clients.put(client_id, client)
    documents[client_id] = at + seconds
    _make_room(provider)


def _may_be_asked(address: str, provider: Provider) -> bool:
    """§3 of the draft: HTTPS (or this machine), with a path, and spelled in the one way that can be compared.

    Not an address of this service: it would be asked who its client is while it asks.
    """
    if not provider.outbound.allows(address) or len(address) > client_metadata.LONGEST or not address.isascii():
        return False
    url = urlsplit(address)
    secure = url.scheme == "https" or url.hostname in LOOPBACK
    segments = unquote(url.path).split("/")
    plain = address.isprintable() and " " not in address
    elsewhere = _place(url) != _place(urlsplit(provider.issuer))
    return secure and plain and elsewhere and url.path not in ("", "/") and not {".", ".."} & set(segments)


def _place(url: SplitResult) -> tuple[str | None, int | None]:
    """Host and port; all names of this machine are one."""
    host = "localhost" if url.hostname in LOOPBACK else url.hostname
    return host, url.port or DEFAULT_PORTS[url.scheme]


async def _fetched(address: str, provider: Provider) -> tuple[bytes, float]:
    """The document, and for how many seconds it is to be believed."""
    import httpx  # noqa: PLC0415 - as in ``outbound``: most providers never ask anybody

    # Compressed, a document could not be measured before it has taken its place.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    try:
        async with provider.outbound.client.stream("GET", address, headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                raise DocumentRefused(f"its description was answered with status {answer.status_code}")
            kind = bodies.media_type(answer.headers)
            if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
                raise DocumentRefused("its description is not JSON")
            if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
                raise DocumentRefused("its description is compressed")
            body = b""
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > LONGEST:
                    raise DocumentRefused("its description is too long")
            return body, _fresh_for(answer.headers.get("cache-control", ""))
    except httpx.HTTPError as error:
        raise DocumentRefused(f"its description cannot be read ({type(error).__name__})") from None


def _fresh_for(cache_control: str) -> float:
    """RFC 9111 §5.2.2, within bounds."""
    told = cache_control.lower()
    if "no-store" in told or "no-cache" in told:
        return 0
    found = _MAX_AGE.search(told)
    return min(float(found[1]), LONGEST_S) if found else USUAL_S


def _client(address: str, body: bytes, provider: Provider, *, issued_at: int) -> Client:
    allowed = provider.registry.registrants
    assert allowed is not None  # noqa: S101  # looked at before anything was fetched
    try:
        document = strict_json.loads(body)
    except ValueError:
        raise DocumentRefused("its description is not JSON") from None
    if not isinstance(document, dict) or document.get("client_id") != address:
        raise DocumentRefused("its description is not that of this address")
    method = document.get("token_endpoint_auth_method", "none")
    if _SECRET & document.keys() or str(method).startswith("client_secret"):
        raise DocumentRefused("what everybody can read can hold no secret")
    try:
        told = client_metadata.read({**document, "token_endpoint_auth_method": method})
        return client_metadata.client(address, told, provider, allowed, issued_at=issued_at)
    except OAuthError as error:
        raise DocumentRefused(error.description) from None


def _make_room(provider: Provider) -> None:
    clients = provider.registry.clients
    for client_id in [name for name, client in clients.items() if client.described_by_its_id][:-MOST]:
        clients.drop(client_id)
        provider.documents.pop(client_id, None)
