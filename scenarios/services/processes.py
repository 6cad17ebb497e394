"""What can befall the process of a service."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.stack import Stack


def pid(stack: Stack, service: str) -> int:
    """Its process."""
    number: int = stack.describe()["services"][service]["pid"]
    return number


def kill(stack: Stack, service: str) -> None:
    """End it without a farewell."""
    os.kill(pid(stack, service), signal.SIGKILL)


@contextmanager
def paused(stack: Stack, service: str) -> Iterator[int]:
    """It answers nobody meanwhile, or until its pid is told to go on; its port is still taken."""
    number = pid(stack, service)
    os.kill(number, signal.SIGSTOP)
    try:
        yield number
    finally:
        os.kill(number, signal.SIGCONT)
