"""The feed of changes. It begins here: what was done before is in the histories, and was never in an order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make its table."""
    op.create_table(
        "feed",
        sa.Column("org_id", sa.String(), sa.ForeignKey("tenants.org_id"), primary_key=True),
        sa.Column("position", _PLACE, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("type", sa.String(12), nullable=False),
        sa.Column("reporter_id", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("acting", sa.String(), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("visibility", sa.String(8), nullable=True),
    )
    op.create_index("feed_by_reporter", "feed", ["org_id", "reporter_id", "position"])
