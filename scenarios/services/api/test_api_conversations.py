"""The list of conversations, one with what was said in it, and its end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.code_flow import tls
from scenarios.services.api.answers import events, refused, said
from scenarios.services.processes import kill
from services.api.assistant.said import LONGEST_TITLE, title
from services.shared.mcp import cursor as cursors

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]

MISSING = "00000000-0000-4000-8000-000000000000"


def talk(person: Person, message: str, thread: str | None = None) -> list[dict[str, Any]]:
    return events(person.api.post("/api/chat", json={"message": message, "threadId": thread}))


def begin(person: Person, message: str) -> str:
    return str(talk(person, message)[0]["threadId"])


def listed(person: Person, **query: Any) -> dict[str, Any]:
    answer = person.api.get("/api/conversations", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def read(person: Person, thread: str) -> dict[str, Any]:
    answer = person.api.get(f"/api/conversations/{thread}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_conversation_is_told_as_it_was_held(member: Member) -> None:
    alice = member("alice")
    stream = talk(alice, "show ACME-1")
    conversation = read(alice, stream[0]["threadId"])
    asked, called, answered = conversation["messages"]
    assert (asked["role"], asked["text"], asked["toolCalls"]) == ("user", "show ACME-1", [])
    [call] = called["toolCalls"]
    assert (call["name"], call["arguments"], call["outcome"]) == ("get_ticket", {"key": "ACME-1"}, "success")
    [result] = [event for event in stream if event["type"] == "TOOL_CALL_RESULT"]
    assert (call["id"], json.loads(call["result"])) == (result["toolCallId"], json.loads(result["content"]))
    assert (answered["role"], answered["text"]) == ("assistant", said(stream))
    assert not any(message["interrupted"] for message in conversation["messages"])
    assert (conversation["title"], conversation["messageCount"]) == ("show ACME-1", 3)
    assert conversation["createdAt"] <= asked["at"] <= answered["at"] <= conversation["updatedAt"]


def test_nothing_of_instructions_and_tokens_is_told(member: Member) -> None:
    alice = member("alice")
    told = json.dumps(read(alice, begin(alice, "hello")))
    assert not [word for word in ("instructions", "do not follow", "usage", "token", "model_name") if word in told]


def test_a_tool_that_failed_is_told_as_one(member: Member) -> None:
    alice = member("alice")
    [call] = read(alice, begin(alice, "show ACME-9999"))["messages"][1]["toolCalls"]
    assert (call["outcome"], json.loads(call["result"])["code"]) == ("failed", "not_found")


def test_the_last_used_comes_first_and_every_one_on_exactly_one_page(member: Member) -> None:
    gwen = member("gwen")
    first, second, third = [begin(gwen, f"hello {number}") for number in range(3)]
    talk(gwen, "hello again", first)
    assert [each["id"] for each in listed(gwen, limit=3)["items"]] == [first, third, second]
    found, cursor = list[str](), None
    while True:
        page = listed(gwen, limit=1, **({"cursor": cursor} if cursor else {}))
        found += [each["id"] for each in page["items"]]
        assert page["total"] == listed(gwen)["total"]
        if (cursor := page["nextCursor"]) is None:
            break
    assert found == [each["id"] for each in listed(gwen, limit=100)["items"]]
    [summary] = listed(gwen, limit=1)["items"]
    whole = read(gwen, first)
    assert summary == {name: whole[name] for name in summary}


def test_the_next_page_is_linked(member: Member) -> None:
    gwen = member("gwen")
    for number in range(2):
        begin(gwen, f"hello {number}")
    answer = gwen.api.get("/api/conversations?limit=1")
    target = answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    assert gwen.api.get(target).json()["items"][0] == listed(gwen, limit=2)["items"][1]


@pytest.mark.parametrize("position", [["2026-01-01T00:00:00", "x"], ["0001-01-01T00:00:00+23:00", "x"], "x", [1, 2]])
def test_a_cursor_nobody_gave_out_is_a_page_that_is_missing(member: Member, position: Any) -> None:
    alice, adam = member("alice"), member("adam")
    for _ in range(2):
        begin(alice, "hello")
    foreign = listed(alice, limit=1)["nextCursor"]
    owner = alice.api.get("/api/me").json()
    listing = ("conversations", f"{owner['organization']['id']}/{owner['id']}")
    refused(adam.api.get("/api/conversations", params={"cursor": foreign}), 404, "not_found")
    for made_up in (cursors.seal(position, listing=listing), "AAAA"):
        refused(alice.api.get("/api/conversations", params={"cursor": made_up}), 404, "not_found")


def test_somebody_elses_conversation_does_not_exist(member: Member) -> None:
    thread = begin(member("alice"), "hello")
    for person in (member("adam"), member("grace")):
        for method in ("GET", "DELETE"):
            foreign = refused(person.api.request(method, f"/api/conversations/{thread}"), 404, "not_found")
            unknown = refused(person.api.request(method, f"/api/conversations/{MISSING}"), 404, "not_found")
            assert foreign["detail"].replace(thread, "ID") == unknown["detail"].replace(MISSING, "ID")
        assert thread not in [each["id"] for each in listed(person, limit=100)["items"]]
    assert read(member("alice"), thread)["id"] == thread


def bearing(stack: Stack, token: str) -> httpx.Client:
    return httpx.Client(base_url=stack.url("api"), headers={"Authorization": f"Bearer {token}"}, verify=tls())


def lacking(answer: httpx.Response) -> str:
    """The scopes that were missing."""
    refused(answer, 403, "insufficient_scope")
    return answer.headers["WWW-Authenticate"].partition('scope="')[2].rstrip('"')


@pytest.mark.parametrize("scope", ["openid", "openid tickets:write"])
def test_what_was_said_is_for_tokens_that_may_read_something(shared_stack: Stack, member: Member, scope: str) -> None:
    alice = member("alice")
    thread = begin(alice, "show ACME-1")
    with bearing(shared_stack, alice.token("api", scope=scope)) as api:
        for answer in (
            api.get("/api/conversations"),
            api.get(f"/api/conversations/{thread}"),
            api.delete(f"/api/conversations/{thread}"),
            api.post("/api/chat", json={"message": "hello"}),
            api.post("/api/chat", json={"message": "hello", "threadId": thread}),
        ):
            assert lacking(answer) == "tickets:read orgs:read"
    assert read(alice, thread)["messageCount"] == 3


def test_what_was_read_for_a_conversation_is_read_in_it_with_the_same_scopes_only(
    shared_stack: Stack, member: Member
) -> None:
    """What the assistant said quotes the ticket: with a token that may not read tickets, it stays as closed."""
    alice = member("alice")
    thread = begin(alice, "show ACME-1")
    with bearing(shared_stack, alice.token("api", scope="openid orgs:read")) as api:
        assert lacking(api.get(f"/api/conversations/{thread}", headers={"If-None-Match": "*"})) == "tickets:read"
        assert lacking(api.post("/api/chat", json={"message": "and now?", "threadId": thread})) == "tickets:read"
        assert thread in [each["id"] for each in api.get("/api/conversations").json()["items"]]
        refused(api.get(f"/api/conversations/{MISSING}"), 404, "not_found")
    assert read(alice, thread)["messageCount"] == 3


def test_a_conversation_needs_what_any_of_its_turns_could_read(shared_stack: Stack, member: Member) -> None:
    alice = member("alice")
    with bearing(shared_stack, alice.token("api", scope="openid orgs:read")) as api:
        thread = events(api.post("/api/chat", json={"message": "who am I?"}))[0]["threadId"]
        assert api.get(f"/api/conversations/{thread}").status_code == 200
        talk(alice, "show ACME-1", thread)
        assert lacking(api.get(f"/api/conversations/{thread}")) == "tickets:read"
        assert api.delete(f"/api/conversations/{thread}").status_code == 204


def test_a_deleted_conversation_is_gone_for_good(member: Member) -> None:
    alice = member("alice")
    thread = begin(alice, "hello")
    answer = alice.api.delete(f"/api/conversations/{thread}")
    assert (answer.status_code, answer.content) == (204, b"")
    refused(alice.api.delete(f"/api/conversations/{thread}"), 404, "not_found")
    refused(alice.api.get(f"/api/conversations/{thread}"), 404, "not_found")
    refused(alice.api.post("/api/chat", json={"message": "hello", "threadId": thread}), 404, "not_found")
    assert thread not in [each["id"] for each in listed(alice, limit=100)["items"]]


def test_one_that_has_not_changed_is_not_sent_again(member: Member) -> None:
    alice = member("alice")
    thread = begin(alice, "hello")
    tag = alice.api.get(f"/api/conversations/{thread}").headers["ETag"]
    assert alice.api.get(f"/api/conversations/{thread}", headers={"If-None-Match": tag}).status_code == 304
    talk(alice, "hello again", thread)
    assert alice.api.get(f"/api/conversations/{thread}", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("body", [b'{"message": "\\ud800"}', b'{"message": "a\\u0000b"}', b'{"message": ""}'])
def test_what_is_no_text_begins_no_conversation(member: Member, body: bytes) -> None:
    grace = member("grace")
    before = listed(grace)["total"]
    answer = grace.api.post("/api/chat", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert listed(grace)["total"] == before


def test_a_huge_message_is_kept_whole_under_a_short_title(member: Member) -> None:
    grace = member("grace")
    message = "😀 Ünïcödé <script>\n" * 200
    conversation = read(grace, begin(grace, message))
    assert conversation["messages"][0]["text"] == message
    assert len(conversation["title"]) <= LONGEST_TITLE + 1
    assert conversation["title"].startswith("😀 Ünïcödé <script> 😀")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("  Which\n tickets\t are open? ", "Which tickets are open?"),
        ("a\x1b[31m\u202eb", "a [31m b"),
        (" \n\u200b ", "Conversation"),
        ("x" * 4000, "x" * (LONGEST_TITLE - 1) + "…"),
        ("word " * 100, " ".join(["word"] * 16) + "…"),
    ],
)
def test_a_title_is_one_short_line_of_what_can_be_seen(message: str, expected: str) -> None:
    assert title(message) == expected


def stopped_after(person: Person, url: str, message: str, *, kind: str) -> str:
    """Send ``message`` and hang up at the first event of ``kind``; returns the conversation's handle."""
    headers = {"Authorization": f"Bearer {person.token('api')}"}
    with httpx.stream("POST", f"{url}/api/chat", json={"message": message}, headers=headers, timeout=30) as stream:
        thread = ""
        for line in stream.iter_lines():
            event = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            thread = event.get("threadId", thread)
            if event.get("type") == kind:
                return str(thread)
    raise AssertionError(f"no {kind} came")


