"""Events on suggestions and corrections of decisions: what is accepted, and that each counts once."""

from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from serving.desk import Desk
from tests.serving.wire import PASSWORD, WRONG_SIZE, assert_problem, client_of, faults, ok, rows

EDITED = {
    "en": "Hello Anna, your new shoes leave us today.",
    "vi": "Chào chị Hà, đôi giày mới sẽ được gửi ngay hôm nay.",
    "th": "สวัสดีค่ะ รองเท้าคู่ใหม่จะส่งวันนี้เลยนะคะ",
    "zh-Hans": "您好，新的鞋子今天就会寄出。",
    "zh-Hant": "您好，新的鞋子今天就會寄出。",
    "ru": "Здравствуйте! Новая пара уедет к вам сегодня.",
}


@pytest.fixture
def suggestion(client: TestClient) -> str:
    return str(ok(client.post("/v1/suggestions", json={"text": PASSWORD["vi"]}))["suggestions"][0]["id"])


@pytest.fixture
def decision(client: TestClient) -> str:
    return str(ok(client.post("/v1/triage", json={"text": WRONG_SIZE["ru"]}))["id"])


def _stored(desk: Desk, table: str, identity: str) -> dict[str, Any]:
    with desk.database.transaction(read_only=True) as session:
        found = session.execute(text(f"SELECT * FROM {table} WHERE id = :id"), {"id": identity})
        return dict(found.mappings().one())


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "displayed"},
        {"kind": "accepted"},
        {"kind": "rejected", "reason": "outdated"},
        *({"kind": "edited", "final_text": text} for text in EDITED.values()),
    ],
)
def test_an_event_is_stored_once_however_often_it_is_sent(
    client: TestClient, light_desk: Desk, suggestion: str, event: dict[str, str]
) -> None:
    before = rows(light_desk, "suggestion_events")
    first = ok(client.post(f"/v1/suggestions/{suggestion}/events", json=event))
    assert set(first) == {"id", "suggestion_id", "kind", "created_at"}
    assert (first["suggestion_id"], first["kind"]) == (suggestion, event["kind"])
    assert ok(client.post(f"/v1/suggestions/{suggestion}/events", json=event)) == first
    assert rows(light_desk, "suggestion_events") == before + 1
    stored = _stored(light_desk, "suggestion_events", first["id"])
    assert stored["final_text"] == event.get("final_text")
    assert stored["reason"] == event.get("reason")


def test_different_events_on_a_suggestion_are_kept_side_by_side(client: TestClient, suggestion: str) -> None:
    events = [
        {"kind": "displayed"},
        {"kind": "rejected", "reason": "incorrect"},
        {"kind": "rejected", "reason": "outdated"},
        {"kind": "edited", "final_text": EDITED["th"]},
        {"kind": "edited", "final_text": EDITED["ru"]},
    ]
    ids = {ok(client.post(f"/v1/suggestions/{suggestion}/events", json=event))["id"] for event in events}
    assert len(ids) == len(events)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"kind": "edited"}, "final_text"),
        ({"kind": "edited", "final_text": None}, "final_text"),
        ({"kind": "edited", "final_text": " \n"}, "final_text"),
        ({"kind": "edited", "final_text": "ก" * 20_001}, "final_text"),
        ({"kind": "rejected"}, "reason"),
        ({"kind": "rejected", "reason": "\t"}, "reason"),
        ({"kind": "rejected", "reason": "ш" * 501}, "reason"),
        ({"kind": "liked"}, "kind"),
        ({}, "kind"),
        ({"kind": "displayed", "stars": 5}, "stars"),
    ],
)
def test_an_event_that_says_too_little_or_too_much_is_refused(
    client: TestClient, light_desk: Desk, suggestion: str, event: dict[str, Any], field: str
) -> None:
    before = rows(light_desk, "suggestion_events")
    assert faults(client.post(f"/v1/suggestions/{suggestion}/events", json=event)).keys() == {field}
    assert rows(light_desk, "suggestion_events") == before


def test_an_event_on_a_suggestion_that_does_not_exist_is_not_found(client: TestClient) -> None:
    response = client.post("/v1/suggestions/nobody/events", json={"kind": "displayed"})
    assert "'nobody'" in assert_problem(response, 404)["detail"]


@pytest.mark.parametrize(
    ("task", "label"),
    [("intent", "delivery.wrong_item"), ("urgency", "critical"), ("channel", "fax")],
)
def test_a_correction_is_stored_once_for_each_agent(
    client: TestClient, light_desk: Desk, decision: str, task: str, label: str
) -> None:
    correction = {"task": task, "label": label, "agent": "Ольга"}
    first = ok(client.post(f"/v1/triage/{decision}/corrections", json=correction))
    assert set(first) == {"id", "triage_id", "task", "label", "created_at"}
    assert (first["triage_id"], first["task"], first["label"]) == (decision, task, label)
    assert ok(client.post(f"/v1/triage/{decision}/corrections", json=correction)) == first
    other = ok(client.post(f"/v1/triage/{decision}/corrections", json={**correction, "agent": "小美"}))
    unnamed = ok(client.post(f"/v1/triage/{decision}/corrections", json={"task": task, "label": label}))
    assert len({first["id"], other["id"], unnamed["id"]}) == 3
    assert _stored(light_desk, "corrections", first["id"])["agent"] == "Ольга"


@pytest.mark.parametrize(
    ("correction", "field", "named"),
    [
        ({"task": "mood", "label": "angry"}, "task", ("'mood'", "channel, intent, urgency")),
        ({"task": "intent", "label": "delivery.lost"}, "label", ("'delivery.lost'", "delivery.not_received")),
        ({"task": "urgency", "label": "asap"}, "label", ("'asap'", "low, normal, high, critical")),
        ({"task": "channel", "label": "pigeon"}, "label", ("'pigeon'", "live_chat")),
        ({"task": "intent"}, "label", ("missing",)),
        ({"label": "order.status"}, "task", ("missing",)),
        ({"task": "intent", "label": 5}, "label", ("5",)),
    ],
)
def test_a_correction_to_what_the_desk_does_not_have_is_refused_with_what_it_has(
    client: TestClient, light_desk: Desk, decision: str, correction: dict[str, Any], field: str, named: tuple[str, ...]
) -> None:
    before = rows(light_desk, "corrections")
    message = faults(client.post(f"/v1/triage/{decision}/corrections", json=correction))[field]
    assert [part for part in named if part not in message] == []
    assert rows(light_desk, "corrections") == before


def test_a_correction_of_a_decision_that_does_not_exist_is_not_found(client: TestClient) -> None:
    correction = {"task": "intent", "label": "order.status"}
    assert "'nobody'" in assert_problem(client.post("/v1/triage/nobody/corrections", json=correction), 404)["detail"]


@pytest.mark.parametrize("identity", ["front/17", "tickets/2026/11:3@eu+1", "đơn-42", "คำขอ-1", "batch"])
def test_the_helpdesks_own_ids_take_corrections(own_desk: Desk, identity: str) -> None:
    client = client_of(own_desk)
    ok(client.post("/v1/triage", json={"text": WRONG_SIZE["th"], "id": identity}))
    stored = ok(client.post(f"/v1/triage/{identity}/corrections", json={"task": "urgency", "label": "high"}))
    assert stored["triage_id"] == identity
