"""A role changed in the organizations server reaches the identity provider, or is not changed at all."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from fastmcp.exceptions import ToolError

from services.organizations import roles
from services.organizations.directory import Directory
from services.organizations.roles import Role
from services.shared.permissions import Caller
from services.shared.problems import BadGateway, Forbidden, Unavailable

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import RunningService

AsUser = Callable[[str], "Person"]


def member(person: Person, username: str) -> dict[str, Any]:
    """Somebody as the organizations server lists them."""
    found = person.call_tool("organizations", "list_members", query=username)["items"]
    return dict(next(each for each in found if each["username"] == username))


def change(person: Person, username: str, role: str, /, **arguments: Any) -> dict[str, Any]:
    """Somebody's role, changed by a person who has just read it."""
    read = member(person, username)
    usual = {"user_id": read["id"], "role": role, "expected_version": read["version"]}
    return person.call_tool("organizations", "update_member_role", **usual | arguments)


def refused(person: Person, username: str, role: str, /, **arguments: Any) -> dict[str, Any]:
    """The problem that such a change meets."""
    with pytest.raises(ToolError) as error:
        change(person, username, role, **arguments)
    return dict(json.loads(str(error.value)))


def roles_in(token: str) -> list[str]:
    return list(jwt.decode(token, options={"verify_signature": False})["roles"])


@contextmanager
def paused(service: RunningService) -> Iterator[None]:
    """It answers nobody meanwhile, and its port is still taken."""
    pid = service.stack.describe()["services"][service.name]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_rita_becomes_an_agent_everywhere(organizations: RunningService, as_user: AsUser, mode: str) -> None:
    olivia, rita = as_user("olivia"), as_user("rita")
    old = rita.token("organizations")
    before = member(olivia, "rita")
    after = change(olivia, "rita", "agent", mode=mode)
    assert after == before | {"role": "agent", "version": before["version"] + 1}
    assert member(olivia, "rita") == after
    assert roles_in(old) == ["requester"]
    assert rita.call_tool("organizations", "list_members")["total"] == 1
    again = as_user("rita")
    assert roles_in(again.token("organizations")) == ["agent"]
    assert again.call_tool("organizations", "whoami")["role"] == "agent"
    assert again.call_tool("organizations", "list_members")["total"] == 5
    assert [call["status"] for call in organizations.stack.control("idp").requests(client_id="organizations")] == [200]


@pytest.mark.usefixtures("stack")
def test_her_tickets_follow_the_role_too(as_user: AsUser) -> None:
    mine = as_user("rita").call_tool("ticketing", "search_tickets", limit=1)["total"]
    change(as_user("adam"), "rita", "viewer")
    assert as_user("rita").call_tool("ticketing", "search_tickets", limit=1)["total"] > mine
    assert as_user("rita").api.get("/api/me").json()["role"] == "viewer"


@pytest.mark.parametrize(
    ("caller", "before", "after", "allowed"),
    [
        ("owner", "requester", "agent", True),
        ("owner", "admin", "owner", True),
        ("owner", "owner", "viewer", True),
        ("admin", "requester", "admin", True),
        ("admin", "admin", "viewer", True),
        ("admin", "agent", "owner", False),
        ("admin", "owner", "agent", False),
        ("agent", "requester", "agent", False),
        ("viewer", "requester", "agent", False),
        ("requester", "requester", "owner", False),
    ],
)
def test_admins_change_all_roles_but_those_of_owners(caller: Role, before: Role, after: Role, allowed: bool) -> None:
    speaker = Caller("usr_1", "org_1", frozenset({caller}), frozenset({"orgs:read", "orgs:write"}))
    if allowed:
        roles.require_change(speaker, before, after)
    else:
        with pytest.raises(Forbidden):
            roles.require_change(speaker, before, after)


@pytest.mark.parametrize(
    ("username", "target", "role"),
    [("alice", "rita", "agent"), ("victor", "rita", "agent"), ("adam", "rita", "owner"), ("adam", "olivia", "agent")],
)
def test_whoever_may_not_is_told_so_and_nothing_changes(
    organizations: RunningService, as_user: AsUser, username: str, target: str, role: str
) -> None:
    before = member(as_user("olivia"), target)
    assert refused(as_user(username), target, role)["code"] == "forbidden"
    assert member(as_user("olivia"), target) == before
    assert organizations.stack.control("idp").requests(client_id="organizations") == []


