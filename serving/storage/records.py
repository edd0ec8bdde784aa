"""Decisions, suggestions and feedback, in and out of the database as plain records.

A repository works within the transaction of its session and never commits. Writing the same thing again changes
nothing and answers with what is there, also when both are sent at once: the insert that comes second waits for the
first, does nothing, and the select after it sees the first one's row.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kb.store import conflict_insert
from serving.storage.tables import (
    CorrectionRow,
    DecisionRow,
    EventKind,
    LiveData,
    SourceType,
    SuggestionEventRow,
    SuggestionRow,
)
from triage.types import Action


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    id: str
    suggestion_id: str
    kind: EventKind
    final_text: str | None
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRecord:
    id: str
    decision_id: str
    task: str
    label: str
    agent: str | None
    created_at: datetime


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
        stored = _store(self._session, DecisionRow, records)
        for sent, kept in zip(records, stored, strict=True):
            if sent.request_digest != kept.request_digest:
                raise ConflictingRequest(
                    f"Decision {sent.id!r} stands for another request, or its text has expired. Send a new id."
                )
        return stored

    def get(self, decision_id: str) -> DecisionRecord | None:
        row = self._session.get(DecisionRow, decision_id)
        return None if row is None else _record(DecisionRecord, row)

    def purge_expired_text(self, now: datetime) -> int:
        """Blank text and request digest of the decisions that expired by `now`, and count them."""
        return _purge(self._session, DecisionRow, now, text=None, excerpts=None, request_digest=None)


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
        return _store(self._session, SuggestionRow, records)

    def get(self, suggestion_id: str) -> SuggestionRecord | None:
        row = self._session.get(SuggestionRow, suggestion_id)
        return None if row is None else _record(SuggestionRecord, row)

    def purge_expired_text(self, now: datetime) -> int:
        """Blank the text of the suggestions that expired by `now`, and count them."""
        return _purge(self._session, SuggestionRow, now, text=None)


class FeedbackRepository:
    """What agents made of suggestions and decisions; each thing once, known by its content."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_event(
        self, suggestion_id: str, kind: EventKind, final_text: str | None = None, reason: str | None = None
    ) -> EventRecord:
        """Store what became of a suggestion; the same again answers with the first record.

        Raises:
            UnknownSuggestion: no suggestion has this id.
        """
        if not _exists(self._session, SuggestionRow, suggestion_id):
            raise UnknownSuggestion(f"No suggestion {suggestion_id!r}. Use the id that came with the suggestion.")
        content = {"kind": kind, "final_text": final_text, "reason": reason}
        return self._once(SuggestionEventRow, EventRecord, {"suggestion_id": suggestion_id}, content)

    def add_correction(self, decision_id: str, task: str, label: str, agent: str | None = None) -> CorrectionRecord:
        """Store the right label of a task; the same again, from the same agent, answers with the first record.

        Raises:
            UnknownDecision: no decision has this id.
        """
        if not _exists(self._session, DecisionRow, decision_id):
            raise UnknownDecision(f"No decision {decision_id!r}. Use the id that came with the triage.")
        content = {"task": task, "label": label, "agent": agent}
        return self._once(CorrectionRow, CorrectionRecord, {"decision_id": decision_id}, content)

    def _once(
        self,
        row: type[SuggestionEventRow] | type[CorrectionRow],
        record: type["_Record"],
        parent: dict[str, str],
        content: dict[str, Any],
    ) -> "_Record":
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        key = {**parent, "digest": digest}
        insert = conflict_insert(self._session)(row).on_conflict_do_nothing(index_elements=list(key))
        self._session.execute(insert, [{"id": new_id(), **key, **content, "created_at": _now()}])
        return _record(record, self._session.scalars(select(row).filter_by(**key)).one())


_Stored = TypeVar("_Stored", DecisionRecord, SuggestionRecord)
_Record = TypeVar("_Record", DecisionRecord, SuggestionRecord, EventRecord, CorrectionRecord)


def _record(kind: type[_Record], row: LiveData) -> _Record:
    return kind(**{f.name: getattr(row, f.name) for f in fields(kind)})


def _store(session: Session, row: type[DecisionRow] | type[SuggestionRow], records: Sequence[_Stored]) -> list[_Stored]:
    # In order of id, so that two batches at once wait for each other instead of deadlocking.
    first = {r.id: r for r in reversed(records)}
    values = [{f.name: getattr(r, f.name) for f in fields(r)} for r in sorted(first.values(), key=attrgetter("id"))]
    if not values:
        return []
    # On a conflict the row is set to what it is, so that the one statement gives back old rows and new ones alike.
    insert = conflict_insert(session)(row)
    upsert = insert.on_conflict_do_update(index_elements=["id"], set_={"id": insert.excluded.id}).returning(row)
    rows: list[Any] = list(session.scalars(upsert, values, execution_options={"populate_existing": True}))
    stored = {found.id: _record(type(records[0]), found) for found in rows}
    return [stored[r.id] for r in records]


def _exists(session: Session, row: type[DecisionRow] | type[SuggestionRow], id_: str) -> bool:
    return session.scalar(select(row.id).where(row.id == id_)) is not None


def _purge(session: Session, row: type[DecisionRow] | type[SuggestionRow], now: datetime, **blank: None) -> int:
    expired = row.text_expires_at <= now, row.holds_text()
    purged = session.execute(update(row).where(*expired).values(blank).returning(row.id))
    return len(purged.all())
