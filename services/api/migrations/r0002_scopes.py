"""With which scopes a conversation was held: who reads it needs them, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Of what was said before, nobody knows what was read for it: it needs all there are."""
    op.add_column("conversations", sa.Column("scopes", sa.String()))
    op.execute("UPDATE conversations SET scopes = 'orgs:read tickets:read'")
    with op.batch_alter_table("conversations") as conversations:
        conversations.alter_column("scopes", existing_type=sa.String(), nullable=False)
