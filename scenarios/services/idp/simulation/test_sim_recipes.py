"""The attack matrix: every recipe at every resource server gets the answer that RFC 6750, 9068 and 9728 ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.mcp_servers.wire import tool_call
from services.idp.simulation.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from harness.stack import Stack

SCOPES = {"ticketing": "tickets:read", "organizations": "orgs:read", "api": "tickets:read"}
CALLS = {"ticketing": "search_tickets", "organizations": "whoami"}


def asked(http: httpx.Client, stack: Stack, service: str, request: dict[str, Any]) -> httpx.Response:
    """A call that needs a scope, with the token brought along as the recipe has it."""
    told: dict[str, Any]
    usual: Mapping[str, str]
    if service == "api":
        method, url, usual, told = "GET", f"{stack.url('api')}/api/tickets", {}, {}
    else:
        message = tool_call(CALLS[service], {})
        method, url, usual, told = "POST", stack.audience(service), message.headers, {"json": message.body}
    if request["form"]:
        told = {"data": request["form"]}
    headers = [*usual.items(), *map(tuple, request["headers"])]
    return http.request(method, url, params=request["query"], headers=headers, **told)


def challenge(response: httpx.Response) -> dict[str, str] | None:
    """The parameters of the Bearer challenge; None where there is none."""
    headers = response.headers.get_list("WWW-Authenticate")
    assert len(headers) <= 1
    if not headers:
        return None
    assert re.match(r"Bearer( |$)", headers[0]), headers
    return dict(re.findall(r'(\w+)="([^"]*)"', headers[0]))


def status(response: httpx.Response) -> int:
    """Of the answer, or of the problem that a tool refused with (MCP answers its call with 200)."""
    if "jsonrpc" in response.text:
        problem = response.json().get("result", {}).get("structuredContent", {})
        return int(problem.get("status", 200)) if "code" in problem else response.status_code
    return response.status_code


def is_one_of(response: httpx.Response, recipe: Recipe, service: str, stack: Stack) -> bool:
    told = challenge(response)
    for outcome in recipe.outcomes:
        if (status(response), (told or {}).get("error")) != (outcome.status, outcome.error):
            continue
        if outcome.challenge != (told is not None):
            continue
        if outcome.status == 401 and service != "api":  # RFC 9728 §5.1
            assert told is not None
            expected = f"{stack.url(service)}/.well-known/oauth-protected-resource/mcp"
            assert told["resource_metadata"] == expected
        if outcome.error == "insufficient_scope":
            assert told is not None
            assert told["scope"] == SCOPES[service]
        return True
    return False


@pytest.mark.parametrize("service", SCOPES)
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_a_resource_server_answers_as_the_standards_say(
    shared_stack: Stack, nobody: httpx.Client, *, recipe: Recipe, service: str
) -> None:
    minted = shared_stack.control("idp").recipe(recipe.name, user="alice", audience=service)
    response = asked(nobody, shared_stack, service, minted["request"])
    assert is_one_of(response, recipe, service, shared_stack), (
        f"{response.status_code} {response.headers.get('WWW-Authenticate')}\n{response.text[:500]}\n"
        f"expected {' or '.join(map(str, recipe.outcomes))}"
    )
    assert minted["token"][:40] not in response.text


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.outcomes[0].status == 401])
def test_the_provider_itself_takes_no_forged_token(shared_stack: Stack, nobody: httpx.Client, name: str) -> None:
    minted = shared_stack.control("idp").recipe(name, user="alice", audience="api", scopes=["openid", "profile"])
    request = minted["request"]
    told: dict[str, Any] = {"data": request["form"]} if request["form"] else {}
    response = nobody.request(
        "POST", f"{shared_stack.url('idp')}/userinfo", params=request["query"], headers=request["headers"], **told
    )
    assert response.status_code == 401, response.text


def test_every_recipe_is_told_with_what_must_come_of_it(shared_stack: Stack) -> None:
    listed = {recipe["name"]: recipe for recipe in shared_stack.control("idp").recipes()}
    assert list(listed) == list(RECIPES)
    assert listed["expired"]["expect"] == [{"status": 401, "error": "invalid_token", "challenge": True}]
