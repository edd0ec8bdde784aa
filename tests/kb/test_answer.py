"""An answer is an article's own text with its source, or nothing."""

import itertools
from pathlib import Path

import pytest

from kb.answer import PRECISION, THRESHOLD, answer, answer_probability, threshold_for
from kb.search import EXTRACT, Evidence, Hit, KnowledgeBase
from kb.types import Article
from tests.kb.samples import LANGUAGES, article, help_centre, knowledge

STRONG = Evidence(text=0.9, intents=0.9, lexical=0.7, lead=0.5)
WEAK = Evidence(text=0.1, intents=0.1, lexical=0.0, lead=0.0)
SECTIONS = {
    "": "Вернуть товар можно в течение 30 дней.",
    "Как вернуть": "Откройте заказ и нажмите «Вернуть».",
    "Что нельзя вернуть": "Бельё и вскрытую косметику.",
}
RULES = "\n".join(f"## {heading}\n{text}" if heading else text for heading, text in SECTIONS.items())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    rules = Article("rules", "ru", "Возврат", RULES)
    return knowledge(tmp_path_factory.mktemp("kb"), [*help_centre(), rules])


def hit(base: KnowledgeBase, passage_id: str, evidence: Evidence) -> Hit:
    return Hit(next(passage for passage in base.passages if passage.id == passage_id), 0.8, evidence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_strong_evidence_quotes_the_article_word_by_word(base: KnowledgeBase, language: str) -> None:
    source = article("returns", language)
    found = answer(base, [hit(base, f"{source.id}#0", STRONG), hit(base, "delivery-en#0", WEAK)])
    assert found is not None
    assert found.text == source.body
    assert found.language == language
    assert THRESHOLD <= found.confidence <= 1
    (citation,) = found.citations
    assert (citation.article_id, citation.passage_id) == (source.id, f"{source.id}#0")
    assert (citation.title, citation.language, citation.score) == (source.title, language, 0.8)


def test_weak_evidence_and_no_hit_give_no_answer(base: KnowledgeBase) -> None:
    weak = hit(base, "returns-ru#0", WEAK)
    assert answer(base, []) is None
    assert answer(base, [weak]) is None
    assert answer(base, [weak, hit(base, "rules#0", STRONG)]) is None


def test_who_wants_surer_answers_gets_fewer(base: KnowledgeBase) -> None:
    thresholds = [threshold_for(precision) for precision in (0.8, 0.85, 0.9, 0.93, 0.95, 0.99, 1.0)]
    assert thresholds == sorted(set(thresholds))
    assert threshold_for(PRECISION) == THRESHOLD
    leads = (lead / 1000 for lead in range(500))
    medium = next(e for lead in leads if answer_probability(e := Evidence(0.6, 0.6, 0.3, lead)) > THRESHOLD)
    hits = [hit(base, "returns-th#0", medium)]
    assert answer(base, hits) is not None
    assert answer(base, hits, 0.95) is None


def test_an_answer_can_stand_without_intents(base: KnowledgeBase) -> None:
    evidence = Evidence(text=1.0, intents=0.0, lexical=1.0, lead=0.6)
    assert answer(base, [hit(base, "returns-vi#0", evidence)]) is not None


def test_more_evidence_never_makes_an_answer_less_likely() -> None:
    for intents in (0.0, 0.4):
        steps = [Evidence(at, intents, at, at) for at in (-1.0, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
        shares = [answer_probability(evidence) for evidence in steps]
        assert all(less <= more for less, more in itertools.pairwise(shares))
        assert 0 <= shares[0] < 0.1 < 0.9 < shares[-1] <= 1


@pytest.mark.parametrize("section", range(len(SECTIONS)))
def test_a_short_article_is_quoted_whole(base: KnowledgeBase, section: int) -> None:
    found = answer(base, [hit(base, f"rules#{section}", STRONG)])
    assert found is not None
    assert found.text.split("\n\n") == [f"## {h}\n{text}" if h else text for h, text in SECTIONS.items()]
    assert found.citations[0].passage_id == f"rules#{section}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_article_is_quoted_around_its_passage(tmp_path: Path, language: str) -> None:
    sentence = article("returns", language).body
    body = "\n".join(f"## {number}\n§{number}: {sentence * 4}" for number in range(20))
    base = knowledge(tmp_path, [Article("long", language, "Rules", body)])
    for passage in base.passages:
        quoted = base.extract(passage)
        assert passage.text in quoted
        assert len(passage.text) < len(quoted) <= EXTRACT + len("## 00\n\n\n") * quoted.count("##")
        inside = [other.number for other in base.passages if other.text in quoted]
        assert inside == list(range(inside[0], inside[-1] + 1))
