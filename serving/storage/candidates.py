"""Reply candidates: found in past conversations, and shown to no agent before a person has approved them.

What was mined stands beside what was approved: a reply that is found again joins the candidate that it is like,
whatever became of that, so that a rejected one does not come back in other words.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from kb.store import conflict_insert
from serving.storage.records import blank_expired
from serving.storage.tables import ReplyCandidateRow, ReplySourceRow, ReviewStatus

MACROS = "mined-"
"""What the ids of macros begin with that were candidates."""

_CHUNK = 1000


class UnknownCandidate(LookupError):
    """No reply candidate has this id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRecord:
    """
    Attributes:
        intent_shares: the likeliest intents of the requests, each with its mean probability, the likeliest first.
        title, text, intents: as mined, or as approved.
        count: the replies behind it.
        examples: requests that got this reply, as far as they are still kept.
    """

    id: str
    created_at: datetime
    language: str
    mined_text: str
    intent_shares: Mapping[str, float]
    title: str
    text: str
    intents: tuple[str, ...]
    status: ReviewStatus = ReviewStatus.PENDING
    reviewer: str | None = None
    reviewed_at: datetime | None = None
    reason: str | None = None
    count: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """A reply behind a candidate; `request` is kept until `text_expires_at`, which None leaves open."""

    id: str
    candidate_id: str
    request: str | None = None
    text_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """Some candidates, and how many there are in all."""

    candidates: tuple[CandidateRecord, ...]
    total: int


def macro_id(candidate_id: str) -> str:
    """The id of the macro that an approved candidate is."""
    return f"{MACROS}{candidate_id}"


