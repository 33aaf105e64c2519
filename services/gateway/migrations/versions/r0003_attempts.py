"""Failed tries of passwords, and the places that accounts are used from."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "failed_attempts",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False),
        sa.Column("open_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_failed_attempts"),
    )
    op.create_index("ix_failed_attempts_last_at", "failed_attempts", ["last_at"])
    op.create_table(
        "familiar_places",
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "digest", name="pk_familiar_places"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_familiar_places_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_familiar_places_used_at", "familiar_places", ["used_at"])


def downgrade() -> None:
    """Go back."""
    for table in ("familiar_places", "failed_attempts"):
        op.drop_table(table)
