"""What somebody's calendar says of deadlines that have lately stopped is found by office, unit and day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STOPPED = sa.text("stopped_at IS NOT NULL")


def upgrade() -> None:
    for place in ("office", "unit"):
        op.create_index(
            f"ix_timer_{place}_stopped",
            "timer",
            [f"{place}_id", "owner", "stopped_at", "id"],
            sqlite_where=STOPPED,
            postgresql_where=STOPPED,
        )


def downgrade() -> None:
    for place in ("office", "unit"):
        op.drop_index(f"ix_timer_{place}_stopped", "timer")
