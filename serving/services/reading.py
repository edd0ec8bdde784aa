"""Triage and search together: the one place where a message meets the knowledge base."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kb.answer import Answer, answer
from kb.search import KnowledgeBase, Question
from models.types import Prediction
from triage.decision import answer_decides, decide, may_be_answered
from triage.pipeline import Message, Pipeline, Triaged
from triage.types import UNDETERMINED, Decision, Triage


@dataclass(frozen=True, slots=True)
class Reading:
    """A message's triage, the answer if there is one, and the decision.

    Attributes:
        question: what the message asks of a knowledge base, with its text as it was read and its vector.
        predictions: what the bundle itself said, before policy and settings.
    """

    triage: Triage
    answer: Answer | None
    decision: Decision
    question: Question
    predictions: Mapping[str, Prediction]


def read(
    pipeline: Pipeline, knowledge: KnowledgeBase, messages: Sequence[Message], *, always: bool = False
) -> list[Reading]:
    """Triage messages and look up their answers; each text is encoded once for both.

    Once more, where the bundle has adapted its encoder: search stays with the encoder as it is.

    Args:
        always: look up answers also where none could change the decision.
    """
    triaged = pipeline.run(messages, at=datetime.now(UTC))
    triages, questions = triaged.triages, _questions(triaged)
    wanted = may_be_answered if always else answer_decides
    askable = [
        at
        for at, triage in enumerate(triages)
        if triage.language.code != UNDETERMINED and wanted(triage, pipeline.taxonomy)
    ]
    answers: list[Answer | None] = [None] * len(messages)
    for at, hits in zip(askable, knowledge.search([questions[at] for at in askable], 1), strict=True):
        answers[at] = answer(knowledge, hits)
    return [
        Reading(triage, found, decide(triage, pipeline.taxonomy, answered=found is not None), question, predictions)
        for triage, found, question, predictions in zip(triages, answers, questions, triaged.predictions, strict=True)
    ]


def ask(pipeline: Pipeline, messages: Sequence[Message]) -> tuple[list[Triage], list[Question]]:
    """The triage of each message, and the question that it puts to a knowledge base; nothing is looked up yet."""
    triaged = pipeline.run(messages, at=datetime.now(UTC))
    return triaged.triages, _questions(triaged)


def _questions(triaged: Triaged) -> list[Question]:
    return [
        Question(text, vector, triage.language.code, {score.label: score.score for score in triage.intent.ranking})
        for text, vector, triage in zip(triaged.texts, triaged.vectors, triaged.triages, strict=True)
    ]
