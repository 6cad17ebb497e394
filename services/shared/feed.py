"""A feed of changes: what was done in an organization, in the order in which it was accepted.

Positions count from 1 without a gap: writers come one after the other, so that whoever reads up to one has read all
before it. A change is stored in the transaction of what it tells of, and never taken out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Insert,
    Integer,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from services.shared.database import Database, UtcDateTime
from services.shared.news import announce
from services.shared.problems import Conflict, Flaw
from services.shared.world import seeded_id

_CHANGE = "chg"


class FedChange:
    """The columns of a service's own table: ``class FeedEntry(FedChange, Base)``. Who did what, and by what."""

    __tablename__ = "feed"

    org_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str]
    client_id: Mapped[str]
    acting: Mapped[str | None]
    trace_id: Mapped[str | None]

    @property
    def told(self) -> dict[str, Any]:
        """What is told of every change, whatever it is about."""
        return {
            "position": self.position,
            "id": change_id(self.org_id, self.position, self.at),
            "at": self.at,
            "actor_id": self.actor_id,
            "client_id": self.client_id or None,
            "acting_id": self.acting,
            "trace_id": self.trace_id,
        }


Entry = TypeVar("Entry", bound=FedChange)


@dataclass(frozen=True, slots=True)
class Part(Generic[Entry]):
    """Some changes, the oldest first, where to go on, and whether there is more already."""

    entries: Sequence[Entry]
    position: int
    mark: str
    """What stands at that position, here and now: in another organization, or another life, it is another."""
    more: bool


def change_id(org_id: str, position: int, at: datetime | None) -> str:
    """What names a change. Feeds begun anew count from 1 again, but nothing happens at the same microsecond again."""
    return seeded_id(_CHANGE, org_id, position, "" if at is None else at.isoformat())


def append(session: Session, table: type[FedChange], org_id: str, **said: Any) -> None:
    """Add a change, in a writing transaction."""
    statement = _next(table)  # type: ignore[arg-type]  # mypy takes no class for hashable here
    session.execute(statement, {"org_id": org_id, "of": org_id, **said})
    announce(session, org_id)


def part(
    session: Session,
    table: type[Entry],
    org_id: str,
    visible: Select[Entry],
    *,
    after: int | None,
    mark: str | None,
    limit: int,
) -> Part[Entry]:
    """Up to ``limit`` changes after a position (of that ``mark``), of those ``visible``; without, where the feed ends.

    Raises:
        Conflict: the feed has not come that far, or has another mark there: it is a position of another one.
    """
    end = session.scalar(select(_last(table, org_id))) or 0
    if after is None:
        return Part([], end, _mark(session, table, org_id, end), more=False)
    if after > end:
        raise _of_another(after, f"The feed ends at {end}.")
    if mark is not None and mark != _mark(session, table, org_id, after):
        raise _of_another(after, "The feed has another mark there.")
    later = visible.where(table.position > after).order_by(table.position).limit(limit + 1)
    rows = session.scalars(later).all()
    more = len(rows) > limit
    position = rows[limit - 1].position if more else end
    return Part(rows[:limit], position, _mark(session, table, org_id, position), more)


def ends(
    database: Database, table: type[FedChange], organizations: InstrumentedAttribute[str], org_ids: Collection[str]
) -> Mapping[str, int]:
    """Where the feeds of some of the ``organizations`` end now."""
    end = func.coalesce(_last(table, organizations), 0).label("end")
    with database.reading() as session:
        rows = session.execute(select(organizations, end).where(organizations.in_(org_ids)))
        return dict(map(tuple[str, int], rows))


@lru_cache
def _next(table: type[FedChange]) -> Insert:
    """Made once, of the bare table: SQLAlchemy would take a third of a millisecond to look through it each time."""
    position = func.coalesce(_last(table, bindparam("of")), 0) + 1
    return insert(cast(Table, inspect(table).local_table)).values(position=position)


def _mark(session: Session, table: type[FedChange], org_id: str, position: int) -> str:
    # Also of a change that the caller may not see: it tells them nothing of it.
    at = session.scalar(select(table.at).where(table.org_id == org_id, table.position == position))
    return change_id(org_id, position, at).removeprefix(f"{_CHANGE}_")


def _of_another(after: int, evidence: str) -> Conflict:
    return Conflict(
        f"{evidence} {after} is a position of another one. Begin anew, without after.",
        errors=[Flaw(pointer="arguments.after", detail=evidence)],
    )


def _last(table: type[FedChange], org_id: str | InstrumentedAttribute[str] | BindParameter[str]) -> ScalarSelect[int]:
    # For each organization by itself: grouped, SQLite would read all there is.
    return select(func.max(table.position)).where(table.org_id == org_id).scalar_subquery()
