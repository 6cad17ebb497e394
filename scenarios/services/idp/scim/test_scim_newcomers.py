"""People who are made by SCIM: RFC 7644 §3.3, and what they can do here from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.services.idp.conftest import Living, claims, told
from scenarios.services.idp.scim.conftest import BASE, Directory, failed
from services.idp.app import create_app

USER = "urn:ietf:params:scim:schemas:core:2.0:User"


def mira(directory: Directory, **changes: Any) -> dict[str, Any]:
    """Somebody for Rita's organization, as a client describes them."""
    usual = {
        "schemas": [USER],
        "userName": "mira@partner.example",
        "displayName": "Mira Holt",
        "emails": [{"value": "mira@partner.example"}],
        "roles": [{"value": "agent", "type": directory.person("rita").memberships[0].org_id}],
        "active": True,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def test_whoever_is_made_can_be_read_and_signs_in_with_the_role(directory: Directory) -> None:
    response = directory.ask("POST", "/Users", mira(directory))
    assert response.status_code == 201, response.text
    made, user = response.json(), directory.person("mira@partner.example")
    assert made["id"] == user.sub
    assert response.headers["location"] == made["meta"]["location"] == f"{BASE}/Users/{user.sub}"
    assert response.headers["etag"] == made["meta"]["version"]
    assert directory.read("mira@partner.example") == made
    assert (made["displayName"], made["name"]) == ("Mira Holt", {"formatted": "Mira Holt"})
    token = claims(directory.alone.tokens("mira@partner.example")["access_token"])
    assert (token["sub"], token["org_id"], token["roles"]) == (
        user.sub,
        directory.person("rita").memberships[0].org_id,
        ["agent"],
    )


def test_whoever_is_made_inactive_signs_in_only_when_that_changes(directory: Directory) -> None:
    directory.ask("POST", "/Users", mira(directory, active=False))
    alone, name = directory.alone, "mira@partner.example"
    begun = alone.authorize(alone.asked(prompt="login"))
    assert name not in begun.text
    assert alone.pick(name, begun).status_code == 400
    directory.patch(name, {"op": "replace", "path": "active", "value": True})
    assert told(alone.pick(name, alone.authorize(alone.asked(prompt="login"))))["code"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"displayName": None}, "mira@partner.example"),
        ({"displayName": None, "name": {"Formatted": "M. Holt"}}, "M. Holt"),
        ({"name": {"formatted": "Mira Holt"}}, "Mira Holt"),
        ({"active": None}, "Mira Holt"),
        ({"schemas": None, "id": "ignored", "meta": {"version": "ignored"}}, "Mira Holt"),
    ],
)
def test_what_need_not_be_said_is_taken_for_granted(directory: Directory, changes: dict[str, Any], name: str) -> None:
    response = directory.ask("POST", "/Users", mira(directory, **changes))
    assert response.status_code == 201, response.text
    made = response.json()
    assert (made["displayName"], made["active"], made["schemas"]) == (name, True, [USER])
    assert made["id"] != "ignored"


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"userName": "RITA"}, 409, "uniqueness"),
        ({"userName": None}, 400, "invalidValue"),
        ({"userName": " "}, 400, "invalidValue"),
        ({"userName": "x" * 1001}, 400, "invalidValue"),
        ({"emails": None}, 400, "invalidValue"),
        ({"emails": [{"value": "nonsense"}]}, 400, "invalidValue"),
        ({"roles": None}, 400, "invalidValue"),
        ({"roles": [{"value": "agent"}]}, 400, "invalidValue"),
        ({"roles": [{"value": "agent", "type": "org_nowhere"}]}, 400, "invalidValue"),
        ({"roles": [{"value": "two words", "type": "org_nowhere"}]}, 400, "invalidValue"),
        ({"active": "yes"}, 400, "invalidValue"),
        ({"displayName": "A", "name": {"formatted": "B"}}, 400, "invalidValue"),
        ({"nickName": "M"}, 400, "invalidPath"),
        ({"name.formatted": "M"}, 400, "invalidSyntax"),
    ],
)
def test_what_cannot_be_is_refused_and_nobody_is_made(
    directory: Directory, changes: dict[str, Any], status: int, kind: str
) -> None:
    before = dict(directory.alone.provider.registry.users)
    failed(directory.ask("POST", "/Users", mira(directory, **changes)), status, kind)
    assert dict(directory.alone.provider.registry.users) == before


def test_the_same_person_is_not_made_twice_and_can_be_found(directory: Directory) -> None:
    made = directory.ask("POST", "/Users", mira(directory)).json()
    failed(directory.ask("POST", "/Users", mira(directory, displayName="Another")), 409, "uniqueness")
    found = directory.ask("GET", '/Users?filter=userName eq "mira@partner.example"').json()
    assert found["Resources"] == [made]


def test_whoever_is_made_is_there_after_a_restart(
    living: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path / 'idp.db'}")
    made: list[dict[str, Any]] = []
    for start in ("first", "second"):
        with living(create_app()) as alone:
            directory = Directory(alone, alone.client_credentials(scope=None).json()["access_token"])
            if start == "first":
                directory.ask("POST", "/Users", mira(directory))
            made.append(directory.read("mira@partner.example"))
    assert made[0] == made[1]
