"""Trading the caller's token for one that another service accepts: RFC 8693, the api acting on the caller's behalf."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel, Field, ValidationError

from services.api import scopes
from services.api.circuit import Circuit
from services.api.trace import headers
from services.shared.problems import (
    BadGateway,
    Forbidden,
    GatewayTimeout,
    NotFound,
    ProblemError,
    Unauthenticated,
    Unavailable,
)
from services.shared.tokens import AccessToken

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type, RFC 8693 §3

_SKEW = 5.0
"""Seconds before its expiry from which a kept token is no longer handed out: it must survive the call it is for."""


class Issued(BaseModel):
    """The part of RFC 8693 §2.2.1 that is needed here."""

    access_token: str = Field(repr=False)
    expires_in: float
    scope: str = ""


class _Refusal(BaseModel):
    """RFC 6749 §5.2."""

    error: str
    error_description: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str = field(repr=False)
    until: float


class TokenExchange:
    """Exchanges tokens at the identity provider, and keeps each result as long as it can be used."""

    def __init__(
        self,
        *,
        token_endpoint: str,
        client_id: str,
        client_secret: str,
        first_scopes: Mapping[str, str],
        circuit: Circuit,
        http: httpx.AsyncClient,
    ) -> None:
        """``first_scopes``: by audience, without which it gives nothing away. ``http`` stays the caller's to close."""
        self._first_scopes = first_scopes
        self._endpoint = token_endpoint
        self._credentials = httpx.BasicAuth(client_id, client_secret)
        self._circuit = circuit
        self._http = http
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def token(self, caller: AccessToken, audience: str) -> str:
        """A token for ``audience`` with the caller as subject and no more than the caller's scopes.

        Raises:
            Unauthenticated: the identity provider no longer accepts the caller's token.
            InsufficientScope: the caller's token has no scope that means anything to that audience.
            Unavailable: the identity provider cannot be reached.
            GatewayTimeout: it does not answer.
            BadGateway: it refuses the api itself, or its answer makes no sense.
        """
        kept = self._kept.get(_name(caller, audience))
        if kept is None or time.time() >= kept.until:
            kept = await self._exchange(caller, audience)
            self._keep(_name(caller, audience), kept)
        return kept.token

    def forget(self, caller: AccessToken, audience: str) -> None:
        """Do not hand out the kept token again: the audience refused it."""
        self._kept.pop(_name(caller, audience), None)

    def _keep(self, name: tuple[str, str], kept: _Kept) -> None:
        now = time.time()
        self._kept = {name: other for name, other in self._kept.items() if now < other.until}
        self._kept[name] = kept

    async def switched(self, caller: AccessToken, audience: str, organization: str) -> Issued:
        """A new token of the same person and scopes about another of their organizations, which is not kept here.

        Raises:
            NotFound: they are no member there, as far as the identity provider knows.
            Forbidden: they are, and get no tokens about it.
            ProblemError: as ``token`` does.
        """
        answer = await self._asked(_form(caller, audience) | {"organization": organization})
        if answer.status_code == httpx.codes.BAD_REQUEST:
            match _refusal(answer):
                case _Refusal(error="invalid_target"):
                    raise NotFound("The caller is not a member of such an organization.")
                case _Refusal(error="access_denied"):
                    raise Forbidden("The caller is not an active member of the organization.")
        return self._issued(answer, audience)

    async def _exchange(self, caller: AccessToken, audience: str) -> _Kept:
        asked_at = time.time()
        issued = self._issued(await self._asked(_form(caller, audience)), audience)
        return _Kept(issued.access_token, until=asked_at + issued.expires_in - _SKEW)

    def _issued(self, answer: httpx.Response, audience: str) -> Issued:
        if answer.status_code != httpx.codes.OK:
            raise _refused(answer, self._first_scopes.get(audience))
        try:
            return Issued.model_validate_json(answer.content)
        except ValidationError as error:
            raise BadGateway("The identity provider's answer to a token exchange is not a token response.") from error

    async def _asked(self, form: dict[str, str]) -> httpx.Response:
        async with self._circuit.admitted():
            try:
                answer = await self._http.post(self._endpoint, data=form, auth=self._credentials, headers=headers())
            except httpx.HTTPError as error:
                self._circuit.note(answered=False)
                if isinstance(error, httpx.ReadTimeout):
                    raise GatewayTimeout("The identity provider did not answer a token exchange in time.") from error
                raise _unreachable(error) from error
            self._circuit.note(answered=True)
        return answer


def _form(caller: AccessToken, audience: str) -> dict[str, str]:
    return {
        "grant_type": GRANT,
        "subject_token": caller.token,
        "subject_token_type": ACCESS_TOKEN,
        "requested_token_type": ACCESS_TOKEN,
        "resource": audience,
    }


def _name(caller: AccessToken, audience: str) -> tuple[str, str]:
    return caller.claims["jti"], audience


def _unreachable(error: httpx.HTTPError) -> Unavailable:
    return Unavailable(f"The identity provider cannot be reached now ({type(error).__name__}).")


def _refusal(answer: httpx.Response) -> _Refusal | None:
    """What the answer says of why; None if it is no such answer."""
    try:
        return _Refusal.model_validate_json(answer.content)
    except ValidationError:
        return None


def _refused(answer: httpx.Response, first_scope: str | None) -> ProblemError:
    """What a refusal by the token endpoint means for our own caller."""
    if answer.is_server_error:
        return Unavailable(f"The identity provider cannot serve now (status {answer.status_code}).")
    refusal = _refusal(answer)
    if refusal is None:
        return BadGateway(f"The identity provider answered a token exchange with status {answer.status_code}.")
    match refusal.error:
        case "invalid_grant" | "invalid_request":
            return Unauthenticated(
                f"The identity provider no longer accepts the token: {refusal.error_description or refusal.error}.",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        case "invalid_scope":
            return scopes.missing("The token has none of the scopes this needs.", filter(None, [first_scope]))
        case error:
            return BadGateway(f"The identity provider refused the token exchange: {error}.")
