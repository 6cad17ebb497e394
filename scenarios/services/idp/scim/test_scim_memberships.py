"""Several roles of one person, each in another organization (RFC 7643 §4.1.2), changed one by one."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.services.idp.conftest import claims, refused
from scenarios.services.idp.scim.conftest import Directory, failed


def of(directory: Directory, slug: str) -> str:
    found = directory.alone.provider.registry.membership(slug)
    assert found is not None
    return found.org_id


def in_acme(directory: Directory, part: str = "value") -> str:
    return f'roles[type eq "{of(directory, "acme")}"].{part}'


def in_globex(directory: Directory, part: str = "value") -> str:
    return f'roles[type eq "{of(directory, "globex")}"].{part}'


def roles(directory: Directory, username: str = "nora") -> list[tuple[Any, ...]]:
    names = {of(directory, slug): slug for slug in ("acme", "globex", "initech")}
    told = directory.read(username)["roles"]
    return [(names[each["type"]], each["value"], each["primary"], each["active"]) for each in told]


def test_everybody_has_a_role_in_each_of_their_organizations(directory: Directory) -> None:
    assert roles(directory) == [("acme", "agent", True, True), ("globex", "viewer", False, True)]
    found = directory.ask("GET", f'/Users?filter=roles.type eq "{of(directory, "globex")}" and userName eq "nora"')
    assert [each["userName"] for each in found.json()["Resources"]] == ["nora"]


def test_a_role_changes_in_the_organization_that_is_named(directory: Directory) -> None:
    response = directory.patch("nora", {"op": "replace", "path": in_globex(directory), "value": "admin"})
    assert response.status_code == 200, response.text
    assert roles(directory) == [("acme", "agent", True, True), ("globex", "admin", False, True)]
    assert claims(directory.alone.tokens("nora")["access_token"])["roles"] == ["agent"]
    assert claims(directory.alone.tokens("nora", organization="globex")["access_token"])["roles"] == ["admin"]


def test_one_membership_is_deactivated_and_the_others_go_on(directory: Directory) -> None:
    alone = directory.alone
    here, there = alone.tokens("nora"), alone.tokens("nora", organization="globex")
    for _ in range(2):  # saying so twice is no error
        answer = directory.patch("nora", {"op": "replace", "path": in_globex(directory, "active"), "value": False})
        assert (answer.status_code, answer.json()["active"]) == (200, True)
    refused(alone.refresh(there["refresh_token"]), 400, "invalid_grant")
    assert (alone.userinfo(there["access_token"]).status_code, alone.userinfo(here["access_token"]).status_code) == (
        401, 200,
    )  # fmt: skip
    directory.patch("nora", {"op": "replace", "path": in_acme(directory, "active"), "value": False})
    assert alone.userinfo(here["access_token"]).status_code == 401
    assert alone.pick("nora", alone.authorize(alone.asked(prompt="login"))).status_code == 400
    directory.patch("nora", {"op": "replace", "path": in_globex(directory, "active"), "value": True})
    assert claims(alone.tokens("nora")["access_token"])["org_id"] == of(directory, "globex")


def test_the_account_as_a_whole_is_deactivated_and_memberships_stay_what_they_are(directory: Directory) -> None:
    directory.patch("nora", {"op": "replace", "path": in_globex(directory, "active"), "value": False})
    directory.patch("nora", {"op": "replace", "path": "active", "value": False})
    assert [each[3] for each in roles(directory)] == [True, False]
    assert directory.alone.pick("nora", directory.alone.authorize(directory.alone.asked())).status_code == 400
    directory.patch("nora", {"op": "replace", "path": "active", "value": True})
    assert [each[3] for each in roles(directory)] == [True, False]
    assert claims(directory.alone.tokens("nora")["access_token"])["roles"] == ["agent"]


@pytest.mark.parametrize("how", ["person", "role", "both", "put"])
def test_an_only_role_and_the_person_are_active_together(directory: Directory, how: str) -> None:
    person, role = ({"op": "replace", "path": path} for path in ("active", in_acme(directory, "active")))
    told = {"person": [person], "role": [role], "both": [role, person]}
    for active in (False, True):
        if how == "put":
            rita = directory.read("rita")
            answer = directory.ask("PUT", f"/Users/{rita['id']}", rita | {"active": active})
        else:
            answer = directory.patch("rita", *({**each, "value": active} for each in told[how]))
        assert answer.status_code == 200, answer.text
        assert (answer.json()["active"], roles(directory, "rita")[0][3]) == (active, active)


def test_somebody_gets_a_role_in_one_organization_more_and_loses_it(directory: Directory) -> None:
    role = {"value": "admin", "type": of(directory, "initech")}
    assert directory.patch("nora", {"op": "add", "path": "roles", "value": [role]}).status_code == 200
    assert roles(directory)[2] == ("initech", "admin", False, True)
    tokens = directory.alone.tokens("nora", organization="initech")
    assert claims(tokens["access_token"])["roles"] == ["admin"]
    left = f'roles[type eq "{of(directory, "initech")}"]'
    assert directory.patch("nora", {"op": "remove", "path": left}).status_code == 200
    assert [each[0] for each in roles(directory)] == ["acme", "globex"]
    refused(directory.alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")


def test_the_first_stays_the_first_whatever_the_order(directory: Directory) -> None:
    nora = directory.read("nora")
    answer = directory.ask("PUT", f"/Users/{nora['id']}", nora | {"roles": nora["roles"][::-1]})
    assert (answer.status_code, [each[0] for each in roles(directory)]) == (200, ["acme", "globex"])


def test_what_somebody_was_whose_only_membership_had_ended_is_not_what_the_account_is(directory: Directory) -> None:
    directory.patch("rita", {"op": "replace", "path": in_acme(directory, "active"), "value": False})
    role = {"value": "agent", "type": of(directory, "globex")}
    assert directory.patch("rita", {"op": "add", "path": "roles", "value": [role]}).json()["active"] is True
    assert claims(directory.alone.tokens("rita")["access_token"])["org_id"] == of(directory, "globex")


@pytest.mark.parametrize(
    "value",
    [
        [{"value": "agent"}],
        [{"value": "agent", "type": "ACME"}, {"value": "owner", "type": "ACME"}],
        [{"value": "agent", "type": "org_x"}],
        [{"value": "agent", "type": "acme"}],
        [{"value": "agent", "type": "ACME", "active": "yes"}],
        [{"value": "agent", "type": "ACME", "active": 1}],
        [{"value": "agent", "type": 1}],
        [],
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(directory: Directory, value: list[dict[str, Any]]) -> None:
    before = roles(directory)
    acme = of(directory, "acme")
    wanted = [each | {"type": acme} if each.get("type") == "ACME" else each for each in value]
    failed(directory.patch("nora", {"op": "replace", "path": "roles", "value": wanted}), 400, "invalidValue")
    assert roles(directory) == before


def test_a_role_where_somebody_has_none_is_no_target(directory: Directory) -> None:
    path = f'roles[type eq "{of(directory, "initech")}"].value'
    failed(directory.patch("nora", {"op": "replace", "path": path, "value": "owner"}), 400, "noTarget")