@pytest.mark.usefixtures("organizations")
def test_a_requester_cannot_make_themselves_anything(as_user: AsUser) -> None:
    assert refused(as_user("rita"), "rita", "owner")["code"] == "forbidden"
    assert roles_in(as_user("rita").token("organizations")) == ["requester"]


def test_a_token_without_the_scope_is_not_enough(organizations: RunningService, as_user: AsUser) -> None:
    olivia = as_user("olivia")
    message = {"name": "update_member_role", "arguments": {"user_id": "x", "role": "agent", "expected_version": 1}}
    response = httpx.post(
        organizations.audience,
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": message},
        headers={
            "Authorization": f"Bearer {olivia.token('organizations', scope='orgs:read')}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        },
    )
    assert response.status_code == 403
    assert 'scope="orgs:write"' in response.headers["www-authenticate"]


@pytest.mark.usefixtures("organizations")
def test_who_changes_what_another_has_changed_reads_again_first(as_user: AsUser) -> None:
    olivia, adam = as_user("olivia"), as_user("adam")
    seen = member(adam, "rita")["version"]
    change(olivia, "rita", "agent")
    assert refused(adam, "rita", "viewer", expected_version=seen)["code"] == "conflict"
    assert roles_in(as_user("rita").token("organizations")) == ["agent"]
    assert change(adam, "rita", "viewer")["role"] == "viewer"


@pytest.mark.usefixtures("organizations")
def test_the_last_owner_stays_one(as_user: AsUser) -> None:
    olivia = as_user("olivia")
    assert refused(olivia, "olivia", "admin")["code"] == "conflict"
    change(olivia, "adam", "owner")
    assert change(olivia, "olivia", "admin")["role"] == "admin"
    assert refused(as_user("adam"), "adam", "viewer")["code"] == "conflict"
    assert roles_in(as_user("adam").token("organizations")) == ["owner"]


@pytest.mark.parametrize("whose", ["another organization's", "nobody's"])
def test_who_is_not_a_member_does_not_exist(organizations: RunningService, as_user: AsUser, whose: str) -> None:
    stranger = as_user("grace").call_tool("organizations", "whoami")["id"] if whose.startswith("another") else "usr_x"
    problem = refused(as_user("olivia"), "rita", "agent", user_id=stranger)
    assert (problem["code"], problem["status"]) == ("not_found", 404)
    assert organizations.stack.control("idp").requests(client_id="organizations") == []


@pytest.mark.usefixtures("organizations")
@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "superuser"},
        {"role": "Agent"},
        {"role": None},
        {"expected_version": 0},
        {"expected_version": "1"},
        {"expected_version": 2**40},
        {"user_id": ""},
        {"user_id": "x" * 65},
        {"org_id": "org_other"},
    ],
)
def test_arguments_that_make_no_sense_are_invalid(as_user: AsUser, wrong: dict[str, Any]) -> None:
    assert refused(as_user("olivia"), "rita", "agent", **wrong)["code"] == "invalid"


@pytest.mark.destructive
@pytest.mark.parametrize("lost", ["the token request", "the change"])
def test_what_the_provider_does_not_confirm_is_not_stored_and_the_same_call_works_later(
    organizations: RunningService, as_user: AsUser, lost: str
) -> None:
    olivia = as_user("olivia")
    if lost == "the change":
        change(olivia, "victor", "agent")  # a token is kept from then on
    read = member(olivia, "rita")
    wanted = {"user_id": read["id"], "role": "agent", "expected_version": read["version"]}
    with paused(organizations.stack.service("idp")):
        with pytest.raises(ToolError) as refusal:
            olivia.call_tool("organizations", "update_member_role", **wanted)
        assert json.loads(str(refusal.value))["code"] == "unavailable"
        assert member(olivia, "rita") == read
    assert olivia.call_tool("organizations", "update_member_role", **wanted)["version"] == read["version"] + 1
    assert roles_in(as_user("rita").token("organizations")) == ["agent"]


def test_a_role_that_is_set_already_is_told_again_and_counts_as_no_change(
    organizations: RunningService, as_user: AsUser
) -> None:
    olivia, idp = as_user("olivia"), organizations.stack.control("idp")
    before = member(olivia, "rita")
    idp.put_user("rita", role="viewer")
    assert change(olivia, "rita", "requester") == before
    assert roles_in(as_user("rita").token("organizations")) == ["requester"]


