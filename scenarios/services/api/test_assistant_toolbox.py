"""What the model behind the assistant is offered, whatever model it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import anyio.from_thread
import httpx2
import pytest
from pydantic_ai import Agent, ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from harness.code_flow import tls
from scenarios.services.api.callers import a_caller
from services.api.assistant.toolbox import Toolbox
from services.api.circuit import Circuit
from services.api.mcp_client import KeptClients
from services.api.mcp_server import Downstream, McpServer
from services.shared.tokens import AccessToken

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]


class _OwnTokens:
    """In place of an exchange: somebody's own token for the server."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, _caller: AccessToken, _audience: str) -> str:
        return self._token


Toolboxes = Callable[..., AbstractAsyncContextManager[Toolbox]]


@pytest.fixture
def toolbox_of(shared_stack: Stack) -> Toolboxes:
    """``toolbox_of(person, server, scope=…)``: with the tools of one server."""

    @asynccontextmanager
    async def toolbox_of(person: Person, name: str, *, scope: str | None = None) -> AsyncIterator[Toolbox]:
        exchange, clients = cast(Any, _OwnTokens(person.token(name, scope=scope))), KeptClients()
        network, circuit = httpx2.AsyncHTTPTransport(verify=tls()), Circuit(name, cast(Any, None))
        server = Downstream(name, shared_stack.audience(name), exchange, clients, circuit, network=network)
        try:
            yield Toolbox((McpServer(server, a_caller()),))
        finally:
            await clients.close()
            await network.aclose()

    return toolbox_of


def test_a_model_is_not_offered_what_destroys_something(toolbox_of: Toolboxes, as_user: AsUser) -> None:
    offered: list[str] = []

    def answer(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        offered.extend(tool.name for tool in info.function_tools)
        return ModelResponse(parts=[TextPart("done")])

    async def run() -> list[str]:
        agent: Agent[None, str] = Agent(FunctionModel(answer))
        async with toolbox_of(as_user("olivia"), "organizations") as toolbox:
            await agent.run("Make rita an owner", toolsets=toolbox.toolsets())
            return await toolbox.names()

    with anyio.from_thread.start_blocking_portal() as portal:
        assert portal.call(run) == offered
    assert {"whoami", "list_members", "invite_member"} <= set(offered)
    assert not {"update_member_role", "deactivate_member", "remove_team_member", "list_changes"} & set(offered)


def test_a_model_is_told_which_scope_a_server_missed(toolbox_of: Toolboxes, as_user: AsUser) -> None:
    """The token is good for the ticketing service, but not for writing: the server answers 403 before the tool."""

    def answer(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        if len(messages) == 1:
            return ModelResponse(parts=[ToolCallPart("create_ticket", {"title": "No light"})])
        [told] = [part for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        return ModelResponse(parts=[TextPart(f"{told.outcome}: {told.model_response_str()}")])

    async def run() -> str:
        agent: Agent[None, str] = Agent(FunctionModel(answer))
        async with toolbox_of(as_user("alice"), "ticketing", scope="openid tickets:read") as toolbox:
            return (await agent.run("No light here", toolsets=toolbox.toolsets())).output

    with anyio.from_thread.start_blocking_portal() as portal:
        said = portal.call(run)
    assert said.startswith("failed: ")
    assert "insufficient_scope" in said
    assert "needs a scope the token does not have" in said
