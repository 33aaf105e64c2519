"""How often a picture was refused for too much work: it waits for longer each time."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema; gateways of the version before know nothing of it."""
    counted = sa.Column("refusals", sa.Integer(), nullable=False, server_default="0")
    op.add_column("jobs", counted)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("jobs") as table:
        table.drop_column("refusals")
