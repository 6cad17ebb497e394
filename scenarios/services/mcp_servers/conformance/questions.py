"""The tools and the prompt of the conformance suite that ask the client for something, in either era's way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import mcp_types
from fastmcp import Context, FastMCP
from fastmcp.tools import ToolResult
from mcp import MCPError

Requests = Mapping[str, mcp_types.InputRequest]


def form(message: str, properties: Mapping[str, Any], *, optional: bool = False) -> mcp_types.ElicitRequest:
    schema = {"type": "object", "properties": dict(properties), "required": [] if optional else list(properties)}
    return mcp_types.ElicitRequest(params=mcp_types.ElicitRequestFormParams(message=message, requested_schema=schema))


def sampling(text: str, most: int = 100) -> mcp_types.CreateMessageRequest:
    message = mcp_types.SamplingMessage(role="user", content=mcp_types.TextContent(type="text", text=text))
    return mcp_types.CreateMessageRequest(
        params=mcp_types.CreateMessageRequestParams(messages=[message], max_tokens=most)
    )


TEXT = {"type": "string"}
NAME = form("What is your name?", {"name": TEXT})
ROOTS = mcp_types.ListRootsRequest()
CONFIRM = form("Please confirm", {"ok": {"type": "boolean"}})
ASKING: dict[str, tuple[Requests, str | None]] = {
    "test_input_required_result_elicitation": ({"user_name": NAME}, None),
    "test_streaming_elicitation": ({"user_name": NAME}, None),
    "test_input_required_result_sampling": ({"capital_question": sampling("What is the capital of France?")}, None),
    "test_input_required_result_list_roots": ({"client_roots": ROOTS}, None),
    "test_input_required_result_request_state": ({"confirm": CONFIRM}, "confirming"),
    "test_input_required_result_tampered_state": ({"confirm": CONFIRM}, "confirming"),
    "test_input_required_result_multiple_inputs": (
        {"user_name": NAME, "greeting": sampling("Generate a greeting", 50), "client_roots": ROOTS},
        "collecting",
    ),
    "test_input_required_result_capabilities": ({"user_name": NAME, "greeting": sampling("Hello?", 50)}, None),
}
NEEDED = {
    "elicitation/create": mcp_types.ClientCapabilities(elicitation=mcp_types.ElicitationCapability()),
    "sampling/createMessage": mcp_types.ClientCapabilities(sampling=mcp_types.SamplingCapability()),
    "roots/list": mcp_types.ClientCapabilities(roots=mcp_types.RootsCapability()),
}
ROUNDS = (("step1", "Step 1: What is your name?", "name"), ("step2", "Step 2: What is your favorite color?", "color"))


def ask(ctx: Context, requests: Requests, state: str | None) -> mcp_types.InputRequiredResult:
    """Ask for whatever of it the client can give."""
    can = {name: each for name, each in requests.items() if ctx.session.check_client_capability(NEEDED[each.method])}
    return mcp_types.InputRequiredResult(input_requests=can, request_state=state)


def add(mcp: FastMCP) -> None:
    """All of them."""

    def asking(requests: Requests, state: str | None) -> Any:
        def tool(ctx: Context) -> Any:
            answers = ctx.input_responses or {}
            if not requests.keys() <= answers.keys() or ctx.request_state != state:
                return ask(ctx, requests, state)
            return ToolResult(content=f"{'' if state is None else 'state-ok '}{sorted(answers)}")

        return tool

    for name, (requests, state) in ASKING.items():
        mcp.tool(asking(requests, state), name=name, description=f"{name}, as the conformance suite wants it.")
    _add_rounds(mcp)
    _add_demanding(mcp)
    _add_elicitations(mcp)


def _add_rounds(mcp: FastMCP) -> None:
    @mcp.tool
    def test_input_required_result_multi_round(ctx: Context) -> Any:
        """Ask twice."""
        for step, (name, question, wanted) in enumerate(ROUNDS):
            reached = int(ctx.request_state or "0")
            if reached < step + 1 or (reached == step + 1 and name not in (ctx.input_responses or {})):
                return ask(ctx, {name: form(question, {wanted: TEXT})}, str(step + 1))
        return ToolResult(content="done")

    @mcp.prompt
    def test_input_required_result_prompt(ctx: Context) -> Any:
        """Ask what to say."""
        answer = (ctx.input_responses or {}).get("user_context")
        if not isinstance(answer, mcp_types.ElicitResult):
            return ask(ctx, {"user_context": form("What context should the prompt use?", {"context": TEXT})}, None)
        return f"In the context {(answer.content or {}).get('context')}"


def _add_demanding(mcp: FastMCP) -> None:
    @mcp.tool
    def test_missing_capability(ctx: Context) -> ToolResult:
        """Insist on a client that samples."""
        if not ctx.session.check_client_capability(NEEDED["sampling/createMessage"]):
            needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
            raise MCPError(mcp_types.MISSING_REQUIRED_CLIENT_CAPABILITY, "The client must sample.", needed)
        return ToolResult(content="sampled")

    @mcp.tool
    async def test_sampling(prompt: str, ctx: Context) -> ToolResult:
        """Have the client's model say something."""
        params = sampling(prompt).params
        said = await ctx.session.create_message(params.messages, max_tokens=params.max_tokens)
        return ToolResult(content=f"LLM response: {getattr(said.content, 'text', '')}")


def _add_elicitations(mcp: FastMCP) -> None:
    async def elicited(ctx: Context, request: mcp_types.ElicitRequest, said: str) -> ToolResult:
        params = request.params
        assert isinstance(params, mcp_types.ElicitRequestFormParams)
        answer = await ctx.session.elicit_form(
            params.message, params.requested_schema, related_request_id=ctx.request_id
        )
        return ToolResult(content=said.format(action=answer.action, content=json.dumps(answer.content)))

    @mcp.tool
    async def test_elicitation(message: str, ctx: Context) -> ToolResult:
        """Ask for a name and an address."""
        request = form(
            message,
            {
                "username": {**TEXT, "description": "User's response"},
                "email": {**TEXT, "description": "User's email address"},
            },
        )
        return await elicited(ctx, request, "User response: action={action}, content={content}")

    @mcp.tool
    async def test_elicitation_sep1034_defaults(ctx: Context) -> ToolResult:
        """Ask with a default for each."""
        request = form(
            "Review these",
            {
                "name": {**TEXT, "default": "John Doe"},
                "age": {"type": "integer", "default": 30},
                "score": {"type": "number", "default": 95.5},
                "status": {**TEXT, "enum": ["active", "inactive", "pending"], "default": "active"},
                "verified": {"type": "boolean", "default": True},
            },
            optional=True,
        )
        return await elicited(ctx, request, "Elicitation completed: action={action}, content={content}")

    @mcp.tool
    async def test_elicitation_sep1330_enums(ctx: Context) -> ToolResult:
        """Ask for a choice in all ways there are."""
        titled = [
            {"const": f"value{number}", "title": f"{name} Option"}
            for number, name in enumerate(("First", "Second", "Third"), start=1)
        ]
        options = ["option1", "option2", "option3"]
        request = form(
            "Choose",
            {
                "untitledSingle": {**TEXT, "enum": options},
                "titledSingle": {**TEXT, "oneOf": titled},
                "legacyEnum": {**TEXT, "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
                "untitledMulti": {"type": "array", "items": {**TEXT, "enum": options}},
                "titledMulti": {"type": "array", "items": {"anyOf": titled}},
            },
            optional=True,
        )
        return await elicited(ctx, request, "Elicitation completed: action={action}, content={content}")
