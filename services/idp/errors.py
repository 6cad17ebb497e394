"""What can go wrong, in the words of the RFCs: one class per error code, one place per way of saying it.

A JSON answer (RFC 6749 §5.2), a redirect (§4.1.2.1, made in ``authorize``), a challenge (RFC 6750 §3), or a page for a
person where no client can be trusted with the answer.
"""

# ruff: noqa: N818 - error classes are named like their codes in the RFCs

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.shared.methods import allowed

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

Documented = dict[int | str, dict[str, Any]]
"""Answers of an endpoint, as its OpenAPI description has them."""

REFUSED: Documented = {400: {"description": "A page that says what is wrong", "content": {"text/html": {}}}}
SENT_ON: Documented = {
    303: {
        "description": "Where the browser goes now",
        "headers": {"Location": {"required": True, "schema": {"type": "string", "format": "uri"}}},
    }
}


class ErrorBody(BaseModel):
    """RFC 6749 §5.2."""

    error: str
    error_description: str


class OAuthError(Exception):
    """``description`` is shown to the client's developer: printable ASCII, no quotes, never a secret."""

    error: ClassVar[str]
    status: ClassVar[int] = 400
    headers: Mapping[str, str] = {}
    """What the answer carries besides."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class InvalidRequest(OAuthError):
    error = "invalid_request"


class BodyTooLong(InvalidRequest):
    pass


class PayloadTooLarge(InvalidRequest):
    """RFC 9126 §2.3: there it has a status of its own."""

    status = 413


class InvalidClient(OAuthError):
    error = "invalid_client"
    status = 401


class InvalidGrant(OAuthError):
    error = "invalid_grant"


class UnauthorizedClient(OAuthError):
    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    error = "invalid_scope"


class InvalidTarget(OAuthError):
    """RFC 8707 §2."""

    error = "invalid_target"


class UnsupportedTokenType(OAuthError):
    """RFC 7009 §2.2.1."""

    error = "unsupported_token_type"


class AccessDenied(OAuthError):
    error = "access_denied"


class AuthorizationPending(OAuthError):
    """RFC 8628 §3.5; likewise the two that follow."""

    error = "authorization_pending"


class SlowDown(AuthorizationPending):
    error = "slow_down"


class ExpiredToken(OAuthError):
    error = "expired_token"


class LoginRequired(OAuthError):
    """OIDC Core §3.1.2.6."""

    error = "login_required"


class ConsentRequired(OAuthError):
    """OIDC Core §3.1.2.6."""

    error = "consent_required"


class RequestNotSupported(OAuthError):
    """OIDC Core §3.1.2.6; likewise the two that follow."""

    error = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    error = "request_uri_not_supported"


class RegistrationNotSupported(OAuthError):
    error = "registration_not_supported"


class InvalidRedirectUri(OAuthError):
    """RFC 7591 §3.2.2; likewise the two that follow."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    error = "invalid_client_metadata"


class InvalidSoftwareStatement(OAuthError):
    error = "invalid_software_statement"


class NotOffered(AccessDenied):
    """This tenant does not do that."""

    status = 403


class InvalidDpopProof(OAuthError):
    """RFC 9449 §5."""

    error = "invalid_dpop_proof"


class UseDpopNonce(OAuthError):
    """RFC 9449 §8: the proof must carry this nonce."""

    error = "use_dpop_nonce"

    def __init__(self, nonce: str) -> None:
        super().__init__("the proof must carry the nonce of the DPoP-Nonce header")
        self.headers = {"DPoP-Nonce": nonce}


class BearerError(Exception):
    """A refused access token (RFC 6750 §3). Without ``error`` nothing was presented, and only the scheme is named.

    ``algs`` are those of proofs, where tokens may come with one (RFC 9449 §7.1); ``proven`` is how this one came. One
    that came without is told of the other scheme, too (§7.2).
    """

    def __init__(
        self,
        status: int,
        error: str | None = None,
        description: str = "",
        scope: str = "",
        *,
        algs: str = "",
        proven: bool = False,
    ) -> None:
        super().__init__(error)
        self.status = status
        told = {"error": error, "error_description": description, "scope": scope, "algs": algs if proven else ""}
        said = ", ".join(f'{name}="{value}"' for name, value in told.items() if value)
        self.challenge = f"{'DPoP' if proven else 'Bearer'} {said}".strip()
        if algs and not proven:
            self.challenge += f', DPoP algs="{algs}"'
        self.headers: Mapping[str, str] = {}
        self.body = {"error": error, "error_description": description} if error else {}


class Refusal(Exception):
    """A page for the person at the browser: there is no client that could be told."""

    def __init__(self, title: str, explanation: str) -> None:
        super().__init__(title)
        self.title = title
        self.explanation = explanation


def broken_form(problem: str) -> Refusal:
    """One of our own pages cannot have sent this."""
    return Refusal("This form is broken", f"The problem: {problem}.")


def flaws(error: ValidationError | RequestValidationError) -> str:
    """What is wrong where, and never the input: it may hold a secret."""
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'it'}: {each['msg']}" for each in error.errors())


async def as_json(_request: Request, error: Exception) -> Response:
    """How ``OAuthError`` looks to a client."""
    assert isinstance(error, OAuthError)  # noqa: S101 - registered for this class only
    headers = {**NO_STORE, **error.headers}
    if isinstance(error, InvalidClient):
        headers["WWW-Authenticate"] = 'Basic realm="token endpoint", charset="UTF-8"'
    body = ErrorBody(error=error.error, error_description=error.description)
    return JSONResponse(body.model_dump(), status_code=error.status, headers=headers)


async def as_framework(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown path, or a method the path does not have (RFC 9110 §15.5.6)."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    headers = {"Allow": allowed(request)} if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else {}
    name = HTTPStatus(error.status_code).name.lower()
    return JSONResponse({"error": name, "error_description": error.detail}, error.status_code, headers)


async def as_challenge(_request: Request, error: Exception) -> Response:
    """How ``BearerError`` looks to a client."""
    assert isinstance(error, BearerError)  # noqa: S101 - registered for this class only
    headers = {**NO_STORE, **error.headers, "WWW-Authenticate": error.challenge}
    return JSONResponse(error.body, status_code=error.status, headers=headers)
