"""Organizations that may be suspended, members that are invited and deactivated, teams, and calls sent again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Whoever was a member is an active one; all organizations are active."""
    op.add_column("organizations", sa.Column("status", sa.String(9)))
    op.add_column("members", sa.Column("status", sa.String(8)))
    op.add_column("members", sa.Column("invited_until", sa.DateTime()))
    op.add_column("members", sa.Column("folded_email", sa.String()))
    op.execute("UPDATE organizations SET status = 'active'")
    op.execute("UPDATE members SET status = 'active'")
    _fold_emails()
    with op.batch_alter_table("organizations") as organizations:
        organizations.alter_column("status", existing_type=sa.String(9), nullable=False)
    with op.batch_alter_table("members") as members:
        members.alter_column("status", existing_type=sa.String(8), nullable=False)
        members.alter_column("folded_email", existing_type=sa.String(), nullable=False)
    op.create_index("by_email", "members", ["org_id", "folded_email"])
    _make_teams()
    op.create_table(
        "answered_calls",
        sa.Column("org_id", sa.String(), primary_key=True),
        sa.Column("subject", sa.String(), primary_key=True),
        sa.Column("tool", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=False),
    )
    op.create_index("answered_calls_answered_at_idx", "answered_calls", ["answered_at"])


def _fold_emails() -> None:
    # Not by lower(): databases fold only ASCII, or each in its own way.
    members = sa.table("members", *map(sa.column, ("org_id", "id", "email", "folded_email")))
    connection = op.get_bind()
    for org_id, member_id, email in connection.execute(sa.select(*members.c["org_id", "id", "email"])).all():
        this = (members.c.org_id == org_id, members.c.id == member_id)
        connection.execute(members.update().where(*this).values(folded_email=email.casefold()))


def _make_teams() -> None:
    op.create_table(
        "teams",
        sa.Column("org_id", sa.String(), sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("folded_name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("org_id", "folded_name"),
    )
    op.create_index("teams_by_name", "teams", ["org_id", "name", "id"])
    op.create_table(
        "team_members",
        sa.Column("org_id", sa.String(), primary_key=True),
        sa.Column("team_id", sa.String(), primary_key=True),
        sa.Column("member_id", sa.String(), primary_key=True),
        sa.ForeignKeyConstraint(["org_id", "team_id"], ["teams.org_id", "teams.id"]),
        sa.ForeignKeyConstraint(["org_id", "member_id"], ["members.org_id", "members.id"]),
    )
    op.create_index("teams_of_member", "team_members", ["org_id", "member_id"])
