"""Sessions: somebody signed in, in one browser (OIDC Core §1.2, Session)."""

from __future__ import annotations

import secrets

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
