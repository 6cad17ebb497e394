"""Somebody who listens to the events of the api, and remembers what they were told."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

WITHIN_S = 30.0
PATH = "/api/events"


@dataclass
class Listener:
    """``told`` are the events as they came, each with the ``id`` it was sent with."""

    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    last_id: str | None = None
    begun: bool = False
    ended: bool = False
    """The server brought the stream to its end."""
    broken: bool = False
    """It broke off."""
    _moved: threading.Condition = field(default_factory=threading.Condition)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Without their ids."""
        return [event for _, event in self.told]

    @property
    def gist(self) -> list[tuple[str, str]]:
        """What happened to what, in short."""
        return [
            (event["type"].removeprefix("org.example.").removesuffix(".v1"), event["subject"]) for event in self.events
        ]

    def until(self, condition: Callable[[Listener], bool], *, within: float = WITHIN_S) -> None:
        """Come back once it is so."""
        deadline = time.monotonic() + within
        with self._moved:
            while not condition(self):
                assert self._moved.wait(deadline - time.monotonic()), f"it never came to that; told: {self.gist}"

    def listen(self, response: httpx.Response) -> None:
        """Read a stream to its end, however it ends."""
        try:
            block: dict[str, str] = {}
            with self._now():
                self.begun = True
            for line in response.iter_lines():
                if line:
                    name, _, value = line.partition(":")
                    block[name] = value.removeprefix(" ")
                    continue
                self._keep(block)
                block = {}
        except httpx.HTTPError:
            with self._now():
                self.broken = True
        else:
            with self._now():
                self.ended = True

    def _keep(self, block: Mapping[str, str]) -> None:
        with self._now():
            self.last_id = block.get("id", self.last_id)
            if "data" in block:
                event = json.loads(block["data"])
                assert block["event"] == event["type"]
                self.told.append((block["id"], event))

    @contextmanager
    def _now(self) -> Iterator[None]:
        with self._moved:
            yield
            self._moved.notify_all()


def places(event_id: str) -> str:
    """The positions in an event id, without the marks: ``42.7``."""
    return re.sub(r"-[a-z2-7]{16}\b", "", event_id)


@contextmanager
def listening(api: str, token: str, *, after: str | None = None, told: Listener | None = None) -> Iterator[Listener]:
    """Somebody who listens in the block, from now on or ``after`` an event; ``told`` goes on where it was."""
    listener = told or Listener()
    last = after if after is not None else listener.last_id
    listener.begun = listener.ended = listener.broken = False
    headers = {"Authorization": f"Bearer {token}"} | ({} if last is None else {"Last-Event-ID": last})
    with (
        httpx.Client(timeout=httpx.Timeout(WITHIN_S, read=60)) as client,
        client.stream("GET", api + PATH, headers=headers) as response,
    ):
        assert response.status_code == httpx.codes.OK, response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        thread = threading.Thread(target=listener.listen, args=(response,))
        thread.start()
        try:
            listener.until(lambda it: it.last_id is not None or it.ended)
            yield listener
        finally:
            with suppress(OSError):
                _hang_up(response)
            thread.join(WITHIN_S)


def _kind(event: Mapping[str, Any]) -> str:
    name: str = event["type"]
    return name.removeprefix("org.example.").removesuffix(".v1")


def _hang_up(response: httpx.Response) -> None:
    """From another thread than the one that reads: the socket is shut down, which ends its reading."""
    stream = response.extensions["network_stream"]
    stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
