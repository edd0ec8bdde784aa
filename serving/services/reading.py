"""Triage and search together: the one place where a message meets the knowledge base."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kb.answer import Answer, answer
from kb.search import KnowledgeBase, Question
from models.types import Prediction
from triage.decision import answer_decides, decide, may_be_answered
from triage.pipeline import Message, Pipeline
from triage.types import UNDETERMINED, Decision, Triage


@dataclass(frozen=True, slots=True)
class Reading:
    """A message with its triage, its question to the knowledge base, the answer if there is one, and the decision."""

    triage: Triage
    question: Question
    answer: Answer | None
    decision: Decision


def read(
    pipeline: Pipeline, knowledge: KnowledgeBase, messages: Sequence[Message], *, always: bool = False
) -> list[Reading]:
    """Triage messages and look up their answers; each text is encoded once for both.

    Args:
        always: look up answers also where none could change the decision.
    """
    triaged = pipeline.run(messages, at=datetime.now(UTC))
    questions = [
        Question(text, vector, triage.language.code, _shares(triage.intent))
        for text, vector, triage in zip(triaged.texts, triaged.vectors, triaged.triages, strict=True)
    ]
    wanted = may_be_answered if always else answer_decides
    askable = [
        at
        for at, triage in enumerate(triaged.triages)
        if triage.language.code != UNDETERMINED and wanted(triage, pipeline.taxonomy)
    ]
    answers: list[Answer | None] = [None] * len(messages)
    for at, hits in zip(askable, knowledge.search([questions[at] for at in askable], 1), strict=True):
        answers[at] = answer(knowledge, hits)
    return [
        Reading(triage, question, found, decide(triage, pipeline.taxonomy, answered=found is not None))
        for triage, question, found in zip(triaged.triages, questions, answers, strict=True)
    ]


def _shares(intent: Prediction) -> dict[str, float]:
    return {score.label: score.score for score in intent.ranking}
