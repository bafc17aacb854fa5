"""What the board shows is counted as it happens; findings high on the ladder are found by region."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LEVELS = ("r1", "r2", "r3", "r4")
CLIMBING = sa.text("level >= 3")


def upgrade() -> None:
    op.create_table(
        "tally",
        *(sa.Column(name, sa.String(), primary_key=True, nullable=False) for name in ("place", "measure", "part")),
        sa.Column("n", sa.Integer(), nullable=False),
    )
    op.create_table(
        "tally_shift",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("places", "measure", "part")),
        sa.Column("n", sa.Integer(), nullable=False),
    )
    op.create_table(
        "write_off",
        *(sa.Column(name, sa.String(), primary_key=True, nullable=False) for name in ("number", "at")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("month", *LEVELS)),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("dated", "by_first", "by_last", "relapsed")),
    )
    op.create_index("ix_write_off_month", "write_off", ["month", "at", "number"])
    for r in LEVELS:
        op.create_index(f"ix_write_off_{r}", "write_off", [r, "month", "at", "number"])
        op.create_index(
            f"ix_f_{r}_climbing", "finding", [r, "level", "id"], sqlite_where=CLIMBING, postgresql_where=CLIMBING
        )
    op.create_index("ix_f_climbing", "finding", ["level", "id"], sqlite_where=CLIMBING, postgresql_where=CLIMBING)


def downgrade() -> None:
    op.drop_index("ix_f_climbing", "finding")
    for r in LEVELS:
        op.drop_index(f"ix_f_{r}_climbing", "finding")
    for table in ("write_off", "tally_shift", "tally"):
        op.drop_table(table)
