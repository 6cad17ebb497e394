"""Callers of the api that no identity provider had to sign in."""

from __future__ import annotations

from services.shared.tokens import AccessToken


def a_caller(jti: str = "j1") -> AccessToken:
    """An agent whose token has that id."""
    return AccessToken(
        token=f"token-of-{jti}",
        subject="usr_1",
        client_id="ui",
        scopes=frozenset({"tickets:read"}),
        org_id="org_1",
        roles=frozenset({"agent"}),
        actors=(),
        expires_at=0,
        claims={"jti": jti},
    )
