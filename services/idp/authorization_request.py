"""What a client asks for at the authorization endpoint (RFC 6749 §4.1.1, OIDC Core §3.1.2): a table of checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from services.idp import pkce, resource, scopes
from services.idp.errors import (
    InvalidRequest,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from services.idp.grants.code import CodeGrant
from services.idp.provider import Provider
from services.idp.records import AuthorizationRequest
from services.idp.registry import Client, Registry
from services.idp.tokens import read_id_token_hint
from services.shared import claims
from services.shared.tokens import InvalidToken

RESPONSE_TYPES = ("code",)
RESPONSE_MODES = ("query",)
PROMPTS = ("none", "login", "consent", "select_account")

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7638 by SHA-256


class AuthorizeForm(BaseModel):
    """All but two fields are optional here, because a missing one is told to the client in its own way."""

    client_id: str
    redirect_uri: str
    response_type: str | None = None
    response_mode: str | None = None
    scope: str | None = None
    state: str | None = None
    code_challenge: str | None = None
    """RFC 7636 §4.3."""
    code_challenge_method: str | None = None
    resource: tuple[str, ...] = ()
    """RFC 8707 §2.1."""
    nonce: str | None = None
    """This and what follows: OIDC Core §3.1.2.1, §6, §7.2.1."""
    prompt: str | None = None
    max_age: str | None = None
    login_hint: str | None = None
    id_token_hint: str | None = None
    organization: str | None = None
    """Ours: id or slug of the one that tokens are to be about."""
    dpop_jkt: str | None = None
    """RFC 9449 §10."""
    request: str | None = None
    request_uri: str | None = None
    """RFC 9126 §4, where it is one of ours."""
    registration: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose client and redirect URI are known to belong together."""

    form: AuthorizeForm
    client: Client
    registry: Registry
    pushed: bool = False
    """Whether the client itself has brought it (RFC 9126)."""

    @property
    def prompts(self) -> frozenset[str]:
        return frozenset((self.form.prompt or "").split())


def _pushed(asked: Asked) -> None:
    if asked.client.pushes and not asked.pushed:
        raise InvalidRequest("the client must push its authorization requests")


def _response_type(asked: Asked) -> None:
    if asked.form.response_type is None:
        raise InvalidRequest("response_type is missing")
    if asked.form.response_type not in RESPONSE_TYPES:
        raise UnsupportedResponseType("response_type must be code")


def _response_mode(asked: Asked) -> None:
    if asked.form.response_mode not in (None, *RESPONSE_MODES):
        raise InvalidRequest("response_mode must be query")


def _request_objects(asked: Asked) -> None:
    """Ignoring them would answer another question than the one asked (OIDC Core §6.1)."""
    if asked.form.request is not None:
        raise RequestNotSupported("request objects are not supported")
    if asked.form.request_uri is not None:
        raise RequestUriNotSupported("request objects are not supported")
    if asked.form.registration is not None:
        raise RegistrationNotSupported("registration in the request is not supported")


def _allowed_client(asked: Asked) -> None:
    if CodeGrant.name not in asked.client.grants:
        raise UnauthorizedClient("the client may not use authorization codes")


def _pkce(asked: Asked) -> None:
    pkce.accepted_challenge(asked.form.code_challenge, asked.form.code_challenge_method)


def _resource(asked: Asked) -> None:
    resource.chosen(asked.form.resource, asked.client, asked.registry)


def _scope(asked: Asked) -> None:
    target = resource.chosen(asked.form.resource, asked.client, asked.registry)
    scopes.asked(asked.form.scope, target, asked.registry.scopes)


def _prompt(asked: Asked) -> None:
    if not asked.prompts <= set(PROMPTS):
        raise InvalidRequest("prompt has an unknown value")
    if "none" in asked.prompts and len(asked.prompts) > 1:
        raise InvalidRequest("prompt none goes with no other value")


def _max_age(asked: Asked) -> None:
    age = asked.form.max_age
    if age is not None and not (age.isascii() and age.isdecimal() and len(age) < 10):  # noqa: PLR2004 - 30 years
        raise InvalidRequest("max_age must be a number of seconds")


def _dpop_jkt(asked: Asked) -> None:
    if asked.form.dpop_jkt is not None and not _THUMBPRINT.fullmatch(asked.form.dpop_jkt):
        raise InvalidRequest("dpop_jkt is not a thumbprint")


CHECKS: tuple[Callable[[Asked], None], ...] = (
    _allowed_client,
    _pushed,
    _response_type,
    _response_mode,
    _request_objects,
    _pkce,
    _resource,
    _scope,
    _prompt,
    _max_age,
    _dpop_jkt,
)


def accepted(asked: Asked, provider: Provider) -> AuthorizationRequest:
    """What is asked for, if nothing is wrong with it. Raises OAuthError."""
    for check in CHECKS:
        check(asked)
    form = asked.form
    target = resource.chosen(form.resource, asked.client, provider.registry)
    return AuthorizationRequest(
        client_id=asked.client.id,
        redirect_uri=form.redirect_uri,
        scopes=scopes.asked(form.scope, target, provider.registry.scopes),
        resource=target.uri,
        challenge=pkce.accepted_challenge(form.code_challenge, form.code_challenge_method),
        state=form.state,
        nonce=form.nonce,
        prompts=asked.prompts,
        max_age=int(form.max_age) if form.max_age else None,
        hinted_subject=_hinted_subject(form.id_token_hint, provider),
        login_hint=form.login_hint,
        organization=form.organization,
        dpop_jkt=form.dpop_jkt,
    )


def _hinted_subject(hint: str | None, provider: Provider) -> str | None:
    if hint is None:
        return None
    try:
        return claims.text(read_id_token_hint(hint, provider), "sub")
    except InvalidToken as error:
        raise InvalidRequest(f"id_token_hint: {error.description}") from None
