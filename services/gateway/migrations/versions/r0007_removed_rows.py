"""Indexes of what was removed, so that a purge need not look at all that was not."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("analyses", "patients", "lesions")


def upgrade() -> None:
    """Go to this schema."""
    removed = sa.text("deleted_at IS NOT NULL")
    for table in _TABLES:
        op.create_index(
            f"ix_{table}_deleted_at",
            table,
            ["deleted_at"],
            sqlite_where=removed,
            postgresql_where=removed,
        )


def downgrade() -> None:
    """Go back; a purge reads whole tables again."""
    for table in _TABLES:
        op.drop_index(f"ix_{table}_deleted_at", table)
