"""All that somebody gets to see of a system, as text: what both MCP servers and the API answer to every question."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp import MCPError

from harness.mcp_client import McpClient

if TYPE_CHECKING:
    from harness.stack import Stack

Question = tuple[str, dict[str, Any]]
"""A tool and its arguments."""

OWN_KEYS = ("ACME-1", "ACME-3", "ACME-4")
NO_KEYS = ("GLBX-1", "GLBX-3", "GLBX-50", "ACME-9999", "nothing")
"""Tickets of others, and of nobody."""

WRITING: Mapping[str, dict[str, Any]] = {
    "update_ticket": {"expected_version": 1, "title": "Mine now"},
    "transition_ticket": {"to": "resolved", "resolution": "fixed"},
    "assign_ticket": {"assignee": "me"},
    "add_comment": {"body": "Hello over there"},
}
"""Tools that change a ticket, and what they take besides its key."""


@dataclass(frozen=True)
class Asked:
    """Ids to ask for, whoever's they are."""

    people: Sequence[str]
    teams: Sequence[str]


def seen(stack: Stack, who: str, asked: Asked) -> dict[str, str]:
    """What each question is answered with."""
    answers: dict[str, str] = {}
    person = stack.sign_in(who)
    about: Mapping[str, Iterator[Question]] = {
        "ticketing": _about_tickets(),
        "organizations": _about_people(asked.people, asked.teams),
    }
    for service, questions in about.items():
        with closing(McpClient(person.mcp(service))) as client:
            for tool, arguments in questions:
                question = f"{tool} of {service} {json.dumps(arguments)}"
                _keep(answers, question, _answer(client, tool, arguments))
            for kind, told in _offers(client, asked.teams if service == "organizations" else OWN_KEYS + NO_KEYS):
                _keep(answers, f"{service} {kind}", told)
    for path in _paths():
        answer = person.api.get(path)
        _keep(answers, f"GET {path}", [answer.status_code, answer.text])
    ports = {stack.url(service): service for service in ("idp", "ticketing", "organizations", "api", "ui")}
    return {question: _without(answer, ports) for question, answer in answers.items()}


def _about_tickets() -> Iterator[Question]:
    narrowings: tuple[dict[str, Any], ...] = (
        *({"status": [status]} for status in ("open", "resolved")),
        *({"priority": [priority]} for priority in ("low", "urgent")),
        *({"query": word} for word in ("VPN", "badge", "GLBX", "Globex")),
        *({"sort": sort} for sort in ("updatedAt", "createdAt")),
        *({"assignee": whose} for whose in ("me", "none")),
        {"limit": 3},
        {},
    )
    for narrowed in narrowings:
        yield "search_tickets", narrowed
    for key in OWN_KEYS + NO_KEYS:
        yield "get_ticket", {"key": key, "include": ["comments", "history"]}
        for tool in ("list_comments", "get_ticket_history", "list_transitions"):
            yield tool, {"key": key}
    for group in ("status", "priority", "type", "assignee"):
        yield "ticket_stats", {"group_by": group}
    yield from _about_changes()
    for key in NO_KEYS[:4]:
        for tool, arguments in WRITING.items():
            yield tool, {"key": key, **arguments}


def _about_people(people: Sequence[str], teams: Sequence[str]) -> Iterator[Question]:
    for tool in ("whoami", "list_my_organizations", "get_organization", "list_teams", "list_members"):
        yield tool, {}
    for query in ("Alice", "Grace", "globex", "example"):
        yield "list_members", {"query": query}
    for user_id in people:
        yield "get_member", {"user_id": user_id}
    for email in ("alice@acme.example", "grace@globex.example", "nobody@nowhere.example"):
        yield "get_member", {"email": email}
    for team_id in teams:
        yield "get_team", {"team_id": team_id}
    yield from _about_changes()


def _about_changes() -> Iterator[Question]:
    yield "list_changes", {}
    for position in (0, 1, 2, 3, 2**53 - 1):
        yield "list_changes", {"after": position}


def _offers(client: McpClient, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """What a server offers besides tools, and what comes of asking for it by name."""
    yield "tools", [each.model_dump(mode="json") for each in client.list_tools()]
    yield "resources", [each.model_dump(mode="json") for each in client.list_resources()]
    templates = client.list_resource_templates()
    yield "templates", [each.model_dump(mode="json") for each in templates]
    yield "prompts", [each.model_dump(mode="json") for each in client.list_prompts()]
    for template in templates:
        for name in names:
            uri = template.uri_template.partition("{")[0] + name
            yield f"resource {uri}", _tried(partial(_read, client, uri))


def _read(client: McpClient, uri: str) -> Any:
    return [part.model_dump(mode="json") for part in client.read_resource(uri)]


def _answer(client: McpClient, tool: str, arguments: Mapping[str, Any]) -> Any:
    return _tried(lambda: client.call_tool_mcp(tool, dict(arguments)).model_dump(mode="json"))  # an error is an answer


def _tried(ask: Any) -> Any:
    try:
        return ask()
    except MCPError as error:
        return ["refused", str(error)]


def _paths() -> Iterator[str]:
    yield from ("/api/me", "/api/members", "/api/tickets?limit=100")
    for key in OWN_KEYS + NO_KEYS:
        yield f"/api/tickets/{key}"


def _keep(answers: dict[str, str], question: str, answer: Any) -> None:
    answers[question] = json.dumps(answer, sort_keys=True, ensure_ascii=False)


def _without(answer: str, ports: Mapping[str, str]) -> str:
    for url, service in ports.items():
        answer = answer.replace(url, f"<{service}>")
    return answer
