"""How people are told: copies by channel, deliveries and attempts, contacts, gaps, webhooks, leaders' links."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEVER = "9999-12-31T00:00:00.000000Z"


def _where(condition: str) -> dict[str, Any]:
    return {f"{name}_where": sa.text(condition) for name in ("sqlite", "postgresql")}


def _word(*names: str, primary_key: bool = False, nullable: bool = False) -> list[Any]:
    return [sa.Column(name, sa.String(), primary_key=primary_key, nullable=nullable) for name in names]


def _long_text(*names: str) -> list[Any]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(*names: str, primary_key: bool = False) -> list[Any]:
    return [sa.Column(name, sa.Integer(), primary_key=primary_key, nullable=False) for name in names]


def _big_number(*names: str, primary_key: bool = False, nullable: bool = False) -> list[Any]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return [sa.Column(name, kind, primary_key=primary_key, nullable=nullable) for name in names]


def upgrade() -> None:
    _messages()
    _copies()
    _deliveries()
    _wishes_and_gaps()
    _webhooks_and_links()


def _messages() -> None:
    op.add_column("message", sa.Column("role", sa.String(), nullable=False, server_default=""))
    op.add_column("message", sa.Column("repeat_at", sa.String(), nullable=False, server_default=NEVER))
    op.add_column("message", sa.Column("repeats", sa.Integer(), nullable=False, server_default="0"))
    unsigned = _where("signed_at IS NULL AND repeat_at < '9999'")
    op.create_index("ix_message_repeat", "message", ["repeat_at", "id"], **unsigned)
    op.create_index("ix_message_unread", "message", ["person_id", "queued_at"], **_where("read_at IS NULL"))
    op.create_index("ix_person_left", "person", ["id"], **_where("active = 0"))
    op.create_index("ix_post_until", "post", ["until_on", "person_id"])


def _copies() -> None:
    op.create_table(
        "copy",
        *_big_number("id", primary_key=True),
        *_word("key"),
        *_big_number("message_id", nullable=True),
        *_word("chain"),
        *_number("seq"),
        *_word("step", "person_id", "channel", "webhook_id"),
        *_number("urgent"),
        *_word("due_at"),
        *_big_number("delivery_id", nullable=True),
        *_word("dropped"),
        sa.UniqueConstraint("key"),
    )
    waiting = _where("delivery_id IS NULL AND dropped = ''")
    op.create_index("ix_copy_waiting", "copy", ["due_at", "id"], **waiting)
    op.create_index("ix_copy_message", "copy", ["message_id"])
    op.create_index("ix_copy_delivery", "copy", ["delivery_id"])


def _deliveries() -> None:
    op.create_table(
        "delivery",
        *_big_number("id", primary_key=True),
        *_word("key", "channel", "person_id", "webhook_id", "address"),
        *_number("copies", "urgent"),
        *_word("queued_at", "not_before", "tried_at"),
        *_number("attempts", "failures"),
        *_word("sent_at", "delivered_at", nullable=True),
        *_number("dead"),
        *_word("error"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_delivery_owed", "delivery", ["not_before", "id"], **_where("sent_at IS NULL AND dead = 0"))
    op.create_index("ix_delivery_channel", "delivery", ["channel", "tried_at"])
    op.create_index("ix_delivery_person", "delivery", ["person_id", "queued_at"])
    op.create_index("ix_delivery_webhook", "delivery", ["webhook_id", "id"])
    op.create_index("ix_delivery_dead", "delivery", ["id"], **_where("dead = 1"))
    op.create_table(
        "attempt",
        *_big_number("delivery_id", primary_key=True),
        *_number("place", primary_key=True),
        *_word("at", "error"),
        *_number("permanent"),
    )


def _wishes_and_gaps() -> None:
    op.create_table("contact", *_word("person_id", "channel", primary_key=True), *_word("address"), *_number("place"))
    op.create_table("liking", *_word("person_id", primary_key=True), *_word("off"), *_number("digest"))
    op.create_table(
        "gap",
        *_word("chain", primary_key=True),
        *_number("seq", primary_key=True),
        *_word("role", "person_id", primary_key=True),
        *_word("office_id", "step", "why", "at", "tried_at"),
        *_word("healed_at", nullable=True),
        *_word("healed_by"),
    )
    op.create_index("ix_gap_open", "gap", ["office_id", "at", "chain"], **_where("healed_at IS NULL"))
    op.create_index("ix_gap_tried", "gap", ["tried_at", "chain"], **_where("healed_at IS NULL"))


def _webhooks_and_links() -> None:
    op.create_table(
        "webhook",
        *_word("id", primary_key=True),
        *_word("person_id", "name"),
        *_long_text("url"),
        *_word("region", "unit_id", "actions"),
        *_long_text("secrets"),
        *_word("created_at"),
        *_number("active", "failures"),
        *_word("failing_since", "off_reason"),
    )
    op.create_index("ix_webhook_person", "webhook", ["person_id"])
    op.create_index("ix_webhook_region", "webhook", ["region"], **_where("active = 1"))
    op.create_index("ix_webhook_unit", "webhook", ["unit_id"], **_where("active = 1"))
    op.create_table(
        "link",
        *_word("id", primary_key=True),
        *_word("person_id"),
        *_big_number("message_id"),
        *_word("chain", "made_at", "expires_at"),
        *_word("used_at", nullable=True),
    )
    op.create_index("ix_link_expiry", "link", ["expires_at"])


def downgrade() -> None:
    raise NotImplementedError("what people were told is not thrown away")
