"""Who is invited and who is deactivated, here and at the identity provider: from no account to no sign-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastmcp.exceptions import ToolError

from harness import code_flow
from harness.person import CLIENT_ID, REDIRECT_URI, SignInError

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import RunningService, Stack

AsUser = Callable[[str], "Person"]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
MIRA = "mira@partner.example"
USERNAME = f"acme:{MIRA}"


def ask(person: Person, tool: str, **arguments: Any) -> dict[str, Any]:
    return person.call_tool("organizations", tool, **arguments)


def refused(person: Person, tool: str, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ToolError) as error:
        ask(person, tool, **arguments)
    return dict(json.loads(str(error.value)))


@ERAS
def test_mira_is_invited_accepts_at_the_provider_and_works(
    organizations: RunningService, as_user: AsUser, mode: str
) -> None:
    idp, adam = organizations.stack.control("idp"), as_user("adam")
    invited = ask(adam, "invite_member", mode=mode, email=MIRA, role="agent")
    assert (invited["username"], invited["status"], invited["role"]) == (USERNAME, "invited", "agent")
    with pytest.raises(SignInError):
        as_user(USERNAME).token("organizations")

    idp.put_user(USERNAME, active=True)
    mira = as_user(USERNAME)
    assert ask(mira, "whoami", mode=mode)["status"] == "invited"
    assert refused(mira, "list_members", mode=mode)["code"] == "forbidden"
    assert ask(mira, "accept_invitation", mode=mode)["status"] == "active"
    assert ask(mira, "get_member", mode=mode, email=MIRA)["invitation"] is None
    assert invited["id"] in [member["id"] for member in ask(adam, "list_members", role="agent")["items"]]


def signed_in(organizations: RunningService, username: str) -> dict[str, Any]:
    client = code_flow.Client(
        organizations.stack.url("idp"),
        CLIENT_ID,
        REDIRECT_URI,
        organizations.audience,
        "openid offline_access orgs:read",
    )
    return dict(code_flow.sign_in(client, username).tokens)


def test_alice_is_deactivated_and_is_out_everywhere(
    organizations: RunningService, as_user: AsUser, nobody: httpx.Client
) -> None:
    stack, olivia, alice = organizations.stack, as_user("olivia"), as_user("alice")
    tokens, me = signed_in(organizations, "alice"), ask(alice, "whoami")

    gone = ask(olivia, "deactivate_member", approve=True, user_id=me["id"])
    assert (gone["status"], gone["displayName"]) == ("inactive", "Alice Anders")
    with pytest.raises(SignInError):
        as_user("alice").token("organizations")
    refresh = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": tokens["refresh_token"]}
    assert nobody.post(f"{stack.url('idp')}/token", data=refresh).json()["error"] == "invalid_grant"
    user_info = nobody.get(
        f"{stack.url('idp')}/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert user_info.status_code == 401
    assert refused(alice, "whoami")["code"] == "forbidden"
    assert ask(olivia, "get_member", user_id=me["id"])["displayName"] == "Alice Anders"

    back = ask(olivia, "invite_member", email="alice@acme.example", role="viewer")
    assert (back["id"], back["status"]) == (me["id"], "invited")


@ERAS
@pytest.mark.parametrize("approve", [False, None], ids=["declined", "nobody to ask"])
def test_nobody_is_deactivated_or_taken_from_a_team_whom_a_person_did_not_agree_to(
    shared_stack: Stack, as_user: AsUser, mode: str, approve: bool | None
) -> None:
    olivia, idp = as_user("olivia"), shared_stack.control("idp")
    alice, told = ask(olivia, "get_member", email="alice@acme.example"), idp.requests(client_id="organizations")
    (team_id,) = [team["id"] for team in ask(olivia, "list_teams")["items"] if team["displayName"] == "First Line"]
    team = ask(olivia, "get_team", team_id=team_id)
    for tool, arguments in (
        ("deactivate_member", {"user_id": alice["id"]}),
        ("remove_team_member", {"team_id": team_id, "user_id": alice["id"]}),
        ("update_member_role", {"user_id": alice["id"], "role": "viewer", "expected_version": alice["version"]}),
    ):
        with pytest.raises(Exception, match="Nothing was changed"):
            ask(olivia, tool, mode=mode, approve=approve, **arguments)
    assert ask(olivia, "get_member", user_id=alice["id"]) == alice
    assert ask(olivia, "get_team", team_id=team_id) == team
    assert idp.requests(client_id="organizations") == told


@pytest.mark.usefixtures("organizations")
def test_a_team_is_made_filled_and_emptied(as_user: AsUser) -> None:
    adam = as_user("adam")
    rita = ask(adam, "get_member", email="rita@acme.example")["id"]
    team = ask(adam, "create_team", display_name="Network", idempotency_key="one")
    assert ask(adam, "create_team", display_name="Network", idempotency_key="one") == team
    filled = ask(adam, "add_team_member", team_id=team["id"], user_id=rita)
    assert [member["username"] for member in filled["members"]] == ["rita"]
    listed = ask(adam, "list_teams")["items"]
    assert [(each["id"], each["memberCount"]) for each in listed if each["id"] == team["id"]] == [(team["id"], 1)]
    emptied = ask(adam, "remove_team_member", approve=True, team_id=team["id"], user_id=rita)
    assert emptied["members"] == []
    assert refused(adam, "create_team", display_name="NETWORK")["code"] == "conflict"


ODD = ("ß" * 248 + "@x.org", "😀\u202e'\"\\<b>@\u200b.example", "o'brien+tag%25@sub.domain.example")


def test_odd_addresses_reach_the_provider_as_they_are(organizations: RunningService, as_user: AsUser) -> None:
    adam, idp = as_user("adam"), organizations.stack.control("idp")
    for email in ODD:
        invited = ask(adam, "invite_member", email=email, role="viewer")
        account = next(user for user in idp.users() if user["sub"] == invited["id"])
        assert (account["email"], account["active"], account["username"]) == (email, False, invited["username"])
        again = ask(adam, "invite_member", email=email, role="agent")
        assert (again["id"], again["role"]) == (invited["id"], "agent")
        assert ask(adam, "get_member", email=email) == again


def test_an_account_that_is_there_already_is_taken_and_put_in_step(
    organizations: RunningService, as_user: AsUser
) -> None:
    idp = organizations.stack.control("idp")
    for email in (MIRA, ODD[1]):
        made = idp.put_user(f"acme:{email.casefold()}", role="viewer", email=email, active=True)
        assert ask(as_user("adam"), "invite_member", email=email, role="agent")["id"] == made["sub"]
        account = next(user for user in idp.users() if user["sub"] == made["sub"])
        (membership,) = account["memberships"]
        assert (membership["role"], membership["active"], account["active"]) == ("agent", False, False)
