"""The bundle that is really served, by the server that really serves it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from harness.stack import Stack

PAGE = {"Accept": "text/html"}


def test_the_page_names_only_files_that_are_there_and_may_be_kept(shared_stack: Stack) -> None:
    with httpx.Client(base_url=shared_stack.url("ui")) as client:
        page = client.get("/", headers=PAGE).text
        named = re.findall(r'(?:src|href)="([^"/][^"]*)"', page)
        assert any(name.endswith(".js") for name in named)
        for name in named:
            answer = client.get(f"/{name}")
            assert answer.status_code == 200, name
            if name.endswith((".js", ".css")):
                assert "immutable" in answer.headers["Cache-Control"], name


def test_no_placeholder_is_left_in_the_page(shared_stack: Stack, nobody: httpx.Client) -> None:
    page = nobody.get(shared_stack.url("ui") + "/", headers=PAGE).text
    assert "__CSP_NONCE__" not in page
    assert re.search(r'<app-root[^>]+ngcspnonce="[\w-]{22}"', page, re.IGNORECASE)


def test_the_configuration_names_the_services_of_this_stack(shared_stack: Stack, nobody: httpx.Client) -> None:
    config = nobody.get(shared_stack.url("ui") + "/config.json").json()
    assert (config["issuer"], config["apiUrl"]) == (shared_stack.url("idp"), shared_stack.url("api"))
    assert nobody.get(shared_stack.url("ui") + "/healthz").json()["instance"] == shared_stack.nonce
