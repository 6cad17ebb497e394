"""The back end of plain processes: each service is a fresh interpreter. Works wherever descriptors can be passed on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from socket import socket

from harness.topology import ROOT, Service


class ProcessBackend:
    """One ``python -m harness.serve`` per service."""

    def __init__(self) -> None:
        # Nobody writes into this pipe: its write end closes with this process, and every child sees the end of file.
        self._leash, self._held = os.pipe()

    def start(
        self,
        service: Service,
        sockets: Sequence[socket],
        *,
        env: Mapping[str, str],
        log: Path,
        on_exit: Callable[[int], None],
    ) -> int:
        """Start ``service`` in a session of its own, so that a terminal's Ctrl-C reaches the launcher only."""
        descriptors = [each.fileno() for each in sockets]
        command = [sys.executable, "-m", "harness.serve", "--app", service.app, "--leash", str(self._leash)]
        command += [part for descriptor in descriptors for part in ("--fd", str(descriptor))]
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(*descriptors, self._leash),
                start_new_session=True,
            )
        threading.Thread(target=lambda: on_exit(child.wait()), name=f"wait-{service.name}", daemon=True).start()
        return child.pid
