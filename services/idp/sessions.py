"""Sessions: somebody signed in, in one browser (OIDC Core §1.2, Session)."""

from __future__ import annotations

import secrets

from starlette.requests import Request

from services.idp.provider import Provider
from services.idp.records import Session


def begin(subject: str, provider: Provider, *, at: float) -> Session:
    """A new one, not kept yet."""
    return Session(
        sid=secrets.token_urlsafe(16),
        subject=subject,
        auth_time=int(at),
        logout_token=secrets.token_urlsafe(24),
        expires_at=at + provider.settings.session_seconds,
    )


def current(request: Request, provider: Provider, *, at: float) -> Session | None:
    """That of the browser, if the person may still sign in."""
    session = provider.store.session(request.cookies.get(provider.cookies.session), at=at)
    return session if session is not None and provider.registry.user(session.subject) is not None else None
