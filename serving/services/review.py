"""What people decide about reply candidates: an approved one is a macro from then on, and no other ever is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kb.rows import macro
from kb.store import KnowledgeStore
from kb.types import Macro
from serving.errors import BadRequest
from serving.storage.candidates import CandidatePage, CandidateRecord, CandidateRepository, macro_id
from serving.storage.engine import Database
from serving.storage.tables import ReviewStatus
from triage.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A decision; what is None stays as it is. A rejection has a reason."""

    status: ReviewStatus
    text: str | None = None
    title: str | None = None
    intents: Sequence[str] | None = None
    reason: str | None = None
    reviewer: str | None = None


def list_candidates(database: Database, status: ReviewStatus | None, *, limit: int, offset: int = 0) -> CandidatePage:
    """Candidates, those with most replies behind them first."""
    with database.transaction(read_only=True) as session:
        return CandidateRepository(session).page(status, limit=limit, offset=offset)


def review_candidate(database: Database, taxonomy: Taxonomy, candidate_id: str, review: Review) -> CandidateRecord:
    """Approve or reject, and put the macro there or take it away, in one transaction; the same again changes nothing.

    Raises:
        UnknownCandidate: no candidate has this id.
        BadRequest: an intent that the taxonomy lacks, an approval without any intent, a rejection without a reason.
    """
    approved = review.status is ReviewStatus.APPROVED
    if review.status is ReviewStatus.PENDING:
        raise BadRequest("status", "A review says approved or rejected.")
    if not approved and not (review.reason or "").strip():
        raise BadRequest("reason", "A rejection comes with a reason, such as outdated or too personal.")
    if not approved and (review.text, review.title, review.intents) != (None, None, None):
        raise BadRequest("status", "Text, title and intents go with an approval; a rejected candidate keeps its own.")
    with database.transaction() as session:
        repository, store = CandidateRepository(session), KnowledgeStore(session)
        found = repository.get(candidate_id, for_update=True)
        decided = replace(
            found,
            status=review.status,
            text=found.text if review.text is None else review.text.strip(),
            title=found.title if review.title is None else review.title.strip(),
            intents=found.intents if review.intents is None else _intents(taxonomy, found, review.intents),
            reason=(review.reason or "").strip() or None,
        )
        if approved:
            # Again for one that is approved already: somebody may have deleted its macro.
            store.upsert_macros([_macro(decided)])
        else:
            store.delete([macro_id(found.id)])
        if decided == found:
            return found
        decided = replace(decided, reviewer=review.reviewer, reviewed_at=datetime.now(UTC))
        repository.review(decided)
        return decided


def _intents(taxonomy: Taxonomy, found: CandidateRecord, named: Sequence[str]) -> tuple[str, ...]:
    # A bundle can know intents that the taxonomy lacks, and mining names what the bundle says.
    known = [*(intent.id for intent in taxonomy.intents), *found.intent_shares]
    if unknown := [intent for intent in named if intent not in known]:
        raise BadRequest("intents", f"Unknown intent {unknown[0]!r}; it can be {', '.join(dict.fromkeys(known))}.")
    return tuple(dict.fromkeys(named))


def _macro(decided: CandidateRecord) -> Macro:
    if not decided.intents:
        raise BadRequest("intents", "A macro without an intent is never suggested; name at least one.")
    for field in ("text", "title"):
        if not getattr(decided, field):
            raise BadRequest(field, f"A macro needs a {field}; leave it out to keep that of the candidate.")
    try:
        return macro(
            {
                "id": macro_id(decided.id),
                "title": decided.title,
                "language": decided.language,
                "intents": list(decided.intents),
                "text": decided.text,
            }
        )
    except ValueError as error:
        raise BadRequest("text", f"This is no macro: {error}.") from error
