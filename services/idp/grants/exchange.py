"""Token exchange (RFC 8693): a service that was called with a token gets one for the next service, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from services.idp import organization, resource, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import InvalidRequest, InvalidScope, UnauthorizedClient
from services.idp.grants import Authorization
from services.idp.members import Member
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import Client
from services.idp.tokens import concerns, heir, read_access_token, speaker
from services.shared.tokens import AccessToken, InvalidToken

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name, RFC 8693 §3
JWT = "urn:ietf:params:oauth:token-type:jwt"
_TYPES = frozenset({ACCESS_TOKEN, JWT})
"""Two names for one thing here: every access token is a JWT, and no other JWT is exchanged."""

MOST_ACTORS = 5
"""In one chain. Each hop adds one, and a loop of services would add them without end."""


class ExchangeForm(ClientForm):
    """RFC 8693 §2.1."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:token-exchange"]
    subject_token: str = Field(repr=False)
    subject_token_type: str
    requested_token_type: str = ACCESS_TOKEN
    scope: str | None = None
    resource: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    """Here the same as ``resource``: the URI of a resource server."""
    organization: str | None = None
    """Ours: id or slug of another one that the same person is a member of."""
    actor_token: str | None = Field(default=None, repr=False)
    actor_token_type: str | None = None


class ExchangeGrant:
    """The new token has no scope, and no second of life, that the old one had not."""

    name: ClassVar[str] = "urn:ietf:params:oauth:grant-type:token-exchange"
    form: ClassVar[type[BaseModel]] = ExchangeForm

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:
        form = parameters.parse(ExchangeForm)
        _check_types(form)
        subject, principal = _subject(form.subject_token, client, provider, at=at)
        actor = _actor(form.actor_token, client, provider, at=at) if form.actor_token else None
        target = resource.chosen(form.resource + form.audience, client, provider.registry)
        # What only this provider understands stays with whom the token was for in the first place.
        known = target.scopes | (scopes.OPENID if target.uri == client.exchanges else frozenset())
        granted = scopes.narrowed(form.scope, subject.scopes) & known
        if not granted:
            raise InvalidScope("the subject token has no scope that means anything at the target")
        principal = organization.exchanged(form.organization, principal, client)
        return Authorization(
            member=principal if isinstance(principal, Member) else None,
            # A machine's own token (RFC 9068 §2.2): it stays one, and nobody is let in by it where people are meant.
            machine=principal.id if isinstance(principal, Client) else None,
            client=client,
            resource=target,
            scopes=granted,
            parent=heir(subject) if target.uri == client.exchanges else subject.claims["jti"],
            actor=_acting(
                actor.subject if actor else client.id, subject, provider, switched=form.organization is not None
            ),
            not_after=min(subject.expires_at, actor.expires_at) if actor else subject.expires_at,
            issued_token_type=form.requested_token_type,
        )


def _check_types(form: ExchangeForm) -> None:
    if form.subject_token_type not in _TYPES:
        raise InvalidRequest("subject_token_type must be that of an access token or JWT")
    if form.requested_token_type not in _TYPES:
        raise InvalidRequest("requested_token_type must be that of an access token or JWT")
    if (form.actor_token is None) != (form.actor_token_type is None):
        raise InvalidRequest("actor_token and actor_token_type go together")
    if form.actor_token_type is not None and form.actor_token_type not in _TYPES:
        raise InvalidRequest("actor_token_type must be that of an access token or JWT")


def _subject(token: str, client: Client, provider: Provider, *, at: float) -> tuple[AccessToken, Member | Client]:
    """Anyone can hold a token; only the service it is meant for may act on it (RFC 8693 §5)."""
    if client.exchanges is None:
        raise UnauthorizedClient("the client has no tokens to exchange")
    try:
        read = read_access_token(token, provider, audiences={client.exchanges}, at=at)
        return read, speaker(read, provider)
    except InvalidToken as error:
        raise InvalidRequest(f"subject_token: {error.description}") from None


def _actor(token: str, client: Client, provider: Provider, *, at: float) -> AccessToken:
    """Who acts, if not the client: whoever called it, or itself by a token of its own."""
    try:
        read = read_access_token(token, provider, audiences=provider.registry.resources.keys(), at=at)
        speaker(read, provider)
    except InvalidToken as error:
        raise InvalidRequest(f"actor_token: {error.description}") from None
    if not concerns(read, client):
        raise InvalidRequest("actor_token: it is neither the client's own nor meant for it")
    if read.actors:
        # It would have a chain of its own, and two chains do not make one (RFC 8693 §4.1).
        raise InvalidRequest("actor_token: somebody else acts in it already")
    return read


def _acting(actor: str, subject: AccessToken, provider: Provider, *, switched: bool) -> dict[str, Any]:
    """``act``: who acts now, and inside it whoever acted before (RFC 8693 §4.1)."""
    _check_may_act(actor, subject.claims.get("may_act"), provider)
    before = subject.claims.get("act")
    if switched and subject.actors[:1] == (actor,):
        return dict(before or {})  # whoever switches twice has acted once
    if len(subject.actors) >= MOST_ACTORS:
        raise InvalidRequest("subject_token: too many have acted already")
    return {"sub": actor} | ({"act": before} if before else {})


def _check_may_act(actor: str, allowed: object, provider: Provider) -> None:
    """Where the subject token names who may act, nobody else does (RFC 8693 §4.4)."""
    if allowed is None:
        return
    known = {"sub": actor, "iss": provider.issuer}
    if not isinstance(allowed, Mapping) or allowed.get("sub") != actor or not allowed.items() <= known.items():
        raise InvalidRequest("subject_token: its subject lets somebody else act")
