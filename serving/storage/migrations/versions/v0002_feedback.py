"""Corrections in their order, texts of events that expire, and the predictions of shadow bundles."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _number_corrections()
    _let_event_texts_expire()
    op.create_table(
        "shadow_predictions",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("abstained", sa.Boolean(), nullable=False),
        sa.Column("live_bundle", sa.Text(), nullable=False),
        sa.Column("live_label", sa.Text(), nullable=False),
        sa.Column("live_confidence", sa.Double(), nullable=False),
        sa.Column("live_abstained", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "bundle", "task", name="pk_shadow_predictions"),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name="fk_shadow_predictions_decision_id", ondelete="CASCADE"
        ),
    )


def _number_corrections() -> None:
    op.add_column("corrections", sa.Column("number", sa.Integer()))
    op.execute(
        "UPDATE corrections SET number = (SELECT count(*) FROM corrections AS earlier"
        " WHERE earlier.decision_id = corrections.decision_id"
        " AND (earlier.created_at, earlier.id) <= (corrections.created_at, corrections.id))"
    )
    with op.batch_alter_table("corrections") as corrections:
        corrections.drop_constraint("uq_corrections_decision_id", type_="unique")
        corrections.drop_column("digest")
        corrections.alter_column("number", existing_type=sa.Integer(), nullable=False)
        corrections.create_unique_constraint("uq_corrections_decision_id", ["decision_id", "number"])


def _let_event_texts_expire() -> None:
    with op.batch_alter_table("suggestion_events") as events:
        events.add_column(sa.Column("text_expires_at", sa.DateTime(timezone=True)))
        events.alter_column("digest", existing_type=sa.Text(), nullable=True)
    # The settings of that day are not known here; a suggestion's own text was given the same number of days.
    op.execute(
        "UPDATE suggestion_events SET text_expires_at = (SELECT text_expires_at FROM suggestions"
        " WHERE suggestions.id = suggestion_events.suggestion_id) WHERE final_text IS NOT NULL"
    )
    where = sa.text("text_expires_at IS NOT NULL AND digest IS NOT NULL")
    name = "ix_suggestion_events_text_expires_at"
    op.create_index(name, "suggestion_events", ["text_expires_at"], sqlite_where=where, postgresql_where=where)
