"""POST /v1/answers: the words of a public article with their source, or none and the ways on; and what became of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from kb.store import KnowledgeStore
from kb.types import Article, Audience
from serving.desk import Desk
from tests.serving.terminal import BODIES
from tests.serving.wire import PASSWORD, WRONG_SIZE, assert_problem, client_of, faults, ok, rows, with_pipeline

LANGUAGES = sorted(PASSWORD)
FIELDS = {"id", "answer", "citations", "alternatives", "reason", "channels", "text_language", "versions"}


@pytest.fixture
def answers_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best hit is always good enough: how sure an answer is, the light encoder cannot say."""
    monkeypatch.setattr("kb.answer.THRESHOLD", 0.0)


@pytest.mark.usefixtures("answers_all")
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_is_taken_word_by_word_from_the_article_that_it_cites(
    client: TestClient, light_desk: Desk, language: str
) -> None:
    found = ok(client.post("/v1/answers", json={"question": PASSWORD[language], "channel": "live_chat"}))
    assert set(found) == FIELDS
    assert set(found["answer"]) == {"text", "language", "foreign_language", "confidence"}
    assert found["answer"]["foreign_language"] is False
    assert 0 <= found["answer"]["confidence"] <= 1
    assert (found["reason"], found["channels"]) == (None, [])
    (citation,) = found["citations"]
    assert set(citation) == {"article_id", "passage_id", "title", "language", "score"}
    article = light_desk.current().knowledge.articles[citation["article_id"]]
    assert " ".join(found["answer"]["text"].split()) in " ".join(article.body.split())
    assert (citation["title"], citation["language"]) == (article.title, article.language)
    assert found["answer"]["language"] == article.language == language
    assert found["text_language"]["code"] == language
    assert found["versions"] == light_desk.current().versions


@pytest.mark.usefixtures("answers_all")
def test_a_language_that_is_given_is_the_one_that_is_answered_in(client: TestClient) -> None:
    found = ok(client.post("/v1/answers", json={"question": PASSWORD["zh-Hans"], "language": "zh-TW"}))
    assert found["text_language"] == {"code": "zh-Hant", "confidence": 1.0}
    assert found["answer"]["language"] == "zh-Hant"


@pytest.mark.usefixtures("answers_all")
def test_an_internal_article_never_answers_not_even_its_own_words(client: TestClient, light_desk: Desk) -> None:
    articles = light_desk.current().knowledge.articles.values()
    internal = [article for article in articles if article.audience is Audience.INTERNAL]
    assert internal
    for article in internal:
        for question in (article.title, *article.body.split("\n\n")):
            found = ok(client.post("/v1/answers", json={"question": question}))
            assert article.id not in [one["article_id"] for one in (*found["citations"], *found["alternatives"])]


def test_an_internal_article_is_no_alternative_to_no_answer_either(client: TestClient, light_desk: Desk) -> None:
    articles = light_desk.current().knowledge.articles.values()
    internal = {article.id: article.title for article in articles if article.audience is Audience.INTERNAL}
    offered = [ok(client.post("/v1/answers", json={"question": title}))["alternatives"] for title in internal.values()]
    assert any(offered)
    assert not internal.keys() & {one["article_id"] for others in offered for one in others}


def _desk_of(desk: Desk, *articles: Article) -> Desk:
    with desk.database.transaction() as session:
        KnowledgeStore(session).upsert_articles(articles)
    return with_pipeline(desk, desk.current().pipeline)


def _password(language: str, **about: Any) -> Article:
    original = None if language == "en" else "password-en"
    fields: dict[str, Any] = {
        "title": PASSWORD[language],
        "body": BODIES[language],
        "translation_of": original,
        **about,
    }
    return Article(id=f"password-{language}", language=language, **fields)


@pytest.mark.usefixtures("answers_all")
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_in_another_language_says_so_and_a_translation_comes_before_it(own_desk: Desk, language: str) -> None:
    only = "ru" if language != "ru" else "vi"
    found = ok(
        client_of(_desk_of(own_desk, _password(only, translation_of=None))).post(
            "/v1/answers", json={"question": PASSWORD[language]}
        )
    )
    assert (found["answer"]["language"], found["answer"]["foreign_language"]) == (only, True)
    desk = _desk_of(own_desk, _password("en"), _password(only), _password(language))
    found = ok(client_of(desk).post("/v1/answers", json={"question": PASSWORD[language]}))
    assert (found["answer"]["language"], found["answer"]["foreign_language"]) == (language, False)
    assert found["alternatives"] == []  # the others are translations of it


@pytest.mark.usefixtures("answers_all")
def test_another_script_is_another_language(own_desk: Desk) -> None:
    desk = _desk_of(own_desk, _password("zh-Hans", translation_of=None))
    found = ok(client_of(desk).post("/v1/answers", json={"question": PASSWORD["zh-Hant"], "language": "zh-TW"}))
    assert (found["answer"]["language"], found["answer"]["foreign_language"]) == ("zh-Hans", True)


