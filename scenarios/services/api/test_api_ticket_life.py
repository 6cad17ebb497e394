"""What becomes of a ticket through the REST interface: changes, transitions, comments, history, the end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.api.answers import refused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
Member = Callable[[str], "Person"]


def opened(person: Person, **told: Any) -> dict[str, Any]:
    """A new ticket."""
    answer = person.api.post("/api/tickets", json={"title": "The lift is stuck"} | told)
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


def at(ticket: dict[str, Any]) -> str:
    return f"/api/tickets/{ticket['key']}"


def version(ticket: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{ticket["version"]}"'}


def changed(answer: httpx.Response) -> dict[str, Any]:
    """The thing as it is after a change, whose entity tag must be of that version."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"{found["version"]}"'
    return found


def test_what_is_said_of_a_ticket_changes_for_everybody_at_once(stack: Stack, as_user: AsUser) -> None:
    alice, rita = as_user("alice"), as_user("rita")
    ticket = opened(rita, labels=["lift"])
    after = changed(
        alice.api.patch(at(ticket), json={"priority": "urgent", "labels": ["Lift", "floor 3"]}, headers=version(ticket))
    )
    assert (after["priority"], after["labels"], after["title"]) == ("urgent", ["Lift", "floor 3"], ticket["title"])
    assert after["version"] == ticket["version"] + 1
    assert rita.api.get(at(ticket)).json() == after
    assert alice.call_tool("ticketing", "get_ticket", key=ticket["key"])["priority"] == "urgent"


def test_who_read_an_older_version_changes_nothing(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    ticket = opened(alice)
    second = changed(alice.api.patch(at(ticket), json={"title": "The lift hums"}, headers=version(ticket)))
    for answer in (
        alice.api.patch(at(ticket), json={"title": "Nothing"}, headers=version(ticket)),
        alice.api.put(f"{at(ticket)}/assignee", json={"assigneeId": None}, headers=version(ticket)),
        alice.api.post(f"{at(ticket)}/transitions", json={"to": "in_progress"}, headers=version(ticket)),
        as_user("olivia").api.delete(at(ticket), headers=version(ticket)),
    ):
        refused(answer, 412, "stale")
    assert alice.api.get(at(ticket)).json() == second


def test_a_change_must_name_the_version_that_was_read(member: Member) -> None:
    alice = member("alice")
    before = alice.api.get("/api/tickets/ACME-1").json()
    for method, path, body in (
        ("PATCH", "", {"title": "Lost update"}),
        ("PUT", "/assignee", {"assigneeId": None}),
        ("DELETE", "", None),
    ):
        answer = alice.api.request(method, f"/api/tickets/ACME-1{path}", json=body)
        refused(answer, 428, "precondition_required")
    assert alice.api.get("/api/tickets/ACME-1").json() == before


@pytest.mark.parametrize("named", ["1", 'W/"1"', '"1", "2"', '"01"', '"x"', '""', "é", '"9999999999"'])
def test_what_was_never_told_as_a_version_matches_nothing(member: Member, named: str) -> None:
    answer = member("olivia").api.delete("/api/tickets/ACME-1", headers={b"If-Match": named.encode()})
    refused(answer, 412, "stale")


def test_any_version_is_none_that_was_read(member: Member) -> None:
    """``*`` would let somebody overwrite what they never saw."""
    answer = member("olivia").api.delete("/api/tickets/ACME-1", headers={"If-Match": "*"})
    refused(answer, 428, "precondition_required")


def test_of_two_who_change_the_same_version_exactly_one_does(stack: Stack, as_user: AsUser) -> None:
    people = [as_user("alice"), as_user("adam"), as_user("olivia")]
    ticket = opened(people[0])

    def change(person: Person) -> int:
        answer = person.api.patch(at(ticket), json={"title": person.username}, headers=version(ticket))
        return answer.status_code

    with ThreadPoolExecutor(len(people)) as pool:
        assert sorted(pool.map(change, people)) == [200, 412, 412]
    assert people[0].api.get(at(ticket)).json()["version"] == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "body"),
        ({"title": None}, "body.title"),
        ({"title": " "}, "body.title"),
        ({"status": "resolved"}, "body.status"),
        ({"labels": "lift"}, "body.labels"),
        ({"version": 7}, "body.version"),
    ],
)
def test_a_change_that_does_not_fit_is_named(member: Member, body: dict[str, Any], pointer: str) -> None:
    answer = member("alice").api.patch("/api/tickets/ACME-1", json=body, headers={"If-Match": '"1"'})
    assert [flaw["pointer"] for flaw in refused(answer, 422, "invalid")["errors"]] == [pointer]


