"""What agents made of suggestions and decisions: written as it comes, and read back decision by decision.

The same event again answers with the one that is there, known by its content. A correction can be taken back and made
again, so that content alone cannot tell a request sent twice from a change of mind: it is the former when the label
stands already and this agent was the last to say nothing else.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, insert, or_, select, tuple_
from sqlalchemy.orm import Session

from kb.store import conflict_insert
from serving.storage.records import (
    DecisionRecord,
    UnknownDecision,
    UnknownSuggestion,
    as_record,
    blank_expired,
    new_id,
)
from serving.storage.tables import (
    CorrectionRow,
    DecisionRow,
    EventKind,
    SourceType,
    SuggestionEventRow,
    SuggestionRow,
)

_OUTCOMES = (EventKind.ACCEPTED, EventKind.EDITED, EventKind.REJECTED)
_SENT = (EventKind.ACCEPTED, EventKind.EDITED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    id: str
    suggestion_id: str
    kind: EventKind
    final_text: str | None
    text_expires_at: datetime | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRecord:
    """`number` counts the corrections of a decision from 1, in the order in which the database took them."""

    id: str
    decision_id: str
    number: int
    task: str
    label: str
    agent: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReply:
    """A suggestion that an agent sent.

    Attributes:
        edited: whether the agent changed it first; `text` is what was sent in the end.
        text: None where it was never kept.
        text_expires_at: when the text is to go, or went.
    """

    suggestion_id: str
    source_type: SourceType
    source_id: str
    language: str
    edited: bool
    text: str | None
    text_expires_at: datetime | None
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class DecisionFeedback:
    """What people said about one decision, each in the order in which it came."""

    decision: DecisionRecord
    corrections: tuple[CorrectionRecord, ...]
    replies: tuple[SentReply, ...]


class Position(NamedTuple):
    """Where a page of decisions ended; the next one goes on behind it."""

    created_at: datetime
    id: str


class FeedbackRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add_event(
        self,
        suggestion_id: str,
        kind: EventKind,
        final_text: str | None = None,
        reason: str | None = None,
        *,
        keep_text: bool = True,
        text_expires_at: datetime | None = None,
    ) -> EventRecord:
        """Store what became of a suggestion; the same again answers with the first record.

        Args:
            keep_text: where False, the final text only serves to know the event again until it expires.
            text_expires_at: when the final text is to go; None keeps it.

        Raises:
            UnknownSuggestion: no suggestion has this id.
        """
        if self._session.scalar(select(SuggestionRow.id).filter_by(id=suggestion_id)) is None:
            raise UnknownSuggestion(f"No suggestion {suggestion_id!r}. Use the id that came with the suggestion.")
        content = {"kind": kind, "final_text": final_text, "reason": reason}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        key = {"suggestion_id": suggestion_id, "digest": digest}
        row = {
            **key,
            **content,
            "id": new_id(),
            "final_text": final_text if keep_text else None,
            "text_expires_at": None if final_text is None else text_expires_at,
            "created_at": datetime.now(UTC),
        }
        once = conflict_insert(self._session)(SuggestionEventRow).on_conflict_do_nothing(index_elements=list(key))
        self._session.execute(once, [row])
        return as_record(EventRecord, self._session.scalars(select(SuggestionEventRow).filter_by(**key)).one())

    def add_correction(self, decision_id: str, task: str, label: str, agent: str | None = None) -> CorrectionRecord:
        """Store the right label of a task; a request sent twice answers with the first record.

        Raises:
            UnknownDecision: no decision has this id.
        """
        # The lock makes those who correct one decision at once wait for each other; SQLite's transaction has its own.
        decision = select(DecisionRow.id).filter_by(id=decision_id).with_for_update(key_share=True)
        if self._session.scalar(decision) is None:
            raise UnknownDecision(f"No decision {decision_id!r}. Use the id that came with the triage.")
        of_decision = select(CorrectionRow).filter_by(decision_id=decision_id).order_by(CorrectionRow.number.desc())
        newest = self._session.scalar(of_decision.limit(1))
        standing = self._session.scalar(of_decision.filter_by(task=task).limit(1))
        own = self._session.scalar(of_decision.filter_by(task=task, agent=agent).limit(1))
        if standing is not None and own is not None and standing.label == own.label == label:
            return as_record(CorrectionRecord, own)
        row = {
            "id": new_id(),
            "decision_id": decision_id,
            "number": 1 if newest is None else newest.number + 1,
            "task": task,
            "label": label,
            "agent": agent,
            "created_at": datetime.now(UTC),
        }
        stored = self._session.scalars(insert(CorrectionRow).returning(CorrectionRow), [row]).one()
        return as_record(CorrectionRecord, stored)

    def purge_expired_text(self, now: datetime) -> int:
        """Blank the final text and digest of the events that expired by `now`, and count them."""
        return blank_expired(self._session, SuggestionEventRow, now, final_text=None, digest=None)

    def page(
        self, after: Position | None = None, *, since: datetime | None = None, limit: int = 500
    ) -> list[DecisionFeedback]:
        """Decisions on which there is feedback, with all of it, in the order in which they were made.

        Args:
            since: only decisions that got some of their feedback at or after this moment.
        """
        corrected = select(CorrectionRow.id).where(CorrectionRow.decision_id == DecisionRow.id)
        answered = (
            select(SuggestionEventRow.id)
            .join(SuggestionRow)
            .where(SuggestionRow.decision_id == DecisionRow.id, SuggestionEventRow.kind.in_(_SENT))
        )
        if since is not None:
            corrected = corrected.where(CorrectionRow.created_at >= since)
            answered = answered.where(SuggestionEventRow.created_at >= since)
        place = tuple_(DecisionRow.created_at, DecisionRow.id)
        wanted = select(DecisionRow).where(or_(corrected.exists(), answered.exists()))
        if after is not None:
            wanted = wanted.where(place > after)
        rows = self._session.scalars(wanted.order_by(DecisionRow.created_at, DecisionRow.id).limit(limit))
        decisions = [as_record(DecisionRecord, row) for row in rows]
        ids = [decision.id for decision in decisions]
        corrections, replies = self._corrections(ids), self._replies(ids)
        return [
            DecisionFeedback(decision, tuple(corrections.get(decision.id, ())), tuple(replies.get(decision.id, ())))
            for decision in decisions
        ]

    def replies_without_decision(self, *, since: datetime | None = None) -> int:
        """How many suggestions were sent that had been asked for without a decision, so that nobody knows for what."""
        sent = (
            select(func.count(SuggestionEventRow.suggestion_id.distinct()))
            .join(SuggestionRow)
            .where(SuggestionRow.decision_id.is_(None), SuggestionEventRow.kind.in_(_SENT))
        )
        if since is not None:
            sent = sent.where(SuggestionEventRow.created_at >= since)
        return self._session.scalar(sent) or 0

    def _corrections(self, decisions: Sequence[str]) -> dict[str, list[CorrectionRecord]]:
        of_decision: dict[str, list[CorrectionRecord]] = {}
        rows = select(CorrectionRow).where(CorrectionRow.decision_id.in_(decisions)).order_by(CorrectionRow.number)
        for row in self._session.scalars(rows):
            of_decision.setdefault(row.decision_id, []).append(as_record(CorrectionRecord, row))
        return of_decision

    def _replies(self, decisions: Sequence[str]) -> dict[str, list[SentReply]]:
        """Of each suggestion the last outcome counts: one that was rejected in the end was not sent."""
        found = (
            select(SuggestionRow, SuggestionEventRow)
            .join(SuggestionEventRow)
            .where(SuggestionRow.decision_id.in_(decisions), SuggestionEventRow.kind.in_(_OUTCOMES))
            .order_by(SuggestionEventRow.created_at, SuggestionEventRow.id)
        )
        last: dict[str, Any] = {}
        for suggestion, event in self._session.execute(found):
            last.pop(suggestion.id, None)
            last[suggestion.id] = suggestion, event
        of_decision: dict[str, list[SentReply]] = {}
        for suggestion, event in last.values():
            if event.kind in _SENT:
                of_decision.setdefault(suggestion.decision_id, []).append(_reply(suggestion, event))
        return of_decision


def _reply(suggestion: SuggestionRow, event: SuggestionEventRow) -> SentReply:
    edited = event.kind is EventKind.EDITED
    own = edited or event.final_text is not None
    return SentReply(
        suggestion_id=suggestion.id,
        source_type=suggestion.source_type,
        source_id=suggestion.source_id,
        language=suggestion.language,
        edited=edited,
        text=event.final_text if own else suggestion.text,
        text_expires_at=event.text_expires_at if own else suggestion.text_expires_at,
        sent_at=event.created_at,
    )
