"""A device that waits to be let in, and the person at its page (RFC 8628), in the words of a scenario."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx2 as httpx

from scenarios.services.idp.conftest import EVERYTHING, Client

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def begin(idp: Client, **changes: str | None) -> dict[str, Any]:
    """The command line asks, as if it had no browser."""
    usual = {"client_id": "cli", "scope": EVERYTHING, "resource": idp.at.api}
    response = idp.post("/device_authorization", usual | changes)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    answer: dict[str, Any] = response.json()
    return answer


def poll(idp: Client, device_code: str, **changes: str | None) -> httpx.Response:
    usual = {"grant_type": DEVICE_CODE, "client_id": "cli", "device_code": device_code}
    return idp.post("/token", usual | changes)


class Fields(HTMLParser):
    """The hidden fields of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "input" and given.get("type") == "hidden":
            self.values[str(given["name"])] = str(given["value"])


def enter(idp: Client, user_code: str) -> httpx.Response:
    return idp.post("/device", {"user_code": user_code})


def decide(idp: Client, question: httpx.Response, answer: str = "allow") -> httpx.Response:
    assert question.status_code == 200, question.text
    return idp.post("/device/decision", Fields(question.text).values | {"answer": answer})


def back(idp: Client, response: httpx.Response) -> httpx.Response:
    """Follow the redirect that ends the sign-in."""
    assert response.headers["location"].startswith(f"{idp.at.idp}/device/return?"), response.headers
    return idp.http.get(response.headers["location"])


def let_in(idp: Client, user_code: str, username: str = "alice") -> httpx.Response:
    """The whole way of a person, signed in or not."""
    response = decide(idp, enter(idp, user_code), "other")
    return back(idp, idp.pick(username, response))
