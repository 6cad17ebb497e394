"""The contract as other people's programs read it, and the page on which people do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from harness import modules
from scenarios.services.idp.oracles.conftest import perform
from services.api.reference import prose

if TYPE_CHECKING:
    from harness.stack import Stack

WITHOUT = ["no-empty-servers"]
"""The document is served by what it describes: without servers, that is where it is (OpenAPI 3.1, OpenAPI Object)."""


@pytest.fixture(scope="module")
def document(shared_stack: Stack, nobody: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = nobody.get(shared_stack.url("api") + "/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def page(shared_stack: Stack, nobody: httpx.Client) -> httpx.Response:
    return nobody.get(shared_stack.url("api") + "/docs")


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["operationId"]: each for methods in document["paths"].values() for each in methods.values()}


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_a_linter_with_opinions_has_none_of_it(document: dict[str, Any]) -> None:
    modules.ensure(modules.ORACLES)
    assert perform("openapi.mjs", "lint", {"document": document, "off": WITHOUT})["problems"] == []


def test_the_linter_would_say_so(document: dict[str, Any]) -> None:
    modules.ensure(modules.ORACLES)
    worse = document | {"unheard-of": 1}
    found = perform("openapi.mjs", "lint", {"document": worse, "off": WITHOUT})["problems"]
    assert {problem["rule"] for problem in found} == {"struct"}


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, operation in operations(document).items():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
            for body in [schemas[each["$ref"].rpartition("/")[2]] for each in schema.get("oneOf", [])] or [schema]:
                assert body["examples"], name


def test_every_answer_is_described_in_words_of_its_own_and_statuses_go_up(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        said = {status: answer["description"] for status, answer in operation["responses"].items()}
        assert [status for status, words in said.items() if not words or words == "Successful Response"] == [], name
        assert list(said) == sorted(said), name
    assert operations(document)["getTicket"]["responses"]["200"]["description"] == "A ticket as it stands now."


def test_links_lead_from_what_is_made_to_what_can_be_done_with_it(document: dict[str, Any]) -> None:
    every = operations(document)
    for maker in ("createTicket", "inviteMember", "createTeam"):
        links = every[maker]["responses"]["201"]["links"]
        assert links
        for name, link in links.items():
            assert link["operationId"] == name
            taken = {parameter["name"] for parameter in every[name]["parameters"]}
            assert set(link["parameters"]) <= taken


def test_the_page_shows_every_operation_and_every_schema(document: dict[str, Any], page: httpx.Response) -> None:
    assert page.headers["Content-Type"].startswith("text/html")
    anchors = set(re.findall(r' id="([^"]+)"', page.text))
    assert anchors >= {*operations(document), *document["components"]["schemas"]}
    assert {target.removeprefix("#") for target in re.findall(r'href="(#[^"]+)"', page.text)} <= anchors


def test_the_page_shows_code_as_code_and_escapes_the_rest(page: httpx.Response) -> None:
    assert "<code>POST /api/session/organization</code>" in page.text
    assert [line for line in page.text.splitlines() if "`" in line and "^[" not in line] == []
    assert prose("`a < b` & <b>") == "<code>a &lt; b</code> &amp; &lt;b&gt;"


def test_the_page_needs_neither_scripts_nor_any_other_server(page: httpx.Response) -> None:
    assert re.findall(r'(?:src|href)="(?!#|/openapi\.json")[^"]*"|<script|@import|url\(', page.text) == []
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; frame-ancestors 'none'; base-uri 'none'",
        page.headers["Content-Security-Policy"],
    )
