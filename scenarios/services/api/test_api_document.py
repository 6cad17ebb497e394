"""What the api promises in its document, and at the edges of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.api.answers import refused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]


@pytest.fixture(scope="module")
def document(shared_stack: Stack, nobody: httpx.Client) -> dict[str, Any]:
    answer = nobody.get(shared_stack.url("api") + "/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        operation["operationId"]: operation for methods in document["paths"].values() for operation in methods.values()
    }


def test_the_operations_have_the_names_clients_use(document: dict[str, Any]) -> None:
    assert set(operations(document)) == {
        *("getMe", "listOrganizations", "getOrganization", "acceptInvitation", "switchOrganization"),
        *("listMembers", "inviteMember", "getMember", "updateMember", "deactivateMember"),
        *("listTeams", "createTeam", "getTeam", "addTeamMember", "removeTeamMember"),
        *("listTickets", "getTicketStats", "createTicket", "getTicket", "updateTicket", "assignTicket", "deleteTicket"),
        *("listTransitions", "transitionTicket", "listComments", "createComment", "getTicketHistory"),
        *("streamEvents", "getAssistant", "chat", "listConversations", "getConversation", "deleteConversation"),
    }


def test_every_operation_needs_a_bearer_token_and_says_how_it_may_fail(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for operation in operations(document).values():
        assert operation["security"] == [{"bearer": []}]
        assert {"401", "403", "502", "503"} <= set(operation["responses"])
        failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in failures.values())
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(operation["responses"])


def test_the_events_of_a_chat_are_one_named_union(document: dict[str, Any]) -> None:
    stream = operations(document)["chat"]["responses"]["200"]["content"]["text/event-stream"]
    data = stream["schema"]["properties"]["data"]
    assert data["contentSchema"] == {"$ref": "#/components/schemas/ChatEvent"}
    union = document["components"]["schemas"]["ChatEvent"]
    assert union["discriminator"]["propertyName"] == "type"
    assert len(union["oneOf"]) == len(union["discriminator"]["mapping"]) == 10


def test_the_events_of_a_stream_are_objects_in_it(document: dict[str, Any]) -> None:
    """They were told to be texts besides, so that no event fitted."""
    stream = operations(document)["streamEvents"]["responses"]["200"]["content"]["text/event-stream"]
    data = stream["schema"]["properties"]["data"]
    assert data["contentSchema"] == {"$ref": "#/components/schemas/Event"}


def test_a_query_has_no_default_that_cannot_be_written(document: dict[str, Any]) -> None:
    """Such as an empty list."""
    for name, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            assert parameter["schema"].get("default") not in ([], {}, ""), f"{name} {parameter['name']}"


def test_what_may_be_sent_is_bounded_and_of_a_known_form(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        body = operation.get("requestBody", {}).get("content", {}).values()
        for part in _parts([operation.get("parameters", []), *body], document):
            if part.get("type") == "integer":
                assert {"minimum", "maximum"} <= part.keys(), name
            if part.get("type") == "object":
                assert part["properties"], name
                assert part["additionalProperties"] is False, name


def _parts(schema: Any, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All schemas in one, those it names included."""
    if isinstance(schema, list):
        for each in schema:
            yield from _parts(each, document)
    elif isinstance(schema, dict):
        yield schema
        if "$ref" in schema:
            yield from _parts(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
        for each in schema.values():
            yield from _parts(each, document)


def test_answers_have_no_optional_fields(document: dict[str, Any]) -> None:
    for name in ("Ticket", "TicketPage", "HistoryEntry", "NewComment", "Me", "MemberPage", "Team", "Assistant"):
        schema = document["components"]["schemas"][name]
        assert set(schema["required"]) == set(schema["properties"]), name


@pytest.mark.parametrize("path", ["/api/tickets/", "/api/me/", "/api", "/docs/", "/redoc", "/api/tickets/ACME-1/x"])
def test_an_unknown_path_is_not_found_and_redirects_nowhere(
    shared_stack: Stack, path: str, nobody: httpx.Client
) -> None:
    refused(nobody.get(shared_stack.url("api") + path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/tickets", "GET, POST"),
        ("PUT", "/api/tickets/ACME-1", "DELETE, GET, PATCH"),
        ("PATCH", "/api/tickets/ACME-1/comments", "GET, POST"),
        ("DELETE", "/api/tickets/stats", "GET"),
        ("GET", "/api/chat", "POST"),
        ("OPTIONS", "/api/tickets", "GET, POST"),
        ("QUERY", "/api/me", "GET"),
    ],
)
def test_a_wrong_method_is_told_all_right_ones(
    shared_stack: Stack, method: str, path: str, allowed: str, nobody: httpx.Client
) -> None:
    answer = nobody.request(method, shared_stack.url("api") + path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


def test_health_tells_whose_server_this_is(shared_stack: Stack, nobody: httpx.Client) -> None:
    answer = nobody.get(shared_stack.url("api") + "/healthz")
    assert answer.json() == {"status": "ok", "service": "api", "instance": shared_stack.nonce}
    assert nobody.get(shared_stack.url("api") + "/favicon.ico").status_code == 204


def test_pages_of_the_interface_may_call(shared_stack: Stack, member: Member, nobody: httpx.Client) -> None:
    origin = shared_stack.url("ui")
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = nobody.options(shared_stack.url("api") + "/api/chat", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    answer = member("alice").api.get("/api/tickets/ACME-1", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


def test_pages_of_the_interface_may_send_all_that_the_document_describes(
    shared_stack: Stack, document: dict[str, Any], nobody: httpx.Client
) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"]
            asked = {
                "Origin": shared_stack.url("ui"),
                "Access-Control-Request-Method": method.upper(),
                "Access-Control-Request-Headers": ",".join(["authorization", *named]).lower(),
            }
            preflight = nobody.options(shared_stack.url("api") + path, headers=asked)
            assert (preflight.status_code, preflight.text) == (200, "OK"), operation["operationId"]


def test_a_refusal_can_be_read_by_the_interface_too(shared_stack: Stack, member: Member, nobody: httpx.Client) -> None:
    origin = {"Origin": shared_stack.url("ui")}
    for answer in (
        nobody.get(shared_stack.url("api") + "/api/me", headers=origin),
        member("alice").api.get("/api/tickets/ACME-999", headers=origin),
        member("alice").api.post(
            "/api/tickets", content=b" " * 300_000, headers=origin | {"Content-Type": "application/json"}
        ),
    ):
        assert answer.is_client_error
        assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost", "null", "http://localhost.evil.example"])
def test_other_pages_may_not_call(shared_stack: Stack, member: Member, origin: str, nobody: httpx.Client) -> None:
    answer = member("alice").api.get("/api/me", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    preflight = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = nobody.options(shared_stack.url("api") + "/api/me", headers=preflight)
    assert answer.status_code == 400
    assert "Access-Control-Allow-Origin" not in answer.headers
