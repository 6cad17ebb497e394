"""Resource indicators (RFC 8707): every access token is for one resource, which the client names."""

from __future__ import annotations

from services.idp.errors import InvalidTarget
from services.idp.registry import Client, Registry, Resource


def chosen(named: tuple[str, ...], client: Client, registry: Registry) -> Resource:
    """The resource that is meant; the client's default if none is named.

    Raises:
        InvalidTarget: several, none where there is no default, or one this client gets no tokens for.
    """
    if len(set(named)) > 1:
        raise InvalidTarget("a token is for one resource")
    uri = named[0] if named else client.default_resource
    if uri is None:
        raise InvalidTarget("resource is missing")
    if uri not in client.resources or uri not in registry.resources:
        raise InvalidTarget("the client gets no tokens for this resource")
    return registry.resources[uri]


def unchanged(named: tuple[str, ...], authorized: str, registry: Registry) -> Resource:
    """The resource that was authorized: a later request may repeat it and not exchange it.

    Raises:
        InvalidTarget: it names another, or the resource is no longer known.
    """
    if not set(named) <= {authorized}:
        raise InvalidTarget("resource is not the one that was authorized")
    if authorized not in registry.resources:
        raise InvalidTarget("the resource is no longer known")
    return registry.resources[authorized]
