"""A gateway of the version before, which knows nothing of deferrals, can still add to the line."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    _default("0")


def downgrade() -> None:
    """Go back; whoever adds to the line has to say it."""
    _default(None)


def _default(value: str | None) -> None:
    with op.batch_alter_table("jobs") as table:
        table.alter_column("deferrals", existing_type=sa.Integer(), server_default=value)
