"""Triage and search together: the one place where a message meets the knowledge base."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kb.alternatives import MOST_ALTERNATIVES
from kb.answer import Answer, answer
from kb.search import Hit, KnowledgeBase, Question
from models.types import Prediction
from triage.decision import answer_decides, decide, may_be_answered
from triage.pipeline import Message, Pipeline, Triaged
from triage.taxonomy import Taxonomy
from triage.types import UNDETERMINED, Decision, Triage


@dataclass(frozen=True, slots=True)
class Reading:
    """A message's triage, the answer if there is one, and the decision.

    Attributes:
        hits: what was found, best first; empty where nothing was looked up.
        question: what the message asks of a knowledge base, with its text as it was read and its vector.
        predictions: what the bundle itself said, before policy and settings.
    """

    triage: Triage
    answer: Answer | None
    hits: tuple[Hit, ...]
    decision: Decision
    question: Question
    predictions: Mapping[str, Prediction]


def read(
    pipeline: Pipeline, knowledge: KnowledgeBase, messages: Sequence[Message], *, always: bool = False
) -> list[Reading]:
    """Triage messages and look up their answers; each text is encoded once for both.

    Args:
        always: look up answers also where none could change the decision, and with them what else might help.
    """
    triaged = pipeline.run(messages, at=datetime.now(UTC))
    triages, questions = triaged.triages, _questions(triaged, pipeline.taxonomy)
    wanted = may_be_answered if always else answer_decides
    askable = [
        at
        for at, triage in enumerate(triages)
        if triage.language.code != UNDETERMINED and wanted(triage, pipeline.taxonomy)
    ]
    found: list[list[Hit]] = [[] for _ in messages]
    top_k = 1 + MOST_ALTERNATIVES if always else 1
    for at, hits in zip(askable, knowledge.search([questions[at] for at in askable], top_k), strict=True):
        found[at] = hits
    rows = zip(triages, found, questions, triaged.predictions, strict=True)
    return [_reading(pipeline, knowledge, *row) for row in rows]


def ask(pipeline: Pipeline, messages: Sequence[Message]) -> tuple[list[Triage], list[Question]]:
    """The triage of each message, and the question that it puts to a knowledge base; nothing is looked up yet."""
    triaged = pipeline.run(messages, at=datetime.now(UTC))
    return triaged.triages, _questions(triaged, pipeline.taxonomy)


def _reading(
    pipeline: Pipeline,
    knowledge: KnowledgeBase,
    triage: Triage,
    hits: list[Hit],
    question: Question,
    predictions: Mapping[str, Prediction],
) -> Reading:
    found = answer(knowledge, hits, pipeline.answer_precision)
    decision = decide(triage, pipeline.taxonomy, answered=found is not None)
    return Reading(triage, found, tuple(hits), decision, question, predictions)


def _questions(triaged: Triaged, taxonomy: Taxonomy) -> list[Question]:
    outside = taxonomy.outside
    return [
        Question(text, vector, triage.language.code, _intents(triage, outside))
        for text, vector, triage in zip(triaged.texts, triaged.vectors, triaged.triages, strict=True)
    ]


def _intents(triage: Triage, outside: Container[str]) -> dict[str, float]:
    """The probability of each intent and of being in scope at all: no article is about what is not for this desk."""
    in_scope = 1 - sum(score.score for score in triage.intent.ranking if score.label in outside)
    return {s.label: s.score * in_scope for s in triage.intent.ranking if s.label not in outside}
