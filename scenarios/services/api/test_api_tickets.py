"""Tickets over REST: the same tickets, rights and errors as at the ticketing service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from harness.code_flow import tls
from scenarios.services.api.answers import refused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]
AsUser = Callable[[str], "Person"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/tickets"), ("GET", "/api/tickets/ACME-1"), ("POST", "/api/tickets")]
)
def test_nobody_gets_at_tickets_without_a_token(
    shared_stack: Stack, method: str, path: str, nobody: httpx.Client
) -> None:
    answer = nobody.request(method, shared_stack.url("api") + path, json={"title": "From nobody"})
    refused(answer, 401, "unauthenticated")


def test_a_ticket_is_the_one_the_ticketing_service_has(member: Member) -> None:
    alice = member("alice")
    answer = alice.api.get("/api/tickets/ACME-1")
    kept = alice.call_tool("ticketing", "get_ticket", key="ACME-1")
    assert answer.json() == {name: kept[name] for name in answer.json()}
    assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'


def test_another_organizations_ticket_looks_like_one_that_does_not_exist(member: Member) -> None:
    api = member("alice").api
    foreign = refused(api.get("/api/tickets/GLBX-1"), 404, "not_found")
    missing = refused(api.get("/api/tickets/GLBX-999"), 404, "not_found")
    assert foreign["detail"].replace("GLBX-1", "KEY") == missing["detail"].replace("GLBX-999", "KEY")


def test_a_requester_sees_only_what_she_reported(member: Member) -> None:
    rita = member("rita")
    me = rita.api.get("/api/me").json()["id"]
    page = rita.api.get("/api/tickets", params={"limit": 100}).json()
    assert page["total"] == len(page["items"]) > 0
    assert {ticket["reporterId"] for ticket in page["items"]} == {me}
    refused(rita.api.get("/api/tickets/ACME-4"), 404, "not_found")


def test_the_list_can_be_narrowed_by_words_and_by_status(member: Member) -> None:
    api = member("alice").api
    found = api.get("/api/tickets", params={"query": "VPN drops"}).json()
    assert [ticket["key"] for ticket in found["items"]] == ["ACME-1"]
    narrowed = api.get("/api/tickets", params={"status": ["pending", "in_progress"], "limit": 100}).json()
    assert {ticket["status"] for ticket in narrowed["items"]} == {"pending", "in_progress"}


def test_pages_add_up_and_the_last_change_comes_first(member: Member) -> None:
    api = member("alice").api
    first = api.get("/api/tickets", params={"limit": 100}).json()
    rest = api.get("/api/tickets", params={"limit": 100, "cursor": first["nextCursor"]}).json()
    items, cursor = [], None
    while True:
        page = api.get("/api/tickets", params={"limit": 15} | ({"cursor": cursor} if cursor else {})).json()
        assert page["total"] == first["total"] == 165
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert items == first["items"] + rest["items"]
    assert [ticket["updatedAt"] for ticket in items] == sorted((t["updatedAt"] for t in items), reverse=True)


def test_a_page_of_another_list_is_not_found(member: Member) -> None:
    api = member("alice").api
    cursor = api.get("/api/tickets", params={"limit": 1}).json()["nextCursor"]
    refused(api.get("/api/tickets", params={"cursor": cursor, "status": "open"}), 404, "not_found")
    refused(api.get("/api/tickets", params={"cursor": "made-up"}), 404, "not_found")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("limit=1_0", "query.limit"),
        ("limit=%205", "query.limit"),
        ("limit=5.0", "query.limit"),
        ("limit=" + "9" * 5000, "query.limit"),
        ("status=done", "query.status.0"),
        ("query=", "query.query"),
        ("query=a%00b", "query.query"),
        ("cursor=%2F", "query.cursor"),
        ("stauts=open", "query.stauts"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(member: Member, query: str, pointer: str) -> None:
    problem = refused(member("alice").api.get(f"/api/tickets?{query}"), 422, "invalid")
    assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]


@pytest.mark.parametrize("key", ["acme-1", "ACME", "ACME-0", "ACME-01", "ACME-1%0A", "%00", "ACME-1234567890"])
def test_a_key_that_cannot_be_one_is_invalid(member: Member, key: str) -> None:
    refused(member("alice").api.get(f"/api/tickets/{key}"), 422, "invalid")


def test_who_may_create_a_ticket_finds_it_where_the_answer_says(stack: Stack, as_user: AsUser) -> None:
    rita, alice, grace = as_user("rita"), as_user("alice"), as_user("grace")
    created = rita.api.post("/api/tickets", json={"title": "Kettle leaks", "labels": ["tea"], "priority": "high"})
    assert created.status_code == 201
    assert created.headers["Location"] == f"/api/tickets/{created.json()['key']}"
    assert created.headers["ETag"] == '"1"'
    assert created.json()["reporterId"] == rita.api.get("/api/me").json()["id"]
    assert (created.json()["type"], created.json()["description"]) == ("request", "")
    assert alice.api.get(created.headers["Location"]).json() == created.json()
    assert alice.api.get("/api/tickets").json()["items"][0] == created.json()
    refused(grace.api.get(created.headers["Location"]), 404, "not_found")

    refused(as_user("victor").api.post("/api/tickets", json={"title": "A viewer's wish"}), 403, "forbidden")
    with bearer(stack, alice.token("api", scope="openid tickets:read")) as reader:
        answer = reader.post("/api/tickets", json={"title": "Without the scope"})
        refused(answer, 403, "insufficient_scope")
        assert 'scope="tickets:write"' in answer.headers["WWW-Authenticate"]
    assert alice.api.get("/api/tickets").json()["items"][0] == created.json()


def test_text_of_every_kind_comes_back_as_it_was_sent(stack: Stack, as_user: AsUser) -> None:
    api = as_user("alice").api
    sent = {
        "title": "🚒" * 200,
        "description": "\u202eright\u202c\u200b\ufeff<script>\n\t" + "🚒" * 9_900,
        "labels": ["Ünïcödé", "%", "'; DROP TABLE tickets;--", "🚒" * 50],
    }
    created = api.post("/api/tickets", json=sent).json()
    assert {name: created[name] for name in sent} == sent
    assert api.get(f"/api/tickets/{created['key']}").json() == created


def bearer(stack: Stack, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=stack.url("api"), headers=headers, verify=tls(), timeout=30)
