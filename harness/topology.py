"""The services as data: what each runs, what it needs, what it is told. Nothing else here knows a service by name."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.bootstrap import child_environment
from harness.errors import HarnessError

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Service:
    """One service of the system.

    ``url_variable`` carries its base URL to every service. ``resource`` is the path that makes its base URL the
    audience of its tokens (RFC 8707), or None when it takes no tokens.
    """

    name: str
    title: str
    app: str
    url_variable: str
    needs: tuple[str, ...] = ()
    health: str = "/healthz"
    resource: str | None = None
    database_variable: str | None = None
    secret_variables: tuple[str, ...] = ()
    bundle_variable: str | None = None


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service(
            "idp",
            "Identity provider",
            "services.idp.app:create_app",
            "ISSUER_URL",
            secret_variables=("API_CLIENT_SECRET",),
        ),
        Service(
            "ticketing",
            "Ticketing MCP server",
            "services.ticketing.app:create_app",
            "TICKETING_URL",
            needs=("idp",),
            resource="/mcp",
            database_variable="TICKETING_DATABASE_URL",
        ),
        Service(
            "organizations",
            "Organizations MCP server",
            "services.organizations.app:create_app",
            "ORGANIZATIONS_URL",
            needs=("idp",),
            resource="/mcp",
            database_variable="ORGANIZATIONS_DATABASE_URL",
        ),
        Service(
            "api",
            "REST backend and assistant",
            "services.api.app:create_app",
            "API_URL",
            needs=("idp", "ticketing", "organizations"),
            resource="",
            secret_variables=("API_CLIENT_SECRET",),
        ),
        Service(
            "ui",
            "Web interface",
            "services.ui.app:create_app",
            "UI_URL",
            needs=("idp", "api"),
            bundle_variable="UI_BUNDLE",
        ),
    )
}

QUIET_LIBRARIES = {
    # FastMCP reads a .env file of the working directory and asks for updates unless told otherwise.
    "FASTMCP_ENV_FILE": os.devnull,
    "FASTMCP_CHECK_FOR_UPDATES": "off",
    "FASTMCP_SHOW_SERVER_BANNER": "false",
    "FASTMCP_ENABLE_RICH_LOGGING": "false",
    "PYTHONUNBUFFERED": "1",
}
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SYSTEMROOT", "SSL_CERT_FILE", "ASSISTANT_MODEL")


@dataclass(frozen=True)
class StackPlan:
    """What a stack is made of before it runs: its name, world, services and where they will answer."""

    name: str
    nonce: str
    folder: Path
    world: str
    seed: int
    bundle: Path | None
    numbers: Mapping[str, int]
    secret: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def url(self, service: str) -> str:
        """Base URL of a service, without a trailing slash."""
        return f"http://localhost:{self.numbers[service]}"


def closure(names: Iterable[str] | None) -> tuple[str, ...]:
    """The named services and all they need, in an order in which needs come first; None means all.

    Raises:
        HarnessError: for a name that is no service.
    """
    asked = tuple(SERVICES) if names is None else tuple(names)
    unknown = [name for name in asked if name not in SERVICES]
    if unknown:
        raise HarnessError(f"no such service: {', '.join(unknown)}", todo=f"the services are: {', '.join(SERVICES)}")
    wanted: set[str] = set()
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(SERVICES[name].needs)
    return tuple(name for name in SERVICES if name in wanted)


def environment(plan: StackPlan, name: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of one service's process. A service that is not part of the stack still has a URL."""
    service = SERVICES[name]
    told = {key: value for key, value in child_environment(inherited).items() if key in INHERITED}
    told |= QUIET_LIBRARIES
    told |= {each.url_variable: plan.url(each.name) for each in SERVICES.values()}
    told |= {"INSTANCE_NONCE": plan.nonce, "WORLD": plan.world, "WORLD_SEED": str(plan.seed)}
    told |= dict.fromkeys(service.secret_variables, plan.secret)
    if service.database_variable:
        told[service.database_variable] = f"sqlite:///{plan.folder / f'{name}.db'}"
    if service.bundle_variable and plan.bundle:
        told[service.bundle_variable] = str(plan.bundle)
    return told
