"""Which organization a token is about: the parameter ``organization``, an id or a slug, of requests for one."""

from __future__ import annotations

from services.idp.errors import AccessDenied, InvalidRequest, InvalidTarget, UnauthorizedClient
from services.idp.members import Member
from services.idp.provider import Provider
from services.idp.records import Family, Session
from services.idp.registry import Client


def granted(named: str | None, session: Session, provider: Provider) -> Member:
    """Whoever is signed in, in the organization that the client asks for; else in the one they signed in to, or in
    their first if they have left that.

    Raises:
        AccessDenied: they are not an active member.
    """
    user = provider.registry.user(session.subject)
    if user is None:
        raise denied()
    member = user.within(named or session.organization) or (user.within(None) if named is None else None)
    if member is None:
        raise denied()
    return member


def denied() -> AccessDenied:
    """The same for one that there is not and for one that is not theirs."""
    return AccessDenied("the person is not an active member of the organization")


def unchanged(named: str | None, family: Family, provider: Provider) -> Member | None:
    """Whom the family's tokens are about; None if there are to be none any more. A later request may repeat the
    organization and not exchange it.

    Raises:
        InvalidTarget: it names another.
    """
    member = provider.registry.member(family.subject, family.organization)
    if named is not None and (member is None or not member.membership.answers_to(named)):
        raise InvalidTarget("organization is not the one that was authorized")
    return member


def exchanged(named: str | None, principal: Member | Client, client: Client) -> Member | Client:
    """Whom a token is about that is exchanged for one about another organization of the same person (RFC 8693).

    Raises:
        UnauthorizedClient: the client may not do that.
        InvalidRequest: the subject token is a machine's own.
        InvalidTarget: the person is no member there; nobody else's organization is told from one that there is not.
        AccessDenied: they are a member there, and not an active one.
    """
    if named is None or (isinstance(principal, Member) and principal.membership.answers_to(named)):
        return principal
    if not client.switches:
        raise UnauthorizedClient("the client may not exchange a token for one about another organization")
    if isinstance(principal, Client):
        raise InvalidRequest("organization: the subject token is about none")
    if principal.user.membership(named) is None:
        raise InvalidTarget("the person is not a member of the organization")
    member = principal.user.within(named)
    if member is None:
        raise denied()
    return member
