"""Every write operation of the REST API beside the tool that does the same, and what the web interface shows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.mcp_client import McpClient

if TYPE_CHECKING:
    from harness.person import Person


class Hand:
    """What somebody does by the API and by tools, all of it in one trace. They say yes to what they are asked."""

    def __init__(self, person: Person, trace: str) -> None:
        self.api, self.trace = person.api, trace
        self._traceparent = f"00-{trace}-00f067aa0ba902b7-01"
        self._person, self._clients, self._opened = person, dict[str, McpClient](), ExitStack()

    def rest(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the API; the answer's body."""
        headers = {"traceparent": self._traceparent}
        if method != "GET":
            read = self.api.get(path.removesuffix("/assignee"), headers=headers)
            headers |= {"If-Match": read.headers["ETag"]} if "ETag" in read.headers else {}
        answer = self.api.request(method, path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def tool(self, server: str, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool; what it returns. An error is a problem, too."""
        if server not in self._clients:
            client = McpClient(self._person.mcp(server, approve=True))
            self._clients[server] = self._opened.enter_context(closing(client))
        answer = self._clients[server].call_tool_mcp(tool, arguments, meta={"traceparent": self._traceparent})
        told: dict[str, Any] = answer.structured_content
        return told

    @property
    def id(self) -> str:
        """Who they are."""
        return str(self.tool("organizations", "whoami")["id"])

    def close(self) -> None:
        """Hang up."""
        self._opened.close()


Done = Callable[[Hand, str], str]
"""Writes as somebody, about something, and returns the key or id of what was written."""

NO_PEOPLE = "The interface names people where tickets are theirs, and shows nothing that this changes."
NO_TEAMS = "The interface shows no teams."
NO_COMMENTS = "The interface shows no comments."


@dataclass(frozen=True)
class Write:
    """By ``rest`` about the first of ``about``, by ``tool`` about the second; ``event`` is what the feed tells of it.

    ``page`` is what the page of the ticket shows then, or why there is none. ``shows`` is in what REST shows of it.
    """

    server: str
    rest: Done
    tool: Done
    about: tuple[str, str]
    event: str
    page: str
    shows: str
    by: str = "olivia"
    has_page: bool = True
    invited: tuple[str, str] | None = None
    """Who writes, where it is somebody who was invited."""


def _ticket(method: str, below: str, body: Mapping[str, Any] | None = None) -> Done:
    def write(hand: Hand, key: str) -> str:
        hand.rest(method, f"/api/tickets/{key}{below}", body)
        return key

    return write


def _ticket_tool(tool: str, *, versioned: bool = False, **arguments: Any) -> Done:
    def write(hand: Hand, key: str) -> str:
        more = _at_present(hand, "ticketing", "get_ticket", key=key) if versioned else {}
        hand.tool("ticketing", tool, key=key, **more, **arguments)
        return key

    return write


def _at_present(hand: Hand, service: str, reading: str, **which: str) -> dict[str, Any]:
    """The argument by which a tool changes what has the version it has now."""
    return {"expected_version": hand.tool(service, reading, **which)["version"]}


def _created(hand: Hand, title: str) -> str:
    return str(hand.rest("POST", "/api/tickets", {"title": title})["key"])


def _created_by_tool(hand: Hand, title: str) -> str:
    return str(hand.tool("ticketing", "create_ticket", title=title)["key"])


def _assigned(hand: Hand, key: str) -> str:
    return _ticket("PUT", "/assignee", {"assigneeId": hand.rest("GET", "/api/me")["id"]})(hand, key)


def _member(method: str, below: str, body: Mapping[str, Any] | None = None) -> Done:
    def write(hand: Hand, username: str) -> str:
        member = member_id(hand, username)
        hand.rest(method, f"/api/members/{member}{below}", body)
        return member

    return write


def _member_tool(tool: str, *, versioned: bool = False, **arguments: Any) -> Done:
    def write(hand: Hand, username: str) -> str:
        member = member_id(hand, username)
        more = _at_present(hand, "organizations", "get_member", user_id=member) if versioned else {}
        hand.tool("organizations", tool, user_id=member, **more, **arguments)
        return member

    return write


def member_id(hand: Hand, username: str) -> str:
    """Of somebody of that username in their organization."""
    found = hand.rest("GET", f"/api/members?query={username}&limit=100")["items"]
    return next(str(each["id"]) for each in found if each["username"] == username)


def _invited(hand: Hand, email: str) -> str:
    return str(hand.rest("POST", "/api/members", {"email": email, "role": "agent"})["id"])


def _invited_by_tool(hand: Hand, email: str) -> str:
    return str(hand.tool("organizations", "invite_member", email=email, role="agent")["id"])


def _accepted(hand: Hand, _: str) -> str:
    return str(hand.rest("POST", "/api/organizations/current/acceptance")["id"])


def _accepted_by_tool(hand: Hand, _: str) -> str:
    return str(hand.tool("organizations", "accept_invitation")["id"])


def _team(hand: Hand, name: str) -> str:
    teams = hand.rest("GET", "/api/teams?limit=100")["items"]
    return next(str(each["id"]) for each in teams if each["displayName"] == name)


def _team_created(hand: Hand, name: str) -> str:
    return str(hand.rest("POST", "/api/teams", {"displayName": name})["id"])


def _team_created_by_tool(hand: Hand, name: str) -> str:
    return str(hand.tool("organizations", "create_team", display_name=name)["id"])


def _in_team(method: str, username: str) -> Done:
    def write(hand: Hand, name: str) -> str:
        team = _team(hand, name)
        hand.rest(method, f"/api/teams/{team}/members/{member_id(hand, username)}")
        return team

    return write


def _in_team_by_tool(tool: str, username: str) -> Done:
    def write(hand: Hand, name: str) -> str:
        team = _team(hand, name)
        hand.tool("organizations", tool, team_id=team, user_id=member_id(hand, username))
        return team

    return write


WRITES: Mapping[str, Write] = {
    "createTicket": Write(
        "ticketing", _created, _created_by_tool, ("The lift sings", "The lift sings"), "created", "The lift sings",
        shows="The lift sings",
    ),
    "updateTicket": Write(
        "ticketing",
        _ticket("PATCH", "", {"title": "The lift hums", "priority": "urgent"}),
        _ticket_tool("update_ticket", versioned=True, title="The lift hums", priority="urgent"),
        ("ACME-2", "ACME-5"), "updated", "The lift hums", shows="The lift hums",
    ),
    "assignTicket": Write(
        "ticketing", _assigned, _ticket_tool("assign_ticket", assignee="me"), ("ACME-2", "ACME-5"), "assigned",
        "Olivia Brandt", shows="assigned",
    ),
    "transitionTicket": Write(
        "ticketing",
        _ticket("POST", "/transitions", {"to": "resolved", "resolution": "It was the cable."}),
        _ticket_tool("transition_ticket", to="resolved", resolution="It was the cable."),
        ("ACME-2", "ACME-5"), "transitioned", "Resolved", shows="It was the cable.",
    ),
    "createComment": Write(
        "ticketing",
        _ticket("POST", "/comments", {"body": "In tune, though."}),
        _ticket_tool("add_comment", body="In tune, though."),
        ("ACME-2", "ACME-5"), "commented", NO_COMMENTS, shows="In tune, though.", has_page=False,
    ),
    "deleteTicket": Write(
        "ticketing",
        _ticket("DELETE", ""),
        _ticket_tool("delete_ticket", versioned=True),
        ("ACME-2", "ACME-5"), "deleted", "The list is without it.", shows="not_found",
    ),
    "inviteMember": Write(
        "organizations", _invited, _invited_by_tool, ("mira@partner.example", "miro@partner.example"),
        "member.invited", NO_PEOPLE, shows="invited", has_page=False,
    ),
    "acceptInvitation": Write(
        "organizations", _accepted, _accepted_by_tool, ("", ""), "member.joined", NO_PEOPLE, shows="active",
        invited=("mira@partner.example", "miro@partner.example"), has_page=False,
    ),
    "updateMember": Write(
        "organizations",
        _member("PATCH", "", {"role": "viewer"}),
        _member_tool("update_member_role", versioned=True, role="viewer"),
        ("sam", "nora"), "member.role_changed", NO_PEOPLE, shows="viewer", has_page=False,
    ),
    "deactivateMember": Write(
        "organizations", _member("POST", "/deactivation"), _member_tool("deactivate_member"),
        ("sam", "omar"), "member.deactivated", NO_PEOPLE, shows="inactive", has_page=False,
    ),
    "createTeam": Write(
        "organizations", _team_created, _team_created_by_tool, ("Choir", "Orchestra"), "team.created", NO_TEAMS,
        shows="displayName", has_page=False,
    ),
    "addTeamMember": Write(
        "organizations", _in_team("PUT", "victor"), _in_team_by_tool("add_team_member", "victor"),
        ("First Line", "Networks and Phones"), "team.member_added", NO_TEAMS, shows="Victor Lindqvist", has_page=False,
    ),
    "removeTeamMember": Write(
        "organizations", _in_team("DELETE", "alice"), _in_team_by_tool("remove_team_member", "alice"),
        ("First Line", "Networks and Phones"), "team.member_removed", NO_TEAMS, shows="displayName", has_page=False,
    ),
}  # fmt: skip

NOT_SHARED = {
    "chat": "A conversation is the api's own; what the assistant does in one, it does by the tools.",
    "deleteConversation": "A conversation is the api's own.",
    "switchOrganization": "It gives out a token, and changes nothing.",
}
