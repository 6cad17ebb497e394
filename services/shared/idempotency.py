"""Calls that may be sent again: the same key with the same payload gives the first answer, and has no second effect.

The answer is stored in the transaction of the effect, so that after a crash either both are there or neither.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import JSON, delete, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.shared.database import UtcDateTime
from services.shared.permissions import Caller
from services.shared.problems import Flaw, Invalid

KEPT = timedelta(hours=24)
"""How long an answer is given again, by the service's clock. After that the key is as good as new."""


class AnsweredCall:
    """The columns of a service's own table: ``class Answered(AnsweredCall, Base)``. A key is one caller's, for one
    tool, in one organization: nobody meets the key of another."""

    __tablename__ = "answered_calls"

    org_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    payload: Mapped[str]
    """SHA-256 of it, in hexadecimal."""
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


Answered = TypeVar("Answered", bound=AnsweredCall)


def once(
    session: Session,
    table: type[Answered],
    *,
    caller: Caller,
    tool: str,
    key: str | None,
    payload: object,
    at: datetime,
    act: Callable[[], dict[str, Any]],
) -> dict[str, Any]:
    """What ``act`` answers, or what it answered when the caller sent the same before. Without a key it always acts.

    Call it in a writing transaction, after the caller's permission was checked: an answer is not given again to
    somebody who may no longer ask. ``payload`` and the answer are JSON: all that the call says but the key, and what
    its sender is told. An exception of ``act`` is not an answer, and the next attempt acts.

    Raises:
        Invalid: the key was used for another payload.
    """
    if key is None:
        return act()
    session.execute(delete(table).where(table.answered_at <= at - KEPT))
    known = answered(session, table, caller=caller, tool=tool, key=key, payload=payload, at=at)
    if known is not None:
        return known
    answer: dict[str, Any] = json.loads(_canonical(act()))  # as it will be read again: both answers are equal
    place = _place(caller, tool, key)
    session.execute(insert(table).values(**place, payload=_digest(payload), answer=answer, answered_at=at))
    return answer


def answered(
    session: Session,
    table: type[Answered],
    *,
    caller: Caller,
    tool: str,
    key: str | None,
    payload: object,
    at: datetime,
) -> dict[str, Any] | None:
    """What ``once`` would give again instead of acting. A reading transaction is enough.

    Raises:
        Invalid: the key was used for another payload.
    """
    known = None if key is None else session.get(table, _place(caller, tool, key))
    if known is None or known.answered_at <= at - KEPT:
        return None
    if known.payload != _digest(payload):
        raise _taken(tool)
    return dict(known.answer)


def _place(caller: Caller, tool: str, key: str) -> dict[str, str]:
    return {"org_id": caller.org_id, "subject": caller.subject, "tool": tool, "key": key}


def _digest(payload: object) -> str:
    return hashlib.sha256(_canonical(payload).encode()).hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _taken(tool: str) -> Invalid:
    advice = "Repeat the call as it was, or choose another key for this one."
    return Invalid(
        f"This idempotency key was used for another call of {tool}.",
        errors=[Flaw(pointer="arguments.idempotency_key", detail=advice)],
    )
