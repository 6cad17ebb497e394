"""What the model behind the assistant is offered, whatever model it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import anyio.from_thread
import httpx2
from pydantic_ai import Agent, ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from harness.code_flow import tls
from services.api.assistant.toolbox import Toolbox
from services.api.mcp_server import McpServer

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]


class _Token(httpx2.Auth):
    """Somebody's own token for the server, in place of an exchanged one."""

    refusal, status, broken = None, None, False

    def __init__(self, audience: str, token: str) -> None:
        self.audience, self._token = audience, token

    def auth_flow(self, request: httpx2.Request) -> Iterator[httpx2.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def test_a_model_is_not_offered_what_destroys_something(shared_stack: Stack, as_user: AsUser) -> None:
    olivia, name = as_user("olivia"), "organizations"
    auth = cast(Any, _Token(shared_stack.audience(name), olivia.token(name)))
    toolbox = Toolbox((McpServer(name, auth, tls=tls()),))
    offered: list[str] = []

    def answer(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        offered.extend(tool.name for tool in info.function_tools)
        return ModelResponse(parts=[TextPart("done")])

    async def run() -> list[str]:
        agent: Agent[None, str] = Agent(FunctionModel(answer))
        await agent.run("Make rita an owner", toolsets=toolbox.toolsets())
        return await toolbox.names()

    with anyio.from_thread.start_blocking_portal() as portal:
        assert portal.call(run) == offered
    assert {"whoami", "list_members", "invite_member"} <= set(offered)
    assert not {"update_member_role", "deactivate_member", "remove_team_member"} & set(offered)
