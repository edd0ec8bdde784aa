"""What agents say back: what became of a suggestion, and the tag that would have been right."""

from datetime import UTC, datetime, timedelta

from serving.desk import Desk
from serving.errors import BadRequest
from serving.storage.feedback import CorrectionRecord, EventRecord, FeedbackRepository
from serving.storage.tables import EventKind


def record_event(
    desk: Desk, suggestion_id: str, kind: EventKind, *, final_text: str | None, reason: str | None
) -> EventRecord:
    """Store an event on a suggestion; the same again changes nothing. Its text is kept as long as other texts.

    Raises:
        BadRequest: an edit without its text, or a rejection without a reason.
        UnknownSuggestion: no such suggestion.
    """
    if kind is EventKind.EDITED and not (final_text or "").strip():
        raise BadRequest("final_text", "An edited suggestion comes with the text that was sent, in final_text.")
    if kind is EventKind.REJECTED and not (reason or "").strip():
        raise BadRequest("reason", "A rejected suggestion comes with a reason, such as incorrect or outdated.")
    days = desk.settings.text_days
    with desk.database.transaction() as session:
        return FeedbackRepository(session).add_event(
            suggestion_id,
            kind,
            final_text,
            reason,
            keep_text=days > 0,
            text_expires_at=datetime.now(UTC) + timedelta(days=max(days, 1)),
        )


def record_correction(desk: Desk, triage_id: str, *, task: str, label: str, agent: str | None) -> CorrectionRecord:
    """Store the right label of one task of a decision; the last one counts, and a request sent twice counts once.

    Raises:
        BadRequest: a task or label that this desk does not have.
        UnknownDecision: no such decision.
    """
    known = _labels(desk, task)
    if label not in known:
        raise BadRequest("label", f"Unknown label {label!r} of {task}; it can be {', '.join(known)}.")
    with desk.database.transaction() as session:
        return FeedbackRepository(session).add_correction(triage_id, task, label, agent)


def _labels(desk: Desk, task: str) -> tuple[str, ...]:
    pipeline = desk.current().pipeline
    standard = {
        "intent": tuple(intent.id for intent in pipeline.taxonomy.intents),
        "urgency": tuple(level.id for level in pipeline.taxonomy.urgencies),
        "channel": pipeline.policy.ids,
    }
    own = {name: head.labels for name, head in pipeline.bundle.heads.items()}
    known = {**own, **standard}
    if task not in known:
        raise BadRequest("task", f"Unknown task {task!r}; this desk has {', '.join(sorted(known))}.")
    return known[task]
