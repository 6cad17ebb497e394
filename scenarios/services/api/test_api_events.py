"""What changes is told as it happens: each change once, whoever made it, to whoever may see it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scenarios.services.api.answers import events, refused
from scenarios.services.api.listening import PATH, WITHIN_S, listening, places
from scenarios.services.processes import kill, paused

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

AsUser = Callable[[str], "Person"]
Member = Callable[[str], "Person"]

PATIENCE_S = 3.0
"""For what is to take about a second."""

pytestmark = pytest.mark.destructive


def past(person: Person, after: str) -> list[str]:
    """The ids of all events after one, as a script asks for them."""
    answer = person.api.get(PATH, params={"follow": "false"}, headers={"Last-Event-ID": after})
    assert answer.status_code == httpx.codes.OK, answer.text
    return [line.removeprefix("id: ") for line in answer.text.splitlines() if line.startswith("id: ")][1:]


def test_each_change_is_told_once_whatever_way_it_was_made(stack: Stack, as_user: AsUser) -> None:
    alice, adam = as_user("alice"), as_user("adam")
    with listening(stack.url("api"), adam.token("api")) as told:
        key = alice.api.post("/api/tickets", json={"title": "By REST"}).json()["key"]
        alice.call_tool("ticketing", "add_comment", key=key, body="By a tool")
        chat = alice.api.post("/api/chat", json={"message": f"show {key}"})  # which changes nothing
        assert events(chat)[-1]["type"] == "RUN_FINISHED"
        alice.api.put(
            f"/api/tickets/{key}/assignee", json={"assigneeId": None}, headers={"If-Match": '"2"'}
        )  # nor this
        team = adam.api.post("/api/teams", json={"displayName": "Plumbers"}).json()["id"]
        told.until(lambda it: len(it.told) == 3)
    assert sorted(told.gist) == sorted([("ticket.created", key), ("ticket.commented", key), ("team.created", team)])
    ids = [places(each) for each, _ in told.told]
    assert ids == sorted(set(ids), key=_place)
    assert list(map(places, past(adam, "0.0"))) == ["1.0", "2.0", "2.1"]


def _place(event_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in event_id.split("."))


def test_an_event_is_a_cloud_event_and_holds_nothing_of_what_was_said(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    with listening(stack.url("api"), alice.token("api")) as told:
        trace = "0af7651916cd43dd8448eb211c80319c"
        made = alice.api.post(
            "/api/tickets",
            json={"title": "Secret plans", "description": "never to be told"},
            headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
        ).json()
        told.until(lambda it: len(it.told) == 1)
    [event] = told.events
    assert {name: event[name] for name in ("specversion", "source", "type", "subject", "datacontenttype")} == {
        "specversion": "1.0",
        "source": "/ticketing",
        "type": "org.example.ticket.created.v1",
        "subject": made["key"],
        "datacontenttype": "application/json",
    }
    assert event["time"] == made["createdAt"]
    assert re.fullmatch(rf"00-{trace}-(?!0+-)[0-9a-f]{{16}}-00", event["traceparent"])
    data: dict[str, Any] = event["data"]
    assert (data["ticketId"], data["version"], data["traceId"]) == (made["id"], 1, trace)
    assert data["actorId"] == alice.api.get("/api/me").json()["id"]
    assert "Secret" not in str(event)
    assert "never to be told" not in str(event)


def test_nobody_is_told_what_they_may_not_see(stack: Stack, as_user: AsUser) -> None:
    alice, rita, grace = as_user("alice"), as_user("rita"), as_user("grace")
    own = rita.api.post("/api/tickets", json={"title": "Hers"}).json()["key"]
    with (
        listening(stack.url("api"), rita.token("api")) as requester,
        listening(stack.url("api"), grace.token("api")) as elsewhere,
        listening(stack.url("api"), alice.token("api")) as agent,
    ):
        internal = {"body": "She must not know", "visibility": "internal"}
        alice.api.post(f"/api/tickets/{own}/comments", json=internal).raise_for_status()
        other = alice.api.post("/api/tickets", json={"title": "Not hers"}).json()["key"]
        alice.api.post(f"/api/tickets/{own}/comments", json={"body": "For her"}).raise_for_status()
        theirs = grace.api.post("/api/tickets", json={"title": "Elsewhere"}).json()["key"]
        agent.until(lambda it: len(it.told) == 3)
        requester.until(lambda it: len(it.told) == 1)
        elsewhere.until(lambda it: len(it.told) == 1)
    assert agent.gist == [("ticket.commented", own), ("ticket.created", other), ("ticket.commented", own)]
    assert requester.gist == [("ticket.commented", own)]
    assert requester.events[0]["data"]["visibility"] == "public"
    assert elsewhere.gist == [("ticket.created", theirs)]


@pytest.mark.parametrize("service", ["api", "ticketing"])
def test_nothing_is_lost_or_told_twice_when_a_service_is_killed(stack: Stack, as_user: AsUser, service: str) -> None:
    alice = as_user("alice")

    def write(count: int) -> list[str]:
        return [
            alice.call_tool("ticketing", "create_ticket", title=f"Number {number}")["key"] for number in range(count)
        ]

    with listening(stack.url("api"), alice.token("api")) as told:
        keys = write(3)
        told.until(lambda it: len(it.told) >= 2)
        kill(stack, service)
        if service == "api":
            told.until(lambda it: it.broken)
            keys += write(3)
        stack.restart(service)
        if service == "ticketing":
            keys += write(3)
            told.until(lambda it: len(it.told) >= 6)
    if service == "api":
        with listening(stack.url("api"), alice.token("api"), told=told):
            told.until(lambda it: len(it.told) >= 6)
            keys += write(1)
            told.until(lambda it: len(it.told) >= 7)
    assert told.gist == [("ticket.created", key) for key in keys]


def test_who_comes_back_is_told_what_came_meanwhile_however_much(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    with listening(stack.url("api"), alice.token("api")) as told:
        pass
    assert places(told.last_id or "") == "0.0"
    key = alice.api.post("/api/tickets", json={"title": "Much discussed"}).json()["key"]
    for number in range(130):  # more than a part of the feed
        alice.api.post(f"/api/tickets/{key}/comments", json={"body": str(number)}).raise_for_status()
    with listening(stack.url("api"), alice.token("api"), told=told):
        told.until(lambda it: len(it.told) == 131)
    assert [event["data"]["version"] for event in told.events] == list(range(1, 132))
    ids = [each for each, _ in told.told]
    assert past(alice, ids[127]) == ids[128:]


def test_an_event_of_another_life_of_the_system_leads_nowhere(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    alice.api.post("/api/tickets", json={"title": "Of the first life"}).raise_for_status()
    with listening(stack.url("api"), alice.token("api"), after="0.0") as told:
        told.until(lambda it: len(it.told) == 1)
        stack.reset()
        told.until(lambda it: it.broken or it.ended)
    alice = stack.sign_in("alice")
    _leads_nowhere(alice, told.last_id)  # beyond the end of the feed
    for title in ("Of the second", "And another"):
        alice.api.post("/api/tickets", json={"title": title}).raise_for_status()
    _leads_nowhere(alice, told.last_id)  # before it


def test_an_event_of_another_organization_leads_nowhere(stack: Stack, as_user: AsUser) -> None:
    here, there = stack.sign_in("nora"), stack.sign_in("nora", organization="globex")
    for nora, writer in ((here, "alice"), (there, "grace")) * 2:
        with listening(stack.url("api"), nora.token("api")) as told:
            pass
        _leads_nowhere(here if nora is there else there, told.last_id)
        as_user(writer).api.post("/api/tickets", json={"title": "Counted from 1 in each"}).raise_for_status()
        assert len(past(nora, told.last_id or "")) == 1


def _leads_nowhere(person: Person, last_id: str | None) -> None:
    for follow in ("true", "false"):
        answer = person.api.get(PATH, params={"follow": follow}, headers={"Last-Event-ID": last_id or ""})
        problem = refused(answer, 409, "conflict")
        assert [flaw["pointer"] for flaw in problem["errors"]] == ["header.Last-Event-ID"]
        assert problem["detail"].startswith("Last-Event-ID names an event of another life of the system, or of another")
        assert problem["detail"].endswith("Read everything again, then begin without Last-Event-ID.")


@pytest.mark.parametrize("last", ["mark", "beginning"])
def test_a_service_that_hangs_keeps_no_opening_waiting(stack: Stack, as_user: AsUser, last: str) -> None:
    alice = as_user("alice")
    with listening(stack.url("api"), alice.token("api")) as before:
        pass
    after = "0.0" if last == "beginning" else before.last_id
    with paused(stack, "organizations") as pid:
        began = time.monotonic()
        with listening(stack.url("api"), alice.token("api"), after=after) as told:
            assert time.monotonic() - began < PATIENCE_S
            key = alice.call_tool("ticketing", "create_ticket", title="Told all the same")["key"]
            told.until(lambda it: len(it.told) == 1)
            os.kill(pid, signal.SIGCONT)
            as_user("adam").api.post("/api/teams", json={"displayName": "Plumbers"}).raise_for_status()
            told.until(lambda it: len(it.told) == 2)
    assert told.gist[0] == ("ticket.created", key)


def test_a_wrong_place_that_nobody_could_check_ends_its_stream_and_no_other(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    wrong = f"9999-{'a' * 16}.0"
    with listening(stack.url("api"), alice.token("api", scope="openid orgs:read")):
        pass  # signed in, and known to the api
    with paused(stack, "ticketing") as pid, listening(stack.url("api"), alice.token("api"), after=wrong) as bad:
        os.kill(pid, signal.SIGCONT)
        with listening(stack.url("api"), alice.token("api")) as fresh:
            assert places(fresh.last_id or "") == "0.0"
            key = alice.call_tool("ticketing", "create_ticket", title="Told to one of them")["key"]
            fresh.until(lambda it: len(it.told) == 1)
            bad.until(lambda it: it.ended)
            assert not fresh.ended
    assert (fresh.gist, bad.gist) == ([("ticket.created", key)], [])


def test_what_there_is_by_now_is_a_problem_where_it_cannot_be_read(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    alice.api.post("/api/tickets", json={"title": "It is there"}).raise_for_status()
    with paused(stack, "ticketing"):
        answer = alice.api.get(PATH, params={"follow": "false"}, headers={"Last-Event-ID": "0.0"}, timeout=WITHIN_S)
    refused(answer, 504, "gateway_timeout")


@pytest.mark.parametrize("wrong", ["", "1", "1.2.3", "-1.0", "a.b", "1.0", "1-a.0", ".1", "0.0, 0.0"])
def test_what_is_no_event_id_is_refused(stack: Stack, as_user: AsUser, wrong: str) -> None:
    answer = as_user("alice").api.get(PATH, headers={"Last-Event-ID": wrong})
    problem = refused(answer, 422, "invalid")
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["header.Last-Event-ID"]


def test_a_token_is_told_what_its_scopes_are_for(stack: Stack, as_user: AsUser) -> None:
    alice, adam = as_user("alice"), as_user("adam")
    with listening(stack.url("api"), alice.token("api", scope="openid orgs:read")) as told:
        assert places(told.last_id or "") == "-.0"
        alice.api.post("/api/tickets", json={"title": "Not for this token"}).raise_for_status()
        adam.api.post("/api/teams", json={"displayName": "Plumbers"}).raise_for_status()
        told.until(lambda it: len(it.told) == 1)
    assert [places(each) for each, _ in told.told] == ["-.1"]
    token = alice.token("api", scope="openid")
    answer = httpx.get(stack.url("api") + PATH, headers={"Authorization": f"Bearer {token}"})
    refused(answer, 403, "insufficient_scope")
    assert 'scope="tickets:read orgs:read"' in answer.headers["WWW-Authenticate"]


def test_the_stream_ends_with_the_token(stack: Stack) -> None:
    token = stack.control("idp").mint(user="alice", audience="api", ttl=3)["token"]
    began = time.monotonic()
    with listening(stack.url("api"), token) as told:
        told.until(lambda it: it.ended)
    assert 1.0 < time.monotonic() - began < WITHIN_S


def test_who_is_deactivated_is_told_nothing_more(stack: Stack, as_user: AsUser) -> None:
    alice, adam = as_user("alice"), as_user("adam")
    own = alice.api.get("/api/me").json()["id"]
    with listening(stack.url("api"), alice.token("api")) as told:
        adam.api.post(f"/api/members/{own}/deactivation").raise_for_status()
        told.until(lambda it: it.ended)


@pytest.mark.parametrize("service", ["api", "ticketing", "organizations"])
def test_a_stop_waits_for_no_stream(stack: Stack, as_user: AsUser, service: str) -> None:
    """A stream that is cut off only after the server's patience would break off instead of coming to its end."""
    with listening(stack.url("api"), as_user("alice").token("api")) as told:
        stack.restart(service)
        if service == "api":
            told.until(lambda it: it.ended)
        else:
            as_user("adam").api.post("/api/tickets", json={"title": "After"}).raise_for_status()
            told.until(lambda it: len(it.told) == 1)


