"""Analyses are found by how far they are."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_WHOSE = ("organisation_id", "owner_id")


def upgrade() -> None:
    """Go to this schema."""
    for whose in _WHOSE:
        columns = [whose, "status", "created_at", "id"]
        op.create_index(f"ix_analyses_{'_'.join(columns)}", "analyses", columns)


def downgrade() -> None:
    """Go back; who asks for a status waits longer."""
    for whose in _WHOSE:
        op.drop_index(f"ix_analyses_{whose}_status_created_at_id", "analyses")
