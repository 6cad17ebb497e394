"""What organizations is told when it starts."""

from __future__ import annotations

from pydantic import SecretStr

from services.shared.settings import BaseUrl, ServiceSettings


class OrganizationsSettings(ServiceSettings):
    """Where this server is, whose tokens it takes, and where it keeps its members."""

    issuer_url: BaseUrl
    organizations_url: BaseUrl
    organizations_client_secret: SecretStr
    """With which it asks the identity provider for itself."""
    organizations_database_url: str
    """An SQLAlchemy URL. The tables are made, and the world is seeded, if they are not there."""
