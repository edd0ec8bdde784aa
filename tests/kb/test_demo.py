"""The demo help centre is whole: enough in every language, and nothing points nowhere."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kb.importers import Imported, read
from kb.passages import cut
from kb.types import Audience
from tests.kb.samples import LANGUAGES
from training.near_duplicates import families
from triage.normalize import fold
from triage.taxonomy import load_taxonomy

DEMO = Path(__file__).parents[2] / "kb" / "demo"


@pytest.fixture(scope="module")
def demo() -> Imported:
    return read([DEMO / "articles", DEMO / "macros"])


def questions(language: str) -> list[dict[str, Any]]:
    lines = (DEMO / "questions" / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_there_are_enough_articles_in_every_language(demo: Imported) -> None:
    public = Counter(a.language for a in demo.articles if a.audience is Audience.PUBLIC)
    assert set(public) == set(LANGUAGES)
    assert public["en"] >= 50
    assert min(public.values()) >= 32


def test_every_article_stands_where_its_language_and_id_say(demo: Imported) -> None:
    stored = {path.relative_to(DEMO / "articles").as_posix() for path in (DEMO / "articles").rglob("*.md")}
    named = {f"{a.language}/{a.id.removesuffix(f'-{a.language.lower()}')}.md" for a in demo.articles}
    assert named == stored


def test_translations_point_to_english_articles_for_the_same_readers(demo: Imported) -> None:
    known = {article.id: article for article in demo.articles}
    for article in demo.articles:
        if article.translation_of is not None:
            original = known[article.translation_of]
            assert (original.language, original.translation_of) == ("en", None)
            assert original.audience is article.audience
            assert article.language != "en"


def test_some_articles_are_for_agents_alone(demo: Imported) -> None:
    internal = Counter(article.language for article in demo.articles if article.audience is Audience.INTERNAL)
    assert set(internal) == set(LANGUAGES)
    assert sum(internal.values()) >= 15


def test_every_article_has_tags_of_its_own(demo: Imported) -> None:
    assert min(len(article.tags) for article in demo.articles) >= 10
    tags = Counter((article.language, tag.casefold()) for article in demo.articles for tag in article.tags)
    assert [tag for tag, count in tags.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_tag_was_made_from_a_test_question(demo: Imported, language: str) -> None:
    asked = [fold(row["question"]) for row in questions(language)]
    tags = [fold(tag) for article in demo.articles if article.language == language for tag in article.tags]
    family = families([*asked, *tags])
    assert not set(family[: len(asked)]) & set(family[len(asked) :])


def test_every_article_can_be_found_and_every_id_is_used_once(demo: Imported) -> None:
    assert all(cut(article) for article in demo.articles)
    ids = [article.id for article in demo.articles] + [macro.id for macro in demo.macros]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("language", LANGUAGES)
def test_macros_of_every_language_cover_the_same_matters(demo: Imported, language: str) -> None:
    macros = [macro for macro in demo.macros if macro.language == language]
    assert len(macros) >= 20
    covered = {intent for macro in macros for intent in macro.intents}
    assert covered <= {intent.id for intent in load_taxonomy().intents}
    assert covered >= {
        "delivery.wrong_item",
        "delivery.not_received",
        "order.status",
        "payment.double_charge",
        "refund.status",
        "return.request",
        "account.password",
        "product.faulty",
        "delivery.damaged",
        "complaint.service",
        "other.no_reply_needed",
        "feedback.praise",
        "card.lost",
        "card.declined",
        "transfer.pending",
        "network.outage",
        "billing.unexpected_fee",
    }
    placeholders = {name for macro in macros for name in re.findall(r"\{\{(.*?)\}\}", macro.text)}
    assert placeholders <= {"customer_name", "order_number", "agent_name"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_name_topics_that_exist(demo: Imported, language: str) -> None:
    rows = questions(language)
    assert all(set(row) == {"question", "language", "topic"} and row["language"] == language for row in rows)
    assert len({row["question"] for row in rows}) == len(rows)
    public = {article.id for article in demo.articles if article.audience is Audience.PUBLIC}
    topics = [row["topic"] for row in rows if row["topic"] is not None]
    assert all(public & {f"{topic}-{name.lower()}" for name in LANGUAGES} for topic in topics)
    assert len(topics) >= 70
    assert len(rows) - len(topics) >= 20


def test_a_third_of_the_questions_is_in_a_language_that_the_article_is_not(demo: Imported) -> None:
    public = {article.id for article in demo.articles if article.audience is Audience.PUBLIC}
    rows = [row for language in LANGUAGES for row in questions(language) if row["topic"] is not None]
    elsewhere = Counter(row["language"] for row in rows if f"{row['topic']}-{row['language'].lower()}" not in public)
    assert sum(elsewhere.values()) >= len(rows) / 3
    # Most articles exist in English, and few are missing there.
    assert elsewhere["en"] >= 10
    assert min(elsewhere[language] for language in LANGUAGES if language != "en") >= 45
