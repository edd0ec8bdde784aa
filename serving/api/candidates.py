"""GET /v1/reply-candidates and POST /v1/reply-candidates/{id}/review."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from serving.api.dependencies import PROBLEMS, CurrentDesk, problems
from serving.auth import Scope, require
from serving.examples import example
from serving.results import candidate_result
from serving.schemas import CandidateOut, CandidatesOut, Identity, ReviewIn
from serving.services.review import Review, list_candidates, review_candidate
from serving.storage.tables import ReviewStatus

_OWN = problems({404: "No reply candidate has this id."})
router = APIRouter(
    prefix="/v1/reply-candidates",
    tags=["reply candidates"],
    responses=PROBLEMS | _OWN,
    dependencies=[Depends(require(Scope.REVIEW))],
)


@router.get("", **example("candidates", CandidatesOut))
def candidates(
    desk: CurrentDesk,
    status: ReviewStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    """Replies that agents gave in past conversations, for a person to approve."""
    page = list_candidates(desk.database, status, limit=limit, offset=offset)
    return {"candidates": [candidate_result(one) for one in page.candidates], "total": page.total}


@router.post("/{candidate_id}/review", **example("review", CandidateOut))
def review(candidate_id: Identity, decided: ReviewIn, desk: CurrentDesk) -> dict[str, Any]:
    """Approve a candidate, which makes a macro of it, or reject it, which takes the macro away."""
    taxonomy = desk.current().pipeline.taxonomy
    return candidate_result(review_candidate(desk.database, taxonomy, candidate_id, Review(**decided.model_dump())))
