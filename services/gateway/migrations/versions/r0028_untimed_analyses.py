"""Answers without the times that came last are found, so that they are filled."""

import sqlalchemy as sa
from alembic import op

from services.gateway.database.indexes import are_built_later

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_UNTIMED = sa.text("status = 'succeeded' AND queue_ms IS NULL AND findings IS NOT NULL")


def upgrade() -> None:
    """Go to this schema; replicas of the version before look by an index of their own."""
    if not are_built_later(op.get_bind()):
        op.create_index(
            "ix_analyses_untimed",
            "analyses",
            ["id"],
            sqlite_where=_UNTIMED,
            postgresql_where=_UNTIMED,
        )


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_analyses_untimed", "analyses", if_exists=True)
