"""Who tells the identity provider what has become of a member: SCIM 2.0 (RFC 7644), with a token of our own."""

from __future__ import annotations

import json
import ssl
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from services.organizations.roles import Role
from services.organizations.turn import Turn
from services.shared.problems import BadGateway, ProblemError, Unavailable

CLIENT_ID = "organizations"
TIMEOUT_S = 2.0
"""For each step of a request: whoever changes a role waits meanwhile, and so does everybody behind them."""

_SKEW_S = 5.0
"""Before its expiry from which a kept token is no longer used: it must survive the call it is for."""
_PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_USER = "urn:ietf:params:scim:schemas:core:2.0:User"


class _Issued(BaseModel):
    """The part of RFC 6749 §5.1 that is needed here."""

    access_token: str
    expires_in: float


class _User(BaseModel):
    """The part of RFC 7643 §4.1 that is needed here."""

    id: str


class _Found(BaseModel):
    """RFC 7644 §3.4.2, likewise."""

    Resources: list[_User]


_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at the identity provider, in one of the organizations that the account is in, with the role there."""

    id: str
    org_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who has no account yet."""

    username: str
    name: str
    email: str
    org_id: str
    role: Role


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
        self._turns: dict[str, Turn] = {}
        self._making = Lock()

    def turn(self, org_id: str) -> AbstractContextManager[None]:
        """Taken by whoever changes somebody of an organization here and there: both see the changes in the same order.

        Each organization changes what an account is in it and nothing else, so that none has to wait for another.

        Raises:
            Unavailable: it is not their turn soon.
        """
        return self._turns.setdefault(org_id, Turn()).taken()

    def set_role(self, account: Account) -> None:
        """From now on, tokens of the person about this organization say this role. Saying so twice is no error.

        Raises:
            Unavailable: the provider cannot be reached, or cannot serve now. It may have heard nevertheless.
            BadGateway: it does not know the person there, refuses, or gives an answer that makes no sense.
        """
        self._change(account, "a change of role")

    def deactivate(self, account: Account) -> None:
        """From now on the person gets no tokens about this organization, and those they have are good for nothing at
        the provider. What they are in others stays as it is.

        Raises:
            Unavailable, BadGateway: as ``set_role``.
        """
        self._change(account, "a deactivation", active=False)

    def reactivate(self, account: Account) -> None:
        """Take back a deactivation and a change of role: from now on the person signs in to it as before.

        Raises:
            Unavailable, BadGateway: as ``set_role``.
        """
        self._change(account, "a reactivation", active=True)

    def enrol(self, newcomer: Newcomer) -> str:
        """Make an account, inactive until its owner accepts at the provider; returns its id.

        One that is there already by an earlier call whose answer was lost is the same one.

        Raises:
            Unavailable, BadGateway: as ``set_role``.
        """
        body = {
            "schemas": [_USER],
            "userName": newcomer.username,
            "displayName": newcomer.name,
            "emails": [{"value": newcomer.email}],
            "roles": [{"value": newcomer.role, "type": newcomer.org_id}],
            "active": False,
        }
        answer = self._ask("POST", "/Users", body=body)
        if answer.status_code != httpx.codes.CONFLICT:
            return _read(_User, answer, "a new account").id
        wanted = {"filter": f"userName eq {json.dumps(newcomer.username)}"}
        found = _read(_Found, self._ask("GET", "/Users", params=wanted), "the search for an account").Resources
        if not found:
            raise BadGateway("The identity provider says that the account exists, and cannot find it.")
        account = Account(found[0].id, newcomer.org_id, newcomer.role)
        self._change(account, "a new account", active=False)
        return account.id

    def close(self) -> None:
        """Close what was opened."""
        if self._client is not None:
            self._client.close()

    def _change(self, account: Account, what: str, *, active: bool | None = None) -> None:
        wanted = {"value": account.role} | ({} if active is None else {"active": active})
        operations = [
            {"op": "replace", "path": f'roles[type eq "{account.org_id}"].{part}', "value": value}
            for part, value in wanted.items()
        ]
        body = {"schemas": [_PATCH_OP], "Operations": operations}
        answer = self._ask("PATCH", f"/Users/{quote(account.id, safe='')}", body=body)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise BadGateway("The identity provider does not know this member.")
        if _without_target(answer):  # nothing was changed (RFC 7644 §3.5.2.3)
            raise BadGateway("The identity provider does not know this member in the organization.")
        if not answer.is_success:
            raise _failed(answer, what)

    def _ask(self, method: str, path: str, *, body: Any = None, params: dict[str, str] | None = None) -> httpx.Response:
        """With the kept token; if that one is refused, once more with a new one."""
        request = self._http.build_request(method, f"{self._issuer}/scim/v2{path}", json=body, params=params)
        if body is not None:
            request.headers["Content-Type"] = "application/scim+json"
        kept = self._kept if self._kept is not None and time.time() < self._kept.until else None
        answer = self._send(request, kept or self._new_token())
        if kept is not None and answer.status_code == httpx.codes.UNAUTHORIZED:
            answer = self._send(request, self._new_token())
        return answer

    def _send(self, request: httpx.Request, token: _Kept) -> httpx.Response:
        request.headers["Authorization"] = f"Bearer {token.token}"
        try:
            return self._http.send(request)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error

    def _new_token(self) -> _Kept:
        asked_at = time.time()
        form = {
            "grant_type": "client_credentials",
            "resource": f"{self._issuer}/scim/v2",
            "scope": "users:read users:write",
        }
        try:
            answer = self._http.post(f"{self._issuer}/token", data=form, auth=(CLIENT_ID, quote(self._secret, safe="")))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        issued = _read(_Issued, answer, "the token request")
        self._kept = _Kept(issued.access_token, until=asked_at + issued.expires_in - _SKEW_S)
        return self._kept

    @property
    def _http(self) -> httpx.Client:
        """Made when first needed: most systems change no roles, and certificates take 40 ms to load."""
        with self._making:
            if self._client is None:
                self._client = self._made()
            return self._client

    def _made(self) -> httpx.Client:
        plain = urlsplit(self._issuer).scheme == "http"
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else httpx.create_ssl_context(trust_env=False)
        return httpx.Client(transport=self._transport, verify=verify, timeout=TIMEOUT_S, trust_env=False)


def _read(kind: type[_Answer], answer: httpx.Response, what: str) -> _Answer:
    if not answer.is_success:
        raise _failed(answer, what)
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise BadGateway(f"The identity provider's answer to {what} makes no sense.") from error


def _without_target(answer: httpx.Response) -> bool:
    if answer.status_code != httpx.codes.BAD_REQUEST:
        return False
    try:
        return bool(answer.json()["scimType"] == "noTarget")
    except (ValueError, KeyError, TypeError):
        return False


def _unreachable(error: httpx.HTTPError) -> Unavailable:
    return Unavailable(f"The identity provider cannot be reached now ({type(error).__name__}).")


def _failed(answer: httpx.Response, what: str) -> ProblemError:
    if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return Unavailable(f"The identity provider cannot serve now (status {answer.status_code}).")
    return BadGateway(f"The identity provider refused {what} (status {answer.status_code}).")
