"""What both MCP servers are as resource servers: RFC 6750, RFC 9728, and MCP's step-up before a tool runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from scenarios.services.mcp_servers.wire import MODERN, Wire, tool_call

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
WireTo = Callable[[str], Wire]

READS = {"ticketing": ("search_tickets", "tickets:read"), "organizations": ("whoami", "orgs:read")}
BOTH = pytest.mark.parametrize("service", READS)
ERAS = pytest.mark.parametrize("era", [MODERN, "2025-11-25", "2025-06-18"])


def challenge(response: httpx.Response) -> dict[str, str]:
    header = response.headers["WWW-Authenticate"]
    assert header.startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


@BOTH
@ERAS
def test_without_a_token_the_answer_says_where_to_get_one_and_calls_nothing_wrong(
    wire_to: WireTo, service: str, era: str
) -> None:
    wire, (tool, scope) = wire_to(service), READS[service]
    response = wire.call(tool, token=None, era=era)
    assert response.status_code == 401
    assert challenge(response) == {
        "scope": scope,
        "resource_metadata": f"{wire.url}/.well-known/oauth-protected-resource/mcp",
    }


@BOTH
def test_other_credentials_count_as_none(wire_to: WireTo, service: str) -> None:
    response = wire_to(service).post({}, token=None, headers={"Authorization": "Basic YWxpY2U6c2VjcmV0"})
    assert response.status_code == 401
    assert "error" not in challenge(response)


@BOTH
@ERAS
@pytest.mark.parametrize("audience", ["api", "ticketing", "organizations"])
def test_a_token_is_valid_at_its_own_audience_only(
    wire_to: WireTo, as_user: AsUser, *, service: str, audience: str, era: str
) -> None:
    tool, _ = READS[service]
    response = wire_to(service).call(tool, token=as_user("alice").token(audience), era=era)
    if audience == service:
        assert "WWW-Authenticate" not in response.headers
    else:
        assert response.status_code == 401
        assert challenge(response)["error"] == "invalid_token"
        assert "resource_metadata" in challenge(response)


@BOTH
@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_invalid(wire_to: WireTo, service: str, token: str) -> None:
    response = wire_to(service).call(READS[service][0], token=token)
    assert response.status_code == 401
    assert challenge(response)["error"] == "invalid_token"


@BOTH
def test_a_token_in_the_query_is_not_looked_at(
    wire_to: WireTo, as_user: AsUser, service: str, nobody: httpx.Client
) -> None:
    token = as_user("alice").token(service)
    response = nobody.post(f"{wire_to(service).url}/mcp", params={"access_token": token}, json={})
    assert response.status_code == 401


@BOTH
@ERAS
def test_a_missing_scope_is_answered_with_403_that_names_it(
    wire_to: WireTo, as_user: AsUser, service: str, era: str
) -> None:
    wire, (tool, scope) = wire_to(service), READS[service]
    response = wire.call(tool, token=as_user("alice").token(service, scope="openid"), era=era)
    assert response.status_code == 403
    assert challenge(response) == {
        "error": "insufficient_scope",
        "error_description": f"{tool} needs {scope}",
        "scope": scope,
        "resource_metadata": f"{wire.url}/.well-known/oauth-protected-resource/mcp",
    }
    assert response.json()["error"] == "insufficient_scope"


@ERAS
def test_reading_does_not_include_writing_and_nothing_is_written(wire_to: WireTo, as_user: AsUser, era: str) -> None:
    alice = as_user("alice")
    before = alice.call_tool("ticketing", "search_tickets", limit=100)
    token = alice.token("ticketing", scope="openid tickets:read")
    response = wire_to("ticketing").call("create_ticket", {"title": "Not to be"}, token=token, era=era)
    assert response.status_code == 403
    assert challenge(response)["scope"] == "tickets:write"
    assert alice.call_tool("ticketing", "search_tickets", limit=100) == before


@pytest.mark.parametrize("era", [MODERN, "2025-11-25"])
def test_the_body_decides_which_scope_is_needed_whatever_the_headers_say(
    wire_to: WireTo, as_user: AsUser, era: str
) -> None:
    token = as_user("alice").token("ticketing", scope="openid tickets:read")
    message = tool_call("create_ticket", {"title": "Not to be"}, era=era)
    disguise = {"Mcp-Method": "tools/list", "Mcp-Name": "get_ticket"}
    response = wire_to("ticketing").post(message.body, token=token, headers={**message.headers, **disguise})
    assert response.status_code == 403


@pytest.mark.parametrize("era", [MODERN, "2025-11-25"])
def test_a_call_hidden_behind_a_repeated_name_or_in_a_batch_is_refused(
    wire_to: WireTo, as_user: AsUser, era: str
) -> None:
    alice = as_user("alice")
    before = alice.call_tool("ticketing", "search_tickets", limit=100)
    token = alice.token("ticketing", scope="openid tickets:read")
    message = tool_call("create_ticket", {"title": "Not to be"}, era=era)
    repeated = json.dumps(message.body).replace('"method"', '"method": "tools/list", "method"', 1).encode()
    for body, code in ((repeated, -32700), ([message.body], -32600)):
        response = wire_to("ticketing").post(body, token=token, headers=message.headers)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == code
    assert alice.call_tool("ticketing", "search_tickets", limit=100) == before


@BOTH
def test_the_metadata_names_the_resource_and_its_only_issuer(
    wire_to: WireTo, shared_stack: Stack, service: str, nobody: httpx.Client
) -> None:
    tool, scope = READS[service]
    metadata = nobody.get(challenge(wire_to(service).call(tool, token=None))["resource_metadata"]).json()
    assert metadata["resource"] == shared_stack.audience(service)
    assert metadata["authorization_servers"] == [shared_stack.url("idp")]
    assert scope in metadata["scopes_supported"]
    assert metadata["bearer_methods_supported"] == ["header"]


@pytest.mark.destructive
def test_a_key_is_believed_as_soon_as_it_signs_and_the_one_before_it_still(stack: Stack, nobody: httpx.Client) -> None:
    idp = stack.control("idp")

    def status(service: str, token: str) -> int:
        return Wire(stack.url(service), nobody).call(READS[service][0], token=token).status_code

    for service in READS:
        before = idp.mint(user="alice", audience=service)["token"]
        assert status(service, before) == 200
        idp.rotate_keys()
        after = idp.mint(user="alice", audience=service)["token"]
        assert jwt.get_unverified_header(after)["kid"] != jwt.get_unverified_header(before)["kid"]
        assert (status(service, after), status(service, before)) == (200, 200)


@BOTH
def test_a_page_on_another_site_cannot_reach_the_server_through_the_browser(
    wire_to: WireTo, as_user: AsUser, service: str
) -> None:
    token = as_user("alice").token(service)
    rebound = wire_to(service).post({}, token=token, headers={"Host": "attacker.example"})
    assert rebound.status_code == 421
    foreign = wire_to(service).post({}, token=token, headers={"Origin": "https://attacker.example"})
    assert foreign.status_code == 403
    assert "WWW-Authenticate" not in foreign.headers


@BOTH
def test_health_needs_no_token_and_proves_whose_server_it_is(
    shared_stack: Stack, service: str, nobody: httpx.Client
) -> None:
    response = nobody.get(f"{shared_stack.url(service)}/healthz")
    assert response.json() == {"status": "ok", "service": service, "instance": shared_stack.nonce}
