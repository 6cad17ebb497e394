"""Bodies of requests: what they say they are, and as much of them as anybody may send."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request


class TooLong(Exception):  # noqa: N818 - says what is the case
    """The body has more bytes than it may have; what is left of it was not read."""


async def read(request: Request, *, longest: int) -> bytes:
    """The whole body, counted while it comes: nobody's word about its length is taken.

    Raises:
        ClientDisconnect: whoever sends it is gone.
        TooLong: it has more than ``longest`` bytes.
    """
    chunks, length, more = list[bytes](), 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        length += len(chunks[-1])
        if length > longest:
            raise TooLong
        more = message.get("more_body", False)
    return b"".join(chunks)


def media_type(headers: Mapping[str, str]) -> str:
    """Without parameters and in lower case (RFC 9110 §8.3.1); empty if nothing is said. Names must be caseless."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
