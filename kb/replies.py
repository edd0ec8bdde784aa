"""Replies proposed to an agent, from macros and public articles, in the customer's language where there is one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kb.answer import answer_probability
from kb.search import FOREIGN, KnowledgeBase, Question, language_distance
from kb.types import Audience

# Whatever stands in the braces: another helpdesk's {{ticket.requester}} must show as open too.
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s](?:[^{}]*[^{}\s])?)\s*\}\}")
_LANGUAGE_FACTOR = (1.0, 0.8, 0.5)
_WORTH_SHOWING, _GOOD = 0.05, 0.3


class Source(StrEnum):
    MACRO = "macro"
    ARTICLE = "article"


@dataclass(frozen=True, slots=True)
class Reply:
    """A proposed reply; `open_placeholders` had no value given and still stand in `text` as `{{name}}`."""

    source: Source
    source_id: str
    title: str
    text: str
    language: str
    confidence: float
    open_placeholders: tuple[str, ...]


def suggest(knowledge: KnowledgeBase, question: Question, *, values: Mapping[str, str], limit: int) -> list[Reply]:
    """At most `limit` replies, best first.

    Args:
        values: what placeholders may be filled with; nothing else is ever put into a text.

    A macro counts by the probability of the intents that it is for and by how close its text is; an article by the
    probability that it answers. Either counts less in a language that the customer did not write in, and such replies
    are left out where there is a good one in the customer's.
    """
    replies = _from_macros(knowledge, question, values) + _from_articles(knowledge, question, limit)
    worthy = [reply for reply in replies if reply.confidence >= _WORTH_SHOWING]
    if any(language_distance(r.language, question.language) < FOREIGN and r.confidence >= _GOOD for r in worthy):
        worthy = [reply for reply in worthy if language_distance(reply.language, question.language) < FOREIGN]
    return sorted(worthy, key=lambda reply: -reply.confidence)[:limit]


@dataclass(frozen=True, slots=True)
class Note:
    """What an internal article tells the agent; it is no reply, and cannot be sent as one."""

    article_id: str
    title: str
    text: str
    language: str
    confidence: float


def notes(knowledge: KnowledgeBase, question: Question, *, limit: int) -> list[Note]:
    """At most `limit` passages of internal articles that bear on the question, best first."""
    if not knowledge.has_internal:
        return []
    hits = knowledge.search([question], 2 * limit, audience=Audience.INTERNAL)[0]
    internal = [hit for hit in hits if hit.passage.audience is Audience.INTERNAL]
    found = [
        Note(
            hit.passage.article_id,
            hit.passage.title,
            knowledge.extract(hit.passage),
            hit.passage.language,
            round(answer_probability(hit.evidence), 4),
        )
        for hit in internal
    ]
    return [note for note in found if note.confidence >= _GOOD][:limit]


def fill(text: str, values: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with known placeholders filled, and the names of those left open."""
    open_names: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if value := values.get(name, "").strip():
            return value
        if name not in open_names:
            open_names.append(name)
        return f"{{{{{name}}}}}"

    return _PLACEHOLDER.sub(value_of, text), tuple(open_names)


def _from_macros(knowledge: KnowledgeBase, question: Question, values: Mapping[str, str]) -> list[Reply]:
    if not knowledge.macros:
        return []
    closeness = np.clip(knowledge.macro_vectors @ knowledge.centred_question(question), 0, 1)
    replies = []
    for macro, close in zip(knowledge.macros, closeness.tolist(), strict=True):
        share = sum(question.intents.get(intent, 0.0) for intent in macro.intents)
        factor = _LANGUAGE_FACTOR[language_distance(macro.language, question.language)]
        text, still_open = fill(macro.text, values)
        confidence = round(min(share, 1.0) * (0.75 + 0.25 * close) * factor, 4)
        replies.append(Reply(Source.MACRO, macro.id, macro.title, text, macro.language, confidence, still_open))
    return replies


def _from_articles(knowledge: KnowledgeBase, question: Question, limit: int) -> list[Reply]:
    replies = []
    for hit in knowledge.search([question], limit)[0]:
        passage = hit.passage
        factor = _LANGUAGE_FACTOR[language_distance(passage.language, question.language)]
        confidence = round(answer_probability(hit.evidence) * factor, 4)
        text = knowledge.extract(passage)
        replies.append(Reply(Source.ARTICLE, passage.article_id, passage.title, text, passage.language, confidence, ()))
    return replies
