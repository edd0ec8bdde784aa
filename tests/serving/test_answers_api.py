"""POST /v1/answers: the words of a public article with their source, or none and the reason."""

import pytest
from starlette.testclient import TestClient

from kb.types import Audience
from serving.desk import Desk
from tests.serving.wire import PASSWORD, WRONG_SIZE, client_of, faults, ok, rows

LANGUAGES = sorted(PASSWORD)


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
    assert set(found) == {"answer", "citations", "reason", "text_language", "versions"}
    assert set(found["answer"]) == {"text", "language", "confidence"}
    assert 0 <= found["answer"]["confidence"] <= 1
    assert found["reason"] is None
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
            assert article.id not in [citation["article_id"] for citation in found["citations"]]


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


def test_a_question_leaves_no_record(client: TestClient, light_desk: Desk) -> None:
    before = rows(light_desk, "decisions"), rows(light_desk, "suggestions")
    ok(client.post("/v1/answers", json={"question": WRONG_SIZE["vi"]}))
    assert (rows(light_desk, "decisions"), rows(light_desk, "suggestions")) == before


def test_a_question_from_a_channel_that_is_not_configured_is_refused(client: TestClient) -> None:
    response = client.post("/v1/answers", json={"question": PASSWORD["en"], "channel": "pigeon"})
    message = faults(response)["channel"]
    assert "'pigeon'" in message
    assert "live_chat" in message
