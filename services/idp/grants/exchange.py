"""Token exchange (RFC 8693): a service that was called with a token gets one for the next service, and says so."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from services.idp import resource, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import InvalidRequest, InvalidScope, UnauthorizedClient
from services.idp.grants import Authorization
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import Client
from services.idp.tokens import read_access_token
from services.shared.tokens import AccessToken, InvalidToken

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name, RFC 8693 §3


class ExchangeForm(ClientForm):
    """RFC 8693 §2.1."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:token-exchange"]
    subject_token: str
    subject_token_type: str
    requested_token_type: str = ACCESS_TOKEN
    scope: str | None = None
    resource: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    """Here the same as ``resource``: the URI of a resource server."""
    actor_token: str | None = None
    actor_token_type: str | None = None


class ExchangeGrant:
    """The new token has no scope, and no second of life, that the old one had not."""

    name: ClassVar[str] = "urn:ietf:params:oauth:grant-type:token-exchange"
    form: ClassVar[type[BaseModel]] = ExchangeForm

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:
        form = parameters.parse(ExchangeForm)
        _supported(form)
        subject = _verified(form.subject_token, client, provider, at=at)
        target = resource.chosen(form.resource + form.audience, client, provider.registry)
        granted = scopes.narrowed(form.scope, subject.scopes) & target.scopes
        if not granted:
            raise InvalidScope("the subject token has no scope that means anything at the target")
        user = provider.registry.user(subject.subject)
        # A machine's own token (RFC 9068 §2.2): it stays one, and nobody is let in by it where people are meant.
        machine = subject.subject if user is None and subject.subject in provider.registry.clients else None
        if user is None and machine is None:
            raise InvalidRequest("the subject is neither a known person nor a known client")
        return Authorization(
            user=user,
            machine=machine,
            client=client,
            resource=target,
            scopes=granted,
            parent=subject.claims["jti"],
            actor=_actor(client, subject.claims.get("act")),
            not_after=subject.expires_at,
            issued_token_type=ACCESS_TOKEN,
        )


def _supported(form: ExchangeForm) -> None:
    if form.subject_token_type != ACCESS_TOKEN:
        raise InvalidRequest("subject_token_type must be that of an access token")
    if form.requested_token_type != ACCESS_TOKEN:
        raise InvalidRequest("requested_token_type must be that of an access token")
    if form.actor_token or form.actor_token_type:
        raise InvalidRequest("actor_token is not supported: the actor is the client")


def _verified(token: str, client: Client, provider: Provider, *, at: float) -> AccessToken:
    """Anyone can hold a token; only the service it is meant for may act on it (RFC 8693 §5)."""
    if client.exchanges is None:
        raise UnauthorizedClient("the client has no tokens to exchange")
    try:
        return read_access_token(token, provider, audiences={client.exchanges}, at=at)
    except InvalidToken as error:
        raise InvalidRequest(f"subject_token: {error.description}") from None


def _actor(client: Client, before: dict[str, Any] | None) -> dict[str, Any]:
    """The caller, and inside it whoever acted before (RFC 8693 §4.1)."""
    return {"sub": client.id} | ({"act": before} if before else {})
