"""People of the shared system, each signed in once for all these scenarios: they only read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack


@pytest.fixture(scope="session")
def member(shared_stack: Stack) -> Callable[[str], Person]:
    """``member("alice")``: like ``as_user``, and the same person in every scenario."""
    return cache(shared_stack.sign_in)
