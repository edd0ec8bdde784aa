"""The right article, in the customer's language where there is one, and never an internal one for a customer."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from kb.search import Hit, KnowledgeBase
from kb.types import Article, Audience
from tests.kb.samples import LANGUAGES, RETURN_QUESTIONS, article, help_centre, knowledge, question


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    return knowledge(tmp_path_factory.mktemp("kb"), help_centre())


def found(base: KnowledgeBase, language: str, audience: Audience = Audience.PUBLIC) -> list[str]:
    (hits,) = base.search([question(RETURN_QUESTIONS[language], language)], 10, audience=audience)
    return [hit.passage.article_id for hit in hits]


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_one_article_in_the_language_of_the_customer(base: KnowledgeBase, language: str) -> None:
    ids = found(base, language)
    assert ids[0] == f"returns-{language.lower()}"
    assert sorted(ids) == sorted(f"{topic}-{language.lower()}" for topic in ("returns", "delivery", "password"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("only", LANGUAGES)
def test_an_article_in_one_language_is_found_from_every_other(tmp_path: Path, language: str, only: str) -> None:
    base = knowledge(tmp_path, [article(topic, only) for topic in ("returns", "delivery", "password")])
    assert found(base, language)[0] == f"returns-{only.lower()}"


@pytest.mark.parametrize(
    ("customer", "written", "expected"),
    [
        ("zh-Hant", ["en", "zh-Hans", "ru"], "zh-Hans"),
        ("zh-Hans", ["vi", "en", "zh-Hant"], "zh-Hant"),
        ("zh-Hant", ["zh-Hans", "zh-Hant", "en"], "zh-Hant"),
    ],
)
def test_the_other_form_of_chinese_comes_before_other_languages(
    tmp_path: Path, customer: str, written: list[str], expected: str
) -> None:
    base = knowledge(tmp_path, [article(topic, code) for topic in ("returns", "delivery") for code in written])
    assert found(base, customer)[0] == f"returns-{expected.lower()}"


@pytest.mark.parametrize("asked", LANGUAGES)
@pytest.mark.parametrize("original", LANGUAGES)
def test_where_the_language_is_missing_the_original_comes_before_its_translations(
    tmp_path: Path, asked: str, original: str
) -> None:
    first = article("returns", original)
    source = replace(first, translation_of=None)
    rest = [replace(article("returns", code), translation_of=first.id) for code in LANGUAGES if code != original]
    base = knowledge(tmp_path, [*rest, source, article("delivery", "en")])
    (hits,) = base.search([question(RETURN_QUESTIONS[asked], "tr")], 2)
    assert hits[0].passage.article_id == first.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_internal_articles_are_for_agents_alone(tmp_path: Path, language: str) -> None:
    secret = Article("fraud", language, RETURN_QUESTIONS[language], RETURN_QUESTIONS[language], Audience.INTERNAL)
    base = knowledge(tmp_path, [*help_centre(), secret])
    assert "fraud" not in found(base, language)
    assert "fraud" in found(base, language, Audience.INTERNAL)
    assert f"returns-{language.lower()}" in found(base, language, Audience.INTERNAL)


def test_an_internal_translation_leaves_the_public_ones(tmp_path: Path) -> None:
    hidden = article("returns", "th", audience=Audience.INTERNAL)
    base = knowledge(tmp_path, [hidden, *(a for a in help_centre() if a.id != hidden.id)])
    ids = found(base, "th")
    assert ids[0].startswith("returns-")
    assert hidden.id not in ids
    assert found(base, "th", Audience.INTERNAL)[0] == hidden.id


def test_a_base_of_internal_articles_is_empty_for_customers(tmp_path: Path) -> None:
    base = knowledge(tmp_path, [article("returns", code, audience=Audience.INTERNAL) for code in LANGUAGES])
    assert found(base, "vi") == []
    assert found(base, "vi", Audience.INTERNAL) == ["returns-vi"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_article_is_found_on_the_days_on_which_it_is_valid(tmp_path: Path, language: str) -> None:
    spring = replace(article("returns", language), valid_from=date(2026, 3, 1), valid_until=date(2026, 5, 31))
    base = knowledge(tmp_path, [spring, article("delivery", language)])
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 5, 31), date(2026, 6, 1)]
    asked = [question(RETURN_QUESTIONS[language], language)]
    ids = [[hit.passage.article_id for hit in base.search(asked, 5, day=day)[0]] for day in days]
    assert [spring.id in some for some in ids] == [False, True, True, False]
    # Without a day it is today.
    over = replace(spring, valid_until=datetime.now(UTC).date() - timedelta(days=1))
    assert spring.id not in found(knowledge(tmp_path, [over, article("delivery", language)]), language)


def test_where_a_translation_is_not_valid_another_is_found(tmp_path: Path) -> None:
    over = replace(article("returns", "th"), valid_until=date(2026, 1, 1))
    base = knowledge(tmp_path, [over, *(a for a in help_centre() if a.id != over.id)])
    assert found(base, "th")[0].startswith("returns-")
    assert over.id not in found(base, "th")


@pytest.mark.parametrize("audience", Audience)
def test_a_draft_is_found_by_nobody(tmp_path: Path, audience: Audience) -> None:
    draft = replace(article("returns", "ru"), draft=True)
    base = knowledge(tmp_path, [draft, article("delivery", "ru")])
    assert found(base, "ru", audience) == ["delivery-ru"]


def test_a_translation_of_a_translation_is_the_same_article(tmp_path: Path) -> None:
    chained = replace(article("returns", "zh-Hant"), translation_of="returns-zh-hans")
    base = knowledge(tmp_path, [*(a for a in help_centre() if a.id != chained.id), chained])
    ids = found(base, "zh-Hant")
    assert ids[0] == chained.id
    assert sorted(ids) == ["delivery-zh-hant", "password-zh-hant", "returns-zh-hant"]


def test_an_empty_base_finds_nothing(tmp_path: Path, base: KnowledgeBase) -> None:
    asked = [question(text, language) for language, text in RETURN_QUESTIONS.items()]
    assert knowledge(tmp_path, []).search(asked, 3) == [[]] * len(asked)
    assert base.search([], 3) == []


def test_no_more_than_asked_for_and_best_first(base: KnowledgeBase) -> None:
    asked = [question(text, language) for language, text in RETURN_QUESTIONS.items()]
    for few, many in zip(base.search(asked, 2), base.search(asked, 10), strict=True):
        assert few == many[:2]
        scores = [hit.score for hit in many]
        assert scores == sorted(scores, reverse=True)
        assert 0 < scores[0] <= 1
        assert many[0].evidence.lead > 0


def test_the_words_decide_between_articles_on_one_topic(tmp_path: Path) -> None:
    shoes = Article("shoes", "ru", "Как вернуть обувь", "Вернуть ботинки можно, если подошва чистая.")
    underwear = Article("underwear", "ru", "Можно ли вернуть бельё", "Вернуть бельё нельзя по закону.")
    base = knowledge(tmp_path, [*help_centre(), shoes, underwear])
    for text, expected in (("вернуть ботинки с чистой подошвой", "shoes"), ("бельё можно вернуть?", "underwear")):
        (hits,) = base.search([question(text, "ru")], 1)
        assert hits[0].passage.article_id == expected


TAGS = {
    "vi": "mua về không ưng thì đổi trả",
    "th": "ซื้อแล้วไม่ถูกใจ ขอคืน",
    "zh-Hans": "买了不喜欢想退货",
    "zh-Hant": "買了不喜歡想退貨",
    "ru": "не понравилось, вернуть",
    "en": "changed my mind, return",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("asked", LANGUAGES)
def test_an_article_is_found_by_its_tags_in_words_that_it_does_not_have(
    tmp_path: Path, language: str, asked: str
) -> None:
    others = [article(topic, language) for topic in ("delivery", "password")]
    terms = Article("terms", language, "§ 312g", "§ 312g, § 355, § 357")
    asking = question(RETURN_QUESTIONS[asked], asked)
    tagged = knowledge(tmp_path / "tagged", [*others, replace(terms, tags=("§", TAGS[language]))])
    (hits,) = tagged.search([asking], 1)
    assert hits[0].passage.article_id == "terms"
    assert tagged.extract(hits[0].passage) == terms.body
    (without,) = knowledge(tmp_path / "bare", [*others, terms]).search([asking], 1)
    assert hits[0].score > without[0].score + 0.1


def test_the_words_of_a_tag_are_looked_for_too(tmp_path: Path) -> None:
    asked = question("I am locked out", "en")
    tagged = replace(article("password", "en"), tags=("locked out",))
    (hits,) = knowledge(tmp_path, [*help_centre(), tagged]).search([asked], 1)
    assert hits[0].passage.article_id == "password-en"
    without = knowledge(tmp_path, help_centre()).search([asked], 10)[0]
    assert hits[0].evidence.lexical > 3 * max(hit.evidence.lexical for hit in without)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_right_article_in_another_language_comes_before_a_neighbouring_one_with_the_same_words(
    tmp_path: Path, language: str
) -> None:
    other = "en" if language == "ru" else "ru"
    neighbour = article("delivery", language)
    base = knowledge(tmp_path, [article("returns", other), neighbour, article("password", language)])

    def best(about_delivery: float) -> Hit:
        vector = np.array([1.0, about_delivery, 0.0, 0.2], np.float32)
        asked = replace(question(neighbour.title, language), vector=vector / np.linalg.norm(vector))
        return base.search([asked], 1)[0][0]

    right = best(about_delivery=0.8)
    assert right.passage.article_id == f"returns-{other}"
    # The words were lent for the order alone: they are no evidence.
    assert right.evidence.lexical < 0.1
    assert best(about_delivery=1.0).passage.article_id == neighbour.id


def test_the_same_question_gets_the_same_hits(base: KnowledgeBase, tmp_path: Path) -> None:
    asked = [question(text, language) for language, text in RETURN_QUESTIONS.items()]
    hits = base.search(asked, 5)
    assert base.search(asked, 5) == hits
    assert knowledge(tmp_path, help_centre()).search(asked, 5) == hits
    assert [found for one in asked for found in base.search([one], 5)] == hits
    assert base.search(asked[::-1], 5) == hits[::-1]
