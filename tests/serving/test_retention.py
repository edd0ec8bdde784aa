"""Texts go when their days are over, and everything that was derived without them stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from serving.app import create_app, purge_expired_texts
from serving.desk import Desk
from tests.serving.wire import WRONG_SIZE, assert_problem, client_of, ok, rows, stored_decision, stored_suggestion

LANGUAGES = sorted(WRONG_SIZE)
TABLES = ("decisions", "suggestions", "suggestion_events", "answers")
SENT = {
    "en": "Dear Anna, the pair in 38 leaves today and the courier takes the other one along.",
    "vi": "Chào chị Hà, đôi size 38 sẽ được gửi hôm nay, bên giao hàng nhận lại đôi kia giúp chị.",
    "th": "เรียนคุณสมหญิง รองเท้าเบอร์ 38 จะส่งวันนี้ และพนักงานจะรับคู่เดิมกลับค่ะ",
    "zh-Hans": "王女士您好，38码今天寄出，快递员会把另一双取回。",
    "zh-Hant": "林小姐您好，38號今天寄出，物流會把另一雙收回。",
    "ru": "Анна, пара 38 размера уедет сегодня, а прежнюю заберёт курьер.",
}


def _grow_old(desk: Desk, *, days: float) -> None:
    """Move every expiry back, as if that many days had gone by."""
    for table in TABLES:
        with desk.database.transaction() as session:
            expiring = f"SELECT id, text_expires_at FROM {table} WHERE text_expires_at IS NOT NULL"
            for identity, expires in session.execute(text(expiring)).all():
                earlier = datetime.fromisoformat(expires) - timedelta(days=days)
                values = {"id": identity, "at": earlier.isoformat(" ")}
                session.execute(text(f"UPDATE {table} SET text_expires_at = :at WHERE id = :id"), values)


def _everything(desk: Desk) -> str:
    with desk.database.transaction(read_only=True) as session:
        found = [session.execute(text(f"SELECT * FROM {table}")).all() for table in TABLES]
    return repr(found).encode().decode("unicode_escape", "replace") + repr(found)


def _keeping(desk: Desk, days: int) -> Desk:
    return replace(desk, settings=desk.settings.model_copy(update={"text_days": days}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_vanish_after_their_days_with_the_words_quoted_from_them(own_desk: Desk, language: str) -> None:
    client, message = client_of(own_desk), WRONG_SIZE[language]
    answered = ok(client.post("/v1/triage", json={"text": message, "id": "m-1"}))
    assert answered["entities"]
    assert stored_decision(own_desk, "m-1").text == message
    _grow_old(own_desk, days=29.9)
    assert purge_expired_texts(own_desk) == 0
    assert ok(client.post("/v1/triage", json={"text": message, "id": "m-1"})) == answered
    _grow_old(own_desk, days=0.2)
    assert purge_expired_texts(own_desk) == 1
    record = stored_decision(own_desk, "m-1")
    assert (record.text, record.excerpts, record.request_digest) == (None, None, None)
    stored = _everything(own_desk)
    assert [word for word in (message, "TV-104233", "anna.pham@example.com") if word in stored] == []
    assert purge_expired_texts(own_desk) == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_decision_itself_stays(own_desk: Desk, language: str) -> None:
    client = client_of(own_desk)
    answered = ok(client.post("/v1/triage", json={"text": WRONG_SIZE[language], "id": "m-1", "channel": "email"}))
    _grow_old(own_desk, days=31)
    purge_expired_texts(own_desk)
    record = stored_decision(own_desk, "m-1")
    left = {key: record.result[key] for key in ("id", "text_language", "intent", "channel", "decision", "versions")}
    assert left == {key: answered[key] for key in left}
    assert record.result["urgency"]["ranking"] == answered["urgency"]["ranking"]
    assert (record.language, record.channel) == (language, "email")
    ok(client.post("/v1/triage/m-1/corrections", json={"task": "urgency", "label": "high"}))


def test_an_id_whose_text_is_gone_is_not_answered_for_another_text(own_desk: Desk) -> None:
    client = client_of(own_desk)
    request = {"text": WRONG_SIZE["th"], "id": "m-1"}
    ok(client.post("/v1/triage", json=request))
    _grow_old(own_desk, days=31)
    purge_expired_texts(own_desk)
    assert "expired" in assert_problem(client.post("/v1/triage", json=request), 409)["detail"]
    assert rows(own_desk, "decisions") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_no_days_no_text_is_ever_stored(own_desk: Desk, language: str) -> None:
    desk = _keeping(own_desk, 0)
    client, message = client_of(desk), WRONG_SIZE[language]
    answered = ok(client.post("/v1/triage", json={"text": message, "id": "m-1"}))
    assert {"TV-104233", "anna.pham@example.com"} <= {entity["text"] for entity in answered["entities"]}
    stored = _everything(desk)
    assert [word for word in (message, "TV-104233", "anna.pham@example.com") if word in stored] == []
    again = ok(client.post("/v1/triage", json={"text": message, "id": "m-1"}))
    assert again == answered
    assert_problem(client.post("/v1/triage", json={"text": f"{message}!", "id": "m-1"}), 409)


@pytest.mark.parametrize("days", [0, 7])
def test_texts_of_suggestions_follow_the_same_days(light_desk: Desk, days: int) -> None:
    desk = _keeping(light_desk, days)
    asked = {"text": WRONG_SIZE["en"], "customer": {"name": "Tatiana Orlova"}, "limit": 1}
    (one,) = ok(client_of(desk).post("/v1/suggestions", json=asked))["suggestions"]
    kept = stored_suggestion(desk, one["id"])
    assert kept.text == (one["text"] if days else None)
    assert kept.text_expires_at is not None
    if days:
        assert kept.text_expires_at - kept.created_at == pytest.approx(timedelta(days=days), abs=timedelta(minutes=1))


def test_suggestions_lose_their_texts_and_keep_their_feedback(own_desk: Desk, light_desk: Desk) -> None:
    desk = replace(own_desk, keeper=light_desk.keeper)
    client = client_of(desk)
    asked: dict[str, Any] = {"text": WRONG_SIZE["vi"], "customer": {"name": "Nguyễn Thị Hà"}}
    found = ok(client.post("/v1/suggestions", json=asked))["suggestions"]
    ok(client.post(f"/v1/suggestions/{found[0]['id']}/events", json={"kind": "accepted"}))
    _grow_old(desk, days=31)
    assert purge_expired_texts(desk) == len(found)
    record = stored_suggestion(desk, found[0]["id"])
    assert (record.text, record.source_id) == (None, found[0]["source"]["id"])
    assert "Nguyễn Thị Hà" not in _everything(desk)
    assert rows(desk, "suggestion_events") == 1
    ok(client.post(f"/v1/suggestions/{found[0]['id']}/events", json={"kind": "displayed"}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_agents_sent_follows_the_same_days(own_desk: Desk, light_desk: Desk, language: str) -> None:
    desk = replace(own_desk, keeper=light_desk.keeper)
    client, sent = client_of(desk), SENT[language]
    (one,) = ok(client.post("/v1/suggestions", json={"text": WRONG_SIZE[language], "limit": 1}))["suggestions"]
    event = {"kind": "edited", "final_text": sent}
    first = ok(client.post(f"/v1/suggestions/{one['id']}/events", json=event))
    assert ok(client.post(f"/v1/suggestions/{one['id']}/events", json=event)) == first
    assert sent in _everything(desk)
    _grow_old(desk, days=29.9)
    assert purge_expired_texts(desk) == 0
    _grow_old(desk, days=0.2)
    assert purge_expired_texts(desk) == 2
    assert sent not in _everything(desk)
    assert (rows(desk, "suggestion_events"), purge_expired_texts(desk)) == (1, 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_no_days_nothing_that_agents_sent_is_ever_stored(own_desk: Desk, light_desk: Desk, language: str) -> None:
    desk = _keeping(replace(own_desk, keeper=light_desk.keeper), 0)
    client = client_of(desk)
    (one,) = ok(client.post("/v1/suggestions", json={"text": WRONG_SIZE[language], "limit": 1}))["suggestions"]
    event = {"kind": "edited", "final_text": SENT[language]}
    first = ok(client.post(f"/v1/suggestions/{one['id']}/events", json=event))
    assert ok(client.post(f"/v1/suggestions/{one['id']}/events", json=event)) == first
    assert SENT[language] not in _everything(desk)


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_vanish_after_their_days_and_their_outcome_stays(own_desk: Desk, language: str) -> None:
    client, asked = client_of(own_desk), {"question": WRONG_SIZE[language], "id": "q-1"}
    answered = ok(client.post("/v1/answers", json=asked))
    ok(client.post("/v1/answers/q-1/outcome", json={"outcome": "escalated", "channel": "phone"}))
    assert WRONG_SIZE[language] in _everything(own_desk)
    _grow_old(own_desk, days=29.9)
    assert purge_expired_texts(own_desk) == 0
    assert ok(client.post("/v1/answers", json=asked)) == answered
    _grow_old(own_desk, days=0.2)
    assert purge_expired_texts(own_desk) == 1
    stored = _everything(own_desk)
    words = (WRONG_SIZE[language], "TV-104233", "anna.pham@example.com")
    assert [word for word in words if word in stored] == []
    assert "escalated" in stored
    assert "expired" in assert_problem(client.post("/v1/answers", json=asked), 409)["detail"]
    assert (rows(own_desk, "answers"), purge_expired_texts(own_desk)) == (1, 0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_no_days_no_question_is_ever_stored(own_desk: Desk, language: str) -> None:
    desk = _keeping(own_desk, 0)
    client, asked = client_of(desk), {"question": WRONG_SIZE[language], "id": "q-1"}
    answered = ok(client.post("/v1/answers", json=asked))
    assert WRONG_SIZE[language] not in _everything(desk)
    assert ok(client.post("/v1/answers", json=asked)) == answered
    assert_problem(client.post("/v1/answers", json={**asked, "question": f"{WRONG_SIZE[language]}!"}), 409)


def test_a_running_server_purges_by_itself(own_desk: Desk) -> None:
    ok(client_of(own_desk).post("/v1/triage", json={"text": WRONG_SIZE["zh-Hant"], "id": "m-1"}))
    _grow_old(own_desk, days=31)
    with TestClient(create_app(own_desk)) as client:
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        while stored_decision(own_desk, "m-1").text is not None and datetime.now(UTC) < deadline:
            client.get("/healthz")
    assert stored_decision(own_desk, "m-1").text is None
