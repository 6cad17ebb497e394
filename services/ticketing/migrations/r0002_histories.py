"""Comments, histories, people and teams; tickets of an organization stand together, and are found by their text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from services.ticketing import text_index

revision = "0002"
down_revision = "0001"

_ROOM = 2**32
_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PRIORITIES = ["low", "normal", "high", "urgent"]
_KEPT = ("title", "description", "type", "status", "priority", "reporter_id", "assignee_id", "labels")


def upgrade() -> None:
    """Make the new tables, and carry over what the old ones hold. Of what became of a ticket, little is known."""
    connection = op.get_bind()
    old = sa.Table("tickets", sa.MetaData(), autoload_with=connection)
    tickets = _read(old.select())
    tenants = _read(sa.text("SELECT * FROM tenants ORDER BY org_id"))
    op.drop_table("tickets")
    op.drop_table("tenants")
    _make_tenants()
    _make_tickets()
    _make_histories()
    ordinals = {tenant["org_id"]: ordinal for ordinal, tenant in enumerate(tenants, start=1)}
    _fill("tenants", ({**tenant, "ordinal": ordinals[tenant["org_id"]]} for tenant in tenants))
    placed = [(ordinals[ticket["org_id"]] * _ROOM + ticket["number"], ticket) for ticket in tickets]
    # SQLite keeps no type for an interval: without being told it would be read as a time.
    _fill("tickets", (_ticket(place, ticket) for place, ticket in placed), sa.Column("paused", sa.Interval()))
    _fill("history", (entry for place, ticket in placed for entry in _history(place, ticket)))
    _fill("ticket_labels", (label for place, ticket in placed for label in _labels(place, ticket)))
    op.execute(
        "INSERT INTO tallies (org_id, status, priority, type, count) "
        "SELECT org_id, status, priority, type, COUNT(*) FROM tickets GROUP BY org_id, status, priority, type"
    )


def _ticket(place: int, ticket: Mapping[str, Any]) -> dict[str, Any]:
    stands = ticket["status"] in ("pending", "resolved", "closed", "cancelled")
    ended = stands and ticket["status"] != "pending"
    return {
        **ticket,
        "place": place,
        "urgency": _PRIORITIES.index(ticket["priority"]),
        "resolution": None,
        "team_id": None,
        "answered_at": None,
        "halted_at": ticket["created_at"] if stands else None,
        "ended_at": ticket["created_at"] if ended else None,
        "paused": timedelta(0),
    }


def _history(place: int, ticket: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """It was opened as it is, and changed without a trace as often as its version says."""
    kept: dict[str, Any] = {name: ticket[name] for name in _KEPT} | {"resolution": None, "team_id": None}
    opened = [{"field": name, "before": None, "after": value} for name, value in kept.items()]
    actor = {"actor_id": ticket["reporter_id"], "client_id": "", "acting": None, "trace_id": None, "comment": None}
    first = {"type": "created", "at": ticket["created_at"], "changes": opened}
    later = {"type": "updated", "at": ticket["updated_at"], "changes": []}
    for seq in range(1, ticket["version"] + 1):
        yield {"place": place, "seq": seq, **actor, **(first if seq == 1 else later)}


def _labels(place: int, ticket: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for label in dict.fromkeys(label.casefold() for label in ticket["labels"]):
        yield {"place": place, "org_id": ticket["org_id"], "label": label}


def _read(statement: sa.Executable) -> list[dict[str, Any]]:
    return [dict(row) for row in op.get_bind().execute(statement).mappings()]


def _fill(name: str, rows: Iterable[Mapping[str, Any]], *columns: sa.Column[Any]) -> None:
    connection = op.get_bind()
    table = sa.Table(name, sa.MetaData(), *columns, autoload_with=connection)
    if some := [dict(row) for row in rows]:
        connection.execute(sa.insert(table), some)


def _make_tenants() -> None:
    op.create_table(
        "tenants",
        sa.Column("org_id", sa.String(), primary_key=True),
        sa.Column("ordinal", sa.Integer(), nullable=False, unique=True),
        sa.Column("ticket_prefix", sa.String(), nullable=False, unique=True),
        sa.Column("last_number", sa.Integer(), nullable=False),
    )
    op.create_table(
        "members",
        sa.Column("org_id", sa.String(), sa.ForeignKey("tenants.org_id"), primary_key=True),
        sa.Column("user_id", sa.String(), primary_key=True),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "teams",
        sa.Column("org_id", sa.String(), sa.ForeignKey("tenants.org_id"), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
    )
    op.create_table(
        "answered_calls",
        *(sa.Column(name, sa.String(), primary_key=True) for name in ("org_id", "subject", "tool", "key")),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=False),
    )
    op.create_index("answered_calls_answered_at_idx", "answered_calls", ["answered_at"])


def _make_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("place", _PLACE, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(), nullable=False, unique=True),
        sa.Column("org_id", sa.String(), sa.ForeignKey("tenants.org_id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("type", sa.String(8), nullable=False),
        sa.Column("status", sa.String(11), nullable=False),
        sa.Column("priority", sa.String(6), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.Column("reporter_id", sa.String(), nullable=False),
        sa.Column("assignee_id", sa.String(), nullable=True),
        sa.Column("team_id", sa.String(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("halted_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("paused", sa.Interval(), nullable=False),
        sa.Column("searched", sa.String(), nullable=False),
        sa.UniqueConstraint("org_id", "number"),
    )
    for name, columns in {
        "latest_first": "updated_at number status priority type assignee_id team_id reporter_id",
        "newest_first": "created_at number",
        "most_urgent_first": "urgency number",
        "by_status": "status priority type",
        "by_assignee": "assignee_id status priority type",
        "by_reporter": "reporter_id status priority type",
        "by_team": "team_id status priority type",
    }.items():
        op.create_index(name, "tickets", ["org_id", *columns.split()])
    text_index.make(op.get_bind())
    op.create_table(
        "ticket_labels",
        _of_ticket(),
        sa.Column("label", sa.String(), primary_key=True),
        sa.Column("org_id", sa.String(), nullable=False),
    )
    op.create_index("by_label", "ticket_labels", ["org_id", "label", "place"])
    op.create_table(
        "tallies",
        sa.Column("org_id", sa.String(), sa.ForeignKey("tenants.org_id"), primary_key=True),
        sa.Column("status", sa.String(11), primary_key=True),
        sa.Column("priority", sa.String(6), primary_key=True),
        sa.Column("type", sa.String(8), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )


def _make_histories() -> None:
    op.create_table(
        "history",
        _of_ticket(),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("type", sa.String(12), nullable=False),
        *_actor(),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(8), nullable=True),
    )
    op.create_table(
        "comments",
        _of_ticket(),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("id", sa.String(), nullable=False, unique=True),
        sa.Column("author_id", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("visibility", sa.String(8), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "deletions",
        sa.Column("place", _PLACE, primary_key=True, autoincrement=False),
        sa.Column("org_id", sa.String(), sa.ForeignKey("tenants.org_id"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        *_actor(),
    )


def _of_ticket() -> sa.Column[int]:
    return sa.Column("place", _PLACE, sa.ForeignKey("tickets.place", ondelete="CASCADE"), primary_key=True)


def _actor() -> list[sa.Column[str]]:
    return [
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("acting", sa.String(), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=True),
    ]
