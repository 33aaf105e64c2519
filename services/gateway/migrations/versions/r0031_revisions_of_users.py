"""Users count their changes, as whatever else people change does."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema; gateways of the version before make users and know nothing of it."""
    counted = sa.Column("revision", sa.Integer(), nullable=False, server_default="1")
    op.add_column("users", counted)


def downgrade() -> None:
    """Go back."""
    op.drop_column("users", "revision")
