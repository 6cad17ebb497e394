"""The simulation API of a provider alone in this process, as its Python class speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx2 as httpx
import pytest

from scenarios.services.idp.conftest import Alone

Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(alone: Alone, settings: Mapping[str, str]) -> Ask:
    """``ask("POST", "/mint", {...})``: a call with the secret; ``tenant="partner"`` asks another issuer."""

    def call(method: str, path: str, body: Any = None, *, tenant: str = "", **query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {settings['SIMULATION_SECRET']}"}
        place = f"/t/{tenant}/_sim" if tenant else "/_sim"
        return alone.http.request(method, place + path, json=body, params=query or None, headers=headers)

    return call
