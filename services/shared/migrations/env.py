"""What Alembic runs around the revisions of any service: on the connection and in the transaction of its caller."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["tables"],
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
)
context.run_migrations()
