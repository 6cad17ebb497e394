"""Settings of a service: read from the environment when its lifespan starts, never at import."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict


def _bare(url: HttpUrl) -> str:
    return str(url).rstrip("/")


BaseUrl = Annotated[HttpUrl, AfterValidator(_bare)]
"""An http(s) URL, given out as text without a trailing slash: issuers and audiences are compared as strings."""


class ServiceSettings(BaseSettings):
    """What every service is told. Each service adds its own fields; a name is the environment variable in lower case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    instance_nonce: str = ""
    """Echoed by ``/healthz``, so that a caller knows whose server answered."""
    world: str = "base"
    world_seed: int = 1
