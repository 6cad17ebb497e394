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
    if uri not in client.resources:
        raise InvalidTarget("the client gets no tokens for this resource")
    return registry.resources[uri]


def unchanged(named: tuple[str, ...], resource: Resource) -> None:
    """A later request may repeat the resource and not exchange it.

    Raises:
        InvalidTarget: it names another.
    """
    if not set(named) <= {resource.uri}:
        raise InvalidTarget("resource is not the one that was authorized")
