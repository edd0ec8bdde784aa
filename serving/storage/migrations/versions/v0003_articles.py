"""Sections, days of validity, drafts and versions of articles."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("kb_articles") as articles:
        articles.add_column(sa.Column("section", sa.Text(), nullable=False, server_default=""))
        articles.add_column(sa.Column("valid_from", sa.Date()))
        articles.add_column(sa.Column("valid_until", sa.Date()))
        articles.add_column(sa.Column("draft", sa.Boolean(), nullable=False, server_default=sa.false()))
        articles.add_column(sa.Column("edited_at", sa.DateTime(timezone=True)))
        articles.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("kb_articles") as articles:
        for name, kind in (("section", sa.Text()), ("draft", sa.Boolean()), ("version", sa.Integer())):
            articles.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
