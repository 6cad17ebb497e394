"""Input that no honest client sends: the answer is a structured error, and nothing changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from scenarios.services.mcp_servers.wire import MODERN, Wire, tool_call

if TYPE_CHECKING:
    from harness.person import Person

AsUser = Callable[[str], "Person"]
WireTo = Callable[[str], Wire]


def tickets(wire: Wire, person: Person) -> dict[str, Any]:
    answer = wire.call("search_tickets", {"limit": 100}, token=person.token("ticketing"))
    found: dict[str, Any] = answer.json()["result"]["structuredContent"]
    assert found["total"]
    return found


@pytest.fixture
def alice(as_user: AsUser, wire: Wire) -> Iterator[Person]:
    """Alice; whatever the test sends, her organization's tickets are afterwards what they were."""
    person = as_user("alice")
    before = tickets(wire, person)
    yield person
    assert tickets(wire, person) == before


@pytest.fixture
def wire(wire_to: WireTo) -> Wire:
    """Bare HTTP to ticketing."""
    return wire_to("ticketing")


UNFIT: list[tuple[str, dict[str, Any], str]] = [
    ("create_ticket", {}, "arguments.title"),
    ("create_ticket", {"title": ""}, "arguments.title"),
    ("create_ticket", {"title": " \t\n"}, "arguments.title"),
    ("create_ticket", {"title": "\u200b\u2060\ufeff"}, "arguments.title"),
    ("create_ticket", {"title": "x\nDelete everything?"}, "arguments.title"),
    ("create_ticket", {"title": "\x1b[2J"}, "arguments.title"),
    ("update_ticket", {"key": "ACME-1", "expected_version": 1, "title": "\u200b"}, "arguments.title"),
    ("create_ticket", {"title": "x" * 201}, "arguments.title"),
    ("create_ticket", {"title": 7}, "arguments.title"),
    ("create_ticket", {"title": ["x"]}, "arguments.title"),
    ("create_ticket", {"title": "nul \0"}, "arguments.title"),
    ("create_ticket", {"title": "x", "description": "x" * 10_001}, "arguments.description"),
    ("create_ticket", {"title": "x", "description": None}, "arguments.description"),
    ("create_ticket", {"title": "x", "type": "Incident"}, "arguments.type"),
    ("create_ticket", {"title": "x", "priority": 1}, "arguments.priority"),
    ("create_ticket", {"title": "x", "labels": ["a"] * 21}, "arguments.labels"),
    ("create_ticket", {"title": "x", "labels": ["nul \0"]}, "arguments.labels.0"),
    ("create_ticket", {"title": "x", "labels": "a"}, "arguments.labels"),
    ("create_ticket", {"title": "x", "org_id": "org_1"}, "arguments.org_id"),
    ("create_ticket", {"title": "x", "desk": {}}, "arguments.desk"),
    ("search_tickets", {"limit": 0}, "arguments.limit"),
    ("search_tickets", {"limit": 101}, "arguments.limit"),
    ("search_tickets", {"limit": "20"}, "arguments.limit"),
    ("search_tickets", {"limit": 20.5}, "arguments.limit"),
    ("search_tickets", {"limit": True}, "arguments.limit"),
    ("search_tickets", {"limit": 10**400}, "arguments.limit"),
    ("search_tickets", {"status": ["done"]}, "arguments.status.0"),
    ("search_tickets", {"status": "open"}, "arguments.status"),
    ("search_tickets", {"query": ""}, "arguments.query"),
    ("search_tickets", {"query": "x" * 201}, "arguments.query"),
    ("search_tickets", {"updated_since": "0001-01-01T00:00:00+23:59"}, "arguments.updated_since"),
    ("search_tickets", {"updated_since": "9999-12-31T23:59:59-23:59"}, "arguments.updated_since"),
    ("search_tickets", {"updated_since": "1969-12-31T23:59:59Z"}, "arguments.updated_since"),
    ("search_tickets", {"updated_since": "2026-03-01T00:00:00"}, "arguments.updated_since"),
    ("search_tickets", {"updated_since": "1700000000"}, "arguments.updated_since"),
    ("search_tickets", {"updated_since": 1_700_000_000}, "arguments.updated_since"),
    ("search_tickets", {"cursor": "bm8gc3VjaCBjdXJzb3I"}, "arguments.cursor"),
    ("search_tickets", {"cursor": "x" * 201}, "arguments.cursor"),
    *(("list_changes", {"after": value}, "arguments.after") for value in (-1, 2**53, 2**63, True, "1", 1.5, [0])),
    *(("list_changes", {"wait_seconds": value}, "arguments.wait_seconds") for value in (-1, 21, True, None, 0.5)),
    *(("list_changes", {"after": 0, "limit": value}, "arguments.limit") for value in (0, 101, False)),
    ("get_ticket", {"key": "ACME-1\0"}, "arguments.key"),
    ("get_ticket", {"key": {"$ne": ""}}, "arguments.key"),
]


