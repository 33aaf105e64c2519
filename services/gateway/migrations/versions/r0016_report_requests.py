"""Reports that were asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "report_requests",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysis", sa.String(32), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_report_requests"),
        _reference("organisation_id", "organisations.id", "RESTRICT"),
        _reference("owner_id", "users.id", "CASCADE"),
        _reference("analysis", "analyses.id", "CASCADE"),
    )
    op.create_index(
        "ix_report_requests_analysis_created_at_id",
        "report_requests",
        ["analysis", "created_at", "id"],
    )


def downgrade() -> None:
    """Go back; the audit still knows who read which report."""
    op.drop_table("report_requests")


def _reference(column: str, to: str, gone: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [to], name=f"fk_report_requests_{column}", ondelete=gone
    )