def test_a_member_the_provider_does_not_know_keeps_the_role(organizations: RunningService, as_user: AsUser) -> None:
    olivia = as_user("olivia")
    before = member(olivia, "rita")
    organizations.stack.control("idp").drop_user("rita")
    assert refused(olivia, "rita", "agent")["code"] == "bad_gateway"
    assert member(olivia, "rita") == before


def test_a_token_of_its_own_that_is_no_longer_good_is_renewed(organizations: RunningService, as_user: AsUser) -> None:
    change(as_user("olivia"), "rita", "agent")
    organizations.stack.control("idp").reset(keys=True)
    assert change(as_user("olivia"), "rita", "viewer")["role"] == "viewer"
    assert roles_in(as_user("rita").token("organizations")) == ["viewer"]


class Provider(httpx.BaseTransport):
    """An identity provider that answers each of its endpoints as told, the last answer again and again."""

    def __init__(self, *, tokens: list[httpx.Response | Exception], patches: list[httpx.Response | Exception]) -> None:
        self.answers = {"POST": tokens, "PATCH": patches}
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        left = self.answers[request.method]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def issued(token: str, expires_in: int = 600) -> httpx.Response:
    return httpx.Response(200, json={"access_token": token, "expires_in": expires_in, "token_type": "Bearer"})


def test_one_token_serves_many_changes() -> None:
    provider = Provider(tokens=[issued("one"), issued("two")], patches=[httpx.Response(200)])
    directory = Directory("http://localhost:1", "the secret", transport=provider)
    for user_id in ("usr_1", "usr/../2"):
        directory.set_role(user_id, "agent")
    assert [each.method for each in provider.asked] == ["POST", "PATCH", "PATCH"]
    assert [each.headers["authorization"] for each in provider.asked[1:]] == ["Bearer one"] * 2
    assert provider.asked[2].url.raw_path == b"/scim/v2/Users/usr%2F..%2F2"
    directory.close()


def test_a_token_that_has_expired_is_not_used() -> None:
    provider = Provider(tokens=[issued("one", expires_in=1), issued("two")], patches=[httpx.Response(200)])
    directory = Directory("http://localhost:1", "the secret", transport=provider)
    directory.set_role("usr_1", "agent")
    directory.set_role("usr_1", "agent")
    assert [each.headers["authorization"] for each in provider.asked if each.method == "PATCH"] == [
        "Bearer one", "Bearer two",
    ]  # fmt: skip


def test_a_kept_token_is_renewed_once_and_a_new_one_never() -> None:
    yes, no = httpx.Response(200), httpx.Response(401)
    provider = Provider(tokens=[issued("one"), issued("two")], patches=[yes, no, yes, no])
    directory = Directory("http://localhost:1", "the secret", transport=provider)
    directory.set_role("usr_1", "agent")
    directory.set_role("usr_1", "agent")
    assert len(provider.asked) == 5
    with pytest.raises(BadGateway):
        directory.set_role("usr_1", "agent")
    assert [each.method for each in provider.asked[5:]] == ["PATCH", "POST", "PATCH"]


@pytest.mark.parametrize("where", ["token", "patch"])
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ReadTimeout("slow"), Unavailable),
        (httpx.RemoteProtocolError("cut off"), Unavailable),
        (httpx.Response(503), Unavailable),
        (httpx.Response(429), Unavailable),
        (httpx.Response(400, json={"error": "invalid_client"}), BadGateway),
        (httpx.Response(403), BadGateway),
        (httpx.Response(302, headers={"Location": "http://evil.example/"}), BadGateway),
    ],
)
def test_what_goes_wrong_is_told_for_what_it_is(where: str, answer: Any, problem: type[Exception]) -> None:
    good = httpx.Response(200)
    provider = Provider(
        tokens=[answer if where == "token" else issued("one")], patches=[answer if where == "patch" else good]
    )
    with pytest.raises(problem) as told:
        Directory("http://localhost:1", "the secret", transport=provider).set_role("usr_1", "agent")
    assert "the secret" not in str(told.value)
    assert all(each.url.host == "localhost" for each in provider.asked)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"access_token": 1, "expires_in": 2}', b"\xff"])
def test_an_answer_that_is_no_token_is_told_so(content: bytes) -> None:
    provider = Provider(tokens=[httpx.Response(200, content=content)], patches=[httpx.Response(200)])
    with pytest.raises(BadGateway):
        Directory("http://localhost:1", "the secret", transport=provider).set_role("usr_1", "agent")
