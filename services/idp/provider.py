"""A running tenant: all state there is, made when the service starts; and what endpoints look it up by."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Annotated, Self

from fastapi import Depends
from starlette.requests import Request

from services.idp.cookies import Cookies
from services.idp.directory import Directory
from services.idp.keys import KeyRing
from services.idp.members import User
from services.idp.outbound import Outbound
from services.idp.records import Change, KeptKey
from services.idp.registry import Client, Registry, Resource, TrustedIssuer
from services.idp.registry_file import Written
from services.idp.settings import IdpSettings
from services.idp.shelf import Shelf
from services.idp.sign_ins import SignInQueue
from services.idp.signing import Signatures
from services.idp.store import Store


@dataclass(frozen=True, slots=True)
class Provider:
    """One tenant: what endpoints and grants look things up in."""

    tenant: str
    issuer: str
    """As in ``iss``; never taken from a request (RFC 9207 §4)."""
    settings: IdpSettings
    registry: Registry
    keys: KeyRing
    cookies: Cookies
    store: Store
    sign_ins: SignInQueue
    outbound: Outbound
    siblings: Mapping[str, Provider]
    """Every tenant of this service by its name."""
    documents: dict[str, float] = field(default_factory=dict)
    """Until when (POSIX seconds) a client is believed that is described elsewhere, by its id."""

    @classmethod
    def of(
        cls,
        tenant: str,
        written: Written,
        settings: IdpSettings,
        *,
        issuer: str,
        connection: sqlite3.Connection,
        maker: ThreadPoolExecutor,
        signatures: Signatures,
        outbound: Outbound,
        siblings: Mapping[str, Provider],
    ) -> Self:
        """The tenant as it is written in the registry and as it was left when the service ended."""

        def changes(name: str) -> Shelf[Change]:
            return Shelf(connection, Change, tenant=tenant, name=name)

        return cls(
            tenant=tenant,
            issuer=issuer,
            settings=settings,
            registry=Registry(
                algorithm=written.algorithm,
                scopes=written.scopes,
                clients=Directory(written.clients, Client, changes("clients")),
                resources=Directory(written.resources, Resource, changes("resources")),
                users=Directory(written.users, User, changes("users")),
                issuers=Directory(written.issuers, TrustedIssuer, changes("issuers")),
                registrants=written.registrants,
            ),
            keys=KeyRing(Shelf(connection, KeptKey, tenant=tenant, name="keys"), written.algorithm, maker, signatures),
            cookies=Cookies.of(issuer, tenant),
            store=Store(connection, tenant=tenant),
            sign_ins=SignInQueue(),
            outbound=outbound,
            siblings=siblings,
        )


async def _started(request: Request) -> Provider:
    provider: Provider = request.scope["provider"]
    return provider


async def _now(request: Request) -> float:
    now: float = request.app.state.tenants.now()
    return now


Started = Annotated[Provider, Depends(_started)]
"""Parameter of an endpoint: the tenant that is asked."""

Now = Annotated[float, Depends(_now)]
"""Parameter of an endpoint: the time of the request (POSIX seconds)."""
