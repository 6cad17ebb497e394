"""The api's token exchange (RFC 8693) and its calls of MCP servers, when the other side refuses or talks nonsense."""

from __future__ import annotations

import json
import ssl
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import anyio
import httpx
import httpx2
import pytest
from anyio.from_thread import start_blocking_portal
from pydantic import BaseModel

from scenarios.services.api.callers import a_caller
from scenarios.services.api.stand_in import Answer, Received, Script, StandIn, standing_in
from services.api.circuit import Circuit, alive
from services.api.exchange import Issued, TokenExchange
from services.api.mcp_client import KeptClients
from services.api.mcp_server import Downstream, McpServer
from services.shared.problems import (
    BadGateway,
    Forbidden,
    GatewayTimeout,
    InsufficientScope,
    NotFound,
    ProblemError,
    Unauthenticated,
    Unavailable,
)
from services.shared.tokens import AccessToken

TLS = ssl.create_default_context()


class Told(BaseModel):
    """The result a test's tool promises."""

    word: str


def issuing(*, expires_in: int = 300) -> Script:
    numbers = count(1)
    return lambda _: Answer(body={"access_token": f"exchanged-{next(numbers)}", "expires_in": expires_in})


Tokens = Callable[[StandIn, list[tuple[AccessToken, str]]], list[str]]


def exchanged(server: StandIn, asked: list[tuple[AccessToken, str]]) -> list[str]:
    """The tokens one api gets, asking one after the other."""

    async def ask() -> list[str]:
        async with httpx.AsyncClient(verify=TLS) as http:
            exchange = an_exchange(server, http)
            return [await exchange.token(who, audience) for who, audience in asked]

    with start_blocking_portal() as portal:
        return portal.call(ask)


def an_exchange(server: StandIn, http: httpx.AsyncClient) -> TokenExchange:
    return TokenExchange(
        token_endpoint=f"{server.url}/token",
        client_id="api",
        client_secret="s3cret",
        first_scopes={},
        circuit=Circuit("identity provider", alive(http, server.url)),
        http=http,
    )


@asynccontextmanager
async def downstream(server: StandIn, *, patience: float = 10) -> AsyncIterator[Downstream]:
    """An MCP server as one api knows it."""
    clients = KeptClients()
    async with httpx.AsyncClient(verify=TLS) as http, httpx2.AsyncHTTPTransport(verify=TLS) as network:
        circuit = Circuit("ticketing service", alive(http, server.url))
        exchange = an_exchange(server, http)
        try:
            yield Downstream(
                "ticketing", f"{server.url}/mcp", exchange, clients, circuit, network=network, timeout=patience
            )
        finally:
            await clients.close()


def called(server: StandIn, *, repeatable: bool = False, patience: float = 10) -> Told:
    """What one call of a tool brings."""

    async def call() -> Told:
        async with downstream(server, patience=patience) as ticketing:
            return await McpServer(ticketing, a_caller()).change("tell", {}, Told, repeatable=repeatable)

    with start_blocking_portal() as portal:
        return portal.call(call)


def test_the_api_names_itself_the_caller_and_the_audience() -> None:
    with standing_in(issuing()) as server:
        assert exchanged(server, [(a_caller(), "http://tickets/mcp")]) == ["exchanged-1"]
    (request,) = server.asked("/token")
    assert request.headers["authorization"] == f"Basic {b64encode(b'api:s3cret').decode()}"
    assert parse_qs(request.body.decode(), strict_parsing=True) == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        "subject_token": ["token-of-j1"],
        "subject_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
        "requested_token_type": ["urn:ietf:params:oauth:token-type:access_token"],
        "resource": ["http://tickets/mcp"],
    }


def test_a_token_is_kept_for_its_caller_token_and_audience_and_for_nobody_else() -> None:
    one, two = a_caller("j1"), a_caller("j2")
    asked = [(one, "a"), (one, "a"), (one, "b"), (two, "a"), (one, "a"), (two, "a")]
    with standing_in(issuing()) as server:
        tokens = exchanged(server, asked)
    assert tokens == ["exchanged-1", "exchanged-1", "exchanged-2", "exchanged-3", "exchanged-1", "exchanged-3"]


def test_a_token_about_to_expire_is_not_handed_out_again() -> None:
    with standing_in(issuing(expires_in=5)) as server:
        assert exchanged(server, [(a_caller(), "a"), (a_caller(), "a")]) == ["exchanged-1", "exchanged-2"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(400, {"error": "invalid_grant", "error_description": "revoked"}), Unauthenticated),
        (Answer(400, {"error": "invalid_request"}), Unauthenticated),
        (Answer(400, {"error": "invalid_scope"}), InsufficientScope),
        (Answer(400, {"error": "invalid_target"}), BadGateway),
        (Answer(401, {"error": "invalid_client"}), BadGateway),
        (Answer(400, b"<html>"), BadGateway),
        (Answer(200, b"<html>"), BadGateway),
        (Answer(200, {"access_token": "x"}), BadGateway),
        (Answer(302, b"", {"Location": "/elsewhere"}), BadGateway),
        (Answer(500, b"oops"), Unavailable),
        (Answer(503, b""), Unavailable),
        (Answer(None), Unavailable),
    ],
)
def test_a_refusal_of_the_identity_provider_is_told_for_what_it_is(answer: Answer, problem: type[ProblemError]) -> None:
    with standing_in(lambda _: answer) as server, pytest.raises(problem) as raised:
        exchanged(server, [(a_caller(), "a")])
    assert type(raised.value) is problem
    assert "token-of" not in raised.value.detail
    assert "s3cret" not in raised.value.detail