def test_a_ticket_goes_its_way_and_tells_what_is_possible(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    ticket = opened(alice)
    ways = alice.api.get(f"{at(ticket)}/transitions").json()
    assert (ways["key"], ways["status"], ways["version"]) == (ticket["key"], "open", 1)
    assert {"to": "resolved", "requires": ["resolution"]} in ways["transitions"]

    settled = {"to": "resolved", "resolution": "Oiled it.", "comment": "Please try."}
    resolved = changed(alice.api.post(f"{at(ticket)}/transitions", json=settled, headers=version(ticket)))
    assert (resolved["status"], resolved["resolution"], resolved["statusCategory"]) == ("resolved", "Oiled it.", "done")
    assert alice.api.get(f"{at(ticket)}/comments").json()["items"][0]["body"] == "Please try."
    problem = refused(alice.api.post(f"{at(ticket)}/transitions", json={"to": "pending"}), 409, "conflict")
    assert "open, closed" in problem["detail"]
    problem = refused(alice.api.patch(at(ticket), json={"priority": "low"}, headers=version(resolved)), 409, "conflict")
    assert problem["errors"] == [{"pointer": "body.priority", "detail": problem["detail"]}]
    reopened = changed(alice.api.post(f"{at(ticket)}/transitions", json={"to": "open"}))
    assert (reopened["resolution"], reopened["resolvedAt"]) == (None, None)


@pytest.mark.parametrize(
    "body",
    [{"to": "resolved"}, {"to": "closed", "resolution": "x"}, {"to": "done"}, {}, {"to": "open", "comment": None}],
)
def test_a_transition_that_no_schema_allows_is_invalid(member: Member, body: dict[str, Any]) -> None:
    refused(member("alice").api.post("/api/tickets/ACME-1/transitions", json=body), 422, "invalid")


def test_a_ticket_is_given_to_somebody_who_works_on_tickets(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    members = alice.api.get("/api/members", params={"limit": 100}).json()["items"]
    ids = {member["username"]: member["id"] for member in members}
    ticket = opened(alice)
    given = changed(alice.api.put(f"{at(ticket)}/assignee", json={"assigneeId": ids["adam"]}, headers=version(ticket)))
    assert given["assigneeId"] == ids["adam"]
    for nobody in (ids["rita"], "usr_nobody"):
        answer = alice.api.put(f"{at(ticket)}/assignee", json={"assigneeId": nobody}, headers=version(given))
        assert refused(answer, 409, "conflict")["errors"][0]["pointer"] == "body.assigneeId"
    answer = alice.api.post("/api/tickets", json={"title": "For nobody", "teamId": "team_none"})
    assert refused(answer, 409, "conflict")["errors"][0]["pointer"] == "body.teamId"
    assert changed(alice.api.put(f"{at(ticket)}/assignee", json={"assigneeId": None}, headers=version(given)))


def test_comments_are_for_whom_they_are_meant_and_count_as_changes(stack: Stack, as_user: AsUser) -> None:
    alice, rita = as_user("alice"), as_user("rita")
    ticket = opened(rita)
    said = rita.api.post(f"{at(ticket)}/comments", json={"body": "It is loud."})
    assert said.status_code == 201
    assert said.headers["Location"] == f"{at(ticket)}/comments#{said.json()['id']}"
    assert said.headers["ETag"] == '"2"'
    aside = alice.api.post(f"{at(ticket)}/comments", json={"body": "Old motor.", "visibility": "internal"})
    assert [comment["body"] for comment in alice.api.get(f"{at(ticket)}/comments").json()["items"]] == [
        "It is loud.",
        "Old motor.",
    ]
    assert [comment["body"] for comment in rita.api.get(f"{at(ticket)}/comments").json()["items"]] == ["It is loud."]
    assert aside.json()["id"] not in rita.api.get(f"{at(ticket)}/history").text
    refused(rita.api.post(f"{at(ticket)}/comments", json={"body": "x", "visibility": "internal"}), 403, "forbidden")


def test_the_history_says_who_did_what_by_which_application_and_in_which_trace(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    ticket, trace = opened(alice), "4bf92f3577b34da6a3ce929d0e0e4736"
    traced = version(ticket) | {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    changed(alice.api.patch(at(ticket), json={"priority": "high"}, headers=traced))
    first, second = alice.api.get(f"{at(ticket)}/history").json()["items"]
    assert (first["seq"], first["type"]) == (1, "created")
    assert second["changes"] == [{"field": "priority", "from": "normal", "to": "high"}]
    assert second["actor"] == {"sub": ticket["reporterId"], "act": "api", "clientId": first["actor"]["clientId"]}
    assert second["traceId"] == trace


def test_only_who_may_delete_does_and_nobody_else_is_asked(stack: Stack, as_user: AsUser) -> None:
    """The tool asks a person before it deletes; whoever sends DELETE has decided."""
    alice, olivia = as_user("alice"), as_user("olivia")
    ticket = opened(alice)
    refused(alice.api.delete(at(ticket), headers=version(ticket)), 403, "forbidden")
    with httpx.Client(base_url=stack.url("api"), verify=False) as client:  # noqa: S501 - loopback, no TLS
        token = olivia.token("api", scope="openid tickets:read tickets:write")
        answer = client.delete(at(ticket), headers=version(ticket) | {"Authorization": f"Bearer {token}"})
    refused(answer, 403, "insufficient_scope")
    assert 'scope="tickets:delete"' in answer.headers["WWW-Authenticate"]
    refused(as_user("grace").api.delete(at(ticket), headers=version(ticket)), 403, "forbidden")

    gone = olivia.api.delete(at(ticket), headers=version(ticket))
    assert (gone.status_code, gone.content) == (204, b"")
    refused(alice.api.get(at(ticket)), 404, "not_found")
    refused(olivia.api.delete(at(ticket), headers=version(ticket)), 404, "not_found")


@pytest.mark.parametrize("grouping", ["status", "priority", "type", "assignee", "team"])
def test_statistics_add_up_to_what_a_search_finds(member: Member, grouping: str) -> None:
    api = member("alice").api
    stats = api.get("/api/tickets/stats", params={"groupBy": grouping}).json()
    assert stats["groupBy"] == grouping
    assert stats["total"] == sum(group["count"] for group in stats["groups"]) == api.get("/api/tickets").json()["total"]


def test_lists_are_narrowed_and_sorted(member: Member) -> None:
    api = member("alice").api

    def found(**asked: Any) -> list[dict[str, Any]]:
        answer = api.get("/api/tickets", params={"limit": 100} | asked)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    assert {ticket["assigneeId"] for ticket in found(assignee="none")} == {None}
    assert {ticket["priority"] for ticket in found(priority=["high", "urgent"])} <= {"high", "urgent"}
    newest = found()[0]["updatedAt"]
    assert {ticket["updatedAt"] for ticket in found(updatedSince=newest)} == {newest}
    numbers = [int(ticket["key"].partition("-")[2]) for ticket in found(sort="key")]
    assert numbers == sorted(numbers)
    assert found(updatedSince="9999-12-31T23:59:59-14:00") == []
    assert len(found(updatedSince="0001-01-01T00:00:00+14:00")) == len(found())


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("updatedSince=2026-01-01", "query.updatedSince"),
        ("updatedSince=1767225600", "query.updatedSince"),
        ("updatedSince=2026-01-01T00:00:00", "query.updatedSince"),
        ("updated_since=2026-01-01T00:00:00Z", "query.updated_since"),
        ("sort=title", "query.sort"),
        ("assignee=a%2Fb", "query.assignee"),
    ],
)
def test_a_filter_that_does_not_fit_is_named(member: Member, query: str, pointer: str) -> None:
    problem = refused(member("alice").api.get(f"/api/tickets?{query}"), 422, "invalid")
    assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]


@pytest.mark.parametrize("path", ["", "/transitions", "/comments", "/history"])
def test_nothing_of_another_organizations_ticket_is_told(member: Member, path: str) -> None:
    api = member("alice").api
    foreign = refused(api.get(f"/api/tickets/GLBX-1{path}"), 404, "not_found")
    missing = refused(api.get(f"/api/tickets/GLBX-999{path}"), 404, "not_found")
    assert foreign["detail"].replace("GLBX-1", "KEY") == missing["detail"].replace("GLBX-999", "KEY")
