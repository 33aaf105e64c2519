"""Files that could not be used are no kept pictures, also where they were counted as such."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_USAGE = sa.table("usage", sa.column("holder_id"), sa.column("pictures"))
_ANALYSES = sa.table(
    "analyses", sa.column("owner_id"), sa.column("organisation_id"), sa.column("image_sha256")
)


def upgrade() -> None:
    """Go to this schema: as it was, with the counts that ``0012`` makes by now."""
    kept = (
        sa.select(sa.func.count(_ANALYSES.c.image_sha256))
        .where(
            sa.or_(
                _ANALYSES.c.owner_id == _USAGE.c.holder_id,
                _ANALYSES.c.organisation_id == _USAGE.c.holder_id,
            )
        )
        .scalar_subquery()
    )
    op.execute(_USAGE.update().values(pictures=kept))


def downgrade() -> None:
    """Go back; what is counted right stays so."""
