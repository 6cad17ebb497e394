"""The issuer's public keys as a resource server knows them: fetched from its JWKS, kept, refreshed when needed."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING

from services.shared.jws import PublicKey

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

MAX_AGE = 300.0
"""Seconds a fetched set is believed: so long may a withdrawn key live on."""

MISSES_PER_SECOND = 10
"""Fetches that tokens with unknown key ids may cause; more are refused unseen, so that a flood stays here."""


class KeysUnavailable(Exception):  # noqa: N818 - a state of the world, as in the 503 it becomes
    """The issuer's JWKS cannot be read now: nobody's fault who holds a token, so 503 and not 401."""


class RemoteKeySet:
    """JWKS by URL. A key id not seen before is looked up at once, so that a rotation is never waited for."""

    def __init__(self, uri: str, http: httpx.AsyncClient) -> None:
        self._uri = uri
        self._http = http
        self._keys: dict[str, PublicKey] = {}
        self._fetched_at: float | None = None
        self._misses: Counter[int] = Counter()
        self._fetching = asyncio.Lock()

    async def find(self, kid: str, *, at: float) -> PublicKey | None:
        """The key of that id at the time ``at`` (POSIX seconds), or None if the issuer does not publish one.

        Raises:
            KeysUnavailable: the issuer had to be asked and gave no key set.
        """
        if not self._knows(kid, at=at):
            async with self._fetching:
                if not self._knows(kid, at=at) and self._may_ask(at=at):
                    await self._fetch(at=at)
        return self._keys.get(kid)

    def _knows(self, kid: str, *, at: float) -> bool:
        return self._fresh(at=at) and kid in self._keys

    def _fresh(self, *, at: float) -> bool:
        # A clock that was set back makes the age negative: then the set is as good as unknown.
        return self._fetched_at is not None and 0 <= at - self._fetched_at < MAX_AGE

    def _may_ask(self, *, at: float) -> bool:
        if not self._fresh(at=at):
            return True
        second = int(at)
        if second not in self._misses:
            self._misses.clear()
        self._misses[second] += 1
        return self._misses[second] <= MISSES_PER_SECOND

    async def _fetch(self, *, at: float) -> None:
        import httpx  # noqa: PLC0415  # who made the client has loaded it; the issuer, who makes none, need not

        try:
            answer = await self._http.get(self._uri, headers={"Accept": "application/jwk-set+json, application/json"})
            answer.raise_for_status()
            members = answer.json()["keys"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise KeysUnavailable(f"no key set at {self._uri}: {type(error).__name__}: {error}") from error
        if not isinstance(members, list):
            raise KeysUnavailable(f"no key set at {self._uri}: 'keys' is not a list")
        keys = [key for key in map(PublicKey.of, members) if key]
        times = Counter(key.kid for key in keys)
        # Two keys under one id: either may have signed, so neither is proof of anything.
        self._keys = {key.kid: key for key in keys if times[key.kid] == 1}
        self._fetched_at = at
        logger.debug("fetched %d keys from %s", len(self._keys), self._uri)