def test_many_streams_of_a_token_are_one_question_to_each_service(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    began = time.monotonic()
    with (
        listening(stack.url("api"), alice.token("api")) as first,
        listening(stack.url("api"), alice.token("api")) as second,
        listening(stack.url("api"), alice.token("api"), after="0.0") as third,
    ):
        alice.api.post("/api/tickets", json={"title": "For all three"}).raise_for_status()
        for each in (first, second, third):
            each.until(lambda it: len(it.told) == 1)
    asked = [entry for entry in stack.journal(since=began) if entry["rpc"] == "tools/call list_changes"]
    # Each stream asks where it begins; then they are one, which asks again after something has come.
    assert sum(entry["service"] == "ticketing" for entry in asked) <= 3 + 2
    assert sum(entry["service"] == "organizations" for entry in asked) <= 3 + 1


def test_no_stream_is_begun_without_a_place_to_begin_at(stack: Stack, as_user: AsUser) -> None:
    alice = as_user("alice")
    alice.api.get("/api/me").raise_for_status()
    kill(stack, "organizations")
    refused(alice.api.get(PATH), 503, "unavailable")
    with listening(stack.url("api"), alice.token("api"), after="0.0") as told:
        alice.api.post("/api/tickets", json={"title": "Told all the same"}).raise_for_status()
        told.until(lambda it: len(it.told) == 1)
        stack.restart("organizations")
        as_user("adam").api.post("/api/teams", json={"displayName": "Plumbers"}).raise_for_status()
        told.until(lambda it: len(it.told) == 2)
