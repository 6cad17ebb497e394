"""An access token as it is presented to an endpoint of this provider: alone (RFC 6750) or with a proof (RFC 9449)."""

from __future__ import annotations

from collections.abc import Set

from starlette.requests import Request

from services.idp import credentials, dpop
from services.idp.errors import BearerError, InvalidRequest, OAuthError
from services.idp.provider import Provider
from services.idp.tokens import read_access_token
from services.shared.tokens import BEARER, AccessToken, Binding, InvalidToken

_ALGS = " ".join(dpop.SIGNING_ALGORITHMS)


def presented(request: Request, provider: Provider, *, audiences: Set[str], at: float) -> AccessToken:
    """The token in the header, if it is a good one for one of these audiences, and with its key if it is bound to one.

    Raises:
        BearerError: there is none, or it is not.
    """
    try:
        scheme, token = credentials.presented(request) or ("", "")
    except InvalidRequest as error:
        raise refusal(request, 400, error.error, error.description) from None
    match scheme:
        case "bearer":
            binding = BEARER
        case "dpop":
            binding = _binding(token, request, provider, at=at)
        case _:
            raise refusal(request, 401)
    try:
        return read_access_token(token, provider, audiences=audiences, at=at, binding=binding)
    except InvalidToken as error:
        raise refusal(request, 401, "invalid_token", error.description) from None


def refusal(
    request: Request, status: int, error: str | None = None, description: str = "", scope: str = ""
) -> BearerError:
    """The answer to a token that is not good enough, in the scheme by which it was presented."""
    proven = request.headers.get("authorization", "").partition(" ")[0].lower() == "dpop"
    return BearerError(status, error, description, scope, algs=_ALGS, proven=proven)


def _binding(token: str, request: Request, provider: Provider, *, at: float) -> Binding:
    """The key that goes with a token presented by the scheme DPoP (RFC 9449 §7.1)."""
    try:
        thumbprint = dpop.proven(request, provider, at=at, access_token=token)
    except OAuthError as error:
        refused = refusal(request, 401, error.error, error.description)
        refused.headers = error.headers
        raise refused from None
    if thumbprint is None:
        raise refusal(request, 401, "invalid_dpop_proof", "there is no DPoP proof")
    return Binding(thumbprint)
