"""Settings of the identity provider."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import NonNegativeInt, PositiveInt, SecretStr, model_validator

from services.idp.urls import LOOPBACK
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
    idp_public_issuer: bool = False
    """Whether it may call itself by a name that other machines reach: whoever does can be anybody here."""

    outbound_hosts: str = ""
    """Names of hosts, with commas between them, that this provider may ask besides this machine. They must lead to
    public addresses, or to an address or network that is listed as well."""

    access_token_seconds: PositiveInt = 600
    """Of access tokens, and of the ID tokens given out with them."""
    code_seconds: PositiveInt = 60
    pushed_request_seconds: PositiveInt = 90
    """How long a pushed authorization request waits for its browser (RFC 9126 §2.2)."""
    dpop_nonce_seconds: NonNegativeInt = 0
    """How long a nonce of ours is good for DPoP proofs (RFC 9449 §8); 0 asks for none."""
    interaction_seconds: PositiveInt = 600
    """How long a login page may stay open."""
    device_seconds: PositiveInt = 600
    """How long the code that a device shows is good."""
    device_interval_seconds: PositiveInt = 5
    """So long a device waits before it asks again."""
    session_seconds: PositiveInt = 8 * 3600
    refresh_seconds: PositiveInt = 30 * 24 * 3600
    """From the sign-in, however often the token was renewed meanwhile."""

    @property
    def outbound_host_names(self) -> frozenset[str]:
        """``outbound_hosts`` one by one."""
        return frozenset(name.strip().lower() for name in self.outbound_hosts.split(",") if name.strip())

    @property
    def here(self) -> bool:
        """Whether only this machine knows the issuer by its name."""
        return urlsplit(self.issuer_url).hostname in LOOPBACK

    @model_validator(mode="after")
    def _stay_on_this_machine(self) -> Self:
        if not self.idp_public_issuer and not self.here:
            raise ValueError(
                f"ISSUER_URL is {self.issuer_url}: here everybody may sign in as anybody, so the name must be that of "
                "the loopback address; IDP_PUBLIC_ISSUER=true allows another"
            )
        return self
