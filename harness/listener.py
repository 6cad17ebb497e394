"""The supervisor's end of the control connection; ``control.py`` has the caller's end and the protocol."""

from __future__ import annotations

import asyncio
import hmac
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from harness.control import Emit
from harness.errors import HarnessError, SupervisorError

LINE_LIMIT = 1 << 20
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
        except Exception as error:  # noqa: BLE001  # who asked waits for an answer, and can do nothing else
            told = "".join(traceback.format_exception(error))
            send({"error": _error(SupervisorError("the supervisor could not do it", evidence=told))})
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0, limit=LINE_LIMIT)


def _error(error: HarnessError) -> dict[str, str]:
    return {"type": type(error).__name__, "what": error.what, "evidence": error.evidence, "todo": error.todo}
