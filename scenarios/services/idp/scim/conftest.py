"""SCIM as the organizations server speaks it to a provider alone in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest

from scenarios.services.idp.conftest import ALONE, Alone
from services.idp.members import User

BASE = f"{ALONE.idp}/scim/v2"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass
class Directory:
    """A client with a token for it."""

    alone: Alone
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        usual = {"Authorization": f"Bearer {self.token}"} | {
            name.replace("_", "-"): each for name, each in headers.items()
        }
        return self.alone.http.request(method, f"/scim/v2{path}", json=body, headers=usual)

    def patch(self, username: str, *operations: Any, **headers: str) -> httpx.Response:
        return self.ask(
            "PATCH", f"/Users/{self.person(username).sub}", {"schemas": [PATCH_OP], "Operations": operations}, **headers
        )

    def read(self, username: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask("GET", f"/Users/{self.person(username).sub}").json()
        return answer

    def person(self, username: str) -> User:
        user = self.alone.provider.registry.user_named(username)
        assert user
        return user


@pytest.fixture
def directory(alone: Alone) -> Directory:
    answer = alone.client_credentials(scope="users:read users:write")
    assert answer.status_code == 200, answer.text
    return Directory(alone, answer.json()["access_token"])


def failed(response: httpx.Response, status: int, kind: str | None = None) -> str:
    """Assert an error in the schema of RFC 7644 §3.12; returns its detail."""
    body = response.json()
    assert (response.status_code, body.get("scimType")) == (status, kind), response.text
    assert (body["schemas"], body["status"]) == ([ERROR], str(status))
    assert response.headers["content-type"] == "application/scim+json"
    assert response.headers["cache-control"] == "no-store"
    return str(body["detail"])