@pytest.mark.usefixtures("answers_all")
@pytest.mark.parametrize("language", LANGUAGES)
def test_alternatives_are_other_public_articles_that_are_valid_today(own_desk: Desk, language: str) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    # The question itself as the title: how near anything less is, the light encoder cannot say.
    about: dict[str, Any] = {"language": language, "title": PASSWORD[language], "body": BODIES[language]}
    desk = _desk_of(
        own_desk,
        _password(language, translation_of=None),
        *(Article(id=f"like-{number}", **about) for number in range(4)),
        Article(id="secret", audience=Audience.INTERNAL, **about),
        Article(id="over", valid_until=yesterday, **about),
        Article(id="draft", draft=True, **about),
    )
    found = ok(client_of(desk).post("/v1/answers", json={"question": PASSWORD[language]}))
    (cited,) = [citation["article_id"] for citation in found["citations"]]
    shown = [other["article_id"] for other in found["alternatives"]]
    assert len(set(shown)) == 3
    assert set(shown) < {f"password-{language}", *(f"like-{number}" for number in range(4))} - {cited}
    for other in found["alternatives"]:
        assert set(other) == {"article_id", "title", "language", "score"}
        assert other["language"] == language
    assert [other["score"] for other in found["alternatives"]] == sorted(
        (other["score"] for other in found["alternatives"]), reverse=True
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_an_answer_the_ways_to_a_person_are_those_of_the_triage(
    client: TestClient, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.answer.THRESHOLD", 1.1)
    asked = {"channel": "live_chat", "language": language}
    found = ok(client.post("/v1/answers", json={"question": WRONG_SIZE[language], **asked}))
    triage = ok(client.post("/v1/triage", json={"text": WRONG_SIZE[language], **asked}))
    assert found["answer"] is None
    ranking = triage["channel"]["ranking"]
    assert "forum" in [way["channel"] for way in ranking]
    assert found["channels"] == [way for way in ranking if way["channel"] != "forum"]
    assert [way["channel"] for way in found["channels"] if not way["available"]] == ["video"]


@pytest.mark.parametrize("question", ["😡😡😡", "?!?!", "أين طلبي؟ لم يصل منذ أسبوع"])
def test_what_is_in_no_language_of_the_desk_has_no_answer(client: TestClient, question: str) -> None:
    found = ok(client.post("/v1/answers", json={"question": question}))
    assert (found["answer"], found["citations"]) == (None, [])
    assert found["reason"]
    assert found["text_language"]["code"] == "und"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_knowledge_base_says_so(own_desk: Desk, language: str) -> None:
    found = ok(client_of(own_desk).post("/v1/answers", json={"question": PASSWORD[language]}))
    assert (found["answer"], found["citations"]) == (None, [])
    assert found["reason"] == "the knowledge base has no answer"
    assert found["versions"]["kb"] == "empty"
    assert found["alternatives"] == []
    assert found["channels"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_is_on_record_and_is_no_decision(own_desk: Desk, language: str) -> None:
    client, asked = client_of(own_desk), {"question": PASSWORD[language], "channel": "email"}
    first, second = (ok(client.post("/v1/answers", json=asked)) for _ in range(2))
    assert first["id"] != second["id"]
    assert (rows(own_desk, "answers"), rows(own_desk, "decisions"), rows(own_desk, "suggestions")) == (2, 0, 0)
    with own_desk.database.transaction(read_only=True) as session:
        row = session.execute(text("SELECT * FROM answers WHERE id = :id"), {"id": first["id"]}).one()
    assert (row.text, row.language, row.channel) == (PASSWORD[language], language, "email")
    assert (row.article_id, row.confidence, row.reason) == (None, None, first["reason"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_sent_again_under_its_id_gets_the_first_answer(own_desk: Desk, language: str) -> None:
    client, asked = client_of(own_desk), {"question": PASSWORD[language], "id": f"chat/{language}:1"}
    first = ok(client.post("/v1/answers", json=asked))
    assert first["id"] == asked["id"]
    later = client_of(_desk_of(own_desk, _password(language)))
    assert ok(later.post("/v1/answers", json=asked)) == first
    for change in ({"question": f"{PASSWORD[language]}!"}, {"channel": "email"}):
        refused = assert_problem(later.post("/v1/answers", json={**asked, **change}), 409)
        assert asked["id"] in refused["detail"]
    assert rows(own_desk, "answers") == 1


def test_the_last_outcome_counts_and_the_same_again_changes_nothing(own_desk: Desk) -> None:
    client = client_of(own_desk)
    identity = ok(client.post("/v1/answers", json={"question": PASSWORD["th"], "id": "chat/th:1"}))["id"]

    def say(**said: str) -> dict[str, Any]:
        return ok(client.post(f"/v1/answers/{identity}/outcome", json=said))

    first = say(outcome="not_solved")
    assert (first["answer_id"], first["outcome"], first["channel"]) == (identity, "not_solved", None)
    assert say(outcome="not_solved") == first
    last = say(outcome="escalated", channel="phone")
    assert (last["outcome"], last["channel"]) == ("escalated", "phone")
    assert datetime.fromisoformat(last["created_at"]) > datetime.fromisoformat(first["created_at"])
    assert say(outcome="escalated", channel="phone") == last
    with own_desk.database.transaction(read_only=True) as session:
        stands = session.execute(text("SELECT outcome, outcome_channel FROM answers")).one()
    assert tuple(stands) == ("escalated", "phone")
    assert ok(client.post("/v1/answers", json={"question": PASSWORD["th"], "id": identity}))["id"] == identity


def test_an_outcome_that_cannot_be_is_refused(client: TestClient) -> None:
    detail = assert_problem(client.post("/v1/answers/nobody/outcome", json={"outcome": "solved"}), 404)["detail"]
    assert "'nobody'" in detail
    identity = ok(client.post("/v1/answers", json={"question": PASSWORD["ru"]}))["id"]
    path = f"/v1/answers/{identity}/outcome"
    assert "solved" in faults(client.post(path, json={"outcome": "great"}))["outcome"]
    assert "live_chat" in faults(client.post(path, json={"outcome": "escalated", "channel": "pigeon"}))["channel"]
    assert faults(client.post(path, json={})) == {"outcome": "it is missing"}


def test_a_question_from_a_channel_that_is_not_configured_is_refused(client: TestClient) -> None:
    response = client.post("/v1/answers", json={"question": PASSWORD["en"], "channel": "pigeon"})
    message = faults(response)["channel"]
    assert "'pigeon'" in message
    assert "live_chat" in message
