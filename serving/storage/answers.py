"""Customers' questions with what they were answered, what became of them, and those that are still open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from serving.storage.records import ConflictingRequest, as_record, blank_expired, store_once
from serving.storage.tables import AnswerRow, Outcome


class UnknownAnswer(LookupError):
    """No question that was answered, or not, has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecord:
    """One question as it was answered.

    Attributes:
        id: the client's own id for the request, or one of `new_id`.
        request_digest: sha256, in hex, of the canonical request; what an id sent again is compared by.
        text: the question, where the desk keeps it.
        text_expires_at: when text and digest are to go; None keeps them.
        intent, intent_confidence: as the bundle had them then; the label is empty where the desk has it off.
        askable: whether it was looked up at all.
        article_id, confidence: of the answer; None where there was none, and then `reason` says why.
        result: the answer as JSON, which holds no words of the customer's.
    """

    id: str
    language: str
    intent: str
    intent_confidence: float
    askable: bool
    article_id: str | None
    confidence: float | None
    reason: str | None
    result: Mapping[str, Any]
    versions: Mapping[str, Any]
    request_digest: str | None = None
    text: str | None = None
    text_expires_at: datetime | None = None
    channel: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecord:
    """What became of a question; `channel` is where the customer went on to, if anybody said."""

    answer_id: str
    outcome: Outcome
    channel: str | None
    created_at: datetime


class OpenQuestion(NamedTuple):
    """A question that no answer solved; `answered` says whether one was given."""

    text: str
    language: str
    intent: str
    intent_confidence: float
    answered: bool


@dataclass(frozen=True, slots=True)
class OpenQuestions:
    """The newest open questions, and how many there are besides.

    Attributes:
        older: beyond the limit.
        expired: whose text is not kept any more, or never was.
    """

    newest: tuple[OpenQuestion, ...]
    older: int
    expired: int


class AnswerRepository:
    """Within the transaction of `session`; it never commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, record: AnswerRecord) -> AnswerRecord:
        """Store a question; the same id and request digest again answer with the one that is there.

        Raises:
            ConflictingRequest: the id stands for another question, or for one whose digest has expired.
        """
        [stored] = store_once(self._session, AnswerRow, [record])
        if stored.request_digest != record.request_digest:
            raise ConflictingRequest(
                f"Answer {record.id!r} stands for another question, or its text has expired. Send a new id."
            )
        return stored

    def get(self, answer_id: str) -> AnswerRecord | None:
        row = self._session.get(AnswerRow, answer_id)
        return None if row is None else as_record(AnswerRecord, row)

    def set_outcome(self, answer_id: str, outcome: Outcome, channel: str | None = None) -> OutcomeRecord:
        """Say what became of a question; the last word counts, and the same word again keeps its time.

        Raises:
            UnknownAnswer: no question has this id.
        """
        row = AnswerRow
        differs = or_(row.outcome.is_distinct_from(outcome), row.outcome_channel.is_distinct_from(channel))
        said = {"outcome": outcome, "outcome_channel": channel, "outcome_at": datetime.now(UTC)}
        self._session.execute(update(row).where(row.id == answer_id, differs).values(said))
        moments: list[Any] = list(self._session.scalars(select(row.outcome_at).where(row.id == answer_id)))
        if not moments:
            raise UnknownAnswer(f"No answer {answer_id!r}. Use the id that came with it.")
        return OutcomeRecord(answer_id=answer_id, outcome=outcome, channel=channel, created_at=moments[0])

    def open_questions(self, *, since: datetime, now: datetime, limit: int) -> OpenQuestions:
        """Questions asked since a moment that got no answer, or whose customer says that it did not help.

        Not those that were not looked up, unless a customer says so, and not what was solved without an answer.
        """
        row = AnswerRow
        without_answer = and_(row.article_id.is_(None), row.askable, row.outcome.is_(None))
        unsolved = row.outcome.in_((Outcome.NOT_SOLVED, Outcome.ESCALATED))
        still_open = row.created_at >= since, or_(without_answer, unsolved)
        # A purge runs every hour, and only while the desk serves; what is due to go is not shown before it.
        readable = and_(row.text.is_not(None), or_(row.text_expires_at.is_(None), row.text_expires_at > now))
        columns: Any = row.text, row.language, row.intent, row.intent_confidence, row.article_id.is_not(None)
        newest = select(*columns).where(*still_open, readable).order_by(row.created_at.desc(), row.id).limit(limit)
        found = tuple(OpenQuestion(*values) for values in self._session.execute(newest))
        counted = select(func.count()).select_from(row).where(*still_open)
        total = self._session.scalar(counted) or 0
        kept = self._session.scalar(counted.where(readable)) or 0
        return OpenQuestions(found, kept - len(found), total - kept)

    def purge_expired_text(self, now: datetime) -> int:
        """Blank text and request digest of the questions that expired by `now`, and count them."""
        return blank_expired(self._session, AnswerRow, now, text=None, request_digest=None)
