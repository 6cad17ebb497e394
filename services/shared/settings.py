"""Settings of a service: read from the environment when its lifespan starts, never at import."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, HttpUrl, TypeAdapter
from pydantic_settings import BaseSettings, SettingsConfigDict

_URL = TypeAdapter(HttpUrl)


def _bare(url: str) -> str:
    return str(_URL.validate_python(url)).rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_bare)]
"""An http(s) URL without a trailing slash, since issuers and audiences are compared as strings (RFC 8414 §3.3)."""


class ServiceSettings(BaseSettings):
    """What every service is told. Each adds its own fields; a name is the environment variable in lower case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    instance_nonce: str = ""
    """Echoed by ``/healthz``, so that a caller knows whose server answered."""
    world: str = "base"
    world_seed: int = 1
