"""Opaque cursors: where a page ended, and in which listing.

A cursor is a position, not a capability: what it leads to is decided by the caller's token on every call. The mark on
it finds cursors that were damaged, made up, or taken from another listing, filter or organization.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from typing import TypeVar

from pydantic import TypeAdapter

from services.shared import base64url
from services.shared.problems import Flaw, Invalid

Position = TypeVar("Position")

_MARK_BYTES = 9


def seal(position: object, *, listing: Hashable) -> str:
    """The cursor of ``position`` in ``listing``, which is anything whose ``repr`` tells it from all others."""
    content = TypeAdapter(type(position)).dump_json(position)
    mark = hashlib.sha256(repr(listing).encode() + b"\x1f" + content).digest()[:_MARK_BYTES]
    return base64url.encoded(mark + content)


def unseal(cursor: str, shape: type[Position], *, listing: Hashable) -> Position:
    """The position that was sealed.

    Raises:
        Invalid: the cursor was not made for this listing.
    """
    try:
        raw = base64url.decoded(cursor)
        position = TypeAdapter(shape).validate_json(raw[_MARK_BYTES:], strict=True)
        genuine = seal(position, listing=listing) == cursor
    except ValueError:
        genuine = False
    if not genuine:
        raise refused()
    return position


def refused() -> Invalid:
    """What is said of a cursor that leads nowhere: not of this listing, or at something that is no more."""
    advice = "It does not belong to this list. Ask for the first page, without a cursor."
    return Invalid("The cursor is not valid.", errors=[Flaw(pointer="arguments.cursor", detail=advice)])
