"""Customers' questions, what they were answered and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_digest", sa.Text()),
        sa.Column("text", sa.Text()),
        sa.Column("text_expires_at", sa.DateTime(timezone=True)),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text()),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("intent_confidence", sa.Double(), nullable=False),
        sa.Column("askable", sa.Boolean(), nullable=False),
        sa.Column("article_id", sa.Text()),
        sa.Column("confidence", sa.Double()),
        sa.Column("reason", sa.Text()),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("outcome_channel", sa.Text()),
        sa.Column("outcome_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"])
    where = sa.text("text IS NOT NULL OR request_digest IS NOT NULL")
    name = "ix_answers_text_expires_at"
    op.create_index(name, "answers", ["text_expires_at"], sqlite_where=where, postgresql_where=where)
