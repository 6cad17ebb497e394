"""What scenarios of several services share."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest


@pytest.fixture(scope="session")
def nobody() -> Iterator[httpx.Client]:
    """An HTTP client that has not signed in. Made once, and without the certificates that take 40 ms to load."""
    with httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), timeout=30) as client:
        yield client
