"""Pages find the sessions of one person, and the papers that an office showed to the public, the newest first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PUBLIC = sa.text("kind IN ('bulletin', 'public_notice', 'publication')")


def upgrade() -> None:
    op.create_index("ix_session_person", "session", ["person_id"])
    op.create_index("ix_document_public", "document", ["issued_at", "id"], sqlite_where=PUBLIC, postgresql_where=PUBLIC)


def downgrade() -> None:
    op.drop_index("ix_document_public", "document")
    op.drop_index("ix_session_person", "session")
