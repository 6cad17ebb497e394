"""What a back end can do: start one service's process and report its end. Policy is not its business."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import socket
from typing import Protocol

from harness.topology import Service


class Backend(Protocol):
    """Starts services. Plain processes today (``process.py``); the fork server will be the second."""

    def start(
        self,
        service: Service,
        sockets: Sequence[socket],
        *,
        env: Mapping[str, str],
        log: Path,
        on_exit: Callable[[int], None],
    ) -> int:
        """Start ``service`` on listening ``sockets``, its output appended to ``log``; returns its pid.

        ``on_exit`` is called once, from any thread, with the exit code (negative for a signal).
        """
