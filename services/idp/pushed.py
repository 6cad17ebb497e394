"""The other half of RFC 9126: what a browser names is taken out again, once, and by the client that pushed it."""

from __future__ import annotations

from services.idp.errors import Refusal
from services.idp.parameters import Parameters
from services.idp.provider import Provider

PREFIX = "urn:ietf:params:oauth:request_uri:"
"""RFC 9126 §2.2, RFC 6755."""


def named(parameters: Parameters) -> bool:
    """Whether an authorization request stands for a pushed one."""
    return (parameters.single("request_uri") or "").startswith(PREFIX)


def taken(parameters: Parameters, provider: Provider, *, at: float) -> Parameters:
    """The request that was pushed; what else the browser brought does not count (RFC 9126 §4).

    Raises:
        Refusal: there is none of that name, or another client's.
    """
    name = (parameters.single("request_uri") or "").removeprefix(PREFIX)
    request = provider.store.take_pushed(name, at=at)
    if request is None or request.client_id != parameters.single("client_id"):
        raise Refusal("This sign-in link is over", "It was used already, or waited for too long. Start anew.")
    return Parameters(request.parameters)
