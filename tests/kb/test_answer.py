"""An answer is an article's own text with its source, or nothing."""

import itertools

import pytest

from kb.answer import THRESHOLD, answer, answer_probability, quote
from kb.passages import cut
from kb.search import Evidence, Hit
from tests.kb.samples import LANGUAGES, article

STRONG = Evidence(text=0.9, title=0.9, intents=0.9, lexical=0.7, lead=0.5)
WEAK = Evidence(text=0.1, title=0.1, intents=0.1, lexical=0.0, lead=0.0)


def hit(language: str, evidence: Evidence) -> Hit:
    return Hit(cut(article("returns", language))[0], 0.8, evidence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_strong_evidence_quotes_the_article_word_by_word(language: str) -> None:
    source = article("returns", language)
    found = answer([hit(language, STRONG), hit("en", WEAK)])
    assert found is not None
    assert found.text == source.body
    assert found.language == language
    assert THRESHOLD <= found.confidence <= 1
    (citation,) = found.citations
    assert (citation.article_id, citation.passage_id) == (source.id, f"{source.id}#0")
    assert (citation.title, citation.language, citation.score) == (source.title, language, 0.8)


def test_weak_evidence_and_no_hit_give_no_answer() -> None:
    assert answer([]) is None
    assert answer([hit("ru", WEAK)]) is None
    assert answer([hit("ru", WEAK), hit("ru", STRONG)]) is None


def test_an_answer_can_stand_without_intents() -> None:
    assert answer([hit("vi", Evidence(text=1.0, title=1.0, intents=0.0, lexical=1.0, lead=0.6))]) is not None


def test_more_evidence_never_makes_an_answer_less_likely() -> None:
    for intents in (0.0, 0.4):
        steps = [Evidence(at, at, intents, at, at) for at in (-1.0, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
        shares = [answer_probability(evidence) for evidence in steps]
        assert all(less <= more for less, more in itertools.pairwise(shares))
        assert shares[0] < 0.1 < 0.9 < shares[-1]


@pytest.mark.parametrize("extreme", [-1e9, 1e9])
def test_a_probability_stays_one(extreme: float) -> None:
    assert 0 <= answer_probability(Evidence(extreme, extreme, abs(extreme), extreme, extreme)) <= 1


def test_a_quote_carries_the_confidence_that_it_is_given() -> None:
    assert quote(hit("th", WEAK), 0.123456).confidence == 0.1235
