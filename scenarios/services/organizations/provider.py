"""An identity provider in memory, as far as the organizations server talks to it; its answers can be lost or bad."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx

ISSUER = "http://localhost:1"


@dataclass
class Account:
    """Somebody who can sign in, if active: a member of one organization, as far as it matters here."""

    username: str
    org_id: str
    role: str
    active: bool = True


@dataclass
class Provider(httpx.BaseTransport):
    """Accounts by their id."""

    accounts: dict[str, Account] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)
    failure: str | None = None
    meanwhile: Callable[[], object] | None = None
    """What happens once, between its next change and the answer."""

    @contextmanager
    def failing(self, how: str) -> Iterator[None]:
        """``unreachable``: nothing is heard. ``lost``: all is done, and the answer lost. ``refusing``: 403."""
        self.failure = how
        try:
            yield
        finally:
            self.failure = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        if self.failure == "unreachable":
            raise httpx.ConnectError("refused")
        if request.url.path == "/token":
            return httpx.Response(200, json={"access_token": "one", "expires_in": 600})
        if self.failure == "refusing":
            return httpx.Response(403)
        answer = self._answer(request)
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        if self.failure == "lost":
            raise httpx.ReadTimeout("lost")
        return answer

    @property
    def changes(self) -> list[str]:
        """What was asked of it but tokens."""
        return [request.method for request in self.asked if request.url.path != "/token"]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            (wanted,) = re.findall(r'^userName eq (".*")$', parse_qs(request.url.query.decode())["filter"][0])
            found = [each for each, account in self.accounts.items() if account.username == json.loads(wanted)]
            return httpx.Response(200, json={"Resources": [{"id": each} for each in found]})
        body = json.loads(request.content)
        if request.method == "POST":
            return self._make(body)
        return self._change(unquote(request.url.path.rpartition("/")[2]), body["Operations"])

    def _make(self, body: dict[str, Any]) -> httpx.Response:
        if any(account.username == body["userName"] for account in self.accounts.values()):
            return httpx.Response(409, json={"scimType": "uniqueness"})
        (role,) = body["roles"]
        made = f"usr_{body['userName']}"
        self.accounts[made] = Account(body["userName"], role["type"], role["value"], body["active"])
        return httpx.Response(201, json={"id": made})

    def _change(self, user_id: str, operations: list[dict[str, Any]]) -> httpx.Response:
        account = self.accounts.get(user_id)
        if account is None:
            return httpx.Response(404)
        for operation in operations:
            if operation["path"] == f'roles[type eq "{account.org_id}"].active':
                account.active = operation["value"]
            elif operation["path"] == f'roles[type eq "{account.org_id}"].value':
                account.role = operation["value"]
            else:
                return httpx.Response(400, json={"scimType": "noTarget"})
        return httpx.Response(200, json={"id": user_id})