@pytest.mark.parametrize("kind", ["RUN_STARTED", "TOOL_CALL_START", "TEXT_MESSAGE_CONTENT"])
def test_who_stops_the_answer_finds_the_question_and_can_go_on_at_once(
    shared_stack: Stack, member: Member, kind: str
) -> None:
    alice = member("alice")
    thread = stopped_after(alice, shared_stack.url("api"), "list all tickets", kind=kind)
    stream = talk(alice, "show ACME-1", thread)
    assert stream[-1]["type"] == "RUN_FINISHED", stream[-1]
    messages = read(alice, thread)["messages"]
    assert [each["text"] for each in messages if each["role"] == "user"] == ["list all tickets", "show ACME-1"]
    assert messages[-1]["text"] == said(stream)


@pytest.mark.destructive
def test_what_was_said_outlives_a_kill_and_goes_on(stack: Stack, as_user: Callable[[str], Person]) -> None:
    alice = as_user("alice")
    kept = [begin(alice, f"hello {number}") for number in range(5)]
    before = [read(alice, thread) for thread in kept]
    unfinished = stopped_after(alice, stack.url("api"), "list all tickets", kind="RUN_STARTED")
    kill(stack, "api")
    stack.restart("api")
    with closing(sqlite3.connect(stack.folder / "api.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert [read(alice, thread) for thread in kept] == before
    assert {each["id"] for each in listed(alice)["items"]} == {*kept, unfinished}
    for thread in (kept[0], unfinished):
        assert talk(alice, "show ACME-1", thread)[-1]["type"] == "RUN_FINISHED"


@pytest.mark.destructive
def test_a_reset_forgets_all_conversations(stack: Stack, as_user: Callable[[str], Person]) -> None:
    thread = begin(as_user("alice"), "hello")
    stack.reset()
    alice = stack.sign_in("alice")
    assert listed(alice)["items"] == []
    refused(alice.api.get(f"/api/conversations/{thread}"), 404, "not_found")


def test_it_is_ready_when_all_it_needs_answers(shared_stack: Stack, nobody: httpx.Client) -> None:
    answer = nobody.get(shared_stack.url("api") + "/readyz")
    assert (answer.status_code, answer.json()["service"]) == (200, "api")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.destructive
@pytest.mark.parametrize("service", ["idp", "ticketing", "organizations"])
def test_who_does_not_answer_is_named_and_it_is_healthy_all_the_same(
    stack: Stack, nobody: httpx.Client, service: str
) -> None:
    url = stack.url("api")
    kill(stack, service)
    problem = refused(nobody.get(url + "/readyz"), 503, "unavailable")
    assert [flaw["pointer"] for flaw in problem["errors"]] == [service]
    assert service in problem["detail"]
    assert nobody.get(url + "/healthz").status_code == 200
    stack.restart(service)
    assert nobody.get(url + "/readyz").status_code == 200
