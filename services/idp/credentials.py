"""The Authorization header (RFC 9110 §11.6.2), whatever it holds."""

from __future__ import annotations

from starlette.requests import Request

from services.idp.errors import InvalidRequest


def presented(request: Request) -> tuple[str, str] | None:
    """The scheme, in lower case, and what follows it; None if there is no such header.

    Raises:
        InvalidRequest: there are several, and each may be meant.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise InvalidRequest("the Authorization header is given more than once")
    if not headers:
        return None
    scheme, _, given = headers[0].partition(" ")
    return scheme.lower(), given.strip()
