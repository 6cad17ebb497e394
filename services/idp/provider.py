"""The running provider: all state there is, made when the service starts and gone when it stops."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Annotated, Self

from fastapi import Depends
from starlette.requests import Request

from services.idp.cookies import Cookies
from services.idp.keys import KeyRing
from services.idp.registry import Registry
from services.idp.settings import IdpSettings
from services.idp.store import Store


@dataclass(frozen=True, slots=True)
class Provider:
    """What endpoints and grants look things up in."""

    settings: IdpSettings
    registry: Registry
    keys: KeyRing
    cookies: Cookies
    store: Store = field(default_factory=Store)

    @classmethod
    def start(cls, settings: IdpSettings) -> Self:
        """Fresh keys, nobody signed in.

        Raises:
            ValueError: the registry is not well formed.
        """
        return cls(
            settings=settings,
            registry=Registry.load(settings),
            keys=KeyRing(),
            cookies=Cookies.of(settings.issuer_url),
        )

    @property
    def issuer(self) -> str:
        """As in ``iss``; never taken from a request (RFC 9207 §4)."""
        return self.settings.issuer_url


async def _started(request: Request) -> Provider:
    provider: Provider = request.app.state.provider
    return provider


async def now() -> float:
    """The time of a request: read here and nowhere else, so that it can be shifted for all (POSIX seconds)."""
    return time.time()


Started = Annotated[Provider, Depends(_started)]
"""Parameter of an endpoint: the running provider."""

Now = Annotated[float, Depends(now)]
"""Parameter of an endpoint: the time."""
