"""What a zygote is asked, line by line."""

from __future__ import annotations

import json
import os
import socket
from collections import deque
from collections.abc import Mapping
from typing import Any

MOST_SOCKETS = 16
CHUNK = 1 << 16


class Inbox:
    """What the supervisor asks: a line each, with the sockets that came with it."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._unread, self._sockets = b"", deque[int]()
        self._asked = deque[Mapping[str, Any]]()

    def read(self) -> bool:
        """Take in what there is, waiting for something; False when the supervisor has hung up."""
        chunk, descriptors, _, _ = socket.recv_fds(self.channel, CHUNK, MOST_SOCKETS)
        self._sockets.extend(descriptors)
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        self._asked.extend(map(json.loads, lines))
        return bool(chunk)

    def take(self) -> tuple[Mapping[str, Any], list[int]] | None:
        """The next whole request and its sockets, if there is one."""
        if not self._asked:
            return None
        asked = self._asked.popleft()
        # They travel with the first byte of their line: whoever has the whole line has them.
        return asked, [self._sockets.popleft() for _ in range(asked.get("sockets", 0))]

    def close(self) -> None:
        """Let go of the channel and of what came by it: it belongs to the other part of a divided process."""
        for descriptor in self._sockets:
            os.close(descriptor)
        self.channel.close()

    def wait(self) -> tuple[Mapping[str, Any], list[int]]:
        """The next request and its sockets."""
        while (taken := self.take()) is None:
            if not self.read():
                raise SystemExit(0)  # the supervisor has gone already
        return taken
