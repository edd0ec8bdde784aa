"""POST /v1/answers."""

from typing import Any

from fastapi import APIRouter, Depends

from serving.api.dependencies import PROBLEMS, CurrentDesk, text_language
from serving.auth import Scope, require
from serving.examples import example
from serving.schemas import AnswerIn, AnswerOut, AnswerText, CitationOut
from serving.services.answers import answer_question
from triage.pipeline import Message

router = APIRouter(prefix="/v1/answers", tags=["answers"], responses=PROBLEMS)


@router.post("", dependencies=[Depends(require(Scope.ANSWER))], **example("answer", AnswerOut))
def answer(question: AnswerIn, desk: CurrentDesk) -> Any:
    """An answer with its source, or none and why."""
    found = answer_question(desk, Message(question.question, question.channel, question.language))
    text = None
    if found.answer is not None:
        text = AnswerText(text=found.answer.text, language=found.answer.language, confidence=found.answer.confidence)
    citations = found.answer.citations if found.answer is not None else ()
    return AnswerOut(
        answer=text,
        citations=[
            CitationOut(
                article_id=c.article_id, passage_id=c.passage_id, title=c.title, language=c.language, score=c.score
            )
            for c in citations
        ],
        reason=found.reason,
        text_language=text_language(found.language),
        versions=found.versions,
    )
