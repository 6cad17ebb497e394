"""What the server of the interface is told when it starts."""

from __future__ import annotations

from pathlib import Path

from services.shared.settings import BaseUrl, ServiceSettings


class UiSettings(ServiceSettings):
    """Where the bundle is, and what a browser that loads it must know."""

    ui_bundle: Path
    """The directory of the built application: the one that holds ``index.html``."""
    issuer_url: BaseUrl
    api_url: BaseUrl
