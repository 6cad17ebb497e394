"""The simulated model: what it understands, and that it says nothing no tool has returned."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.assistant.plan import plan
from services.api.assistant.rules import RULES
from services.api.assistant.steps import AssistantSaid, Call, Message, Say, ToolReturned, UserSaid
from services.api.ticket_views import TicketPriority, TicketStatus, TicketType

TOOLS = frozenset({"get_ticket", "search_tickets", "create_ticket", "whoami", "list_members"})

SHOWS = {
    "show ABC-7": "ABC-7",
    "Show me abc-7, please": "ABC-7",
    "ABC-7": "ABC-7",
    " abc-7? ": "ABC-7",
    "please open ticket ABC-7": "ABC-7",
    "Can you tell me about ABC-7?": "ABC-7",
    "what is ABC-7": "ABC-7",
    "find ticket ABC-7": "ABC-7",
    "look up the issue number ABC-7": "ABC-7",
    "Hello! Could you show me the ticket ABC-7 and its history?": "ABC-7",
}

SEARCHES: dict[str, dict[str, Any]] = {
    "list tickets": {},
    "show tickets": {},
    "Show me all the tickets, please.": {},
    "which tickets are there?": {},
    "list open tickets": {"status": ["open"]},
    "open tickets": {"status": ["open"]},
    "which tickets are in progress?": {"status": ["in_progress"]},
    "list resolved and closed tickets": {"status": ["resolved", "closed"]},
    "list canceled tickets": {"status": ["cancelled"]},
    "find printer": {"query": "printer"},
    "find printer tickets": {"query": "printer"},
    "search for mail": {"query": "mail"},
    "Find tickets about the coffee machine.": {"query": "coffee machine"},
    "find the ticket about a strike of the coffee machine": {"query": "strike of the coffee machine"},
    "are there any tickets about COVID-19?": {"query": "COVID-19"},
    "list open tickets about badges": {"status": ["open"], "query": "badges"},
    'find "the open door"': {"query": "the open door"},
    'look for pending tickets named "All of it"': {"status": ["pending"], "query": "All of it"},
    f"find {'x' * 300}": {"query": "x" * 200},
    'find "assigned to me"': {"query": "assigned to me"},
    "find what my boss said": {"query": "boss said"},
}

OWN: dict[str, dict[str, Any]] = {
    "my tickets": {"assignee": "me"},
    "Show me all my tickets, please.": {"assignee": "me"},
    "my open tickets": {"assignee": "me", "status": ["open"]},
    "which of my tickets are open?": {"assignee": "me", "status": ["open"]},
    "find tickets assigned to me": {"assignee": "me"},
    "find printer tickets assigned to me": {"assignee": "me", "query": "printer"},
    "list tickets reported by me": {"reporter": "me"},
    "tickets I reported": {"reporter": "me"},
    "unassigned tickets": {"assignee": "none"},
    "list open tickets assigned to nobody": {"assignee": "none", "status": ["open"]},
}

NAMED: dict[str, tuple[str, dict[str, Any]]] = {
    "list tickets assigned to ada": ("ada", {"assignee": "usr_1"}),
    "which tickets are assigned to Ada Lovelace?": ("Ada Lovelace", {"assignee": "usr_1"}),
    "open tickets assigned to Ada Lovelace about mail": (
        "Ada Lovelace",
        {"assignee": "usr_1", "status": ["open"], "query": "mail"},
    ),
    "find printer tickets reported by ada@one.example.": (
        "ada@one.example",
        {"reporter": "usr_1", "query": "printer"},
    ),
    "show ada's tickets": ("ada", {"assignee": "usr_1"}),
    "Ada Lovelace\u2019s open tickets, please": ("Ada Lovelace", {"assignee": "usr_1", "status": ["open"]}),
    "list tickets assigned to \u00dcmit \u00d6zt\u00fcrk": ("\u00dcmit \u00d6zt\u00fcrk", {"assignee": "usr_1"}),
}

ADA = {"id": "usr_1", "username": "ada", "displayName": "Ada Lovelace", "email": "ada@one.example", "role": "agent"}

NEITHER = ["", "   ", "hello", "close ABC-7", "what can you do?", "delete every ticket", "ABC-0", "show me the money"]
NEITHER += ["delete every ticket assigned to ada", "close my tickets", "give me a hand"]


@pytest.mark.parametrize(("text", "key"), SHOWS.items())
def test_showing_a_ticket_is_a_call_with_its_key(text: str, key: str) -> None:
    assert plan([UserSaid(text)], TOOLS) == (Call("get_ticket", {"key": key}),)


@pytest.mark.parametrize(("text", "wanted"), SEARCHES.items())
def test_looking_for_tickets_is_a_call_with_what_is_wanted(text: str, wanted: dict[str, Any]) -> None:
    assert plan([UserSaid(text)], TOOLS) == (Call("search_tickets", {**wanted, "limit": 10}),)


@pytest.mark.parametrize(("text", "wanted"), OWN.items())
def test_looking_for_ones_own_tickets_takes_one_call(text: str, wanted: dict[str, Any]) -> None:
    assert plan([UserSaid(text)], TOOLS) == (Call("search_tickets", {**wanted, "limit": 10}),)
    page = {"items": [ticket()], "nextCursor": None, "total": 1}
    told = plan(called(text, page), TOOLS)
    assert isinstance(told, Say)
    assert told.text.startswith(("Assigned to you: ", "Reported by you: ", "Assigned to nobody: "))
    assert "**ABC-7**" in told.text


@pytest.mark.parametrize(("text", "name", "wanted"), [(text, *told) for text, told in NAMED.items()])
def test_looking_for_somebodys_tickets_looks_them_up_first(text: str, name: str, wanted: dict[str, Any]) -> None:
    assert plan([UserSaid(text)], TOOLS) == (Call("list_members", {"query": name, "limit": 10}),)
    looked_up = called(text, people(ADA))
    search = plan(looked_up, TOOLS)
    assert search == (Call("search_tickets", {**wanted, "limit": 10}),)
    assert not isinstance(search, Say)
    page = {"items": [ticket()], "nextCursor": None, "total": 1}
    told = plan([*looked_up, ToolReturned(search[0], page)], TOOLS)
    assert isinstance(told, Say)
    assert "by **Ada Lovelace** (ada): " in told.text or "to **Ada Lovelace** (ada): " in told.text
    assert "**ABC-7**" in told.text


def test_somebody_nobody_can_find_has_no_tickets_searched() -> None:
    told = plan(called("list tickets assigned to ada", people()), TOOLS)
    assert isinstance(told, Say)
    assert "nobody called ada among the members you may see" in told.text


def test_of_several_people_the_one_called_exactly_that_is_meant_and_otherwise_the_user_is_asked() -> None:
    adam = ADA | {"id": "usr_2", "username": "adam", "displayName": "<b>Adam*", "email": "adam@one.example"}
    exact = plan(called("list tickets assigned to ADA", people(adam, ADA)), TOOLS)
    assert exact == (Call("search_tickets", {"assignee": "usr_1", "limit": 10}),)
    asked = plan(called("list tickets assigned to ad", people(adam, ADA)), TOOLS)
    assert isinstance(asked, Say)
    assert "may be one of 2 people. Whom do you mean?" in asked.text
    assert r"- **\<b\>Adam\*** (adam)" in asked.text
    one_of_many = plan(called("list tickets assigned to ad", people(ADA, total=30)), TOOLS)
    assert isinstance(one_of_many, Say)
    assert "one of 30 people, of whom I show 1" in one_of_many.text


@pytest.mark.parametrize("text", NEITHER)
def test_what_is_not_understood_is_answered_with_who_speaks_and_what_it_can_do(text: str) -> None:
    step = plan([UserSaid(text)], TOOLS)
    assert isinstance(step, Say)
    assert "simulated model" in step.text
    assert all(rule.help in step.text for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_a_missing_tool_is_said_and_not_called(rule: Any) -> None:
    text = next(text for text in [*SHOWS, *SEARCHES, *OWN, *NAMED] if fitting(text) is rule)
    step = plan([UserSaid(text)], TOOLS - rule.needs)
    assert isinstance(step, Say)
    assert all(f"`{tool}`" in step.text for tool in rule.needs)


def fitting(text: str) -> Any:
    return next((rule for rule in RULES if rule.says.search(text)), None)


@pytest.mark.parametrize("text", ["show ABC-7", "find printer", "my tickets", "list tickets assigned to ada"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps({"type": "t", "title": "t", "status": 404, "detail": "No such.", "code": "not_found"}), "No such."),
        ({"type": "t", "title": "t", "status": 403, "detail": "Not you.", "code": "forbidden"}, "failed: Not you."),
        ("Server returned an error response", "without saying why"),
        (None, "without saying why"),
    ],
)
def test_a_failed_call_is_told_honestly_and_not_repeated(text: str, content: Any, words: str) -> None:
    step = plan(called(text, content, failed=True), TOOLS)
    assert isinstance(step, Say)
    assert words in step.text


@pytest.mark.parametrize("content", [None, "text", {}, {"items": "?"}, [], {"key": "ABC-7"}])
def test_a_result_that_makes_no_sense_is_not_guessed_at(content: Any) -> None:
    for text in ("show ABC-7", "find printer", "my tickets", "list tickets assigned to ada"):
        step = plan(called(text, content), TOOLS)
        assert isinstance(step, Say)
        assert "cannot read" in step.text


def test_only_the_last_turn_counts() -> None:
    earlier = [*called("show ABC-1", ticket(key="ABC-1", title="Old")), AssistantSaid("**ABC-1** Old")]
    assert plan([*earlier, UserSaid("show ABC-2")], TOOLS) == (Call("get_ticket", {"key": "ABC-2"}),)


def called(text: str, content: Any, *, failed: bool = False) -> list[Message]:
    """A turn in which the call that ``text`` asks for has come back."""
    step = plan([UserSaid(text)], TOOLS)
    assert not isinstance(step, Say)
    return [UserSaid(text), ToolReturned(step[0], content, failed=failed)]


def people(*found: dict[str, Any], total: int | None = None) -> dict[str, Any]:
    """A page of members."""
    return {"items": list(found), "nextCursor": None, "total": len(found) if total is None else total}


def ticket(**changes: Any) -> dict[str, Any]:
    at = datetime(2026, 1, 5, 9, tzinfo=UTC).isoformat()
    usual: dict[str, Any] = {
        "id": "tkt_1", "key": "ABC-7", "title": "A title", "description": "", "type": "task", "status": "open",
        "statusCategory": "todo", "priority": "low", "reporterId": "usr_1", "assigneeId": None, "labels": [],
        "version": 1, "createdAt": at, "updatedAt": at, "resolution": None, "teamId": None, "resolvedAt": None,
        "sla": {
            "policy": "low", "state": "ok", "firstResponseDueAt": at, "resolutionDueAt": at, "pausedSeconds": 0,
            "pausedSince": None,
        },
    }  # fmt: skip
    return usual | changes


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)
TICKETS = st.builds(
    ticket,
    key=st.from_regex(r"[A-Z]{2,5}-[1-9][0-9]{0,3}", fullmatch=True),
    title=TEXT,
    description=TEXT | st.just(""),
    type=st.sampled_from([kind.value for kind in TicketType]),
    status=st.sampled_from([status.value for status in TicketStatus]),
    priority=st.sampled_from([priority.value for priority in TicketPriority]),
    labels=st.lists(TEXT, max_size=3),
)
SAID_KEY = re.compile(r"\*\*([A-Z]{2,5}-[1-9][0-9]*)\*\* (.*)")


def as_read(markdown: str) -> str:
    """One line as a reader of the rendered Markdown sees it: backslash escapes resolved (CommonMark §2.4)."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


