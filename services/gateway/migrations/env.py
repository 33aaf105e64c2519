"""What Alembic runs: the caller brings the connection and ends the transaction."""

from alembic import context

from services.gateway.records import Record

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Record.metadata
)
context.run_migrations()
