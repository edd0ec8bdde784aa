"""The tables of live data; those of the knowledge base are in `kb.store`, and one chain of migrations builds both."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, MetaData, UniqueConstraint, and_, or_
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kb.store import COLUMN_TYPES, CONSTRAINT_NAMES, KnowledgeBase
from triage.types import Action


class SourceType(StrEnum):
    """Where a suggestion's text came from."""

    ARTICLE = "article"
    MACRO = "macro"
    ANSWER = "answer"


class EventKind(StrEnum):
    """What became of a suggestion."""

    DISPLAYED = "displayed"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"


class Outcome(StrEnum):
    """What became of a customer's question."""

    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    ESCALATED = "escalated"


class ReviewStatus(StrEnum):
    """What people decided about a reply candidate."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class LiveData(DeclarativeBase):
    """The tables of this module."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = COLUMN_TYPES


METADATA = (KnowledgeBase.metadata, LiveData.metadata)
"""Everything that `frontdesk`'s database holds."""


class DecisionRow(LiveData):
    __tablename__ = "decisions"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    request_digest: Mapped[str | None]
    text: Mapped[str | None]
    text_expires_at: Mapped[datetime | None]
    excerpts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    language: Mapped[str]
    channel: Mapped[str | None]
    intent: Mapped[str]
    urgency: Mapped[str]
    action: Mapped[Action]
    result: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]]

    @classmethod
    def holds_text(cls) -> ColumnElement[bool]:
        """The condition of the index that a purge runs on; a purged row leaves it."""
        return or_(cls.text.is_not(None), cls.request_digest.is_not(None))


class SuggestionRow(LiveData):
    __tablename__ = "suggestions"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    decision_id: Mapped[str | None] = mapped_column(ForeignKey("decisions.id"), index=True)
    rank: Mapped[int]
    source_type: Mapped[SourceType]
    source_id: Mapped[str]
    language: Mapped[str]
    confidence: Mapped[float]
    text: Mapped[str | None]
    text_expires_at: Mapped[datetime | None]

    @classmethod
    def holds_text(cls) -> ColumnElement[bool]:
        """The condition of the index that a purge runs on; a purged row leaves it."""
        return cls.text.is_not(None)


class SuggestionEventRow(LiveData):
    __tablename__ = "suggestion_events"
    __table_args__ = (UniqueConstraint("suggestion_id", "digest"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    suggestion_id: Mapped[str] = mapped_column(ForeignKey("suggestions.id"))
    kind: Mapped[EventKind]
    final_text: Mapped[str | None]
    text_expires_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    digest: Mapped[str | None]
    created_at: Mapped[datetime]

    @classmethod
    def holds_text(cls) -> ColumnElement[bool]:
        """The condition of the index that a purge runs on; only events that came with a text ever expire."""
        return and_(cls.text_expires_at.is_not(None), cls.digest.is_not(None))


class AnswerRow(LiveData):
    """A customer's question and what it was answered.

    Attributes:
        askable: whether it was looked up at all; not what is out of scope, needs no reply or is in no known language.
        article_id, confidence: of the answer; None where there was none.
    """

    __tablename__ = "answers"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    request_digest: Mapped[str | None]
    text: Mapped[str | None]
    text_expires_at: Mapped[datetime | None]
    language: Mapped[str]
    channel: Mapped[str | None]
    intent: Mapped[str]
    intent_confidence: Mapped[float]
    askable: Mapped[bool]
    article_id: Mapped[str | None]
    confidence: Mapped[float | None]
    reason: Mapped[str | None]
    result: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]]
    outcome: Mapped[Outcome | None]
    outcome_channel: Mapped[str | None]
    outcome_at: Mapped[datetime | None]

    @classmethod
    def holds_text(cls) -> ColumnElement[bool]:
        """The condition of the index that a purge runs on; a purged row leaves it."""
        return or_(cls.text.is_not(None), cls.request_digest.is_not(None))


class ReplyCandidateRow(LiveData):
    """A reply that waits for a review, or had one; `mined_text` stays as it was found, whatever is approved."""

    __tablename__ = "reply_candidates"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    language: Mapped[str]
    mined_text: Mapped[str]
    intent_shares: Mapped[dict[str, Any]]
    title: Mapped[str]
    text: Mapped[str]
    intents: Mapped[list[str]]
    status: Mapped[ReviewStatus] = mapped_column(index=True)
    reviewer: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    reason: Mapped[str | None]


class ReplySourceRow(LiveData):
    """One reply behind a candidate, known again by its digest; of a few the request is kept as an example."""

    __tablename__ = "reply_sources"

    id: Mapped[str] = mapped_column(primary_key=True)
    candidate_id: Mapped[str] = mapped_column(ForeignKey("reply_candidates.id"), index=True)
    created_at: Mapped[datetime]
    request: Mapped[str | None]
    text_expires_at: Mapped[datetime | None]

    @classmethod
    def holds_text(cls) -> ColumnElement[bool]:
        """The condition of the index that a purge runs on; a purged row leaves it."""
        return cls.request.is_not(None)


for _row in (DecisionRow, SuggestionRow, SuggestionEventRow, AnswerRow, ReplySourceRow):
    Index(None, _row.text_expires_at, sqlite_where=_row.holds_text(), postgresql_where=_row.holds_text())


class CorrectionRow(LiveData):
    """`number` counts the corrections of a decision from 1, in the order in which the database took them."""

    __tablename__ = "corrections"
    __table_args__ = (UniqueConstraint("decision_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"))
    number: Mapped[int]
    task: Mapped[str]
    label: Mapped[str]
    agent: Mapped[str | None]
    created_at: Mapped[datetime]


class ShadowPredictionRow(LiveData):
    """What a shadow bundle's head said about a live message, beside what the live bundle's head said.

    Both sides are the heads' own words, before policy and task settings, so that they can be compared.
    """

    __tablename__ = "shadow_predictions"

    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True)
    bundle: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    confidence: Mapped[float]
    abstained: Mapped[bool]
    live_bundle: Mapped[str]
    live_label: Mapped[str]
    live_confidence: Mapped[float]
    live_abstained: Mapped[bool]


class ApiKeyRow(LiveData):
    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
