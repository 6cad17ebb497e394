"""What a person has to approve runs once after they did, and never otherwise, in both protocol eras."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.exceptions import ToolError
from mcp import MCPError
from starlette.testclient import TestClient

from harness.mcp_client import McpClient
from scenarios.services.mcp_servers import vault
from scenarios.services.mcp_servers.serving import serving
from scenarios.services.mcp_servers.vault import Vault
from scenarios.services.mcp_servers.wire import Message, Wire, request
from services.shared.mcp import confirmation
from services.shared.mcp.tool import DESTROY, tool

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack
    from services.shared.mcp.server import ToolServer

AsUser = Callable[[str], "Person"]
Connect = Callable[..., McpClient]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
CAN_BE_ASKED: dict[str, Any] = {"elicitation": {"form": {}}}
YES = {"confirmation": {"action": "accept", "content": {"confirm": True}}}


@pytest.fixture
def kept() -> Vault:
    """Two letters."""
    return Vault({"letter", "postcard"})


@pytest.fixture
def server(kept: Vault, shared_stack: Stack) -> ToolServer:
    """The server of the vault, which takes tokens for ticketing."""
    return vault.server(kept, url=shared_stack.url("ticketing"), issuer=shared_stack.url("idp"))


@pytest.fixture
def url(server: ToolServer) -> Iterator[str]:
    """Where the vault is served."""
    with serving(server.app) as url:
        yield url


@pytest.fixture
def token(as_user: AsUser) -> str:
    """Alice's."""
    return as_user("alice").token("ticketing")


@pytest.fixture
def connect(url: str, token: str) -> Iterator[Connect]:
    """``connect("legacy", answer)``: FastMCP's client, in front of which somebody gives that answer."""
    opened: list[McpClient] = []

    def connected(mode: str, answer: Any, bearer: str = token) -> McpClient:
        async def person(message: str, *_: object) -> Any:
            asked.append(message)
            return await answer() if callable(answer) else answer

        handler = None if answer is None else person
        asked = list[str]()
        client = McpClient(Client(f"{url}/mcp", auth=bearer, mode=mode, elicitation_handler=handler))
        client.asked = asked  # type: ignore[attr-defined]
        opened.append(client)
        return client

    yield connected
    for client in opened:
        client.close()


@pytest.fixture
def wire(url: str, nobody: httpx.Client) -> Wire:
    """The vault over bare HTTP."""
    return Wire(url, nobody)


def call(
    arguments: Mapping[str, Any] | None = None,
    *,
    tool: str = "erase",
    state: str | None = None,
    answers: Mapping[str, Any] | None = None,
    capabilities: Mapping[str, Any] = CAN_BE_ASKED,
) -> Message:
    params: dict[str, Any] = {"name": tool, "arguments": arguments or {"name": "letter"}}
    params |= {} if state is None else {"requestState": state}
    params |= {} if answers is None else {"inputResponses": answers}
    return request("tools/call", params, capabilities=capabilities)


def asked_state(wire: Wire, token: str) -> str:
    result = wire.send(call(), token=token).json()["result"]
    assert result["resultType"] == "input_required"
    state: str = result["requestState"]
    return state


@ERAS
def test_an_approved_call_runs_once(connect: Connect, kept: Vault, mode: str) -> None:
    client = connect(mode, ElicitResult(action="accept", content={"confirm": True}))
    assert client.call_tool("erase", {"name": "letter"}).structured_content == {"name": "letter"}
    assert client.asked == ["Erase 'letter' for ever?"]
    assert [name for _, name in kept.erased] == ["letter"]


@ERAS
@pytest.mark.parametrize(
    "answer",
    [
        ElicitResult(action="decline"),
        ElicitResult(action="cancel"),
        ElicitResult(action="accept", content={"confirm": False}),
    ],
    ids=["declined", "cancelled", "not ticked"],
)
def test_a_call_that_is_not_approved_never_runs(connect: Connect, kept: Vault, mode: str, answer: Any) -> None:
    with pytest.raises(ToolError) as refused:
        connect(mode, answer).call_tool("erase", {"name": "letter"})
    assert json.loads(str(refused.value))["code"] == "declined"
    assert kept.erased == []


@ERAS
def test_nobody_is_asked_about_what_cannot_succeed(connect: Connect, mode: str) -> None:
    client = connect(mode, ElicitResult(action="accept", content={"confirm": True}))
    with pytest.raises(ToolError) as refused:
        client.call_tool("erase", {"name": "parcel"})
    assert json.loads(str(refused.value))["code"] == "not_found"
    assert client.asked == []


def test_a_client_of_an_era_before_that_cannot_ask_is_told_what_to_do(connect: Connect, kept: Vault) -> None:
    with pytest.raises(ToolError) as refused:
        connect("legacy", None).call_tool("erase", {"name": "letter"})
    problem = json.loads(str(refused.value))
    assert (problem["code"], problem["status"]) == ("confirmation_required", 428)
    assert "declares the capability elicitation" in problem["detail"]
    assert kept.erased == []


