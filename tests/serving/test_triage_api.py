"""POST /v1/triage and /v1/triage/batch: the public format, spans, batches, and requests that come twice."""

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.desk import Desk
from tests.serving.wire import (
    PASSWORD,
    WRONG_SIZE,
    assert_problem,
    client_of,
    faults,
    ok,
    rows,
    stored_decision,
    with_pipeline,
)

LANGUAGES = sorted(WRONG_SIZE)


def _check_prediction(found: dict[str, Any], labels: set[str]) -> None:
    assert {"label", "confidence", "abstained", "ranking"} <= set(found)
    scores = [one["score"] for one in found["ranking"]]
    assert {one["label"] for one in found["ranking"]} == labels
    assert all(set(one) == {"label", "score"} for one in found["ranking"])
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=0.01)
    assert (found["label"], found["confidence"]) == (found["ranking"][0]["label"], scores[0])
    assert isinstance(found["abstained"], bool)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_triage_has_every_field_of_the_public_format(client: TestClient, light_desk: Desk, language: str) -> None:
    found = ok(client.post("/v1/triage", json={"text": WRONG_SIZE[language], "channel": "email"}))
    assert set(found) == {
        *("id", "text_language", "intent", "urgency", "channel", "labels", "entities", "decision", "versions")
    }
    assert set(found["text_language"]) == {"code", "confidence"}
    assert found["text_language"]["code"] == language
    assert 0 < found["text_language"]["confidence"] <= 1
    taxonomy = light_desk.current().pipeline.taxonomy
    _check_prediction(found["intent"], set(light_desk.current().pipeline.bundle.heads["intent"].labels))
    _check_prediction(found["urgency"], {level.id for level in taxonomy.urgencies})
    assert set(found["intent"]) == {"label", "confidence", "abstained", "ranking", "out_of_scope", "mode"}
    assert set(found["urgency"]) == {"label", "confidence", "abstained", "ranking", "out_of_scope", "mode", "reasons"}
    assert set(found["channel"]) == {"recommended", "ranking", "mode"}
    assert found["labels"] == {}
    assert set(found["decision"]) == {"action", "reasons"}
    assert found["decision"]["action"] in ("answer", "suggest", "review")
    assert found["decision"]["reasons"]
    assert found["versions"] == light_desk.current().versions
    assert set(found["versions"]) == {"bundle", "taxonomy", "policy", "kb"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_answered_is_what_is_stored(client: TestClient, light_desk: Desk, language: str) -> None:
    text = WRONG_SIZE[language]
    found = ok(client.post("/v1/triage", json={"text": text, "channel": "messenger"}))
    record = stored_decision(light_desk, found["id"])
    assert (record.text, record.channel, record.language) == (text, "messenger", language)
    assert (record.intent, record.urgency) == (found["intent"]["label"], found["urgency"]["label"])
    assert (record.action, dict(record.versions)) == (found["decision"]["action"], found["versions"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "before", ["", "😡👨‍👩‍👧 ", "ได้โปรด ", unicodedata.normalize("NFD", "Thật thất vọng, hàng giao trễ quá! ")]
)
def test_spans_count_code_points_of_the_text_as_it_was_sent(client: TestClient, language: str, before: str) -> None:
    text = before + WRONG_SIZE[language]
    found = ok(client.post("/v1/triage", json={"text": text}))["entities"]
    assert all(set(entity) == {"type", "text", "start", "end"} for entity in found)
    assert {(e["type"], e["text"]) for e in found} >= {
        ("order_number", "TV-104233"),
        ("email", "anna.pham@example.com"),
    }
    assert [text[e["start"] : e["end"]] for e in found] == [e["text"] for e in found]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_configured_channel_is_ranked_and_one_that_is_open_recommended(
    client: TestClient, light_desk: Desk, language: str
) -> None:
    channel = ok(client.post("/v1/triage", json={"text": PASSWORD[language]}))["channel"]
    ranking = channel["ranking"]
    assert all(set(one) == {"channel", "score", "available", "reasons"} for one in ranking)
    assert sorted(one["channel"] for one in ranking) == sorted(light_desk.current().pipeline.policy.ids)
    assert [one["score"] for one in ranking] == sorted((one["score"] for one in ranking), reverse=True)
    assert channel["recommended"] == next(one["channel"] for one in ranking if one["available"])
    assert {one["channel"] for one in ranking if not one["available"]} == {"video"}
    assert all(one["reasons"] for one in ranking)


def test_the_channel_that_the_customer_is_on_counts(client: TestClient) -> None:
    def score(**came_from: str) -> float:
        found = ok(client.post("/v1/triage", json={"text": PASSWORD["vi"], **came_from}))
        return float(next(one["score"] for one in found["channel"]["ranking"] if one["channel"] == "forum"))

    assert score(channel="forum") > score()


@pytest.mark.parametrize(
    ("given", "understood"), [("th", "th"), ("zh-TW", "zh-Hant"), ("zh-CN", "zh-Hans"), ("en-GB", "en"), ("RU", "ru")]
)
def test_a_language_that_the_helpdesk_knows_is_taken_as_it_is(client: TestClient, given: str, understood: str) -> None:
    found = ok(client.post("/v1/triage", json={"text": "ok 12345", "language": given}))
    assert found["text_language"] == {"code": understood, "confidence": 1.0}


@pytest.mark.parametrize(
    "text",
    ["😡😡😡", "👍🏽🎉", "?!?!", "...", "שלום, איפה ההזמנה שלי?", "أين طلبي؟ لم يصل منذ أسبوع"],
)
def test_texts_in_no_language_of_the_desk_are_for_a_person_to_read(client: TestClient, text: str) -> None:
    found = ok(client.post("/v1/triage", json={"text": text}))
    assert found["text_language"]["code"] == "und"
    assert found["intent"]["abstained"]
    assert found["urgency"]["abstained"]
    assert found["decision"]["action"] == "review"
    assert len(found["channel"]["ranking"]) == 12


@pytest.mark.parametrize(
    "text",
    [
        "Hàng đâu? 我的包裹呢 where is my parcel",
        "รออยู่นะ please! Заказ TV-104233 где?",
        "\u200fالطلب TV-104233 не пришёл \u200f",
        "\u202eabc\u202c ١٢٣",
        "Z̷a̷l̷g̷o̷ order ﷽ 𝓽𝓮𝔁𝓽",
        "\u200b\u200bhi\u200b",
    ],
)
def test_texts_in_several_scripts_are_triaged(client: TestClient, light_desk: Desk, text: str) -> None:
    found = ok(client.post("/v1/triage", json={"text": text}))
    assert len(found["channel"]["ranking"]) == 12
    assert stored_decision(light_desk, found["id"]).text == text


def test_a_task_that_the_desk_added_stands_under_labels(own_desk: Desk) -> None:
    pipeline = own_desk.current().pipeline
    bundle = pipeline.bundle
    heads = {**bundle.heads, "queue": replace(bundle.heads["urgency"], labels=("billing", "care", "logistics", "vip"))}
    desk = with_pipeline(own_desk, replace(pipeline, bundle=replace(bundle, heads=heads)))
    client = client_of(desk)
    found = ok(client.post("/v1/triage", json={"text": WRONG_SIZE["th"], "id": "t-1"}))
    assert set(found["labels"]) == {"queue"}
    _check_prediction(found["labels"]["queue"], {"billing", "care", "logistics", "vip"})
    ok(client.post("/v1/triage/t-1/corrections", json={"task": "queue", "label": "vip"}))
    assert ok(client.get("/v1/taxonomy"))["tasks"]["queue"] == ["billing", "care", "logistics", "vip"]


def test_a_batch_of_256_is_answered_in_its_order_and_as_one_by_one(client: TestClient, light_desk: Desk) -> None:
    texts = [f"{WRONG_SIZE[LANGUAGES[at % 6]]} #{at}" for at in range(256)]
    before = rows(light_desk, "decisions")
    messages = [{"text": text, "id": f"batch-{at}"} for at, text in enumerate(texts)]
    results = ok(client.post("/v1/triage/batch", json={"messages": messages}))["results"]
    assert [result["id"] for result in results] == [f"batch-{at}" for at in range(256)]
    assert rows(light_desk, "decisions") == before + 256
    for at in (0, 100, 255):
        alone = ok(client.post("/v1/triage", json={"text": texts[at]}))
        assert {**alone, "id": results[at]["id"]} == results[at]


def test_a_batch_of_257_is_refused_with_both_numbers(client: TestClient, light_desk: Desk) -> None:
    before = rows(light_desk, "decisions")
    response = client.post("/v1/triage/batch", json={"messages": [{"text": PASSWORD["ru"]}] * 257})
    message = faults(response)["messages"]
    assert "256" in message
    assert "257" in message
    assert faults(client.post("/v1/triage/batch", json={"messages": []})).keys() == {"messages"}
    assert rows(light_desk, "decisions") == before


def test_a_fault_in_a_batch_names_the_message_and_nothing_is_stored(client: TestClient, light_desk: Desk) -> None:
    before = rows(light_desk, "decisions")
    good = {"text": PASSWORD["th"]}
    response = client.post("/v1/triage/batch", json={"messages": [good, {"text": "   "}, {"text": 5}]})
    assert faults(response).keys() == {"messages.1.text", "messages.2.text"}
    response = client.post("/v1/triage/batch", json={"messages": [good, {**good, "channel": "pigeon"}]})
    assert "'pigeon'" in faults(response)["messages.1.channel"]
    assert rows(light_desk, "decisions") == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_request_again_has_the_same_result_and_one_row(own_desk: Desk, language: str) -> None:
    client = client_of(own_desk)
    request = {"text": WRONG_SIZE[language], "id": f"zendesk/{language}:1", "channel": "email"}
    first = ok(client.post("/v1/triage", json=request))
    assert ok(client.post("/v1/triage", json=request)) == first
    assert ok(client.post("/v1/triage/batch", json={"messages": [request]}))["results"] == [first]
    assert rows(own_desk, "decisions") == 1


def test_a_result_stays_as_it_was_first_answered(own_desk: Desk) -> None:
    request = {"text": PASSWORD["en"], "id": "m-1"}
    first = ok(client_of(own_desk).post("/v1/triage", json=request))
    pipeline = own_desk.current().pipeline
    later = with_pipeline(own_desk, replace(pipeline, bundle=replace(pipeline.bundle, version=2)))
    assert ok(client_of(later).post("/v1/triage", json=request)) == first
    assert ok(client_of(later).post("/v1/triage", json={**request, "id": "m-2"}))["versions"]["bundle"] == "light@2"


@pytest.mark.parametrize(
    "other", [{"text": WRONG_SIZE["vi"]}, {"channel": "email"}, {"language": "vi"}, {"text": PASSWORD["vi"] + " "}]
)
def test_an_id_that_stands_for_another_message_is_refused(own_desk: Desk, other: dict[str, str]) -> None:
    client = client_of(own_desk)
    first = {"text": PASSWORD["vi"], "id": "m-1"}
    before = ok(client.post("/v1/triage", json=first))
    assert "'m-1'" in assert_problem(client.post("/v1/triage", json={**first, **other}), 409)["detail"]
    batch = [{"text": WRONG_SIZE["ru"], "id": "m-2"}, {**first, **other}]
    assert_problem(client.post("/v1/triage/batch", json={"messages": batch}), 409)
    assert rows(own_desk, "decisions") == 1
    assert ok(client.post("/v1/triage", json=first)) == before


def test_an_id_stands_once_in_a_batch(client: TestClient, light_desk: Desk) -> None:
    before = rows(light_desk, "decisions")
    twice = [{"text": PASSWORD["en"], "id": "twin"}, {"text": PASSWORD["ru"]}, {"text": PASSWORD["th"], "id": "twin"}]
    assert "'twin'" in faults(client.post("/v1/triage/batch", json={"messages": twice}))["messages.2.id"]
    assert rows(light_desk, "decisions") == before