def switched(server: StandIn) -> Issued:
    """What an api gets that asks for another organization of its caller."""

    async def ask() -> Issued:
        async with httpx.AsyncClient(verify=TLS) as http:
            return await an_exchange(server, http).switched(a_caller(), "http://api", "org_2")

    with start_blocking_portal() as portal:
        return portal.call(ask)


def test_another_organization_is_asked_for_by_its_id_each_time_anew() -> None:
    with standing_in(issuing()) as server:
        assert [switched(server).access_token for _ in range(2)] == ["exchanged-1", "exchanged-2"]
    asked = parse_qs(server.asked("/token")[0].body.decode(), strict_parsing=True)
    assert (asked["organization"], asked["resource"], asked["subject_token"]) == (
        ["org_2"], ["http://api"], ["token-of-j1"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(400, {"error": "invalid_target"}), NotFound),
        (Answer(400, {"error": "access_denied"}), Forbidden),
        (Answer(400, {"error": "invalid_request"}), Unauthenticated),
        (Answer(400, {"error": "unauthorized_client"}), BadGateway),
        (Answer(401, {"error": "access_denied"}), BadGateway),
        (Answer(400, b"<html>"), BadGateway),
        (Answer(200, b"<html>"), BadGateway),
        (Answer(302, b"", {"Location": "/elsewhere"}), BadGateway),
        (Answer(503, b""), Unavailable),
        (Answer(None), Unavailable),
    ],
)
def test_a_refusal_of_another_organization_is_told_for_what_it_is(answer: Answer, problem: type[ProblemError]) -> None:
    with standing_in(lambda _: answer) as server, pytest.raises(problem) as raised:
        switched(server)
    assert type(raised.value) is problem
    assert "token-of" not in raised.value.detail


def mcp(answer: Callable[[Received, dict[str, Any]], Answer]) -> Script:
    """An identity provider and an MCP server in one: ``answer`` gets the HTTP request and the JSON-RPC message."""
    issue = issuing()
    return lambda request: issue(request) if request.path == "/token" else answer(request, json.loads(request.body))


def result(message: dict[str, Any], structured: object, *, error: bool = False) -> Answer:
    content = {"content": [], "structuredContent": structured, "isError": error, "resultType": "complete"}
    return Answer(body={"jsonrpc": "2.0", "id": message["id"], "result": content})


def test_a_tool_is_called_with_the_exchanged_token_and_nothing_else() -> None:
    with standing_in(mcp(lambda _, message: result(message, {"word": "hello"}))) as server:
        assert called(server) == Told(word="hello")
    (request,) = server.asked("/mcp")
    assert request.headers["authorization"] == "Bearer exchanged-1"
    assert json.loads(request.body)["params"]["name"] == "tell"


def test_a_refused_token_is_exchanged_anew_once() -> None:
    """The server may have other keys than a moment ago: what was kept is then worth nothing."""

    def second_token_only(request: Received, message: dict[str, Any]) -> Answer:
        fresh = request.headers["authorization"] == "Bearer exchanged-2"
        return result(message, {"word": "again"}) if fresh else Answer(401, b"")

    with standing_in(mcp(second_token_only)) as server:
        assert called(server) == Told(word="again")
    assert len(server.asked("/token")) == 2


@pytest.mark.parametrize("failures", [1, 2])
def test_a_call_that_may_be_repeated_is_tried_again_when_there_is_no_answer(failures: int) -> None:
    attempts = count(1)

    def answer(_: Received, message: dict[str, Any]) -> Answer:
        return Answer(None) if next(attempts) <= failures else result(message, {"word": "at last"})

    with standing_in(mcp(answer)) as server:
        assert called(server, repeatable=True) == Told(word="at last")
    assert len(server.asked("/mcp")) == failures + 1


@pytest.mark.parametrize(("repeatable", "attempts"), [(True, 3), (False, 1)])
def test_nothing_is_tried_for_ever_and_what_may_not_be_repeated_only_once(repeatable: bool, attempts: int) -> None:
    with standing_in(mcp(lambda *_: Answer(None))) as server, pytest.raises(Unavailable, match="no answer"):
        called(server, repeatable=repeatable)
    assert len(server.asked("/mcp")) == attempts


