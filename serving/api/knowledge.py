"""GET /v1/knowledge/gaps."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from serving.api.dependencies import PROBLEMS, CurrentDesk
from serving.auth import Scope, require
from serving.examples import example
from serving.schemas import GapsOut
from serving.services.gaps import knowledge_gaps

MOST_OVER_HTTP = 1_000
"""Questions that one request reads: more would keep a client waiting, and live answers too."""

router = APIRouter(prefix="/v1/knowledge", tags=["knowledge"], responses=PROBLEMS)


@router.get("/gaps", dependencies=[Depends(require(Scope.REPORT))], **example("gaps", GapsOut))
def gaps(
    desk: CurrentDesk,
    days: Annotated[int, Query(ge=1, le=3650, description="Questions of so many days.")] = 30,
    top: Annotated[int, Query(ge=1, le=100, description="Clusters, the largest first.")] = 20,
) -> dict[str, Any]:
    """What customers ask and the knowledge base does not solve, the same questions of any language together."""
    return knowledge_gaps(desk, days=days, top=top, limit=MOST_OVER_HTTP).as_json()
