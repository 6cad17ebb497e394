"""What the model behind the assistant is offered, whatever model it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import anyio.from_thread
import httpx2
from pydantic_ai import Agent, ModelMessage, ModelResponse, TextPart
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


def test_a_model_is_not_offered_what_destroys_something(shared_stack: Stack, as_user: AsUser) -> None:
    olivia, name = as_user("olivia"), "organizations"
    exchange, clients = cast(Any, _OwnTokens(olivia.token(name))), KeptClients()
    network, circuit = httpx2.AsyncHTTPTransport(verify=tls()), Circuit(name, cast(Any, None))
    server = Downstream(name, shared_stack.audience(name), exchange, clients, circuit, network=network)
    toolbox = Toolbox((McpServer(server, a_caller()),))
    offered: list[str] = []

    def answer(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        offered.extend(tool.name for tool in info.function_tools)
        return ModelResponse(parts=[TextPart("done")])

    async def run() -> list[str]:
        agent: Agent[None, str] = Agent(FunctionModel(answer))
        await agent.run("Make rita an owner", toolsets=toolbox.toolsets())
        try:
            return await toolbox.names()
        finally:
            await clients.close()
            await network.aclose()

    with anyio.from_thread.start_blocking_portal() as portal:
        assert portal.call(run) == offered
    assert {"whoami", "list_members", "invite_member"} <= set(offered)
    assert not {"update_member_role", "deactivate_member", "remove_team_member", "list_changes"} & set(offered)