class CandidateRepository:
    """Candidates within the transaction of `session`; it never commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def known_sources(self, ids: Collection[str]) -> set[str]:
        """Which of these replies are behind a candidate already."""
        known: set[str] = set()
        wanted = list(ids)
        for at in range(0, len(wanted), _CHUNK):
            some = wanted[at : at + _CHUNK]
            known.update(self._session.scalars(select(ReplySourceRow.id).where(ReplySourceRow.id.in_(some))))
        return known

    def add(self, candidates: Sequence[CandidateRecord]) -> int:
        """Store new candidates; those that are there stay as they are. The number of those that were new."""
        rows = [
            {
                "id": one.id,
                "created_at": one.created_at,
                "language": one.language,
                "mined_text": one.mined_text,
                "intent_shares": dict(one.intent_shares),
                "title": one.title,
                "text": one.text,
                "intents": list(one.intents),
                "status": one.status,
            }
            for one in sorted(candidates, key=lambda one: one.id)
        ]
        return self._insert(ReplyCandidateRow, rows)

    def add_sources(self, sources: Sequence[SourceRecord]) -> int:
        """Count replies to their candidates, each once; the number of those that were new."""
        now = datetime.now(UTC)
        rows = [
            {
                "id": one.id,
                "candidate_id": one.candidate_id,
                "created_at": now,
                "request": one.request,
                "text_expires_at": None if one.request is None else one.text_expires_at,
            }
            for one in sorted(sources, key=lambda one: one.id)
        ]
        return self._insert(ReplySourceRow, rows)

    def set_intents(self, shares: Mapping[str, Mapping[str, float]]) -> None:
        """Other likely intents for candidates, by id; those that had a review keep theirs."""
        for identity in sorted(shares):
            found = shares[identity]
            pending = (ReplyCandidateRow.id == identity, ReplyCandidateRow.status == ReviewStatus.PENDING)
            values = {"intent_shares": dict(found), "intents": list(found)}
            self._session.execute(update(ReplyCandidateRow).where(*pending).values(values))

    def all(self) -> list[CandidateRecord]:
        """Every candidate, whatever became of it, sorted by id."""
        return self._records(list(self._session.scalars(select(ReplyCandidateRow).order_by(ReplyCandidateRow.id))))

    def page(self, status: ReviewStatus | None = None, *, limit: int, offset: int = 0) -> CandidatePage:
        """Candidates of a status, or of any, those with most replies behind them first."""
        wanted = () if status is None else (ReplyCandidateRow.status == status,)
        count = (
            select(func.count(ReplySourceRow.id))
            .where(ReplySourceRow.candidate_id == ReplyCandidateRow.id)
            .scalar_subquery()
        )
        ordered = select(ReplyCandidateRow).where(*wanted).order_by(count.desc(), ReplyCandidateRow.id)
        rows = list(self._session.scalars(ordered.limit(limit).offset(offset)))
        total = self._session.scalar(select(func.count(ReplyCandidateRow.id)).where(*wanted)) or 0
        return CandidatePage(tuple(self._records(rows)), total)

    def get(self, candidate_id: str, *, for_update: bool = False) -> CandidateRecord:
        """
        Args:
            for_update: those who review one candidate at once wait for each other.

        Raises:
            UnknownCandidate: no candidate has this id.
        """
        wanted = select(ReplyCandidateRow).filter_by(id=candidate_id)
        row = self._session.scalar(wanted.with_for_update() if for_update else wanted)
        if row is None:
            raise UnknownCandidate(f"No reply candidate {candidate_id!r}. Use an id of the list of candidates.")
        return self._records([row])[0]

    def review(self, record: CandidateRecord) -> None:
        """Store what a person decided: status, text, title, intents, who, when and why."""
        values = {
            "status": record.status,
            "title": record.title,
            "text": record.text,
            "intents": list(record.intents),
            "reviewer": record.reviewer,
            "reviewed_at": record.reviewed_at,
            "reason": record.reason,
        }
        self._session.execute(update(ReplyCandidateRow).where(ReplyCandidateRow.id == record.id).values(values))

    def purge_expired_text(self, now: datetime) -> int:
        """Blank the example requests that expired by `now`, and count them; counts of replies stay."""
        return blank_expired(self._session, ReplySourceRow, now, request=None)

    def _insert(self, row: type[ReplyCandidateRow] | type[ReplySourceRow], rows: list[dict[str, Any]]) -> int:
        added = 0
        once = conflict_insert(self._session)(row).on_conflict_do_nothing(index_elements=["id"]).returning(row.id)
        for at in range(0, len(rows), _CHUNK):
            added += len(self._session.scalars(once, rows[at : at + _CHUNK]).all())
        return added

    def _records(self, rows: Sequence[ReplyCandidateRow]) -> list[CandidateRecord]:
        ids = [row.id for row in rows]
        counts: dict[str, int] = {}
        examples: dict[str, list[str]] = defaultdict(list)
        source = ReplySourceRow
        # What is due to go is not shown before the purge has come by.
        kept = (source.request.is_not(None), or_(source.text_expires_at.is_(None), source.text_expires_at > _now()))
        for at in range(0, len(ids), _CHUNK):
            ours = source.candidate_id.in_(ids[at : at + _CHUNK])
            counted = select(source.candidate_id, func.count(source.id)).where(ours).group_by(source.candidate_id)
            counts.update((found[0], found[1]) for found in self._session.execute(counted))
            requests = select(source.candidate_id, source.request).where(ours, *kept).order_by(source.id)
            for candidate, request in self._session.execute(requests):
                examples[candidate].append(request or "")
        return [_record(row, counts.get(row.id, 0), examples[row.id]) for row in rows]


def _record(row: ReplyCandidateRow, count: int, examples: Sequence[str]) -> CandidateRecord:
    return CandidateRecord(
        id=row.id,
        created_at=row.created_at,
        language=row.language,
        mined_text=row.mined_text,
        intent_shares=row.intent_shares,
        title=row.title,
        text=row.text,
        intents=tuple(row.intents),
        status=row.status,
        reviewer=row.reviewer,
        reviewed_at=row.reviewed_at,
        reason=row.reason,
        count=count,
        examples=tuple(examples),
    )


def _now() -> datetime:
    return datetime.now(UTC)
