"""How a supervisor is spoken to: JSON lines over a loopback connection, one verb per connection.

The request is ``{"secret", "verb", "arguments"}``; the answer any number of ``{"event"}`` lines, then one
``{"result"}`` or ``{"error"}``.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness import errors
from harness.errors import SupervisorError

Emit: TypeAlias = Callable[[Mapping[str, Any]], None]


class Control:
    """The caller's side: the supervisor that listens on ``port``."""

    def __init__(self, port: int, secret: str) -> None:
        self._port, self._secret = port, secret

    def call(self, verb: str, *, on_event: Emit | None = None, within: float | None = None, **arguments: Any) -> Any:
        """Ask for one verb and wait for its result, for ever or ``within`` so many seconds between two lines.

        ``on_event`` gets what happens meanwhile.

        Raises:
            HarnessError: of the class the supervisor raised, with its evidence; SupervisorError when it is gone.
        """
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=within) as connection:
                asked = {"secret": self._secret, "verb": verb, "arguments": arguments}
                connection.sendall(json.dumps(asked).encode() + b"\n")
                with connection.makefile("rb") as lines:
                    return self._read(lines, on_event)
        except OSError as error:
            todo = "if it stays so, end it: python -m harness down"
            raise SupervisorError("the supervisor does not answer", evidence=str(error), todo=todo) from error

    @staticmethod
    def _read(lines: Any, on_event: Emit | None) -> Any:
        for line in lines:
            told = json.loads(line)
            if "event" in told:
                if on_event is not None:
                    on_event(told["event"])
            elif "error" in told:
                error = told["error"]
                kind = getattr(errors, error["type"], SupervisorError)
                raise kind(error["what"], evidence=error["evidence"], todo=error["todo"])
            else:
                return told["result"]
        raise SupervisorError("the supervisor has died", todo="its log: .harness/run/NAME.log, up.log for up")
