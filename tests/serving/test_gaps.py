"""frontdesk kb gaps and GET /v1/knowledge/gaps: what customers ask and no article solves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from kb.store import KnowledgeStore
from kb.types import Article, Audience
from serving.desk import Desk
from serving.services.gaps import knowledge_gaps
from tests.serving.terminal import BODIES, Run
from tests.serving.wire import PASSWORD, WRONG_SIZE, client_of, faults, ok, with_pipeline

LANGUAGES = sorted(PASSWORD)
AQUARIUM = {
    "en": "Do you sell aquariums with a stand?",
    "vi": "Shop có bán hồ cá kèm chân đế không ạ?",
    "th": "มีตู้ปลาพร้อมขาตั้งขายไหมคะ",
    "zh-Hans": "有带底柜的鱼缸卖吗？",
    "zh-Hant": "有賣附底櫃的魚缸嗎？",
    "ru": "У вас продаются аквариумы с тумбой?",
}
THANKS = {
    "en": "thanks",
    "vi": "tks shop, mình hiểu rồi",
    "th": "เข้าใจแล้วค่ะ ขอบคุณที่อธิบาย",
    "zh-Hans": "谢谢回复，已经处理好了",
    "zh-Hant": "我知道了，謝謝喔，再見",
    "ru": "Спасибо за ответ, вопрос решён",
}
FIELDS = {"count", "languages", "unanswered", "unsolved", "intent", "examples", "nearest"}


@pytest.fixture
def client(own_desk: Desk) -> TestClient:
    """HTTP to the desk whose data folder the command line of the test looks at."""
    return client_of(own_desk)


def _ask(client: TestClient, question: str, outcome: str | None = None, **about: str) -> dict[str, Any]:
    found = ok(client.post("/v1/answers", json={"question": question, **about}))
    if outcome is not None:
        ok(client.post(f"/v1/answers/{found['id']}/outcome", json={"outcome": outcome}))
    return found


def _import(desk: Desk, *articles: Article) -> None:
    with desk.database.transaction() as session:
        KnowledgeStore(session).upsert_articles(articles)


def _article(language: str, **about: Any) -> Article:
    return Article(f"password-{language}", language, PASSWORD[language], BODIES[language], **about)


def _gaps(client: TestClient, frontdesk: Run, *options: str | int) -> dict[str, Any]:
    """What the command line says; HTTP says the same."""
    (found,) = frontdesk("kb", "gaps", "--json", *options).rows
    query: dict[str, Any] = {
        str(name).removeprefix("--"): value for name, value in zip(options[::2], options[1::2], strict=True)
    }
    assert ok(client.get("/v1/knowledge/gaps", params=query)) == found
    return dict(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_question_is_one_gap_and_the_commonest_comes_first(
    client: TestClient, frontdesk: Run, language: str
) -> None:
    for question, times in ((WRONG_SIZE[language], 2), (PASSWORD[language], 3)):
        for _ in range(times):
            _ask(client, question, language=language)
    found = _gaps(client, frontdesk)
    assert (found["questions"], found["older"], found["expired"], found["clusters"]) == (5, 0, 0, 2)
    first, second = found["gaps"]
    assert set(first) == FIELDS
    assert (first["count"], first["unanswered"], first["unsolved"]) == (3, 3, 0)
    assert first["languages"] == {language: 3}
    assert first["examples"] == [{"text": PASSWORD[language], "language": language}]
    assert first["intent"] == "account.password"
    assert second["examples"] == [{"text": WRONG_SIZE[language], "language": language}]
    assert [gap["nearest"] for gap in found["gaps"]] == [None, None]
    assert _gaps(client, frontdesk, "--top", 1)["gaps"] == [first]


def test_thanks_and_what_was_solved_are_no_gap_unless_a_customer_says_so(client: TestClient, frontdesk: Run) -> None:
    for message in THANKS.values():
        assert _ask(client, message)["reason"].startswith("nothing to answer")
    _ask(client, "😡😡😡")
    _ask(client, PASSWORD["th"], "solved")
    assert _gaps(client, frontdesk)["questions"] == 0
    _ask(client, THANKS["ru"], "not_solved")
    assert _gaps(client, frontdesk)["gaps"][0]["examples"] == [{"text": THANKS["ru"], "language": "ru"}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_that_did_not_help_is_a_gap_with_its_article(
    own_desk: Desk, frontdesk: Run, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    _import(own_desk, _article(language))
    client = client_of(with_pipeline(own_desk, own_desk.current().pipeline))
    monkeypatch.setattr("kb.answer.THRESHOLD", 0.0)
    for outcome in ("not_solved", "escalated", "solved", None):
        assert _ask(client, PASSWORD[language], outcome)["answer"]
    (gap,) = _gaps(client, frontdesk)["gaps"]
    assert (gap["count"], gap["unanswered"], gap["unsolved"]) == (2, 0, 2)
    nearest = gap["nearest"]
    assert set(nearest) == {"article_id", "title", "score", "languages", "missing_languages"}
    assert (nearest["article_id"], nearest["title"]) == (f"password-{language}", PASSWORD[language])
    assert (nearest["languages"], nearest["missing_languages"]) == ([language], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_that_is_missing_shows(own_desk: Desk, frontdesk: Run, language: str) -> None:
    there = [other for other in LANGUAGES if other != language]
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    _import(
        own_desk,
        _article(there[0], translation_of=None),
        *(_article(other, translation_of=f"password-{there[0]}") for other in there[1:3]),
        _article(there[3], translation_of=f"password-{there[0]}", draft=True),
        _article(there[4], translation_of=f"password-{there[0]}", valid_until=yesterday),
        _article(language, translation_of=f"password-{there[0]}", audience=Audience.INTERNAL),
    )
    client = client_of(with_pipeline(own_desk, own_desk.current().pipeline))
    _ask(client, PASSWORD[language], "not_solved", language=language)
    (gap,) = _gaps(client, frontdesk)["gaps"]
    assert gap["nearest"]["languages"] == sorted(there[:3])
    assert gap["nearest"]["missing_languages"] == [language]
    shown = frontdesk("kb", "gaps").out
    assert f"missing in {language}" in shown


def test_a_desk_s_own_words_are_not_read_as_others(own_desk: Desk) -> None:
    pipeline = own_desk.current().pipeline
    for word in ("envio", "zenvio"):
        _ask(client_of(own_desk), f"meu {word} não chegou, onde vejo isso?", "escalated", language="pt")

    def texts_read(own_words: frozenset[str]) -> int:
        taxonomy = replace(pipeline.taxonomy, own_words=own_words)
        seen = [0]
        desk = with_pipeline(own_desk, replace(pipeline, taxonomy=taxonomy))
        assert knowledge_gaps(desk, days=1, top=5, advance=lambda done, _all: seen.append(done)).questions == 2
        return seen[-1]

    # What is no word of the desk is a slip, and both are one question.
    assert texts_read(frozenset()) == 1
    assert texts_read(frozenset({"zenvio"})) == 2


def test_internal_articles_are_nearest_to_nothing(own_desk: Desk, frontdesk: Run) -> None:
    _import(own_desk, _article("vi", audience=Audience.INTERNAL))
    client = client_of(with_pipeline(own_desk, own_desk.current().pipeline))
    _ask(client, PASSWORD["vi"])
    found = _gaps(client, frontdesk)
    assert found["gaps"][0]["nearest"] is None
    assert "password-vi" not in str(found)


def test_texts_that_have_expired_are_counted_and_said(own_desk: Desk, client: TestClient, frontdesk: Run) -> None:
    for question in (AQUARIUM["zh-Hant"], WRONG_SIZE["zh-Hans"]):
        _ask(client, question, "escalated")
    with own_desk.database.transaction() as session:
        earlier = "UPDATE answers SET text_expires_at = :at WHERE language = 'zh-Hans'"
        session.execute(text(earlier), {"at": "2026-01-01 00:00:00"})
    found = _gaps(client, frontdesk)
    assert (found["questions"], found["expired"]) == (1, 1)
    shown = frontdesk("kb", "gaps").out
    assert "1 more are left out" in shown
    assert "FRONTDESK_TEXT_DAYS" in shown
    assert AQUARIUM["zh-Hant"] in shown


def test_only_the_days_asked_for_are_looked_at(own_desk: Desk, client: TestClient, frontdesk: Run) -> None:
    for number, question in enumerate(AQUARIUM.values()):
        _ask(client, question, "not_solved", id=f"q-{number}")
    with own_desk.database.transaction() as session:
        for number in range(4):
            moment = (datetime.now(UTC) - timedelta(days=10 * number, hours=1)).isoformat(" ")
            values = {"id": f"q-{number}", "at": moment.removesuffix("+00:00")}
            session.execute(text("UPDATE answers SET created_at = :at WHERE id = :id"), values)
    assert [_gaps(client, frontdesk, "--days", days)["questions"] for days in (1, 11, 30, 31)] == [3, 4, 5, 6]
    assert _gaps(client, frontdesk)["questions"] == 5


def test_beyond_the_limit_the_newest_are_looked_at(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for question in AQUARIUM.values():
        _ask(client, question, "not_solved")
    monkeypatch.setattr("serving.api.knowledge.MOST_OVER_HTTP", 2)
    found = ok(client.get("/v1/knowledge/gaps"))
    assert (found["questions"], found["older"]) == (2, 4)
    assert {example["language"] for gap in found["gaps"] for example in gap["examples"]} == {"ru", "zh-Hant"}


def test_long_questions_are_cut_and_an_empty_report_says_so(client: TestClient, frontdesk: Run) -> None:
    assert frontdesk("kb", "gaps").out == "0 open questions of the last 30 days in 0 clusters\n"
    _ask(client, f"{WRONG_SIZE['ru']} " * 50, "not_solved")
    (gap,) = _gaps(client, frontdesk)["gaps"]
    assert len(gap["examples"][0]["text"]) == 300
    assert gap["examples"][0]["text"].endswith("…")


def test_days_and_numbers_that_cannot_be_are_refused(client: TestClient, frontdesk: Run) -> None:
    assert set(faults(client.get("/v1/knowledge/gaps", params={"days": 0, "top": "many"}))) == {"days", "top"}
    done = frontdesk("kb", "gaps", "--days", 0)
    assert done.status == 2
    assert "--days" in done.err
