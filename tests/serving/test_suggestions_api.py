"""POST /v1/suggestions: replies for agents, their placeholders, and what is stored of them."""

from collections.abc import Sequence

import pytest
from starlette.testclient import TestClient

from kb.store import KnowledgeStore
from kb.types import Audience, Macro
from serving.desk import Desk
from tests.serving.wire import (
    PASSWORD,
    WRONG_SIZE,
    assert_problem,
    client_of,
    faults,
    ok,
    rows,
    stored_suggestion,
    with_pipeline,
)

LANGUAGES = sorted(PASSWORD)
GREETING = {
    "en": "Hi {{customer_name}}, order {{ order_number }} ships on {{ship_date}}. {{agent_name}}",
    "vi": "Chào {{customer_name}}, đơn {{ order_number }} gửi ngày {{ship_date}}. {{agent_name}}",
    "th": "สวัสดีคุณ {{customer_name}} ออเดอร์ {{ order_number }} ส่งวันที่ {{ship_date}} {{agent_name}}",
    "zh-Hans": "{{customer_name}}您好，订单{{ order_number }}将于{{ship_date}}发货。{{agent_name}}",
    "zh-Hant": "{{customer_name}}您好，訂單{{ order_number }}將於{{ship_date}}出貨。{{agent_name}}",
    "ru": "{{customer_name}}, заказ {{ order_number }} отправим {{ship_date}}. {{agent_name}}",
}


def _with_macros(desk: Desk, macros: Sequence[Macro]) -> TestClient:
    with desk.database.transaction() as session:
        KnowledgeStore(session).upsert_macros(macros)
    return client_of(with_pipeline(desk, desk.current().pipeline))


@pytest.fixture
def greeter(own_desk: Desk) -> TestClient:
    """A desk with one macro in each language, for every intent."""
    intents = tuple(intent.id for intent in own_desk.current().pipeline.taxonomy.intents)
    macros = [Macro(f"greet-{language}", "Greeting", language, intents, text) for language, text in GREETING.items()]
    return _with_macros(own_desk, macros)


