"""JWT bearer (RFC 7523 §2.1): the word of an issuer that is trusted here, about somebody who is known here."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from services.idp import assertions, resource, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import InvalidGrant, InvalidScope
from services.idp.grants import Authorization
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import Client, TrustedIssuer, User
from services.shared import claims as claim
from services.shared.claims import InvalidToken
from services.shared.jws import Jws, PublicKey

_TYPES = frozenset({"oauth-id-jag+jwt"})
"""What an assertion may call itself, besides just a JWT (draft-ietf-oauth-identity-assertion-authz-grant)."""


class JwtBearerForm(ClientForm):
    """RFC 7523 §2.1."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assertion: str = Field(repr=False)
    scope: str | None = None
    resource: tuple[str, ...] = ()
    """RFC 8707 §2.2."""


class JwtBearerGrant:
    """Nobody has signed in here: there is no ID token and no refresh token, and the next token takes a new word."""

    name: ClassVar[str] = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    form: ClassVar[type[BaseModel]] = JwtBearerForm

    def authorize(self, parameters: Parameters, client: Client, provider: Provider, *, at: float) -> Authorization:
        form = parameters.parse(JwtBearerForm)
        target = resource.chosen(form.resource, client, provider.registry)
        granted = scopes.asked(form.scope, target, provider.registry.scopes) & target.scopes
        if not granted:
            raise InvalidScope("no scope means anything at the resource")
        try:
            user = _believed(form.assertion, provider, at=at)
        except InvalidToken as error:
            raise InvalidGrant(f"assertion: {error.description}") from None
        return Authorization(user=user, client=client, resource=target, scopes=granted, parent=None)


def _believed(token: str, provider: Provider, *, at: float) -> User:
    """The person whom the assertion is about; afterwards it is used up. Raises InvalidToken."""
    assertion = assertions.taken_apart(token)
    issuer = provider.registry.issuers.get(claim.text(assertion.claims, "iss"))
    if issuer is None:
        raise InvalidToken("its issuer is not trusted here")
    assertions.verify(assertion, _key(assertion, issuer, provider), provider, endpoint="/token", types=_TYPES, at=at)
    user = _person(assertion, issuer, provider)
    if user is None or not user.active:
        raise InvalidToken("nobody is known here whom it could be about")
    return user


def _key(assertion: Jws, issuer: TrustedIssuer, provider: Provider) -> PublicKey | None:
    if issuer.jwks is not None:
        return assertions.key_of(assertion, issuer.jwks)
    sibling = provider.siblings.get(issuer.tenant or "")
    return sibling.keys.find(assertion.kid) if sibling and "kid" in assertion.header else None


def _person(assertion: Jws, issuer: TrustedIssuer, provider: Provider) -> User | None:
    """By the claim that the two issuers have agreed on."""
    claims, users = assertion.claims, provider.registry.users
    match issuer.subject:
        case "sub":
            return users.get(claim.text(claims, "sub"))
        case "username":
            return provider.registry.user_named(claim.text(claims, "preferred_username"))
        case "email":
            address = claim.text(claims, "email")
            if claims.get("email_verified") is False:
                raise InvalidToken("its e-mail address was not verified")
            return next((user for user in users.values() if user.email == address), None)
