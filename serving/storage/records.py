"""Decisions and suggestions, in and out of the database as plain records; feedback on them is in its own module.

A repository works within the transaction of its session and never commits. Writing the same thing again changes
nothing and answers with what is there, also when both are sent at once: the insert that comes second waits for the
first, does nothing, and the select after it sees the first one's row.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kb.store import conflict_insert
from serving.storage.tables import (
    AnswerRow,
    DecisionRow,
    LiveData,
    ReplySourceRow,
    SourceType,
    SuggestionEventRow,
    SuggestionRow,
)
from triage.types import Action

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class ConflictingRequest(Exception):
    """An id was sent again with another request than the one it stands for."""


class UnknownDecision(LookupError):
    """No decision has this id."""


class UnknownSuggestion(LookupError):
    """No suggestion has this id."""


def new_id() -> str:
    """An id for a record: 32 hex digits, random."""
    return uuid.uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """One triage as it was answered.

    Attributes:
        id: the client's own id for the request, or one of `new_id`.
        request_digest: sha256, in hex, of the canonical request; what an id sent again is compared by.
        text: the customer's message, where the desk keeps it.
        text_expires_at: when text, excerpts and digest are to go; None keeps them.
        channel: where the message came from.
        result: the triage object as JSON, without words of the customer's; `versions` is of the parts that took part.
        excerpts: those words, kept as long as the text.
    """

    id: str
    language: str
    intent: str
    urgency: str
    action: Action
    result: Mapping[str, Any]
    versions: Mapping[str, Any]
    request_digest: str | None = None
    text: str | None = None
    text_expires_at: datetime | None = None
    excerpts: Mapping[str, Any] | None = None
    channel: str | None = None
    created_at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionRecord:
    """A reply proposed to an agent: `rank` counts from 1, `confidence` lies between 0 and 1."""

    decision_id: str | None
    rank: int
    source_type: SourceType
    source_id: str
    language: str
    confidence: float
    text: str | None = None
    text_expires_at: datetime | None = None
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=_now)


class DecisionRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, record: DecisionRecord) -> DecisionRecord:
        """Store a decision; the same id and request digest again answer with the one that is there.

        Raises:
            ConflictingRequest: the id stands for another request, or for one whose digest has expired.
        """
        return self.add_many([record])[0]

    def add_many(self, records: Sequence[DecisionRecord]) -> list[DecisionRecord]:
        """Store decisions as `add` does, in one statement; the stored records come in the order given."""
        stored = store_once(self._session, DecisionRow, records)
        for sent, kept in zip(records, stored, strict=True):
            if sent.request_digest != kept.request_digest:
                raise ConflictingRequest(
                    f"Decision {sent.id!r} stands for another request, or its text has expired. Send a new id."
                )
        return stored

    def get(self, decision_id: str) -> DecisionRecord | None:
        row = self._session.get(DecisionRow, decision_id)
        return None if row is None else as_record(DecisionRecord, row)

    def purge_expired_text(self, now: datetime) -> int:
        """Blank text and request digest of the decisions that expired by `now`, and count them."""
        return blank_expired(self._session, DecisionRow, now, text=None, excerpts=None, request_digest=None)


class SuggestionRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add_many(self, records: Sequence[SuggestionRecord]) -> list[SuggestionRecord]:
        """Store suggestions; an id that is there already stays as it is. The stored records come in the order given.

        Raises:
            UnknownDecision: a suggestion belongs to a decision that is not stored.
        """
        decisions = {r.decision_id for r in records if r.decision_id is not None}
        known = set(self._session.scalars(select(DecisionRow.id).where(DecisionRow.id.in_(decisions))))
        if missing := sorted(decisions - known):
            raise UnknownDecision(f"No decision {missing[0]!r}. Store the decision before its suggestions.")
        return store_once(self._session, SuggestionRow, records)

    def get(self, suggestion_id: str) -> SuggestionRecord | None:
        row = self._session.get(SuggestionRow, suggestion_id)
        return None if row is None else as_record(SuggestionRecord, row)

    def purge_expired_text(self, now: datetime) -> int:
        """Blank the text of the suggestions that expired by `now`, and count them."""
        return blank_expired(self._session, SuggestionRow, now, text=None)


_Record = TypeVar("_Record", bound="DataclassInstance")


def as_record(kind: type[_Record], row: LiveData) -> _Record:
    """A row as the dataclass whose fields are columns of its table."""
    return kind(**{f.name: getattr(row, f.name) for f in fields(kind)})


def store_once(session: Session, row: type[LiveData], records: Sequence[_Record]) -> list[_Record]:
    """Insert records whose ids are new; the stored ones, new and old, come in the order given."""
    id_of = attrgetter("id")
    # In order of id, so that two batches at once wait for each other instead of deadlocking.
    first = {id_of(r): r for r in reversed(records)}
    values = [{f.name: getattr(r, f.name) for f in fields(r)} for r in sorted(first.values(), key=id_of)]
    if not values:
        return []
    # On a conflict the row is set to what it is, so that the one statement gives back old rows and new ones alike.
    insert = conflict_insert(session)(row)
    upsert = insert.on_conflict_do_update(index_elements=["id"], set_={"id": insert.excluded.id}).returning(row)
    rows: list[Any] = list(session.scalars(upsert, values, execution_options={"populate_existing": True}))
    stored = {found.id: as_record(type(records[0]), found) for found in rows}
    return [stored[id_of(r)] for r in records]


_Expiring = type[DecisionRow] | type[SuggestionRow] | type[SuggestionEventRow] | type[AnswerRow] | type[ReplySourceRow]


def blank_expired(session: Session, row: _Expiring, now: datetime, **blank: None) -> int:
    """Set the columns `blank` of the rows that expired by `now` to NULL, and count those rows."""
    expired = row.text_expires_at <= now, row.holds_text()
    purged = session.execute(update(row).where(*expired).values(blank).returning(row.id))
    return len(purged.all())
