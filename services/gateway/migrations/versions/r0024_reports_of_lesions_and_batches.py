"""Reports that were asked for may be of lesions and batches, too."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_SUBJECTS = {"batch": "batches", "lesion": "lesions"}


def upgrade() -> None:
    """Go to this schema."""
    with op.batch_alter_table("report_requests") as table:
        table.alter_column("analysis", existing_type=sa.String(32), nullable=True)
        for name, of in _SUBJECTS.items():
            table.add_column(sa.Column(name, sa.String(32), nullable=True))
            table.create_foreign_key(
                f"fk_report_requests_{name}", of, [name], ["id"], ondelete="CASCADE"
            )
            table.create_index(_index(name), [name, "created_at", "id"])


def downgrade() -> None:
    """Go back; the audit still knows who read which report."""
    op.execute("DELETE FROM report_requests WHERE analysis IS NULL")
    with op.batch_alter_table("report_requests") as table:
        for name in _SUBJECTS:
            table.drop_index(_index(name))
            table.drop_constraint(f"fk_report_requests_{name}", type_="foreignkey")
            table.drop_column(name)
        table.alter_column("analysis", existing_type=sa.String(32), nullable=False)


def _index(name: str) -> str:
    return f"ix_report_requests_{name}_created_at_id"
