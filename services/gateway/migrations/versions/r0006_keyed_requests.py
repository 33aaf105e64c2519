"""Requests that are carried out once, however often they come."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "keyed_requests",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("made_id", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("held_until", _MOMENT, nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_keyed_requests"),
    )
    op.create_index("ix_keyed_requests_created_at", "keyed_requests", ["created_at"])


def downgrade() -> None:
    """Go back; a request that comes again is carried out again."""
    op.drop_table("keyed_requests")
