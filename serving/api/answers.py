"""POST /v1/answers and /v1/answers/{id}/outcome."""

from typing import Any

from fastapi import APIRouter, Depends

from serving.api.dependencies import PROBLEMS, CurrentDesk, problems
from serving.auth import Scope, require
from serving.examples import example
from serving.schemas import AnswerIn, AnswerOut, Identity, OutcomeIn, OutcomeOut
from serving.services.answers import AnswerRequest, answer_question, record_outcome
from triage.pipeline import Message

_OWN = problems({404: "No answer has this id.", 409: "The id stands for another question."})
router = APIRouter(prefix="/v1/answers", tags=["answers"], responses=PROBLEMS | _OWN)


@router.post("", dependencies=[Depends(require(Scope.ANSWER))], **example("answer", AnswerOut))
def answer(question: AnswerIn, desk: CurrentDesk) -> dict[str, Any]:
    """An answer with its source, or none, why, and the ways to a person; and other articles that might help."""
    message = Message(question.question, question.channel, question.language)
    return answer_question(desk, AnswerRequest(message, question.id))


# `path`, because a helpdesk's own id may hold a slash.
@router.post(
    "/{answer_id:path}/outcome", dependencies=[Depends(require(Scope.ANSWER))], **example("outcome", OutcomeOut)
)
def outcome(answer_id: Identity, said: OutcomeIn, desk: CurrentDesk) -> dict[str, Any]:
    """What became of a question. Sending the same again changes nothing; of several the last one counts."""
    stored = record_outcome(desk, answer_id, said.outcome, channel=said.channel)
    return {
        "answer_id": stored.answer_id,
        "outcome": stored.outcome,
        "channel": stored.channel,
        "created_at": stored.created_at.isoformat(),
    }