@pytest.mark.parametrize("declared", [{}, {"elicitation": {"url": {}}}], ids=["nothing", "pages only"])
def test_a_client_of_2026_07_28_that_cannot_ask_is_told_which_capability_it_needs(
    wire: Wire, token: str, kept: Vault, declared: dict[str, Any]
) -> None:
    answer = wire.send(call(capabilities=declared), token=token)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": CAN_BE_ASKED})
    assert "declare the capability elicitation" in error["message"]
    assert kept.erased == []


def test_fastmcps_client_shows_what_it_lacks(connect: Connect, kept: Vault) -> None:
    with pytest.raises(MCPError, match="declare the capability elicitation"):
        connect("auto", None).call_tool("erase", {"name": "letter"})
    assert kept.erased == []


@pytest.mark.parametrize("capability", [{}, {"form": {}}, {"form": {}, "url": {}}])
def test_whoever_can_fill_in_a_form_can_be_asked(wire: Wire, token: str, capability: dict[str, Any]) -> None:
    answer = wire.send(call(capabilities={"elicitation": capability}), token=token)
    assert answer.json()["result"]["resultType"] == "input_required"


def test_an_answer_to_what_was_never_asked_is_no_approval(wire: Wire, token: str, kept: Vault) -> None:
    result = wire.send(call(answers=YES), token=token).json()["result"]
    assert result["resultType"] == "input_required"
    assert kept.erased == []


def test_an_approval_is_used_up(wire: Wire, token: str, kept: Vault) -> None:
    state = asked_state(wire, token)
    assert wire.send(call(state=state, answers=YES), token=token).json()["result"]["isError"] is False
    again = wire.send(call(state=state, answers=YES), token=token).json()["result"]
    kept.kept.add("letter")
    replayed = wire.send(call(state=state, answers=YES), token=token).json()["result"]
    assert again["structuredContent"]["code"] == "not_found"
    assert replayed["resultType"] == "input_required"
    assert len(kept.erased) == 1


def test_a_no_is_not_turned_into_a_yes(wire: Wire, token: str, kept: Vault) -> None:
    state = asked_state(wire, token)
    no = {"confirmation": {"action": "decline"}}
    declined = wire.send(call(state=state, answers=no), token=token).json()["result"]
    assert declined["structuredContent"]["code"] == "declined"
    assert wire.send(call(state=state, answers=YES), token=token).json()["result"]["resultType"] == "input_required"
    assert kept.erased == []


@pytest.mark.parametrize(
    "other",
    [
        {"arguments": {"name": "postcard"}},
        {"arguments": {"name": "letter", "force": True}},
        {"tool": "shred"},
    ],
    ids=["arguments", "one argument more", "tool"],
)
def test_the_approval_of_another_call_is_worth_nothing(
    wire: Wire, token: str, kept: Vault, other: dict[str, Any]
) -> None:
    state = asked_state(wire, token)
    refused = wire.send(call(**other, state=state, answers=YES), token=token)
    assert refused.json()["error"]["code"] == -32602
    assert refused.json()["error"]["data"] == {"reason": "invalid_request_state"}
    assert kept.erased == []


@pytest.mark.parametrize("somebody", ["olivia", "grace"])
def test_the_approval_of_another_caller_is_worth_nothing(
    wire: Wire, token: str, as_user: AsUser, kept: Vault, somebody: str
) -> None:
    state = asked_state(wire, token)
    refused = wire.send(call(state=state, answers=YES), token=as_user(somebody).token("ticketing"))
    assert refused.json()["error"]["code"] == -32602
    assert kept.erased == []


def test_neither_is_that_of_the_same_person_in_another_organization(
    wire: Wire, shared_stack: Stack, kept: Vault
) -> None:
    def token(**claims: str) -> str:
        idp = shared_stack.control("idp")
        minted: str = idp.mint(user="alice", client="cli", audience="ticketing", claims=claims)["token"]
        return minted

    state = asked_state(wire, token())
    refused = wire.send(call(state=state, answers=YES), token=token(org_id="org_elsewhere"))
    assert refused.json()["error"]["code"] == -32602
    assert kept.erased == []
    assert wire.send(call(state=state, answers=YES), token=token()).json()["result"]["isError"] is False


@pytest.mark.parametrize("place", [0, 3, 5, 20, -1])
def test_a_state_that_was_tampered_with_is_refused(wire: Wire, token: str, kept: Vault, place: int) -> None:
    state = asked_state(wire, token)
    changed = "A" if state[place] != "A" else "B"
    forged = state[:place] + changed + (state[place + 1 :] if place != -1 else "")
    assert wire.send(call(state=forged, answers=YES), token=token).json()["error"]["code"] == -32602
    assert kept.erased == []


