"""GET /v1/taxonomy, /healthz and /readyz."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from serving.api.dependencies import PROBLEMS, CurrentDesk
from serving.auth import Scope, require
from serving.examples import example
from serving.schemas import AreaOut, Health, HealthOut, IntentOut, TaxonomyOut, UrgencyLevelOut
from serving.services.health import readiness

router = APIRouter()


@router.get(
    "/v1/taxonomy",
    tags=["taxonomy"],
    dependencies=[Depends(require(Scope.TRIAGE))],
    **example("taxonomy", TaxonomyOut, PROBLEMS),
)
def taxonomy(desk: CurrentDesk) -> Any:
    """The labels of this desk with their descriptions."""
    pipeline = desk.current().pipeline
    labels = pipeline.taxonomy
    return TaxonomyOut(
        version=labels.version,
        areas=[AreaOut(id=area.id, title=area.title) for area in labels.areas],
        intents=[
            IntentOut(
                id=i.id,
                area=i.area,
                title=i.title,
                description=i.description,
                examples=list(i.examples),
                near=dict(i.near),
                complexity=i.complexity,
                sensitive=i.sensitive,
                self_service=i.self_service,
                role=i.role,
            )
            for i in labels.intents
        ],
        urgencies=[UrgencyLevelOut(id=level.id, criteria=level.criteria) for level in labels.urgencies],
        channels=list(pipeline.policy.ids),
        tasks={task: list(head.labels) for task, head in pipeline.bundle.heads.items()},
    )


@router.get("/healthz", tags=["health"], response_model=HealthOut)
def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"status": Health.OK, "checks": {}}


@router.get("/readyz", tags=["health"], response_model=HealthOut, responses={503: {"model": HealthOut}})
def readyz(desk: CurrentDesk, response: Response) -> dict[str, Any]:
    """Encoder, bundle, knowledge base and database can be used."""
    checks = readiness(desk)
    failing = any(state.startswith("failing") for state in checks.values())
    response.status_code = 503 if failing else 200
    return {"status": Health.FAILING if failing else Health.OK, "checks": checks}
