"""What clinicians say of analyses, beside them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_CURRENT: dict[str, sa.types.TypeEngine[Any]] = {
    "verdict": sa.String(16),
    "verdict_reason": sa.String(2000),
    "assessed_by": sa.String(64),
    "assessed_at": _MOMENT,
    "assessment_revision": sa.Integer(),
}


def upgrade() -> None:
    """Go to this schema."""
    for name, kind in _CURRENT.items():
        op.add_column("analyses", sa.Column(name, kind, nullable=True))
    op.create_table(
        "assessments",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("analysis", sa.String(32), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=True),
        sa.Column("reason", sa.String(2000), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
        _reference("organisation_id", "organisations.id", "RESTRICT"),
        _reference("owner_id", "users.id", "CASCADE"),
        _reference("analysis", "analyses.id", "CASCADE"),
    )
    op.create_index(
        "ix_assessments_analysis_created_at_id", "assessments", ["analysis", "created_at", "id"]
    )


def downgrade() -> None:
    """Go back; what clinicians said is lost."""
    op.drop_table("assessments")
    for name in _CURRENT:
        op.drop_column("analyses", name)


def _reference(column: str, to: str, gone: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_assessments_{column}", ondelete=gone)