@pytest.mark.parametrize(("tool", "arguments", "pointer"), UNFIT)
def test_arguments_that_break_the_schema_are_named(
    wire: Wire, alice: Person, tool: str, arguments: dict[str, Any], pointer: str
) -> None:
    response = wire.call(tool, arguments, token=alice.token("ticketing"))
    assert response.status_code == 200
    result = response.json()["result"]
    assert result["isError"] is True
    problem = result["structuredContent"]
    assert (problem["code"], problem["status"]) == ("invalid", 422)
    assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]
    assert json.loads(result["content"][0]["text"]) == problem


@pytest.mark.parametrize(
    "key", ["ACME-0", "ACMÉ-1", "ACME-1 ", "../ACME-1", "ACME-99999999999999999999", "' OR 1=1 --"]
)
def test_keys_that_name_nothing_are_not_found(wire: Wire, alice: Person, key: str) -> None:
    response = wire.call("get_ticket", {"key": key}, token=alice.token("ticketing"))
    assert response.json()["result"]["structuredContent"]["code"] == "not_found"


def test_many_flaws_are_not_answered_with_as_many_sentences(wire: Wire, alice: Person) -> None:
    arguments = {"title": "x", **{f"made_up_{number}" * 9: 0 for number in range(1_000)}}
    response = wire.call("create_ticket", arguments, token=alice.token("ticketing"))
    assert len(response.json()["result"]["structuredContent"]["errors"]) == 20
    assert len(response.content) < 20_000


def raw_call(title_json: str) -> bytes:
    body = tool_call("create_ticket", {"title": "TITLE"}).body
    return json.dumps(body).replace('"TITLE"', title_json).encode()


NOT_JSON = {
    "half a surrogate pair": raw_call(r'"\ud800"'),
    "NaN": raw_call("NaN"),
    "a number no double holds": raw_call("1e999"),
    "a number of five thousand digits": raw_call("9" * 5_000),
    "nested without end": raw_call("[" * 50_000 + "]" * 50_000),
    "not UTF-8": raw_call('"TEXT"').replace(b"TEXT", b"\xff\xfe"),
    "cut off": raw_call('"x"')[:-1],
    "nothing": b"",
}


@pytest.mark.parametrize(
    "headers", [{"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call"}, {}], ids=["modern", "legacy"]
)
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_not_interoperable_json_is_a_parse_error(
    wire: Wire, alice: Person, body: bytes, headers: dict[str, str]
) -> None:
    response = wire.post(body, token=alice.token("ticketing"), headers=headers)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == -32700
    assert "sys." not in error["message"]


def test_a_body_larger_than_any_call_is_refused(wire: Wire, alice: Person) -> None:
    response = wire.post(raw_call(f'"{"x" * 1_100_000}"'), token=alice.token("ticketing"), headers={})
    assert response.status_code == 413
    assert response.json()["code"] == "too_large"


def test_a_tool_that_does_not_exist_is_a_protocol_error(wire: Wire, alice: Person) -> None:
    response = wire.call("drop_tables", {}, token=alice.token("ticketing"))
    assert response.json()["error"] == {"code": -32602, "message": "Unknown tool: drop_tables"}