@given(st.lists(TICKETS, max_size=5), st.integers(0, 50))
def test_every_key_and_title_of_a_list_was_returned_by_the_tool(found: list[dict[str, Any]], more: int) -> None:
    page = {"items": found, "nextCursor": None, "total": len(found) + more}
    step = plan(called("list tickets", page), TOOLS)
    assert isinstance(step, Say)
    lines = [match for line in step.text.splitlines() if (match := SAID_KEY.search(line))]
    assert [match[1] for match in lines] == [item["key"] for item in found]
    for match, item in zip(lines, found, strict=True):
        facts = f" ({item['status'].replace('_', ' ')}, {item['priority']})"
        assert as_read(match[2]) == " ".join(item["title"].split()) + facts
    assert {int(number) for number in re.findall(r"\b\d+\b", step.text.partition("\n")[0])} <= {
        page["total"],
        len(found),
    }


@given(TICKETS)
def test_everything_said_about_a_ticket_was_returned_by_the_tool(found: dict[str, Any]) -> None:
    step = plan(called("show ABC-7", found), TOOLS)
    assert isinstance(step, Say)
    first, *_ = step.text.split("\n\n")
    match = SAID_KEY.fullmatch(first)
    assert match
    assert match[1] == found["key"]
    assert as_read(match[2]) == " ".join(found["title"].split())
    quoted = [line.removeprefix("> ") for line in step.text.splitlines() if line.startswith("> ")]
    for said, line in zip(quoted, found["description"].splitlines(), strict=False):
        assert as_read(said) == " ".join(line.split())


@given(TICKETS)
def test_no_text_of_a_ticket_can_become_markup(found: dict[str, Any]) -> None:
    step = plan(called("show ABC-7", found), TOOLS)
    assert isinstance(step, Say)
    ours = step.text.replace(f"**{found['key']}** ", "", 1)
    assert re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<&~|]", ours) is None


@given(TEXT)
def test_whatever_is_said_gets_one_step_that_is_the_same_each_time(text: str) -> None:
    step = plan([UserSaid(text)], TOOLS)
    assert step == plan([UserSaid(text)], TOOLS)
    if isinstance(step, tuple):
        assert [call.tool for call in step] in (["get_ticket"], ["search_tickets"], ["list_members"])
