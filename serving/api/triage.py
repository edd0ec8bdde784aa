"""POST /v1/triage, /v1/triage/batch and /v1/triage/{id}/corrections."""

from typing import Any

from fastapi import APIRouter, Depends

from serving.api.dependencies import PROBLEMS, CurrentDesk, problems
from serving.auth import Scope, require
from serving.examples import example
from serving.schemas import BatchIn, BatchOut, CorrectionIn, CorrectionOut, Identity, MessageIn, TriageOut
from serving.services.feedback import record_correction
from serving.services.triage import TriageRequest, triage
from triage.pipeline import Message

_OWN = problems({404: "No decision has this id.", 409: "The id stands for another message."})
router = APIRouter(prefix="/v1/triage", tags=["triage"], responses=PROBLEMS | _OWN)


@router.post("", dependencies=[Depends(require(Scope.TRIAGE))], **example("triage", TriageOut))
def triage_message(message: MessageIn, desk: CurrentDesk) -> dict[str, Any]:
    """Language, intent, urgency, channel, entities and the decision on one message."""
    return triage(desk, [_request(message)])[0]


@router.post("/batch", dependencies=[Depends(require(Scope.TRIAGE))], **example("batch", BatchOut))
def triage_batch(batch: BatchIn, desk: CurrentDesk) -> dict[str, Any]:
    """The same for up to 256 messages; all are stored, or none."""
    return {"results": triage(desk, [_request(message) for message in batch.messages], listed_in="messages")}


# `path`, because a helpdesk's own id may hold a slash.
@router.post(
    "/{triage_id:path}/corrections",
    dependencies=[Depends(require(Scope.FEEDBACK))],
    **example("correction", CorrectionOut),
)
def correct(triage_id: Identity, correction: CorrectionIn, desk: CurrentDesk) -> dict[str, Any]:
    """The label that would have been right. Sending the same again changes nothing."""
    stored = record_correction(desk, triage_id, task=correction.task, label=correction.label, agent=correction.agent)
    return {
        "id": stored.id,
        "triage_id": stored.decision_id,
        "task": stored.task,
        "label": stored.label,
        "created_at": stored.created_at.isoformat(),
    }


def _request(message: MessageIn) -> TriageRequest:
    return TriageRequest(Message(message.text, message.channel, message.language), message.id)
