"""Settings of the identity provider."""

from __future__ import annotations

from pathlib import Path

from pydantic import PositiveInt, SecretStr

from services.shared.settings import BaseUrl, ServiceSettings


class IdpSettings(ServiceSettings):
    """Where everybody lives, and how long things last (seconds)."""

    issuer_url: BaseUrl
    ticketing_url: BaseUrl
    organizations_url: BaseUrl
    api_url: BaseUrl
    ui_url: BaseUrl
    api_client_secret: SecretStr
    organizations_client_secret: SecretStr
    simulation_secret: SecretStr = SecretStr("")
    """Opens ``/_sim``; without one it stays closed."""
    idp_database_url: str = "sqlite://"
    """``sqlite:///PATH``; what is in memory ends with the process."""
    idp_registry: Path | None = None
    """A registry file in place of the built-in one."""

    outbound_hosts: str = ""
    """Names of hosts, with commas between them, that this provider may ask besides this machine."""

    access_token_seconds: PositiveInt = 600
    """Of access tokens, and of the ID tokens given out with them."""
    code_seconds: PositiveInt = 60
    interaction_seconds: PositiveInt = 600
    """How long a login page may stay open."""
    session_seconds: PositiveInt = 8 * 3600
    refresh_seconds: PositiveInt = 30 * 24 * 3600
    """From the sign-in, however often the token was renewed meanwhile."""

    @property
    def outbound_host_names(self) -> frozenset[str]:
        """``outbound_hosts`` one by one."""
        return frozenset(name.strip().lower() for name in self.outbound_hosts.split(",") if name.strip())
