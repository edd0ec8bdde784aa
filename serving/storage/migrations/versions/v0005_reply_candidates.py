"""Replies found in past conversations, for people to approve, and the conversations that they came from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reply_candidates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("mined_text", sa.Text(), nullable=False),
        sa.Column("intent_shares", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("intents", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("reviewer", sa.Text()),
        sa.Column("reviewed_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_reply_candidates"),
    )
    op.create_index("ix_reply_candidates_status", "reply_candidates", ["status"])

    op.create_table(
        "reply_sources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("candidate_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request", sa.Text()),
        sa.Column("text_expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_reply_sources"),
        sa.ForeignKeyConstraint(["candidate_id"], ["reply_candidates.id"], name="fk_reply_sources_candidate_id"),
    )
    op.create_index("ix_reply_sources_candidate_id", "reply_sources", ["candidate_id"])
    where = sa.text("request IS NOT NULL")
    name = "ix_reply_sources_text_expires_at"
    op.create_index(name, "reply_sources", ["text_expires_at"], sqlite_where=where, postgresql_where=where)
