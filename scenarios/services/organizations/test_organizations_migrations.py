"""Databases of older code become those of the present, and keep what they hold."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from scenarios.services import schemas
from services.organizations.tables import Base, Member
from services.shared.database import connected

ROWS_OF_0001 = (
    "INSERT INTO organizations VALUES ('org_1', 'one', 'One', 'ONE')",
    "INSERT INTO members VALUES ('org_1', 'usr_1', 'ada', 'Ada', 'Ada@One.example', 'owner', 3, 'ada')",
)


def test_the_revisions_lead_to_the_tables_of_the_present_code(new_database: Callable[[], str]) -> None:
    upgraded, fresh = schemas.both_ways(new_database, Base.metadata, rows=ROWS_OF_0001)
    assert upgraded == fresh
    assert fresh.keys() == {*Base.metadata.tables, "organizations_revision"}


def test_a_member_of_the_first_revision_is_still_there_and_whole(database_url: str) -> None:
    schemas.made_by_revision(database_url, Base.metadata, "0001", rows=ROWS_OF_0001)
    with connected(database_url, Base.metadata) as database, database.reading() as session:
        member = session.scalars(select(Member)).one()
    assert (member.name, member.email, member.role, member.version) == ("Ada", "Ada@One.example", "owner", 3)
    assert (member.status, member.invited_until, member.folded_email) == ("active", None, "ada@one.example")
