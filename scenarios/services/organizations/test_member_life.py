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
    from harness.stack import RunningService

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


@ERAS
def test_alice_is_deactivated_and_is_out_everywhere(
    organizations: RunningService, as_user: AsUser, nobody: httpx.Client, mode: str
) -> None:
    stack, olivia, alice = organizations.stack, as_user("olivia"), as_user("alice")
    tokens, me = signed_in(organizations, "alice"), ask(alice, "whoami")

    gone = ask(olivia, "deactivate_member", mode=mode, approve=True, user_id=me["id"])
    assert (gone["status"], gone["displayName"]) == ("inactive", "Alice Anders")
    with pytest.raises(SignInError):
        as_user("alice").token("organizations")
    refresh = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": tokens["refresh_token"]}
    assert nobody.post(f"{stack.url('idp')}/token", data=refresh).json()["error"] == "invalid_grant"
    user_info = nobody.get(
        f"{stack.url('idp')}/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    assert user_info.status_code == 401
    assert refused(alice, "whoami", mode=mode)["code"] == "forbidden"
    assert ask(olivia, "get_member", user_id=me["id"])["displayName"] == "Alice Anders"

    back = ask(olivia, "invite_member", email="alice@acme.example", role="viewer")
    assert (back["id"], back["status"]) == (me["id"], "invited")


@ERAS
@pytest.mark.parametrize("approve", [False, None], ids=["declined", "nobody to ask"])
def test_nobody_is_deactivated_or_taken_from_a_team_whom_a_person_did_not_agree_to(
    organizations: RunningService, as_user: AsUser, mode: str, approve: bool | None
) -> None:
    olivia = as_user("olivia")
    rita = ask(olivia, "get_member", email="rita@acme.example")
    team = ask(olivia, "create_team", display_name="Network")
    team = ask(olivia, "add_team_member", team_id=team["id"], user_id=rita["id"])
    for tool, arguments in (
        ("deactivate_member", {"user_id": rita["id"]}),
        ("remove_team_member", {"team_id": team["id"], "user_id": rita["id"]}),
        ("update_member_role", {"user_id": rita["id"], "role": "agent", "expected_version": rita["version"]}),
    ):
        with pytest.raises(Exception, match="Nothing was changed"):
            ask(olivia, tool, mode=mode, approve=approve, **arguments)
    assert ask(olivia, "get_member", user_id=rita["id"]) == rita
    assert ask(olivia, "get_team", team_id=team["id"]) == team
    assert organizations.stack.control("idp").requests(client_id="organizations") == []


@ERAS
def test_a_team_is_made_filled_and_emptied(organizations: RunningService, as_user: AsUser, mode: str) -> None:
    adam = as_user("adam")
    rita = ask(adam, "get_member", email="rita@acme.example")["id"]
    team = ask(adam, "create_team", mode=mode, display_name="Network", idempotency_key="one")
    assert ask(adam, "create_team", mode=mode, display_name="Network", idempotency_key="one") == team
    filled = ask(adam, "add_team_member", mode=mode, team_id=team["id"], user_id=rita)
    assert [member["username"] for member in filled["members"]] == ["rita"]
    listed = ask(adam, "list_teams", mode=mode)["items"]
    assert [(each["id"], each["memberCount"]) for each in listed if each["id"] == team["id"]] == [(team["id"], 1)]
    emptied = ask(adam, "remove_team_member", mode=mode, approve=True, team_id=team["id"], user_id=rita)
    assert emptied["members"] == []
    assert refused(adam, "create_team", display_name="NETWORK")["code"] == "conflict"


ODD = {
    "long": "ß" * 248 + "@x.org",
    "odd": "😀\u202e'\"\\<b>@\u200b.example",
    "quoted": "o'brien+tag%25@sub.domain.example",
}


@pytest.mark.parametrize("email", ODD.values(), ids=ODD.keys())
def test_an_odd_address_reaches_the_provider_as_it_is(
    organizations: RunningService, as_user: AsUser, email: str
) -> None:
    invited = ask(as_user("adam"), "invite_member", email=email, role="viewer")
    (account,) = [user for user in organizations.stack.control("idp").users() if user["sub"] == invited["id"]]
    assert (account["email"], account["active"], account["username"]) == (email, False, invited["username"])
    again = ask(as_user("adam"), "invite_member", email=email, role="agent")
    assert (again["id"], again["role"]) == (invited["id"], "agent")
    assert ask(as_user("victor"), "get_member", email=email) == again


@pytest.mark.parametrize("email", [MIRA, ODD["odd"]])
def test_an_account_that_is_there_already_is_taken_and_put_in_step(
    organizations: RunningService, as_user: AsUser, email: str
) -> None:
    idp = organizations.stack.control("idp")
    made = idp.put_user(f"acme:{email.casefold()}", role="viewer", email=email, active=True)
    assert ask(as_user("adam"), "invite_member", email=email, role="agent")["id"] == made["sub"]
    (account,) = [user for user in idp.users() if user["sub"] == made["sub"]]
    assert (account["role"], account["active"]) == ("agent", False)
