"""Who tells the identity provider what has become of a member: SCIM 2.0 (RFC 7644), with a token of our own."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from services.organizations.roles import Role
from services.shared.problems import BadGateway, ProblemError, Unavailable

CLIENT_ID = "organizations"
TIMEOUT_S = 2.0
"""For each step of a request: whoever changes a role waits meanwhile, and so does everybody behind them."""

_SKEW_S = 5.0
"""Before its expiry from which a kept token is no longer used: it must survive the call it is for."""
_PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class _Issued(BaseModel):
    """The part of RFC 6749 §5.1 that is needed here."""

    access_token: str
    expires_in: float


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str = field(repr=False)
    until: float


class Directory:
    """The people of the identity provider. Make it when the service starts, and close it when the service ends."""

    def __init__(self, issuer: str, client_secret: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """Nobody is called yet. ``transport`` is how to reach the provider, unless by the network."""
        self._issuer = issuer
        self._secret = client_secret
        self._transport = transport
        self._client: httpx.Client | None = None
        self._kept: _Kept | None = None
        self.turn = Lock()
        """Taken by whoever changes somebody here and there, so that both see the changes in the same order."""

    def set_role(self, user_id: str, role: Role) -> None:
        """From now on, tokens of the person say this role. Saying so twice is no error.

        Raises:
            Unavailable: the provider cannot be reached, or cannot serve now. It may have heard nevertheless.
            BadGateway: it does not know the person, refuses, or gives an answer that makes no sense.
        """
        change = {"op": "replace", "path": "roles", "value": [{"value": role}]}
        url = f"{self._issuer}/scim/v2/Users/{quote(user_id, safe='')}"
        answer = self._patch(url, {"schemas": [_PATCH_OP], "Operations": [change]})
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise BadGateway("The identity provider does not know this member.")
        if not answer.is_success:
            raise _failed(answer, "a change of role")

    def close(self) -> None:
        """Close what was opened."""
        if self._client is not None:
            self._client.close()

    def _patch(self, url: str, body: object) -> httpx.Response:
        """With the kept token; if that one is refused, once more with a new one."""
        kept = self._kept if self._kept is not None and time.time() < self._kept.until else None
        answer = self._send(url, body, kept or self._new_token())
        if kept is not None and answer.status_code == httpx.codes.UNAUTHORIZED:
            answer = self._send(url, body, self._new_token())
        return answer

    def _send(self, url: str, body: object, token: _Kept) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token.token}", "Content-Type": "application/scim+json"}
        try:
            return self._http.patch(url, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error

    def _new_token(self) -> _Kept:
        asked_at = time.time()
        form = {"grant_type": "client_credentials", "resource": f"{self._issuer}/scim/v2", "scope": "users:write"}
        try:
            answer = self._http.post(f"{self._issuer}/token", data=form, auth=(CLIENT_ID, quote(self._secret, safe="")))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        if not answer.is_success:
            raise _failed(answer, "the token for it")
        try:
            issued = _Issued.model_validate_json(answer.content)
        except ValidationError as error:
            raise BadGateway("The identity provider's answer is not a token response.") from error
        self._kept = _Kept(issued.access_token, until=asked_at + issued.expires_in - _SKEW_S)
        return self._kept

    @property
    def _http(self) -> httpx.Client:
        """Made when first needed: most systems change no roles, and certificates take 40 ms to load."""
        if self._client is None:
            plain = urlsplit(self._issuer).scheme == "http"
            verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else httpx.create_ssl_context(trust_env=False)
            self._client = httpx.Client(transport=self._transport, verify=verify, timeout=TIMEOUT_S, trust_env=False)
        return self._client


def _unreachable(error: httpx.HTTPError) -> Unavailable:
    return Unavailable(f"The identity provider cannot be reached now ({type(error).__name__}).")


def _failed(answer: httpx.Response, what: str) -> ProblemError:
    if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return Unavailable(f"The identity provider cannot serve now (status {answer.status_code}).")
    return BadGateway(f"The identity provider refused {what} (status {answer.status_code}).")
