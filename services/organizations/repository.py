"""All SQL about members. Each statement that reads them starts at ``_visible``, the one place that parts tenants."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session

from services.organizations.roles import Reach
from services.organizations.tables import Member, Organization


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the visible members a listing holds."""

    query: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some members of a listing, how many it holds in all, and the id to go on after (None: that was the end)."""

    items: list[Member]
    total: int
    end: str | None


class MemberRepository:
    """The members within ``reach``, in one transaction."""

    def __init__(self, session: Session, reach: Reach) -> None:
        self._session = session
        self._reach = reach

    def organization(self) -> Organization | None:
        """The organization itself, if it is known here."""
        return self._session.get(Organization, self._reach.org_id)

    def find(self, member_id: str) -> Member | None:
        """The member of that id, if there is one within reach."""
        return self._session.scalar(self._visible().where(Member.id == member_id))

    def owners(self) -> int:
        """How many owners the organization has."""
        counted = select(func.count()).where(Member.org_id == self._reach.org_id, Member.role == "owner")
        return self._session.scalar(counted) or 0

    def page(self, wanted: Wanted, *, limit: int, after: Member | None) -> Page:
        """Up to ``limit`` members that come after one of them, by name."""
        matching = self._visible()
        if wanted.query is not None:
            matching = matching.where(Member.searched.contains(wanted.query.casefold(), autoescape=True))
        total = self._session.scalar(select(func.count()).select_from(matching.subquery())) or 0
        statement = matching.order_by(Member.name, Member.id).limit(limit + 1)
        if after is not None:
            statement = statement.where(tuple_(Member.name, Member.id) > tuple_(after.name, after.id))
        items = list(self._session.scalars(statement))
        return Page(items[:limit], total, items[limit - 1].id if len(items) > limit else None)

    def _visible(self) -> Select[Member]:
        visible = select(Member).where(Member.org_id == self._reach.org_id)
        if self._reach.member_id is not None:
            visible = visible.where(Member.id == self._reach.member_id)
        return visible
