"""How often a picture in the line was put off."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema; nobody has counted until now."""
    count = sa.Integer()
    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("deferrals", count, nullable=False, server_default="0"))
    with op.batch_alter_table("jobs") as table:
        table.alter_column("deferrals", existing_type=count, server_default=None)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("jobs") as table:
        table.drop_column("deferrals")