def test_a_server_that_takes_too_long_is_told_apart_from_one_that_is_gone() -> None:
    over = threading.Event()

    def answer(_: Received, message: dict[str, Any]) -> Answer:
        over.wait()
        return result(message, {"word": "too late"})

    with standing_in(mcp(answer)) as server:
        try:
            with pytest.raises(GatewayTimeout, match=r"within 0\.2 seconds"):
                called(server, repeatable=True, patience=0.2)
        finally:
            over.set()
    assert len(server.asked("/mcp")) == 1


def test_calls_of_one_caller_at_the_same_time_do_not_take_each_others_failures() -> None:
    """They share a client, and MCP clients lose whose request it was that failed."""
    challenge = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="tickets:write"'}
    all_there = threading.Barrier(4)

    def answer(_: Received, message: dict[str, Any]) -> Answer:
        all_there.wait(timeout=10)
        match message["params"]["name"]:
            case "write":
                return Answer(403, b"", challenge)
            case "vanish":
                return Answer(None)
            case "break":
                return Answer(500, b"")
        return result(message, {"word": "fine"})

    async def call_all(server: StandIn) -> dict[str, str]:
        ended: dict[str, str] = {}
        async with downstream(server) as ticketing, anyio.create_task_group() as group:

            async def call(tool: str) -> None:
                try:
                    told = await McpServer(ticketing, a_caller()).change(tool, {}, Told)
                    ended[tool] = told.word
                except ProblemError as error:
                    ended[tool] = f"{error.code} {error.detail}"

            for tool in ("write", "vanish", "break", "tell"):
                group.start_soon(call, tool)
        return ended

    with standing_in(mcp(answer)) as server, start_blocking_portal() as portal:
        ended = portal.call(call_all, server)
    assert ended == {
        "write": "insufficient_scope The ticketing service needs a scope the token does not have.",
        "vanish": "unavailable The ticketing service cannot be reached now (no answer).",
        "break": "unavailable The ticketing service cannot be reached now (status 500).",
        "tell": "fine",
    }


def test_a_token_that_is_refused_again_is_not_tried_for_ever() -> None:
    with standing_in(mcp(lambda *_: Answer(401, b""))) as server, pytest.raises(BadGateway, match="status 401"):
        called(server)
    assert len(server.asked("/mcp")) == len(server.asked("/token")) == 2


def test_a_caller_whose_token_is_withdrawn_in_between_is_told_to_sign_in() -> None:
    issued: Iterator[Answer] = iter([issuing()(Received("", {}, b"")), Answer(400, {"error": "invalid_grant"})])
    refuse = Answer(401, b"")
    with (
        standing_in(lambda request: next(issued) if request.path == "/token" else refuse) as server,
        pytest.raises(Unauthenticated),
    ):
        called(server)


def test_a_missing_scope_is_named_as_the_server_names_it() -> None:
    challenge = 'Bearer error="insufficient_scope", scope="tickets:write tickets:read", resource_metadata="http://x"'
    answer = Answer(403, b"", {"WWW-Authenticate": challenge})
    with standing_in(mcp(lambda *_: answer)) as server, pytest.raises(InsufficientScope) as raised:
        called(server)
    challenge = raised.value.response().headers["WWW-Authenticate"]
    assert challenge == 'Bearer error="insufficient_scope", scope="tickets:write tickets:read"'


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(500, b"oops"), Unavailable),
        (Answer(503, b""), Unavailable),
        (Answer(None), Unavailable),
        (Answer(404, b"not here"), BadGateway),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), BadGateway),
        (Answer(200, b'{"jsonrpc": "2.0", "id"'), BadGateway),
        (Answer(200, b"data: {\n\n", {"Content-Type": "text/event-stream"}), BadGateway),
        (Answer(302, b"", {"Location": "http://localhost:1/"}), BadGateway),
    ],
)
def test_a_server_that_fails_or_talks_nonsense_is_no_failure_of_ours(
    answer: Answer, problem: type[ProblemError]
) -> None:
    with standing_in(mcp(lambda *_: answer)) as server, pytest.raises(ProblemError) as raised:
        called(server)
    assert type(raised.value) is problem


@pytest.mark.parametrize(
    ("structured", "error", "problem"),
    [
        ({"word": 1}, False, BadGateway),
        (None, False, BadGateway),
        ({"wrong": "shape"}, True, BadGateway),
        (None, True, BadGateway),
        ({"type": "t", "title": "t", "status": 418, "detail": "d", "code": "teapot"}, True, BadGateway),
        ({"type": "t", "title": "t", "status": 404, "detail": "None.", "code": "not_found"}, True, NotFound),
    ],
)
def test_a_result_is_what_was_promised_or_a_problem(structured: Any, error: bool, problem: type[ProblemError]) -> None:
    script = mcp(lambda _, message: result(message, structured, error=error))
    with standing_in(script) as server, pytest.raises(ProblemError) as raised:
        called(server)
    assert type(raised.value) is problem