@pytest.mark.parametrize(
    "answers",
    [{}, {"other": YES["confirmation"]}, {"confirmation": {"action": "accept"}}],
    ids=["none", "of another question", "empty"],
)
def test_a_state_without_an_approval_is_none(wire: Wire, token: str, kept: Vault, answers: dict[str, Any]) -> None:
    state = asked_state(wire, token)
    result = wire.send(call(state=state, answers=answers), token=token).json()["result"]
    assert result["resultType"] == "input_required" or result["structuredContent"]["code"] == "declined"
    assert kept.erased == []


def test_who_approved_something_else_meanwhile_is_asked_again(wire: Wire, token: str, kept: Vault) -> None:
    """The question tells what will happen; when that has changed, the answer was to another question."""
    state = asked_state(wire, token)
    kept.shown = "until tomorrow"
    result = wire.send(call(state=state, answers=YES), token=token).json()["result"]
    asked = result["inputRequests"]["confirmation"]["params"]["message"]
    assert asked == "Erase 'letter' until tomorrow?"
    assert kept.erased == []


def test_in_the_eras_before_too_an_answer_to_what_has_changed_is_none(connect: Connect, kept: Vault) -> None:
    async def meanwhile(*_: object) -> Any:
        kept.shown = "until tomorrow"
        return ElicitResult(action="accept", content={"confirm": True})

    with pytest.raises(ToolError) as refused:
        connect("legacy", meanwhile).call_tool("erase", {"name": "letter"})
    assert json.loads(str(refused.value))["code"] == "conflict"
    assert kept.erased == []


def test_what_was_asked_before_a_restart_in_place_is_asked_again(server: ToolServer, token: str, kept: Vault) -> None:
    def send(client: TestClient, message: Message) -> Any:
        headers = {**message.headers, "Authorization": f"Bearer {token}"}
        return client.post("/mcp", json=message.body, headers=headers).json()

    with TestClient(server.app, base_url="http://localhost") as client:
        state = send(client, call())["result"]["requestState"]
    with TestClient(server.app, base_url="http://localhost") as client:
        refused = send(client, call(state=state, answers=YES))
        assert refused["error"]["data"] == {"reason": "invalid_request_state"}
        assert kept.erased == []
        state = send(client, call())["result"]["requestState"]
        assert send(client, call(state=state, answers=YES))["result"]["isError"] is False
    assert len(kept.erased) == 1


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question that is as good as over when it is asked."""
    monkeypatch.setattr(confirmation, "VALID_FOR_S", 1e-9)


@pytest.mark.usefixtures("hurried")
def test_an_approval_of_2026_07_28_that_comes_too_late_is_refused(kept: Vault, wire: Wire, token: str) -> None:
    refused = wire.send(call(state=asked_state(wire, token), answers=YES), token=token)
    assert refused.json()["error"]["data"] == {"reason": "invalid_request_state"}
    assert kept.erased == []


@pytest.mark.usefixtures("hurried")
def test_a_question_of_an_era_before_that_nobody_answers_does_not_stay_open(
    kept: Vault, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "MOST_OPEN", 1)
    for _ in range(2):
        with pytest.raises(ToolError) as refused:
            connect("legacy", anyio.sleep_forever).call_tool("erase", {"name": "letter"})
        problem = json.loads(str(refused.value))
        assert (problem["code"], problem["status"]) == ("confirmation_required", 428)
        assert "nobody answered" in problem["detail"]
    assert kept.erased == []


def test_an_approval_of_an_era_before_that_outlives_the_token_is_refused(
    kept: Vault, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late() -> ElicitResult[Any]:
        monkeypatch.setattr(confirmation, "time", SimpleNamespace(time=lambda: math.inf))
        return ElicitResult(action="accept", content={"confirm": True})

    with pytest.raises(ToolError) as refused:
        connect("legacy", late).call_tool("erase", {"name": "letter"})
    assert "came too late" in json.loads(str(refused.value))["detail"]
    assert kept.erased == []


def test_in_an_era_before_one_person_has_so_many_open_questions_and_another_their_own(
    kept: Vault, connect: Connect, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "MOST_OPEN", 2)
    kept.kept |= {"parcel", "stamp"}
    yes = ElicitResult(action="accept", content={"confirm": True})

    async def first() -> ElicitResult[Any]:
        connect("legacy", second).call_tool("erase", {"name": "stamp"})
        return yes

    async def second() -> ElicitResult[Any]:
        third = connect("legacy", yes)
        with pytest.raises(ToolError, match="2 questions to this person are open") as refused:
            third.call_tool("erase", {"name": "letter"})
        assert json.loads(str(refused.value))["code"] == "confirmation_required"
        assert third.asked == []
        connect("legacy", yes, as_user("olivia").token("ticketing")).call_tool("erase", {"name": "postcard"})
        return yes

    connect("legacy", first).call_tool("erase", {"name": "parcel"})
    connect("legacy", yes).call_tool("erase", {"name": "letter"})
    assert [name for _, name in kept.erased] == ["postcard", "stamp", "parcel", "letter"]


def test_what_destroys_something_cannot_be_declared_without_a_question() -> None:
    with pytest.raises(TypeError, match="asks a person first"):
        tool(scope="tickets:write", hints=DESTROY)
