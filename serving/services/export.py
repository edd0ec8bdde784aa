"""Feedback as training rows: what people said about decisions whose text is still kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from serving.storage.engine import Database
from serving.storage.feedback import CorrectionRecord, DecisionFeedback, FeedbackRepository, Position, SentReply

PAGE = 500
"""Decisions read at once; a text has up to 20,000 characters."""

CHANNEL_COLUMN = "best_channel"
"""The column of the task `channel`: the column `channel` says where the message came from."""

_COLUMNS = frozenset(
    {"id", "text", "subject", "body", "language", "channel", "group", "source", "disputed"}
    | {"reply", "reply_language", "reply_source", "reply_edited", CHANNEL_COLUMN}
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What there is on one decision.

    Attributes:
        row: None where the text has expired or was never kept.
        remarks: what the row lacks, and labels on which agents did not agree; each is a part of a sentence.
    """

    decision_id: str
    row: dict[str, Any] | None
    remarks: tuple[str, ...]


def exported_feedback(database: Database, *, since: datetime | None = None) -> Iterator[Exported]:
    """Every decision with feedback, in the order in which they were made.

    Pages are read as they are asked for, each in a transaction of its own, so that a slow reader keeps none open.

    Args:
        since: only decisions that got some of their feedback at or after this moment.
    """
    now, after = datetime.now(UTC), None
    while True:
        with database.transaction(read_only=True) as session:
            page = FeedbackRepository(session).page(after, since=since, limit=PAGE)
        # Not those where the one reply was taken back: nothing is left that anybody confirmed.
        yield from (_exported(feedback, now) for feedback in page if feedback.corrections or feedback.replies)
        if len(page) < PAGE:
            return
        after = Position(page[-1].decision.created_at, page[-1].decision.id)


def replies_without_message(database: Database, *, since: datetime | None = None) -> int:
    """Replies that were sent and cannot be exported, because nobody said which decision they belonged to."""
    with database.transaction(read_only=True) as session:
        return FeedbackRepository(session).replies_without_decision(since=since)


def label_column(task: str) -> str:
    """The column of a task; one that is named like another column gets a name of its own."""
    if task == "channel":
        return CHANNEL_COLUMN
    return f"{task}_label" if task in _COLUMNS else task


def _exported(feedback: DecisionFeedback, now: datetime) -> Exported:
    decision = feedback.decision
    # A purge runs every hour, and only while the desk serves; what is due to go is not given away before it.
    if decision.text is None or _is_over(decision.text_expires_at, now):
        return Exported(decision.id, None, ("its text is not kept any more",))
    standing = {correction.task: correction.label for correction in feedback.corrections}
    disputed = _disputed(feedback.corrections)
    remarks = [
        f"agents disagree on {task} ({', '.join(labels)}); {standing[task]} came last"
        for task, labels in disputed.items()
    ]
    row: dict[str, Any] = {
        "id": decision.id,
        "text": decision.text,
        "language": decision.language,
        "channel": decision.channel,
        "group": decision.id,
        "source": "correction" if standing else "accepted",
        **{label_column(task): label for task, label in sorted(standing.items())},
    }
    if disputed:
        row["disputed"] = list(disputed)
    if feedback.replies:
        last = feedback.replies[-1]
        if last.text is None or _is_over(last.text_expires_at, now):
            remarks.append("the reply that was sent is not kept any more")
        else:
            row |= _reply_columns(last)
    if not standing and "reply" not in row:
        return Exported(decision.id, None, tuple(remarks))
    return Exported(decision.id, row, tuple(remarks))


def _reply_columns(reply: SentReply) -> dict[str, Any]:
    return {
        "reply": reply.text,
        "reply_language": reply.language,
        "reply_source": f"{reply.source_type.value}:{reply.source_id}",
        "reply_edited": reply.edited,
    }


def _disputed(corrections: tuple[CorrectionRecord, ...]) -> dict[str, list[str]]:
    """The tasks on which agents ended with different labels, each with those labels."""
    said: dict[str, dict[str | None, str]] = {}
    for correction in corrections:
        said.setdefault(correction.task, {})[correction.agent] = correction.label
    return {task: labels for task in sorted(said) if len(labels := sorted(set(said[task].values()))) > 1}


def _is_over(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now
