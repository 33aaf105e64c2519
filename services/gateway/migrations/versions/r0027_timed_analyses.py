"""What an analysis waited and ran in inference has columns of its own, beside the whole."""

import sqlalchemy as sa
from alembic import op

from services.gateway.database.indexes import are_built_later

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_NEW = ("queue_ms", "run_ms")
_TIMED = ["organisation_id", "created_at", "deleted_at", "owner_id", *_NEW]


def upgrade() -> None:
    """Go to this schema; what is there is filled by what its answers say."""
    for name in _NEW:
        op.add_column("analyses", sa.Column(name, sa.Integer(), nullable=True))
    if not are_built_later(op.get_bind()):
        op.create_index("ix_analyses_timed", "analyses", _TIMED)


def downgrade() -> None:
    """Go back; the answers say it all."""
    op.drop_index("ix_analyses_timed", "analyses", if_exists=True)
    for name in _NEW:
        op.drop_column("analyses", name)
