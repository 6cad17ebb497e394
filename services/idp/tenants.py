"""Several issuers in one service: one at the root, others at ``/t/NAME`` with people, clients and keys of their own."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.idp import keys, registry_file, shelf
from services.idp.outbound import Outbound
from services.idp.provider import Provider
from services.idp.records import Change
from services.idp.registry_file import ROOT, TenantEntries
from services.idp.settings import IdpSettings
from services.idp.shelf import Shelf
from services.idp.signing import Signatures

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_PATH = re.compile(rf"/t/({_NAME.pattern})(/.*)")


class Tenants(Mapping[str, Provider]):
    """Every tenant by its name; the one at the root is called ``ROOT``."""

    def __init__(
        self,
        settings: IdpSettings,
        connection: sqlite3.Connection,
        maker: ThreadPoolExecutor,
        signatures: Signatures,
        outbound: Outbound,
    ) -> None:
        self.settings = settings
        self.now: Callable[[], float] = time.time
        """The time of a request (POSIX seconds): read here and nowhere else, so that it can be shifted for all."""
        self._connection, self._maker, self._signatures, self._outbound = connection, maker, signatures, outbound
        self._added: Shelf[Change] = Shelf(connection, Change, tenant=ROOT, name="tenants")
        entries = registry_file.read(settings)
        entries |= {name: TenantEntries.model_validate(change.entry) for name, change in self._added.all(at=0).items()}
        self._providers = {name: self._provider(name, each) for name, each in entries.items()}

    def __getitem__(self, name: str) -> Provider:
        return self._providers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)

    @property
    def root(self) -> Provider:
        """The tenant without a path."""
        return self._providers[ROOT]

    def add(self, name: str, entries: TenantEntries) -> Provider:
        """Begin a new tenant. It outlives a restart.

        Raises:
            ValueError: the name is taken or not fit for a path, or an entry is not well formed.
        """
        if name in self._providers:
            raise ValueError(f"there is a tenant {name!r} already")
        self._providers[name] = provider = self._provider(name, entries)
        self._added.put(name, Change(entries.model_dump(mode="json")))
        return provider

    def _provider(self, name: str, entries: TenantEntries) -> Provider:
        if name != ROOT and not _NAME.fullmatch(name):
            raise ValueError(f"tenant {name!r}: a name has up to 32 lower-case letters, digits and hyphens")
        issuer = registry_file.issuer_of(name, self.settings)
        return Provider.of(
            name,
            registry_file.written(entries, self.settings, issuer=issuer),
            self.settings,
            issuer=issuer,
            connection=self._connection,
            maker=self._maker,
            signatures=self._signatures,
            outbound=self._outbound,
            siblings=self,
        )


@asynccontextmanager
async def started(settings: IdpSettings) -> AsyncIterator[Tenants]:
    """Every tenant of the registry and of the database, until the block ends.

    Raises:
        ValueError: the registry is not well formed.
        sqlite3.Error: the database cannot be used.
    """
    maker, signatures, outbound = (
        keys.key_maker(),
        Signatures(),
        Outbound(settings.outbound_host_names, here=settings.here),
    )
    try:
        with shelf.opened(settings.idp_database_url) as connection:
            yield Tenants(settings, connection, maker, signatures, outbound)
    finally:
        await outbound.close()
        signatures.close()
        maker.shutdown(wait=False, cancel_futures=True)


class Tenancy:
    """Tells each request which tenant it is for, and takes the tenant out of the path: all have the same endpoints."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        provider, path = addressed(scope)
        if provider is None:
            await JSONResponse({"error": "not_found"}, status_code=404)(scope, receive, send)
        else:
            await self._app(directed(scope, provider, path), receive, send)


def addressed(scope: Scope) -> tuple[Provider | None, str]:
    """The tenant that a request is for, None if there is none of that name, and the path that is left of its own."""
    tenants: Tenants = scope["app"].state.tenants
    path: str = scope["path"]
    found = _PATH.fullmatch(path) if path.startswith("/t/") else None
    return (tenants.get(found[1]), found[2]) if found else (tenants.root, path)


def directed(scope: Scope, provider: Provider, path: str) -> Scope:
    """The request as the endpoints of the tenant see it."""
    scope["provider"] = provider
    return scope if path == scope["path"] else {**scope, "path": path, "raw_path": path.encode()}
