"""Changing people: RFC 7644 §3.5, and what their next token, and the last one, say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.services.idp.conftest import Living, claims, refused, told
from scenarios.services.idp.scim.conftest import Directory, failed
from services.idp.app import create_app

AGENT = [{"value": "agent"}]


def test_a_role_change_is_in_the_next_token_and_not_in_the_last(directory: Directory) -> None:
    alone = directory.alone
    before = alone.tokens("rita")
    assert claims(before["access_token"])["roles"] == ["requester"]
    response = directory.patch("rita", {"op": "replace", "path": "roles", "value": AGENT})
    in_acme = directory.person("rita").memberships[0].org_id
    expected = [{"value": "agent", "type": in_acme, "primary": True, "active": True}]
    assert (response.status_code, response.json()["roles"]) == (200, expected)
    assert claims(alone.refresh(before["refresh_token"]).json()["access_token"])["roles"] == ["agent"]
    assert claims(alone.tokens("rita")["access_token"])["roles"] == ["agent"]
    assert alone.userinfo(before["access_token"]).status_code == 200


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "replace", "path": "roles", "value": AGENT}],
        [{"op": "Replace", "path": "ROLES", "value": [{"Value": "agent", "primary": True, "display": "x"}]}],
        [{"op": "REPLACE", "path": "roles", "value": {"value": "agent"}}],
        [{"op": "replace", "path": "roles", "value": "agent"}],
        [{"op": "replace", "path": "roles", "value": ["agent"]}],
        [{"op": "replace", "path": "roles.value", "value": "agent"}],
        [{"op": "replace", "path": "roles[primary eq true].value", "value": "agent"}],
        [{"op": "replace", "path": 'roles[value eq "requester"]', "value": {"value": "agent"}}],
        [{"op": "add", "path": 'roles[value eq "requester"]', "value": {"value": "agent"}}],
        [{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:roles", "value": AGENT}],
        [{"op": "replace", "value": {"roles": AGENT}}],
        [{"op": "replace", "value": {"Roles": AGENT}}],
        [{"op": "add", "value": {'roles[value eq "requester"].value': "agent"}}],
        [{"op": "remove", "path": "roles"}, {"op": "add", "path": "roles", "value": AGENT}],
        [{"op": "add", "path": "roles", "value": AGENT}, {"op": "remove", "path": 'roles[value eq "requester"]'}],
        [{"OP": "replace", "Path": "roles", "VALUE": AGENT}],
    ],
)
def test_a_role_can_be_changed_in_every_way_there_is_to_write_it(directory: Directory, operations: list[Any]) -> None:
    response = directory.patch("rita", *operations)
    assert response.status_code == 200, response.text
    assert [each.role for each in directory.person("rita").memberships] == ["agent"]
    assert [each["value"] for each in directory.read("rita")["roles"]] == ["agent"]


@pytest.mark.parametrize(
    ("operation", "attribute", "value"),
    [
        ({"op": "replace", "path": "displayName", "value": "Rita R"}, "name", "Rita R"),
        ({"op": "add", "path": "displayname", "value": "Rita R"}, "name", "Rita R"),
        ({"op": "replace", "path": "name.formatted", "value": "Rita R"}, "name", "Rita R"),
        ({"op": "replace", "path": "name", "value": {"Formatted": "Rita R"}}, "name", "Rita R"),
        ({"op": "add", "path": "name", "value": {"formatted": "Rita R"}}, "name", "Rita R"),
        ({"op": "replace", "value": {"name.formatted": "Rita R"}}, "name", "Rita R"),
        ({"op": "replace", "value": {"displayName": "Rita R", "name": {"formatted": "Rita R"}}}, "name", "Rita R"),
        ({"op": "replace", "path": "displayName", "value": "ريتا 🎭"}, "name", "ريتا 🎭"),
        (
            {"op": "replace", "path": "emails", "value": [{"value": "r@x.example", "type": "work"}]},
            "email",
            "r@x.example",
        ),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": "r@x.example"}, "email", "r@x.example"),
        ({"op": "replace", "path": "active", "value": False}, "active", False),
        ({"op": "add", "path": "active", "value": False}, "active", False),
        ({"op": "replace", "value": {"ACTIVE": False}}, "active", False),
        ({"op": "add", "path": "roles", "value": [{"value": "requester"}]}, "role", "requester"),
    ],
)
def test_everything_else_can_be_changed_too(
    directory: Directory, operation: dict[str, Any], attribute: str, value: Any
) -> None:
    response = directory.patch("rita", operation)
    assert response.status_code == 200, response.text
    rita = directory.person("rita")
    assert getattr(rita.memberships[0] if attribute == "role" else rita, attribute) == value


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ({"op": "remove", "path": "roles"}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": []}, "invalidValue"),
        ({"op": "add", "path": "roles", "value": AGENT}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": [*AGENT, {"value": "owner"}]}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": [{"value": "owner", "type": "org_x"}]}, "invalidValue"),
        ({"op": "replace", "path": "roles.type", "value": "org_x"}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": [{"display": "Agent"}]}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": [7]}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": None}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": ""}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": "two words"}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": 'a"b'}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": "x" * 65}, "invalidValue"),
        ({"op": "replace", "path": "roles", "value": [{"value": "agent", "rank": 1}]}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": "False"}, "invalidValue"),
        ({"op": "replace", "path": "active", "value": 0}, "invalidValue"),
        ({"op": "remove", "path": "active"}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": "   "}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": "a\nb"}, "invalidValue"),
        ({"op": "replace", "path": "displayName", "value": "x" * 201}, "invalidValue"),
        ({"op": "replace", "path": "name", "value": {"givenName": "Rita"}}, "invalidValue"),
        ({"op": "replace", "path": "name", "value": "Rita"}, "invalidValue"),
        ({"op": "replace", "value": {"displayName": "A", "name": {"formatted": "B"}}}, "invalidValue"),
        ({"op": "replace", "path": "emails", "value": "nonsense"}, "invalidValue"),
        ({"op": "replace", "path": "emails", "value": ["a@b.example", "c@d.example"]}, "invalidValue"),
        ({"op": "replace", "value": "agent"}, "invalidValue"),
        ({"op": "replace"}, "invalidValue"),
        ({"op": "replace", "path": "id", "value": "usr_other"}, "mutability"),
        ({"op": "replace", "path": "meta", "value": {}}, "mutability"),
        ({"op": "replace", "path": "schemas", "value": []}, "mutability"),
        ({"op": "replace", "path": "userName", "value": "rosa"}, "mutability"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "remove", "path": 'roles[value eq "owner"]'}, "noTarget"),
        ({"op": "replace", "path": 'roles[value eq "owner"].value', "value": "agent"}, "noTarget"),
        ({"op": "replace", "path": 'roles[type eq "org_x"].value', "value": "agent"}, "noTarget"),
        ({"op": "replace", "path": "password", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "roles.rank", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "roles[", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 'active[value eq "x"]', "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "active.value", "value": True}, "invalidPath"),
        ({"op": "replace", "path": "urn:other:User:roles", "value": AGENT}, "invalidPath"),
        ({"op": "replace", "value": {"nickName": "R"}}, "invalidPath"),
        ({"op": "replace", "path": 'roles[value co "r"]', "value": {}}, "invalidFilter"),
        ({"op": "move", "path": "roles", "value": "x"}, "invalidSyntax"),
        ({"op": None, "path": "roles", "value": "x"}, "invalidSyntax"),
        ({"path": "roles", "value": "x"}, "invalidSyntax"),
        ({"op": "replace", "path": 7, "value": "x"}, "invalidSyntax"),
        ({"op": "replace", "path": "x" * 1001, "value": "x"}, "invalidSyntax"),
        ({"op": "replace", "OP": "add", "path": "roles", "value": AGENT}, "invalidSyntax"),
        ({"op": "replace", "path": "roles", "value": AGENT, "from": "x"}, "invalidSyntax"),
        ("replace", "invalidSyntax"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(directory: Directory, operation: Any, kind: str) -> None:
    before = directory.person("rita")
    failed(directory.patch("rita", {"op": "replace", "path": "displayName", "value": "Half"}, operation), 400, kind)
    assert directory.person("rita") == before


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"schemas": [], "Operations": []},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": []},
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": {}},
        {"schemas": ["urn:other"], "Operations": [{"op": "replace", "path": "active", "value": True}]},
        {"Operations": [{"op": "replace", "path": "active", "value": True}]},
    ],
)
def test_a_body_that_is_no_patch_is_refused(directory: Directory, body: Any) -> None:
    failed(directory.ask("PATCH", f"/Users/{directory.person('rita').sub}", body), 400, "invalidSyntax")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/scim+json", 400),
        (b'{"schemas": 1, "schemas": 2}', "application/json", 400),
        (b"\xff\xfe", "application/scim+json", 400),
        (b"[" * 10_000, "application/scim+json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b'"' + b"x" * 40_000 + b'"', "application/scim+json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(directory: Directory, content: bytes, kind: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {directory.token}", "Content-Type": kind}
    for method in ("PATCH", "PUT"):
        response = directory.alone.http.request(
            method, f"/scim/v2/Users/{directory.person('rita').sub}", content=content, headers=headers
        )
        failed(response, status, "invalidSyntax" if status == 400 else None)


def test_a_change_of_what_somebody_else_has_changed_since_is_refused(directory: Directory) -> None:
    version = directory.read("rita")["meta"]["version"]
    change = {"op": "replace", "path": "roles", "value": AGENT}
    answer = directory.patch("rita", change, If_Match=version)
    assert (answer.status_code, answer.headers["etag"] != version) == (200, True)
    failed(directory.patch("rita", change, If_Match=version), 412)
    assert directory.patch("rita", change, If_Match=answer.headers["etag"]).status_code == 200


def test_a_person_can_be_put_back_as_a_whole(directory: Directory) -> None:
    rita = directory.read("rita")
    wanted = rita | {"roles": AGENT, "active": False, "id": "ignored", "meta": {"version": "ignored"}}
    answer = directory.ask("PUT", f"/Users/{rita['id']}", wanted)
    assert answer.status_code == 200, answer.text
    user = directory.person("rita")
    assert (user.memberships[0].role, user.active, user.sub) == ("agent", False, rita["id"])
    for missing in ("roles", "emails", "active", "displayName", "userName"):
        body = {name: each for name, each in rita.items() if name != missing}
        failed(directory.ask("PUT", f"/Users/{rita['id']}", body), 400, "invalidValue")
    failed(directory.ask("PUT", f"/Users/{rita['id']}", rita | {"userName": "rosa"}), 400, "mutability")
    failed(directory.ask("PUT", f"/Users/{rita['id']}", rita | {"name.formatted": "x"}), 400, "invalidSyntax")
    failed(directory.ask("PUT", f"/Users/{rita['id']}", rita | {"nickName": "x"}), 400, "invalidPath")
    failed(directory.ask("PUT", f"/Users/{rita['id']}", []), 400, "invalidValue")


def test_whoever_is_deactivated_is_out_everywhere(directory: Directory) -> None:
    alone = directory.alone
    tokens = alone.tokens("rita")
    begun = alone.authorize(alone.asked(prompt="login"))
    code = told(alone.authorize(alone.asked()))["code"]
    assert directory.patch("rita", {"op": "replace", "path": "active", "value": False}).status_code == 200
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"
    refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    refused(alone.redeem(code), 400, "invalid_grant")
    refused(alone.exchange(tokens["access_token"]), 400, "invalid_request")
    assert alone.userinfo(tokens["access_token"]).status_code == 401
    assert alone.introspect(tokens["access_token"]).json() == {"active": False}
    assert alone.pick("rita", begun).status_code == 400
    assert directory.read("rita")["active"] is False
    assert directory.patch("rita", {"op": "replace", "path": "active", "value": True}).status_code == 200
    refused(alone.refresh(tokens["refresh_token"]), 400, "invalid_grant")
    assert claims(alone.tokens("rita")["access_token"])["roles"] == ["requester"]


def test_a_change_outlives_a_restart(living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path / 'idp.db'}")
    for start in ("first", "second"):
        with living(create_app()) as alone:
            directory = Directory(alone, alone.client_credentials(scope=None).json()["access_token"])
            if start == "first":
                directory.patch("rita", {"op": "replace", "path": "roles", "value": AGENT})
            assert claims(alone.tokens("rita")["access_token"])["roles"] == ["agent"]


def test_what_the_registry_took_stands_in_the_way_of_nothing(directory: Directory) -> None:
    users, rita = directory.alone.provider.registry.users, directory.person("rita")
    users.put(rita.sub, rita.model_copy(update={"name": "\n" * 300, "email": "none"}))
    assert directory.patch("rita", {"op": "replace", "path": "roles", "value": AGENT}).status_code == 200
    after = directory.person("rita")
    assert (after.memberships[0].role, after.name, after.email) == ("agent", "\n" * 300, "none")
