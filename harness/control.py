"""How a supervisor is spoken to: JSON lines over a loopback connection, one verb per connection.

The request is ``{"secret", "verb", "arguments"}``; the answer any number of ``{"event"}`` lines, then one
``{"result"}`` or ``{"error"}``.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from harness import errors
from harness.errors import HarnessError, SupervisorError

LINE_LIMIT = 1 << 20
Emit: TypeAlias = Callable[[Mapping[str, Any]], None]
Verb: TypeAlias = Callable[[Mapping[str, Any], Emit], Awaitable[Any]]


async def listen(verbs: Mapping[str, Verb], secret: str) -> asyncio.Server:
    """Serve ``verbs`` on a free port of 127.0.0.1 to whoever knows ``secret``."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def send(line: Mapping[str, Any]) -> None:
            if not writer.is_closing():
                writer.write(json.dumps(line).encode() + b"\n")

        try:
            asked = json.loads(await reader.readline())
            if not hmac.compare_digest(str(asked.get("secret", "")).encode(), secret.encode()):
                send({"error": _error(SupervisorError("wrong secret"))})
                return
            verb = verbs[asked["verb"]]
            work = asyncio.ensure_future(verb(asked.get("arguments", {}), lambda event: send({"event": event})))
            gone = asyncio.ensure_future(reader.read())
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not work.done() and asked["verb"] == "watch":
                work.cancel()
                return
            send({"result": await work})
        except HarnessError as error:
            send({"error": _error(error)})
        except (ValueError, KeyError, TypeError) as error:
            send({"error": _error(SupervisorError(f"the request was not understood: {error!r}"))})
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0, limit=LINE_LIMIT)


def _error(error: HarnessError) -> dict[str, str]:
    return {"type": type(error).__name__, "what": error.what, "evidence": error.evidence, "todo": error.todo}


class Control:
    """The caller's side: the supervisor that listens on ``port``."""

    def __init__(self, port: int, secret: str) -> None:
        self._port, self._secret = port, secret

    def call(self, verb: str, *, on_event: Emit | None = None, **arguments: Any) -> Any:
        """Ask for one verb and wait for its result; ``on_event`` gets what happens meanwhile.

        Raises:
            HarnessError: of the class the supervisor raised, with its evidence; SupervisorError when it is gone.
        """
        try:
            with socket.create_connection(("127.0.0.1", self._port)) as connection:
                asked = {"secret": self._secret, "verb": verb, "arguments": arguments}
                connection.sendall(json.dumps(asked).encode() + b"\n")
                with connection.makefile("rb") as lines:
                    return self._read(lines, on_event)
        except OSError as error:
            raise SupervisorError("the supervisor does not answer", evidence=str(error)) from error

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
        raise SupervisorError("the supervisor ended while it was asked", todo="its log: .harness/run")
