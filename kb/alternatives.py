"""Other articles that might help: beside an answer, or in its place."""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.answer import Answer
from kb.search import Hit

MOST_ALTERNATIVES = 3
WORTH_OFFERING = 0.27
"""A hit with a lower score is not offered; chosen by `benchmarks/alternatives.py`."""


@dataclass(frozen=True, slots=True)
class Alternative:
    article_id: str
    title: str
    language: str
    score: float


def alternatives(hits: Sequence[Hit], given: Answer | None) -> list[Alternative]:
    """At most `MOST_ALTERNATIVES` articles, best first, of a search whose best hit was `given` if there is an answer.

    A search counts translations as one article, so that neither the cited one nor another language of it comes again.
    """
    others = hits if given is None else hits[1:]
    return [
        Alternative(hit.passage.article_id, hit.passage.title, hit.passage.language, hit.score)
        for hit in others[:MOST_ALTERNATIVES]
        if hit.score >= WORTH_OFFERING
    ]
