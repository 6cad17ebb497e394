"""A bearer token as it is presented to an endpoint of this provider (RFC 6750 §2.1)."""

from __future__ import annotations

from collections.abc import Set

from starlette.requests import Request

from services.idp.errors import BearerError
from services.idp.provider import Provider
from services.idp.tokens import read_access_token
from services.shared.tokens import AccessToken, InvalidToken


def presented(request: Request, provider: Provider, *, audiences: Set[str], at: float) -> AccessToken:
    """The token in the header, if it is a good one for one of these audiences.

    Raises:
        BearerError: there is none, or it is not.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise BearerError(400, "invalid_request", "the Authorization header is given more than once")
    scheme, _, token = (headers[0] if headers else "").partition(" ")
    if scheme.lower() != "bearer":
        raise BearerError(401)
    try:
        return read_access_token(token.strip(), provider, audiences=audiences, at=at)
    except InvalidToken as error:
        raise BearerError(401, "invalid_token", error.description) from None
