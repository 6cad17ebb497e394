"""JWT bearer (RFC 7523 §2.1): the word of an issuer that is trusted here, about somebody who is known here."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from services.idp import assertions, resource, scopes
from services.idp.client_auth import ClientForm
from services.idp.errors import InvalidGrant, InvalidScope
from services.idp.grants import Authorization
from services.idp.members import Member, User
from services.idp.parameters import Parameters
from services.idp.provider import Provider
from services.idp.registry import Client, Resource, TrustedIssuer
from services.shared import claims as claim
from services.shared.claims import InvalidToken
from services.shared.jws import Jws, PublicKey

_ID_JAG = "oauth-id-jag+jwt"
"""An assertion that is for one client, resource and scope (draft-ietf-oauth-identity-assertion-authz-grant)."""

_TYPES = frozenset({_ID_JAG, "authorization-grant+jwt"})
"""What an assertion may call itself, besides just a JWT."""


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
        wanted = scopes.asked(form.scope, target, provider.registry.scopes) & target.scopes
        if not wanted:
            raise InvalidScope("no scope means anything at the resource")
        try:
            assertion = assertions.taken_apart(form.assertion)
            granted = _bounded(wanted, assertion, client, target) if assertion.media_type == _ID_JAG else wanted
            # Refused without a look at the signature, so that what the client got wrong does not use the assertion up.
            if granted < wanted and (form.scope or not granted):
                raise InvalidScope("scope exceeds what the assertion is for")
            member = _believed(assertion, provider, at=at)
        except InvalidToken as error:
            raise InvalidGrant(f"assertion: {error.description}") from None
        return Authorization(member=member, client=client, resource=target, scopes=granted, parent=None)


def _bounded(wanted: frozenset[str], assertion: Jws, client: Client, target: Resource) -> frozenset[str]:
    """The scopes that it is for. Raises InvalidToken: it is for another client or resource."""
    claims = assertion.claims
    if claim.text(claims, "client_id") != client.id:
        raise InvalidToken("it is for another client")
    if "resource" in claims and target.uri not in claim.texts(claims, "resource"):
        raise InvalidToken("it is for another resource")
    return wanted & frozenset(claim.text(claims, "scope").split()) if "scope" in claims else wanted


def _believed(assertion: Jws, provider: Provider, *, at: float) -> Member:
    """The person whom the assertion is about, in their first organization: it tells of none. Afterwards it is used up.

    Raises InvalidToken.
    """
    issuer = provider.registry.issuers.get(claim.text(assertion.claims, "iss"))
    if issuer is None:
        raise InvalidToken("its issuer is not trusted here")
    assertions.verify(assertion, _key(assertion, issuer, provider), provider, endpoint="/token", types=_TYPES, at=at)
    user = _person(assertion, issuer, provider)
    member = user.within(None) if user else None
    if member is None:
        raise InvalidToken("nobody is known here whom it could be about")
    return member


def _key(assertion: Jws, issuer: TrustedIssuer, provider: Provider) -> PublicKey | None:
    if issuer.jwks is not None:
        return assertions.key_of(assertion, issuer.jwks)
    sibling = provider.siblings.get(issuer.tenant or "")
    return sibling.keys.find(assertion.kid) if sibling and "kid" in assertion.header else None


def _person(assertion: Jws, issuer: TrustedIssuer, provider: Provider) -> User | None:
    """By the claim that the two issuers have agreed on."""
    claims, users = assertion.claims, provider.registry.users
    subject = claim.text(claims, "sub")  # without which it is about nobody (§3)
    match issuer.subject:
        case "sub":
            return users.get(subject)
        case "username":
            return provider.registry.user_named(claim.text(claims, "preferred_username"))
        case "email":
            address = claim.text(claims, "email")
            if claims.get("email_verified") is False:
                raise InvalidToken("its e-mail address was not verified")
            found = [user for user in users.values() if user.email == address]
            return found[0] if len(found) == 1 else None  # an address may be shared, a token may not
