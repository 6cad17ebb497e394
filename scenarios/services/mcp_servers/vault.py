"""An MCP server with a tool that asks before it runs, and a desk that remembers what ran."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastmcp.dependencies import Depends

from services.shared.mcp.server import Deployment, ToolServer
from services.shared.mcp.tool import DESTROY, ScopedTool, desk, tool
from services.shared.mcp.view import View
from services.shared.permissions import Caller
from services.shared.problems import NotFound


@dataclass
class Vault:
    """What is kept, under which name, and whom every erasure was for."""

    kept: set[str]
    erased: list[tuple[str, str]] = field(default_factory=list)
    shown: str = "for ever"
    caller: Caller | None = None


@dataclass
class VaultDesk:
    """The vault, for one caller."""

    vault: Vault
    caller: Caller

    def erase(self, name: str) -> None:
        """Erase it, and remember who wanted it."""
        self.vault.kept.discard(name)
        self.vault.erased.append((self.caller.subject, name))


Desk = Annotated[VaultDesk, Depends(desk)]


class ErasedView(View):
    """What is no more."""

    name: str


def question(desk: Desk, name: str, *, force: bool = False) -> str:
    """What a person is asked."""
    if name not in desk.vault.kept:
        raise NotFound(f"There is no {name!r}.")
    return f"Erase {name!r} {desk.vault.shown}{' by force' if force else ''}?"


@tool(scope="tickets:read", hints=DESTROY, title="Erase", confirm=question)
def erase(desk: Desk, name: str, *, force: bool = False) -> ErasedView:
    """Erase what is kept under a name."""
    del force
    desk.erase(name)
    return ErasedView(name=name)


@tool(scope="tickets:read", hints=DESTROY, title="Shred", confirm=question)
def shred(desk: Desk, name: str, *, force: bool = False) -> ErasedView:
    """Do the same under another name."""
    del force
    desk.erase(name)
    return ErasedView(name=name)


def server(vault: Vault, *, url: str, issuer: str, tools: Sequence[ScopedTool] = (erase, shred)) -> ToolServer:
    """The vault's server; it takes the tokens that are for ``url``."""

    def lend(caller: Caller) -> VaultDesk:
        vault.caller = caller
        return VaultDesk(vault, caller)

    @asynccontextmanager
    async def deploy() -> AsyncIterator[Deployment]:
        yield Deployment(url=url, issuer=issuer, instance_nonce="", desk_for=lend)

    return ToolServer("vault", instructions="Things.", tools=tools, first_scope="tickets:read", deploy=deploy)
