"""Organizations and their tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "tenants",
        sa.Column("org_id", sa.String(), primary_key=True),
        sa.Column("ticket_prefix", sa.String(), nullable=False, unique=True),
        sa.Column("last_number", sa.Integer(), nullable=False),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("org_id", sa.String(), sa.ForeignKey("tenants.org_id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("type", sa.String(8), nullable=False),
        sa.Column("status", sa.String(11), nullable=False),
        sa.Column("priority", sa.String(6), nullable=False),
        sa.Column("reporter_id", sa.String(), nullable=False),
        sa.Column("assignee_id", sa.String(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("searched", sa.String(), nullable=False),
        sa.UniqueConstraint("org_id", "number"),
    )
    op.create_index("latest_first", "tickets", ["org_id", "updated_at", "number"])
