"""Summaries that a machine wrote."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "narratives",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("analysis", sa.String(32), nullable=False),
        sa.Column("model", sa.String(100), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("text", sa.String(700), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("analysis", "model", "language", name="pk_narratives"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_narratives_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["analysis"], ["analyses.id"], name="fk_narratives_analysis", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Go back; what was written is lost, and can be asked for again."""
    op.drop_table("narratives")
