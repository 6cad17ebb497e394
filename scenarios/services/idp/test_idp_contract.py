"""The OpenAPI document of the identity provider: complete, and kept under Schemathesis' fire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.routing import iter_route_contexts

from harness import contract
from scenarios.services.idp.conftest import Alone, Client

if TYPE_CHECKING:
    from harness.stack import Stack

SEED = 20261124


@pytest.mark.parametrize("seed", [SEED])
def test_schemathesis_finds_nothing(stack: Stack, seed: int) -> None:
    outcome = contract.fuzz_service(stack, "idp", seed=seed, max_examples=10, quiet=True)
    assert outcome.ok, outcome.output
    assert " 500" not in stack.log("idp")


def test_every_endpoint_is_in_the_document(alone: Alone) -> None:
    document = alone.http.get("/openapi.json").json()
    described = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    there = {
        (context.path, method)
        for context in iter_route_contexts(alone.app.routes)
        for method in getattr(context.original_route, "methods", None) or ()
    }
    hidden = {path or "" for path, _ in there - described}
    assert there & described == described
    assert {path for path in hidden if not path.startswith("/_sim")} == {"/openapi.json"}


def test_whoever_must_prove_something_is_described_with_it(alone: Alone) -> None:
    document = alone.http.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"].keys()
    operations = [each for item in document["paths"].values() for each in item.values()]
    used = {name for each in operations for need in each.get("security", ()) for name in need}
    assert used <= schemes


def test_each_tenant_is_described_as_a_server(alone: Alone) -> None:
    servers = alone.http.get("/openapi.json").json()["servers"]
    assert [server["url"] for server in servers] == ["/", "/t/{tenant}"]


def test_a_path_that_does_not_exist_says_so_in_json(idp: Client) -> None:
    response = idp.http.get("/nowhere")
    assert (response.status_code, response.json()["error"]) == (404, "not_found")
