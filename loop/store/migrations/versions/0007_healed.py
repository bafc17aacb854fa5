"""The gaps of an office that were made good, the latest first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

HEALED = sa.text("healed_at IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_gap_healed", "gap", ["office_id", "healed_at"], sqlite_where=HEALED, postgresql_where=HEALED)


def downgrade() -> None:
    op.drop_index("ix_gap_healed", "gap")
