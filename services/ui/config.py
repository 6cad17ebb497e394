"""What the application must know before it starts: the document at ``/config.json``."""

from __future__ import annotations

CLIENT_ID = "ui"
SCOPE = "openid profile email offline_access tickets:read tickets:write tickets:delete orgs:read orgs:write"


def browser_configuration(*, issuer: str, api_url: str) -> dict[str, str]:
    """The configuration for one stack. The Angular environments are generated from the same for the default ports."""
    return {"issuer": issuer, "apiUrl": api_url, "clientId": CLIENT_ID, "scope": SCOPE}
