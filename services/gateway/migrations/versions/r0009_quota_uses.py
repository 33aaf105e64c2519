"""What was spent of quotas."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "quota_uses",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_quota_uses"),
    )
    op.create_index("ix_quota_uses_ends_at", "quota_uses", ["ends_at"])


def downgrade() -> None:
    """Go back; everybody has their whole quota again."""
    op.drop_table("quota_uses")
