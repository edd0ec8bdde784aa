"""Decisions, suggestions, feedback, API keys, articles and macros."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        sa.Column("request_digest", sa.Text()),
        sa.Column("text", sa.Text()),
        _moment("text_expires_at"),
        sa.Column("excerpts", sa.JSON()),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text()),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_created_at", "decisions", ["created_at"])
    _index_expiry("decisions", "text IS NOT NULL OR request_digest IS NOT NULL")

    op.create_table(
        "suggestions",
        sa.Column("id", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        sa.Column("decision_id", sa.Text()),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("source_type", sa.String(32), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("text", sa.Text()),
        _moment("text_expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_suggestions"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name="fk_suggestions_decision_id"),
    )
    op.create_index("ix_suggestions_decision_id", "suggestions", ["decision_id"])
    _index_expiry("suggestions", "text IS NOT NULL")

    op.create_table(
        "suggestion_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("suggestion_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("final_text", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("digest", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suggestion_events"),
        sa.ForeignKeyConstraint(["suggestion_id"], ["suggestions.id"], name="fk_suggestion_events_suggestion_id"),
        sa.UniqueConstraint("suggestion_id", "digest", name="uq_suggestion_events_suggestion_id"),
    )

    op.create_table(
        "corrections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text()),
        sa.Column("digest", sa.Text(), nullable=False),
        _moment("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name="fk_corrections_decision_id"),
        sa.UniqueConstraint("decision_id", "digest", name="uq_corrections_decision_id"),
    )

    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        _moment("created_at", nullable=False),
        _moment("revoked_at"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )

    op.create_table(
        "kb_articles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(32), nullable=False),
        sa.Column("translation_of", sa.Text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        _moment("updated_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kb_articles"),
    )

    op.create_table(
        "kb_macros",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("intents", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        _moment("updated_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_kb_macros"),
    )


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index_expiry(table: str, holds_text: str) -> None:
    where = sa.text(holds_text)
    name = f"ix_{table}_text_expires_at"
    op.create_index(name, table, ["text_expires_at"], sqlite_where=where, postgresql_where=where)
