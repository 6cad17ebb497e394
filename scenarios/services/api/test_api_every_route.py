"""What holds for every operation of the document, whichever it is: a new one is held to it from its first day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.api.answers import refused
from scenarios.services.api.raw import Raw
from services.api.app import create_app

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]

IN_PATHS = {"key": "ACME-1", "id": "usr_1", "member_id": "usr_1"}
JSON = {"Content-Type": "application/json"}
HOSTILE = {
    "NaN": b'{"title": NaN}',
    "beyond a double": b'{"title": 1e999}',
    "half a surrogate pair": b'{"title": "\\ud800"}',
    "a repeated name": b'{"title": "a", "title": "b"}',
    "nested 100000 deep": b"[" * 100_000 + b"]" * 100_000,
    "not UTF-8": b'{"title": "\xff"}',
    "cut off": b'{"title": "a',
}

DOCUMENT = create_app().openapi()
OPERATIONS = {
    operation["operationId"]: (method.upper(), path.format_map(IN_PATHS), "requestBody" in operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
SINGLE = [
    (method.upper(), path.format_map(IN_PATHS), parameter["name"])
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    for parameter in operation.get("parameters", ())
    if parameter["in"] == "header" and parameter["name"] != "If-None-Match"
]
"""Headers with one value."""
EVERY = pytest.mark.parametrize(("method", "path", "takes_body"), OPERATIONS.values(), ids=OPERATIONS)
WITH_BODY = pytest.mark.parametrize(
    ("method", "path"),
    [told[:2] for told in OPERATIONS.values() if told[2]],
    ids=[n for n in OPERATIONS if OPERATIONS[n][2]],
)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_changed(member: Member) -> Iterator[None]:
    """Nothing that is refused here leaves a trace."""

    def world() -> list[Any]:
        api = member("olivia").api
        lists = ("/api/tickets", "/api/members", "/api/teams", "/api/tickets/ACME-1/history")
        return [api.get(f"{each}?limit=100").json() for each in lists]

    before = world()
    yield
    assert world() == before


@EVERY
def test_nobody_gets_in_without_a_token(
    shared_stack: Stack, nobody: httpx.Client, method: str, path: str, takes_body: bool
) -> None:
    body = {"message": "hello"} if takes_body else None
    refused(nobody.request(method, shared_stack.url("api") + path, json=body), 401, "unauthenticated")


@EVERY
def test_nobody_gets_in_who_is_in_no_organization(
    shared_stack: Stack, nobody: httpx.Client, method: str, path: str, takes_body: bool
) -> None:
    """Such as a program with a token of its own, whatever its scopes."""
    told = {"user": "alice", "audience": "api", "scopes": ["tickets:read", "orgs:read"]}
    token = shared_stack.control("idp").mint(**told, drop=["org_id"])["token"]
    body = {"message": "hello"} if path == "/api/chat" else {}
    answer = nobody.request(
        method,
        shared_stack.url("api") + path,
        json=body if takes_body else None,
        headers={"Authorization": f"Bearer {token}", "If-Match": '"1"'},
    )
    assert refused(answer, 403, "forbidden")["detail"].startswith("The token is about no organization")


@pytest.mark.parametrize(("method", "path", "name"), SINGLE)
def test_a_header_of_one_value_is_told_once(member: Member, method: str, path: str, name: str) -> None:
    for values in (('"1"', '"2"'), ('"1"', '"1"'), ("", '"1"')):
        answer = Raw(b"{}").sent(member("olivia"), method, path, *((name, value) for value in values))
        [flaw] = refused(answer, 422, "invalid")["errors"]
        assert (flaw["pointer"], flaw["detail"]) == (f"header.{name}", "Give it once.")


def test_every_header_of_one_value_is_known_here() -> None:
    assert {name for _, _, name in SINGLE} == {"If-Match", "Idempotency-Key", "Last-Event-ID"}


@EVERY
def test_a_parameter_nobody_knows_is_refused(member: Member, method: str, path: str, takes_body: bool) -> None:
    answer = member("olivia").api.request(method, f"{path}?unheardOf=1", json={} if takes_body else None)
    assert {"query.unheardOf"} <= {flaw["pointer"] for flaw in refused(answer, 422, "invalid")["errors"]}


@WITH_BODY
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_json_that_readers_could_disagree_about_is_malformed(
    member: Member, method: str, path: str, body: bytes
) -> None:
    refused(member("olivia").api.request(method, path, content=body, headers=JSON), 400, "malformed")


@WITH_BODY
def test_a_body_is_json_and_says_so_and_ends(member: Member, method: str, path: str) -> None:
    api = member("olivia").api
    plain = api.request(method, path, content=b"{}", headers={"Content-Type": "text/plain"})
    refused(plain, 415, "unsupported_media_type")
    refused(api.request(method, path, content=b" " * 300_000, headers=JSON), 413, "too_large")


@WITH_BODY
@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b'{"unheardOf": 1}'])
def test_a_body_of_another_shape_is_invalid(member: Member, method: str, path: str, body: bytes) -> None:
    headers = JSON | {"If-Match": '"1"'}
    refused(member("olivia").api.request(method, path, content=body, headers=headers), 422, "invalid")