@pytest.mark.parametrize("language", LANGUAGES)
def test_suggestions_have_every_field_and_are_stored_under_their_ids(
    client: TestClient, light_desk: Desk, language: str
) -> None:
    found = ok(client.post("/v1/suggestions", json={"text": PASSWORD[language]}))
    assert set(found) == {"suggestions", "notes", "reason", "text_language", "versions"}
    assert found["reason"] is None
    assert found["text_language"]["code"] == language
    assert 1 <= len(found["suggestions"]) <= 3
    confidences = [one["confidence"] for one in found["suggestions"]]
    assert confidences == sorted(confidences, reverse=True)
    knowledge = light_desk.current().knowledge
    sources = {"article": set(knowledge.articles), "macro": {macro.id for macro in knowledge.macros}}
    for rank, one in enumerate(found["suggestions"], 1):
        assert set(one) == {"id", "text", "language", "source", "confidence", "open_placeholders"}
        assert set(one["source"]) == {"type", "id", "title"}
        assert one["source"]["id"] in sources[one["source"]["type"]]
        record = stored_suggestion(light_desk, one["id"])
        assert (record.rank, record.source_type, record.source_id) == (rank, one["source"]["type"], one["source"]["id"])
        assert (record.text, record.language, record.confidence) == (one["text"], one["language"], one["confidence"])
        assert record.decision_id is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_customers_language_comes_first(greeter: TestClient, language: str) -> None:
    found = ok(greeter.post("/v1/suggestions", json={"text": WRONG_SIZE[language], "limit": 20}))["suggestions"]
    assert found[0]["language"] == language
    assert {one["language"].split("-")[0] for one in found} == {language.split("-")[0]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_filled_from_the_request_and_the_others_stay_visible(
    greeter: TestClient, language: str
) -> None:
    people = {"customer": {"name": "Nguyễn Thị Hà"}, "agent": {"name": "สมชาย"}, "order_number": "A-7"}
    found = ok(greeter.post("/v1/suggestions", json={"text": PASSWORD[language], **people}))["suggestions"][0]
    text = GREETING[language].replace("{{customer_name}}", "Nguyễn Thị Hà").replace("{{agent_name}}", "สมชาย")
    assert found["text"] == text.replace("{{ order_number }}", "A-7")
    assert "{{ship_date}}" in found["text"]
    assert found["open_placeholders"] == ["ship_date"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_request_does_not_say_stays_open(greeter: TestClient, language: str) -> None:
    asked = {"text": PASSWORD[language], "customer": {"name": "  "}, "agent": {}}
    found = ok(greeter.post("/v1/suggestions", json=asked))["suggestions"][0]
    assert found["text"] == GREETING[language].replace("{{ order_number }}", "{{order_number}}")
    assert found["open_placeholders"] == ["customer_name", "order_number", "ship_date", "agent_name"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_order_number_comes_from_the_message_when_it_names_just_one(greeter: TestClient, language: str) -> None:
    def first(text: str, **more: str) -> str:
        return str(ok(greeter.post("/v1/suggestions", json={"text": text, **more}))["suggestions"][0]["text"])

    text = WRONG_SIZE[language]
    assert "TV-104233" in first(text)
    assert "TV-104233" in first(f"{text} TV-104233")
    assert "{{order_number}}" in first(f"{text} TV-200500")
    assert "A-7" in first(text, order_number="A-7")


def test_a_name_that_looks_like_a_placeholder_is_only_a_name(greeter: TestClient) -> None:
    asked = {"text": PASSWORD["en"], "customer": {"name": "{{agent_name}} \\1"}, "agent": {"name": "Kim"}}
    found = ok(greeter.post("/v1/suggestions", json=asked))["suggestions"][0]
    assert found["text"].startswith("Hi {{agent_name}} \\1, order ")


@pytest.mark.parametrize("limit", [1, 2, 20])
def test_no_more_are_suggested_than_asked_for(client: TestClient, light_desk: Desk, limit: int) -> None:
    before = rows(light_desk, "suggestions")
    found = ok(client.post("/v1/suggestions", json={"text": PASSWORD["ru"], "limit": limit}))["suggestions"]
    assert 1 <= len(found) <= limit
    assert len({one["id"] for one in found}) == len(found)
    assert rows(light_desk, "suggestions") == before + len(found)


@pytest.mark.parametrize("limit", [0, 21, -1, "many"])
def test_a_limit_out_of_range_is_refused(client: TestClient, limit: object) -> None:
    message = faults(client.post("/v1/suggestions", json={"text": PASSWORD["ru"], "limit": limit}))["limit"]
    assert str(limit) in message


def test_internal_articles_are_never_suggested(client: TestClient, light_desk: Desk) -> None:
    internal = [a for a in light_desk.current().knowledge.articles.values() if a.audience is Audience.INTERNAL]
    assert internal
    for article in internal:
        for text in (article.title, *article.body.split("\n\n")):
            found = ok(client.post("/v1/suggestions", json={"text": text, "limit": 20}))
            assert article.id not in [one["source"]["id"] for one in found["suggestions"]]


def test_internal_articles_are_shown_to_the_agent_as_notes(client: TestClient, light_desk: Desk) -> None:
    internal = [a for a in light_desk.current().knowledge.articles.values() if a.audience is Audience.INTERNAL]
    shown = {
        note["article_id"]: note
        for article in internal
        for note in ok(client.post("/v1/suggestions", json={"text": article.title, "limit": 20}))["notes"]
    }
    assert shown
    assert shown.keys() <= {article.id for article in internal}
    for note in shown.values():
        assert note.keys() == {"article_id", "title", "text", "language", "confidence"}


def test_suggestions_belong_to_the_decision_that_is_named(client: TestClient, light_desk: Desk) -> None:
    decision = ok(client.post("/v1/triage", json={"text": PASSWORD["th"]}))["id"]
    found = ok(client.post("/v1/suggestions", json={"text": PASSWORD["th"], "triage_id": decision}))
    assert {stored_suggestion(light_desk, one["id"]).decision_id for one in found["suggestions"]} == {decision}


def test_a_decision_that_does_not_exist_is_named_and_nothing_stored(client: TestClient, light_desk: Desk) -> None:
    before = rows(light_desk, "suggestions")
    response = client.post("/v1/suggestions", json={"text": PASSWORD["th"], "triage_id": "nobody"})
    assert "'nobody'" in assert_problem(response, 404)["detail"]
    assert rows(light_desk, "suggestions") == before


@pytest.mark.parametrize("text", ["😡😡😡", "?!?!", "أين طلبي؟ لم يصل منذ أسبوع"])
def test_nothing_is_suggested_for_what_is_in_no_language_of_the_desk(client: TestClient, text: str) -> None:
    found = ok(client.post("/v1/suggestions", json={"text": text}))
    assert found["suggestions"] == []
    assert found["reason"]


def test_a_desk_without_articles_and_macros_says_that_nothing_fits(own_desk: Desk) -> None:
    found = ok(client_of(own_desk).post("/v1/suggestions", json={"text": PASSWORD["zh-Hant"]}))
    assert found["suggestions"] == []
    assert found["reason"] == "neither a macro nor an article fits"


def test_a_channel_that_is_not_configured_is_refused(client: TestClient) -> None:
    response = client.post("/v1/suggestions", json={"text": PASSWORD["vi"], "channel": "pigeon"})
    assert "'pigeon'" in faults(response)["channel"]
