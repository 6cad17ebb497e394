"""One connection to a service: uvicorn's, which waits for nobody for ever, and for few when the service is to leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

SENDERS_MAY_TAKE_S = 60.0
"""For one request, from its first byte, or from the connection on, to its last."""

READERS_MAY_TAKE_S = 30.0
"""Without taking anything, once 64 KiB of an answer wait for them."""

STUCK_AFTER_S = 0.5
"""Who has sent or taken nothing that counts for so long is not about to be done when the service is to leave."""

WAITING_AT_MOST = 8
"""Requests behind the one that is being answered; from then on nothing is read, not even that they are gone."""


WORTH_WAITING = 16 * 1024
"""Bytes of an answer that wait for those behind them."""


class _Patience:
    """Lasts so many ``seconds`` from :meth:`begin` to :meth:`end`; then it calls ``over``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, over: Callable[[], None]) -> None:
        self._loop, self._seconds, self._over = loop, seconds, over
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        self.end()
        self._timer = self._loop.call_later(self._seconds, self._over)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def is_strained(self) -> bool:
        """Whether it has lasted longer than anybody takes who is about to be done."""
        return self._timer is not None and self._timer.when() - self._loop.time() < self._seconds - STUCK_AFTER_S


class _Outbox:
    """A transport that lets head and body of an answer leave together: apart they are two packets, and wake the reader
    twice. Nothing waits longer than for the loop to come round.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting = list[bytes]()
        self._length = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._length += len(data)
        if self._length > WORTH_WAITING:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._length = 0
            self._transport.write(data)

    def close(self) -> None:
        self.flush()
        self._transport.close()


class Connection(HttpToolsProtocol):
    """Cuts off who does not send what they began, or does not read what they asked for. Nobody else waits for them.

    Requests may be sent before the one ahead is answered (RFC 9112, section 9.3.2). uvicorn tells only the last of them
    that the connection is lost or to be closed; here the one that is being answered is told, and those behind it are
    never begun.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._with_sender = _Patience(self.loop, SENDERS_MAY_TAKE_S, self._cut_off)
        self._with_reader = _Patience(self.loop, READERS_MAY_TAKE_S, self._look_at_reader)
        self._unread = 0
        self._begun: RequestResponseCycle | None = None
        self._takes_no_more = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, and is to send a request."""
        super().connection_made(transport)
        self._outbox = _Outbox(transport, self.loop)
        self.transport = self._outbox  # type: ignore[assignment]  # all that is asked of a transport
        self._with_sender.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._with_sender.end()
        self._with_reader.end()
        if (answering := self._answering()) is not None:
            answering.disconnected = True
            answering.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """They send something."""
        if not self._takes_no_more:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """The first byte of a request came."""
        super().on_message_begin()
        self._with_sender.begin()

    def on_headers_complete(self) -> None:
        """What the request is about came. It is begun, or it waits, and then they are still listened to."""
        super().on_headers_complete()
        if 0 < len(self.pipeline) <= WAITING_AT_MOST:
            self.flow.resume_reading()

    def on_message_complete(self) -> None:
        """The last one came."""
        self._with_sender.end()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The last byte of an answer was written."""
        self._outbox.flush()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """They do not read as fast as there is something for them."""
        super().pause_writing()
        self._unread = self.transport.get_write_buffer_size()
        self._with_reader.begin()

    def resume_writing(self) -> None:
        """They have read most of it."""
        self._with_reader.end()
        super().resume_writing()

    def shutdown(self) -> None:
        """The service is to leave: let be finished what can be finished soon."""
        if self._with_sender.is_strained() or self._with_reader.is_strained():
            self._cut_off()
        elif (answering := self._answering()) is not None:
            self._close_after(answering)
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """What came is no request. Say so, unless that would run into an answer: then that is the last one."""
        self._takes_no_more = True
        self._with_sender.end()
        answering = self._answering()
        if answering is None or (answering.more_body and not answering.response_started):
            super().send_400_response(msg)
        elif answering.more_body:
            self.transport.close()
        else:
            self._close_after(answering)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._begun = cycle
        super()._start_asgi_task(cycle, app)

    def _answering(self) -> RequestResponseCycle | None:
        return None if self._begun is None or self._begun.response_complete else self._begun

    def _close_after(self, answering: RequestResponseCycle) -> None:
        answering.keep_alive = False
        self.pipeline.clear()

    def _look_at_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left < self._unread:
            self._unread = left
            self._with_reader.begin()
        else:
            self._cut_off()

    def _cut_off(self) -> None:
        self.transport.abort()
