"""Sessions: somebody signed in, in one browser (OIDC Core §1.2, Session)."""

from __future__ import annotations

import secrets
from dataclasses import replace

from starlette.requests import Request

from services.idp import backchannel, scopes
from services.idp.members import Member
from services.idp.provider import Provider
from services.idp.records import Session


def begin(member: Member, provider: Provider, *, at: float) -> Session:
    """A new one, not kept yet."""
    return Session(
        sid=secrets.token_urlsafe(16),
        subject=member.sub,
        organization=member.org_id,
        auth_time=int(at),
        logout_token=secrets.token_urlsafe(24),
        expires_at=at + provider.settings.session_seconds,
    )


def sign_in(member: Member, request: Request, provider: Provider, *, at: float) -> tuple[Session, str]:
    """Somebody signs in in this browser; returns the session and the secret for its cookie, which is always a new one.

    If it is the same person as before their session goes on, also to another of their organizations, so that clients
    see no end of it. Anybody else's ends.
    """
    secret = request.cookies.get(provider.cookies.session)
    before = provider.store.session(secret, at=at)
    session = begin(member, provider, at=at)
    if before is not None and before.subject == member.sub:
        session = replace(session, sid=before.sid)
        provider.store.end_session(secret)
        provider.store.keep_participants(session, at=at)
    else:
        end(secret, provider, at=at)
    return session, provider.store.add_session(session)


def current(request: Request, provider: Provider, *, at: float) -> Session | None:
    """That of the browser, if the person may still sign in."""
    session = provider.store.session(request.cookies.get(provider.cookies.session), at=at)
    return session if session is not None and provider.registry.user(session.subject) is not None else None


def end(secret: str | None, provider: Provider, *, at: float) -> None:
    """End the session of a cookie, if there is one, and tell who took part in it."""
    session = provider.store.session(secret, at=at)
    provider.store.end_session(secret)
    if session is not None:
        _ended(session, provider, at=at)


def revoke(sid: str, provider: Provider, *, at: float) -> bool:
    """End the session of that ``sid``, in whatever browser it is; False if there is none."""
    session = provider.store.take_session(sid, at=at)
    if session is not None:
        _ended(session, provider, at=at)
    return session is not None


def end_all(subject: str, provider: Provider, *, at: float) -> None:
    """End every session of a person, and all they have granted: also what was to outlive sessions."""
    for session in provider.store.take_sessions(subject, at=at):
        _ended(session, provider, at=at)
    for family in provider.store.families_for(subject, at=at):
        provider.store.revoke_family(family.id, at=at)


def _ended(session: Session, provider: Provider, *, at: float) -> None:
    """What was granted goes with it, except to those who may act in absence (Back-Channel Logout §2.7)."""
    for family in provider.store.families_of(session.sid, at=at):
        if scopes.OFFLINE not in family.scopes:
            provider.store.revoke_family(family.id, at=at)
    backchannel.tell(session, provider, at=at)
