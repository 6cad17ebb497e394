"""Settings of a service: read from the environment when its lifespan starts, never at import."""

from __future__ import annotations

import os
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, HttpUrl, TypeAdapter

_URL = TypeAdapter(HttpUrl)


def _bare(url: str) -> str:
    return str(_URL.validate_python(url)).rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_bare)]
"""An http(s) URL without a trailing slash, since issuers and audiences are compared as strings (RFC 8414 §3.3)."""


class ServiceSettings(BaseModel):
    """What every service is told. Each adds its own fields; a name is the environment variable in lower case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance_nonce: str = ""
    """Echoed by ``/healthz``, so that a caller knows whose server answered."""
    world: str = "base"
    world_seed: int = 1

    @classmethod
    def read(cls) -> Self:
        """What the environment says now.

        Raises:
            ValueError: something is missing, or is not what it must be; names it, in lower case.
        """
        # Not by pydantic-settings: what it can do besides takes a millisecond per start and a MiB in each process.
        told = {name: os.environ.get(name.upper()) for name in cls.model_fields}
        return cls.model_validate({name: value for name, value in told.items() if value is not None})
