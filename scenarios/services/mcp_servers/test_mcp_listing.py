"""What both servers say of their tools, resources and prompts, and that it is enforced."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import BaseModel

from harness.topology import ROOT, SNAPSHOTS
from scenarios.services.mcp_servers import vault
from scenarios.services.mcp_servers.serving import serving
from scenarios.services.mcp_servers.vault import Vault
from scenarios.services.mcp_servers.wire import Wire, request
from services.shared.mcp import server as server_module
from services.shared.mcp import snapshot

if TYPE_CHECKING:
    from harness.mcp_client import McpClient
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
WireTo = Callable[[str], Wire]
Connect = Callable[..., "McpClient"]
Parts = Mapping[str, Mapping[str, Any]]

BOTH = pytest.mark.parametrize("service", ["ticketing", "organizations"])
LISTS = ("tools", "resources", "resource_templates", "prompts")


def told(part: BaseModel) -> Mapping[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)


def listed(client: McpClient) -> dict[str, list[Mapping[str, Any]]]:
    return {kind: [told(part) for part in getattr(client, f"list_{kind}")()] for kind in LISTS}


def kept(service: str) -> Parts:
    folder = ROOT / SNAPSHOTS / service
    files = (path for path in folder.rglob("*.json"))
    return {str(Path(path).relative_to(folder)): json.loads(path.read_text(encoding="utf-8")) for path in files}


@BOTH
def test_what_is_listed_is_what_was_agreed_on(mcp_client: Connect, service: str) -> None:
    """Changed on purpose? `python -m harness generate` writes the snapshots; read the difference before you commit."""
    now = listed(mcp_client(service, "alice"))
    parts: dict[str, Any] = {
        **snapshot.parts("tools", now["tools"]),
        **snapshot.parts("resources", now["resources"]),
        **snapshot.parts("templates", now["resource_templates"]),
        **snapshot.parts("prompts", now["prompts"]),
    }
    agreed = kept(service)
    assert parts.keys() == agreed.keys()
    for path, part in parts.items():
        assert part == agreed[path], path


@BOTH
def test_the_lists_are_the_same_in_both_eras_for_whoever_asks_however_often(mcp_client: Connect, service: str) -> None:
    everything = listed(mcp_client(service, "alice"))
    for username, mode, scope in (
        ("alice", "auto", None),
        ("alice", "legacy", None),
        ("victor", "auto", "openid"),
        ("grace", "legacy", "openid"),
    ):
        assert listed(mcp_client(service, username, mode=mode, scope=scope)) == everything, (username, mode)


def schemas(schema: object, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema of an object in it, with where it stands."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for name, member in schema.items():
            yield from schemas(member, f"{path}/{name}")
    elif isinstance(schema, list):
        for place, member in enumerate(schema):
            yield from schemas(member, f"{path}/{place}")


@BOTH
def test_every_tool_says_what_it_takes_gives_and_does(mcp_client: Connect, service: str) -> None:
    for tool in listed(mcp_client(service, "alice"))["tools"]:
        name = tool["name"]
        assert tool["title"], name
        assert tool["description"], name
        assert tool["icons"], name
        assert not {"desk", "org_id", "organization", "organization_id"} & set(tool["inputSchema"]["properties"]), name
        for side in ("inputSchema", "outputSchema"):
            assert tool[side]["type"] == "object", name
            assert len(list(schemas(tool[side]))) >= {"inputSchema": 1, "outputSchema": 3}[side], name
            for place, schema in schemas(tool[side]):
                if "anyOf" in schema:  # each of which is asked for itself
                    continue
                assert schema["additionalProperties"] is False, f"{name}: {side}{place}"
        hints = tool["annotations"]
        assert hints.keys() == {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}, name
        assert hints["openWorldHint"] is False, name
        if hints["readOnlyHint"]:
            assert (hints["destructiveHint"], hints["idempotentHint"]) == (False, True), name


@BOTH
def test_everything_else_says_what_it_is(mcp_client: Connect, service: str) -> None:
    now = listed(mcp_client(service, "alice"))
    for part in (*now["resources"], *now["resource_templates"], *now["prompts"]):
        assert part["title"], part["name"]
        assert part["description"], part["name"]
        assert part["icons"], part["name"]
        assert all(argument["description"] for argument in part.get("arguments", [])), part["name"]
        assert "uri" not in part or part["mimeType"]


@BOTH
def test_no_tool_can_be_called_without_a_scope_and_only_those_that_read_with_one_to_read(
    mcp_client: Connect, wire_to: WireTo, as_user: AsUser, service: str
) -> None:
    unscoped = as_user("olivia").token(service, scope="openid")
    for tool in listed(mcp_client(service, "olivia"))["tools"]:
        refused = wire_to(service).call(tool["name"], token=unscoped)
        assert refused.status_code == 403, tool["name"]
        reads = ':read"' in refused.headers["WWW-Authenticate"]
        assert reads is tool["annotations"]["readOnlyHint"], tool["name"]


@pytest.mark.parametrize("method", ["tools/list", "resources/list", "resources/templates/list", "prompts/list"])
@BOTH
def test_a_cursor_that_no_list_gave_is_invalid(wire_to: WireTo, as_user: AsUser, service: str, method: str) -> None:
    token = as_user("alice").token(service)
    refused = wire_to(service).send(request(method, {"cursor": "bm8gc3VjaA"}), token=token)
    assert refused.json()["error"]["code"] == -32602


def test_a_long_list_comes_in_pages_and_is_whole(
    shared_stack: Stack, nobody: httpx.Client, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "PAGE", 3)
    many = [
        dataclasses.replace(vault.erase, function=renamed(f"tool_{number:03}"), confirm=None) for number in range(7)
    ]
    server = vault.server(Vault(set()), url=shared_stack.url("ticketing"), issuer=shared_stack.url("idp"), tools=many)
    token, names, cursor = as_user("alice").token("ticketing"), list[str](), dict[str, Any]()
    with serving(server.app) as url:
        for size in (3, 3, 1):
            page = Wire(url, nobody).send(request("tools/list", cursor), token=token).json()["result"]
            assert len(page["tools"]) == size
            names += [tool["name"] for tool in page["tools"]]
            cursor = {"cursor": page.get("nextCursor")}
    assert cursor == {"cursor": None}
    assert names == [tool.name for tool in many]


def renamed(name: str) -> Callable[..., vault.ErasedView]:
    def tool() -> vault.ErasedView:
        """Do nothing."""
        return vault.ErasedView(name=name)

    tool.__name__ = name
    return tool
