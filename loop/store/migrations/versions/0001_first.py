"""The first schema: every table, the search index, and the triggers that keep the trail append-only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RUNNING: dict[str, Any] = {f"{name}_where": sa.text("stopped_at IS NULL") for name in ("sqlite", "postgresql")}
_OWED: dict[str, Any] = {f"{name}_where": sa.text("sent_at IS NULL AND dead = 0") for name in ("sqlite", "postgresql")}


def _columns(kind: sa.types.TypeEngine[Any], names: tuple[str, ...], *, primary_key: bool, nullable: bool) -> list[Any]:
    return [sa.Column(name, kind, primary_key=primary_key, nullable=nullable) for name in names]


def _word(*names: str, primary_key: bool = False, nullable: bool = False) -> list[Any]:
    return _columns(sa.String(), names, primary_key=primary_key, nullable=nullable)


def _long_text(*names: str) -> list[Any]:
    return _columns(sa.Text(), names, primary_key=False, nullable=False)


def _number(*names: str, primary_key: bool = False, nullable: bool = False) -> list[Any]:
    return _columns(sa.Integer(), names, primary_key=primary_key, nullable=nullable)


def _big_number(*names: str, primary_key: bool = False, nullable: bool = False) -> list[Any]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return _columns(kind, names, primary_key=primary_key, nullable=nullable)


def _grams(name: str, *, nullable: bool) -> list[Any]:
    return _columns(
        sa.ARRAY(sa.Text()).with_variant(sa.Text(), "sqlite"), (name,), primary_key=False, nullable=nullable
    )


def upgrade() -> None:
    _finding()
    _finding_indexes()
    _trail_and_timers()
    _parts_and_papers()
    _messages_and_search()
    _tree()
    _people()
    _supervisions_and_tip_offs()
    _housekeeping()
    _append_only()
    _search_index()


def _finding() -> None:
    op.create_table(
        "finding",
        *_big_number("id", primary_key=True),
        *_word("number", "office_id", "unit_id", "unit_kind"),
        *_word("department_id", nullable=True),
        *_word("r1", "r2", "r3", "r4"),
        *_word("supervision_id", nullable=True),
        *_word("title"),
        *_long_text("description"),
        *_word("kind", "category", "severity", "state", "dispute"),
        *_number("level", "round", "relapse_count", "positive", "long_term", "danger_to_life", "served", "is_open"),
        *_word("responsible_person", "opened_at", "suspended_at", "written_off_at"),
        *_word("accountable_on", nullable=True),
        *_word("due_at", "due_rule", "waits_for", "changed_at"),
        *_number("version"),
        *_word("head"),
        *_long_text("sheet"),
        sa.UniqueConstraint("number"),
    )


def _finding_indexes() -> None:
    op.create_index("ix_f_department_due", "finding", ["department_id", "due_at", "id"])
    op.create_index("ix_f_due", "finding", ["due_at", "id"])
    op.create_index("ix_f_level", "finding", ["level", "id"])
    op.create_index("ix_f_opened", "finding", ["opened_at", "id"])
    op.create_index("ix_f_r1_due", "finding", ["r1", "due_at", "id"])
    op.create_index("ix_f_r1_level", "finding", ["r1", "level", "id"])
    op.create_index("ix_f_r1_opened", "finding", ["r1", "opened_at", "id"])
    op.create_index("ix_f_r1_state_due", "finding", ["r1", "state", "due_at", "id"])
    op.create_index("ix_f_r2_due", "finding", ["r2", "due_at", "id"])
    op.create_index("ix_f_r2_state_due", "finding", ["r2", "state", "due_at", "id"])
    op.create_index("ix_f_r3_due", "finding", ["r3", "due_at", "id"])
    op.create_index("ix_f_r3_state_due", "finding", ["r3", "state", "due_at", "id"])
    op.create_index("ix_f_r4_due", "finding", ["r4", "due_at", "id"])
    op.create_index("ix_f_r4_state_due", "finding", ["r4", "state", "due_at", "id"])
    op.create_index("ix_f_state_due", "finding", ["state", "due_at", "id"])
    op.create_index("ix_f_supervision", "finding", ["supervision_id", "due_at", "id"])
    op.create_index("ix_f_unit_category", "finding", ["unit_id", "category", "written_off_at"])
    op.create_index("ix_f_unit_due", "finding", ["unit_id", "due_at", "id"])


def _trail_and_timers() -> None:
    op.create_table(
        "event",
        *_word("chain", primary_key=True),
        *_number("seq", primary_key=True),
        *_big_number("finding_id", nullable=True),
        *_word("track", "action", "from_state", "to_state", "actor_id", "actor_name", "actor_role"),
        *_word("for_id", nullable=True),
        *_word("at"),
        *_word("due_at", "timer_id", nullable=True),
        *_number("rung", nullable=True),
        *_word("rules"),
        *_long_text("payload", "effects"),
        *_word("hash"),
        sa.UniqueConstraint("timer_id", "rung", name="uq_event_rung"),
    )
    op.create_index("ix_event_at", "event", ["at"])
    op.create_table(
        "timer",
        *_word("id", primary_key=True),
        *_word("chain", "rule"),
        *_number("number"),
        *_word("unit"),
        *_long_text("source"),
        *_word("provenance", "started_on", "started_at", "due_at", "first_due_at", "next_at"),
        *_number("rung"),
        *_word("owner", "office_id", "unit_id"),
        *_long_text("detail"),
        *_word("stopped_at", nullable=True),
        *_word("error"),
    )
    op.create_index("ix_timer_chain", "timer", ["chain", "stopped_at"])
    failed = sa.text("stopped_at IS NULL AND error <> ''")
    op.create_index("ix_timer_failed", "timer", ["chain", "id"], sqlite_where=failed, postgresql_where=failed)
    op.create_index("ix_timer_next", "timer", ["next_at", "id"], **_RUNNING)
    op.create_index("ix_timer_office", "timer", ["office_id", "owner", "due_at", "id"], **_RUNNING)
    op.create_index("ix_timer_unit", "timer", ["unit_id", "owner", "due_at", "id"], **_RUNNING)


def _parts_and_papers() -> None:
    op.create_table(
        "part",
        *_word("chain", "person_id", "part", primary_key=True),
        *_number("seq", primary_key=True),
        *_number("ended"),
    )
    op.create_index("ix_part_person", "part", ["person_id", "part"])
    op.create_table(
        "document",
        *_word("id", primary_key=True),
        *_word("kind", "office_id"),
        *_number("year", "serial", nullable=True),
        *_word("number"),
        *_number("internal"),
        *_word("issued_at"),
        *_long_text("content"),
        *_word("digest"),
        sa.UniqueConstraint("office_id", "year", "serial", name="uq_document_number"),
    )
    op.create_index("ix_document_office", "document", ["office_id", "issued_at", "id"])
    op.create_index("ix_document_issued", "document", ["issued_at", "id"])
    op.create_table(
        "document_link",
        *_word("document_id", "chain", primary_key=True),
        *_number("seq"),
    )
    op.create_index("ix_link_chain", "document_link", ["chain"])
    op.create_table(
        "serial",
        *_word("office_id", "series", primary_key=True),
        *_number("year", primary_key=True),
        *_number("last"),
    )
    op.create_table(
        "file",
        *_word("sha256", primary_key=True),
        *_big_number("size"),
        *_word("type"),
    )
    op.create_table(
        "attachment",
        *_word("id", primary_key=True),
        *_word("chain"),
        *_number("seq"),
        *_word("sha256", "name", "by_id"),
    )
    op.create_index("ix_attachment_chain", "attachment", ["chain"])


def _messages_and_search() -> None:
    op.create_table(
        "message",
        *_big_number("id", primary_key=True),
        *_word("key", "chain"),
        *_number("seq"),
        *_word("person_id", "step", "channel"),
        *_long_text("content"),
        *_word("gap", "should_at", "queued_at", "not_before"),
        *_number("attempts"),
        *_word("sent_at", "delivered_at", "read_at", "signed_at", nullable=True),
        *_number("dead"),
        *_word("error"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_message_chain", "message", ["chain", "seq"])
    dead = sa.text("dead = 1")
    op.create_index("ix_message_dead", "message", ["chain"], sqlite_where=dead, postgresql_where=dead)
    op.create_index("ix_message_owed", "message", ["not_before", "id"], **_OWED)
    op.create_index("ix_message_person", "message", ["person_id", "id"])
    op.create_table(
        "search_gram",
        *_big_number("finding_id", primary_key=True),
        *_long_text("body"),
        *_grams("grams", nullable=True),
    )


def _tree() -> None:
    op.create_table(
        "region",
        *_word("code", primary_key=True),
        *_word("name", "level"),
        *_word("parent", nullable=True),
        *_word("path"),
        *_number("active"),
    )
    op.create_index("ix_region_parent", "region", ["parent"])
    op.create_table(
        "office",
        *_word("id", primary_key=True),
        *_word("code", "region", "name", "doc_prefix"),
        *_word("superior_id", nullable=True),
        *_number("active"),
        sa.UniqueConstraint("region"),
        sa.UniqueConstraint("code"),
    )
    op.create_table(
        "unit",
        *_word("id", primary_key=True),
        *_word("name", "kind", "region"),
        *_word("department_id", nullable=True),
        *_number("active"),
    )
    op.create_index("ix_unit_department", "unit", ["department_id"])
    op.create_index("ix_unit_region", "unit", ["region", "id"])


def _people() -> None:
    op.create_table(
        "person",
        *_word("id", primary_key=True),
        *_word("name", "full_name", "password", "language"),
        *_number("active"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "post",
        *_word("id", primary_key=True),
        *_word("person_id", "role"),
        *_word("region", "unit_id", nullable=True),
        *_word("from_on", "until_on"),
    )
    op.create_index("ix_post_person", "post", ["person_id"])
    op.create_index("ix_post_region", "post", ["region", "role"])
    op.create_index("ix_post_unit", "post", ["unit_id", "role"])
    op.create_table(
        "substitute",
        *_word("id", primary_key=True),
        *_word("person_id", "by_id", "from_on", "until_on"),
    )
    op.create_index("ix_substitute_by", "substitute", ["by_id", "until_on"])
    op.create_index("ix_substitute_person", "substitute", ["person_id"])
    op.create_table(
        "recusal",
        *_word("person_id", "unit_id", primary_key=True),
        *_word("ground", "until_on"),
    )
    op.create_table(
        "token",
        *_word("digest", primary_key=True),
        *_word("id", "person_id", "name", "scopes", "created_at", "expires_at", "used_on"),
        *_number("revoked"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_token_person", "token", ["person_id"])
    op.create_table(
        "session",
        *_word("digest", primary_key=True),
        *_word("person_id", "csrf", "expires_at"),
    )
    op.create_index("ix_session_expiry", "session", ["expires_at"])


def _supervisions_and_tip_offs() -> None:
    op.create_table(
        "supervision",
        *_word("id", primary_key=True),
        *_word("office_id", "kind", "title", "from_on", "until_on", "lead_id"),
        *_long_text("matters", "report", "satisfaction"),
        *_number("active"),
    )
    op.create_index("ix_supervision_office", "supervision", ["office_id", "id"])
    op.create_table(
        "team",
        *_word("supervision_id", "person_id", primary_key=True),
    )
    op.create_table(
        "tip_off",
        *_word("id", primary_key=True),
        *_word("receipt_digest", "office_id"),
        *_word("unit_id", nullable=True),
        *_word("chain"),
        *_number("origin"),
        *_long_text("matter"),
        *_word("status"),
        *_long_text("result", "sealed"),
        *_word("at"),
        *_word("answered_at", nullable=True),
        sa.UniqueConstraint("receipt_digest"),
    )
    op.create_index("ix_tip_off_chain", "tip_off", ["chain"])
    op.create_index("ix_tip_off_office", "tip_off", ["office_id", "id"])


def _housekeeping() -> None:
    op.create_table(
        "idempotency",
        *_word("person_id", "key", primary_key=True),
        *_word("digest"),
        *_number("status"),
        *_word("headers"),
        *_long_text("answer"),
        *_word("at"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
    op.create_table(
        "calendar_day",
        *_word("day", primary_key=True),
        *_word("kind", "name", "source"),
    )
    op.create_table(
        "setting",
        *_word("key", primary_key=True),
        *_long_text("value"),
    )


_REFUSED = "the trail is append-only"


def _append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER event_no_{change.lower()} BEFORE {change} ON event "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _search_index() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE search USING fts5(grams, content='', columnsize=0, tokenize='ascii')")
    else:
        op.create_index("ix_search_gram", "search_gram", ["grams"], postgresql_using="gin")


def downgrade() -> None:
    raise NotImplementedError("there is nothing before the first schema")
