"""What the api is told when it starts."""

from __future__ import annotations

from pydantic import PositiveInt, SecretStr

from services.shared.settings import BaseUrl, ServiceSettings


class ApiSettings(ServiceSettings):
    """Where the other services are, and who the api is to the identity provider."""

    issuer_url: BaseUrl
    ticketing_url: BaseUrl
    organizations_url: BaseUrl
    api_url: BaseUrl
    """The audience of the tokens this service accepts."""
    ui_url: BaseUrl
    """The only origin that may call from a browser."""
    api_client_secret: SecretStr
    api_database_url: str
    """An SQLAlchemy URL, for the conversations with the assistant. The tables are made if they are not there."""
    assistant_model: str = "sim"
    """`sim`, or a model of a provider as pydantic-ai names it, such as ``anthropic:…``."""
    api_requests_per_minute: PositiveInt | None = None
    """How many requests each caller has, if there is a limit."""
