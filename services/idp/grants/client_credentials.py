"""Client credentials (RFC 6749 §4.4): a service asks for itself, and nobody else is the subject (RFC 9068 §2.2)."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel

from services.idp import resource, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import InvalidScope, UnauthorizedClient
from services.idp.grants import Authorization
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import Client


class ClientCredentialsForm(ClientForm):
    """RFC 6749 §4.4.2."""

    grant_type: Literal["client_credentials"]
    scope: str | None = None
    resource: tuple[str, ...] = ()
    """RFC 8707 §2.2."""


class ClientCredentialsGrant:
    """Nobody has signed in, so there is neither an ID token nor a refresh token (§4.4.3)."""

    name: ClassVar[str] = "client_credentials"
    form: ClassVar[type[BaseModel]] = ClientCredentialsForm

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:  # noqa: ARG002
        form = parameters.parse(ClientCredentialsForm)
        if client.public:
            raise UnauthorizedClient("only a client that authenticates may use this grant type")
        target = resource.chosen(form.resource, client, provider.registry)
        granted = scopes.asked(form.scope, target, provider.registry.scopes) & target.scopes
        if not granted:
            raise InvalidScope("no scope means anything at the resource")
        return Authorization(
            member=None,
            client=client,
            resource=target,
            scopes=granted,
            parent=None,
        )
