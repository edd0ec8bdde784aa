"""Other articles beside an answer or in its place: never the cited one, and none that is no good."""

from pathlib import Path

import pytest

from kb.alternatives import MOST_ALTERNATIVES, WORTH_OFFERING, Alternative, alternatives
from kb.answer import Answer
from kb.search import Evidence, Hit, KnowledgeBase
from tests.kb.samples import LANGUAGES, RETURN_QUESTIONS, help_centre, knowledge, question

ANSWER = Answer("…", "en", 0.9, ())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return knowledge(tmp_path_factory.mktemp("kb"), help_centre())


def hits(base: KnowledgeBase, *scores: float) -> list[Hit]:
    evidence = Evidence(0.5, 0.5, 0.5, 0.5)
    return [Hit(passage, score, evidence) for passage, score in zip(base.passages, scores, strict=False)]


def test_beside_an_answer_stand_the_others(base: KnowledgeBase) -> None:
    found = hits(base, 0.9, 0.8, 0.7, 0.6, 0.5)
    first, second, third, fourth = (Alternative(h.passage.article_id, h.passage.title, h.passage.language, h.score)
                                    for h in found[:4])  # fmt: skip
    assert alternatives(found, ANSWER) == [second, third, fourth]
    assert alternatives(found, None) == [first, second, third]
    assert alternatives([], None) == []


def test_what_is_no_good_is_not_offered(base: KnowledgeBase) -> None:
    found = hits(base, WORTH_OFFERING, WORTH_OFFERING - 0.0001)
    assert len(alternatives(found, None)) == 1
    assert alternatives(found, ANSWER) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_of_the_cited_article_are_none(base: KnowledgeBase, language: str) -> None:
    (found,) = base.search([question(RETURN_QUESTIONS[language], language)], 1 + MOST_ALTERNATIVES)
    assert found[0].passage.article_id == f"returns-{language.lower()}"
    assert not [other for other in alternatives(found, ANSWER) if other.article_id.startswith("returns")]


def test_a_question_about_nothing_here_is_offered_nothing(tmp_path: Path) -> None:
    base = knowledge(tmp_path, [a for a in help_centre() if a.id.startswith("password")])
    (found,) = base.search([question("вы продаёте аквариумы?", "ru")], 3)
    assert alternatives(found, None) == []
