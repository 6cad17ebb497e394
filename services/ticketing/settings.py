"""What ticketing is told when it starts."""

from __future__ import annotations

from services.shared.settings import BaseUrl, ServiceSettings


class TicketingSettings(ServiceSettings):
    """Where this server is, whose tokens it takes, and where it keeps its tickets."""

    issuer_url: BaseUrl
    ticketing_url: BaseUrl
    ticketing_database_url: str
    """An SQLAlchemy URL. The tables are made, and the world is seeded, if they are not there."""
