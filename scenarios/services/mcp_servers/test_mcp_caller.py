"""Whom a desk learns to serve: the person, the application, who acts for them, and the trace the request is part of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.mcp_servers import vault
from scenarios.services.mcp_servers.serving import serving
from scenarios.services.mcp_servers.vault import Vault
from scenarios.services.mcp_servers.wire import Message, Wire, request

if TYPE_CHECKING:
    from harness.stack import Stack
    from services.shared.permissions import Caller

TRACE, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
Seen = Callable[..., "Caller"]


@pytest.fixture
def seen(shared_stack: Stack, nobody: httpx.Client) -> Iterator[Seen]:
    """``seen(claims, header=..., meta=...)``: the caller of a request with such a token and such a trace context."""
    kept = Vault({"letter"})
    server = vault.server(kept, url=shared_stack.url("ticketing"), issuer=shared_stack.url("idp"))
    with serving(server.app) as url:

        def caller(claims: dict[str, Any] | None = None, *, header: str | None = None, meta: Any = None) -> Caller:
            idp = shared_stack.control("idp")
            token = idp.mint(user="alice", client="cli", audience="ticketing", claims=claims or {})["token"]
            params: dict[str, Any] = {"name": "erase", "arguments": {"name": "letter"}}
            params |= {} if meta is None else {"_meta": {"traceparent": meta}}
            message = request("tools/call", params, capabilities={"elicitation": {}})
            headers = {**message.headers} | ({} if header is None else {"traceparent": header})
            answer = Wire(url, nobody).send(Message(message.body, headers), token=token)
            assert answer.json()["result"]["resultType"] == "input_required"
            assert kept.caller is not None
            return kept.caller

        yield caller


def test_the_application_is_known_and_nobody_acts_for_who_came_alone(seen: Seen) -> None:
    caller = seen()
    assert (caller.client_id, caller.actor, caller.trace_id) == ("cli", None, None)


def test_who_acts_after_an_exchange_is_known(seen: Seen) -> None:
    caller = seen({"act": {"sub": "api", "act": {"sub": "gateway"}}, "client_id": "api"})
    assert (caller.client_id, caller.actor) == ("api", "api")


def test_the_trace_is_that_of_the_message_or_else_of_the_http_request(seen: Seen) -> None:
    assert seen(header=f"00-{TRACE}-00f067aa0ba902b7-01").trace_id == TRACE
    assert seen(meta=f"00-{TRACE}-00f067aa0ba902b7-00").trace_id == TRACE
    both = seen(header=f"00-{OTHER}-00f067aa0ba902b7-01", meta=f"00-{TRACE}-00f067aa0ba902b7-01")
    assert both.trace_id == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        TRACE,
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more",
        f"00-{TRACE[:-1]}-00f067aa0ba902b7-01",
    ],
)
def test_what_is_no_trace_context_is_no_trace(seen: Seen, traceparent: str) -> None:
    assert seen(meta=traceparent).trace_id is None
