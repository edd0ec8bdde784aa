"""Whatever goes wrong is a problem document that names the field, the value and the limit, and shows nothing else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving.desk import Desk
from serving.services import triage as triage_service
from serving.storage.engine import DatabaseUnavailable
from tests.serving.wire import PASSWORD, WRONG_SIZE, assert_problem, client_of, faults, ok, rows

TEXT = WRONG_SIZE["zh-Hant"]
REQUESTS = {
    "/v1/triage": "text",
    "/v1/triage/batch": "messages",
    "/v1/answers": "question",
    "/v1/answers/x/outcome": "outcome",
    "/v1/suggestions": "text",
    "/v1/suggestions/x/events": "kind",
    "/v1/triage/x/corrections": "task",
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def _nothing_is_stored(light_desk: Desk) -> Iterator[None]:
    before = rows(light_desk, "decisions"), rows(light_desk, "suggestions")
    yield
    assert (rows(light_desk, "decisions"), rows(light_desk, "suggestions")) == before


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize("body", [b"not json", b"{", b"{'text': 'hi'}", "Đơn hàng đâu?".encode()])
def test_a_body_that_is_not_json_is_a_bad_request(client: TestClient, path: str, body: bytes) -> None:
    message = faults(client.post(path, content=body, headers=JSON), 400)["body"]
    assert "not JSON" in message
    assert "at character" in message


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize(
    "body", [b"\x89PNG\r\n\x1a\n\x00\xff", b'{"text": "\xff\xfe"}', "{}".encode("utf-16-be") + b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_not_text_is_a_bad_request(client: TestClient, path: str, body: bytes) -> None:
    assert faults(client.post(path, content=body, headers=JSON), 400).keys() == {"body"}


@pytest.mark.parametrize("path", REQUESTS)
@pytest.mark.parametrize("body", [None, [], "text", 5, True])
def test_json_that_is_no_object_is_refused(client: TestClient, path: str, body: object) -> None:
    assert faults(client.post(path, content=json.dumps(body), headers=JSON)).keys() == {"body"}


@pytest.mark.parametrize("path", REQUESTS)
def test_json_under_another_name_is_refused_with_the_right_one(client: TestClient, path: str) -> None:
    response = client.post(path, content=b'{"text": "hi"}', headers={"Content-Type": "text/plain"})
    assert "application/json" in faults(response)["body"]


@pytest.mark.parametrize(("path", "field"), REQUESTS.items())
def test_a_missing_field_is_named(client: TestClient, path: str, field: str) -> None:
    assert "missing" in faults(client.post(path, json={}))[field]
    assert faults(client.post(path)).keys() == {"body"}


@pytest.mark.parametrize("path", REQUESTS)
def test_a_field_that_is_not_known_is_named(client: TestClient, path: str) -> None:
    assert "unknown" in faults(client.post(path, json={"txet": "hello"}))["txet"]


@pytest.mark.parametrize(
    ("path", "field"), [("/v1/triage", "text"), ("/v1/answers", "question"), ("/v1/suggestions", "text")]
)
@pytest.mark.parametrize(
    ("text", "named"),
    [
        (5, "5"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        (["a"], "an array"),
        ({"a": 1}, "an object"),
        ("", "at least 1"),
        ("   \n\t\u3000\u00a0", "blank"),
        ("ก" * 20_001, "20,001"),
        ("đ" * 20_001, "20,000"),
        ("x" * 1_000_000, "1,000,000"),
        ("Ship\0it", "NUL"),
    ],
)
def test_a_text_that_nobody_can_have_written_is_refused_with_the_reason(
    client: TestClient, path: str, field: str, text: object, named: str
) -> None:
    assert named in faults(client.post(path, json={field: text}))[field]


@pytest.mark.parametrize("text", ["😀" * 20_000, "a" * 20_000])
def test_the_limit_counts_characters_and_is_itself_allowed(own_desk: Desk, text: str) -> None:
    assert ok(client_of(own_desk).post("/v1/triage", json={"text": text}))["id"]


@pytest.mark.parametrize("body", [b'{"text": "hi \\ud83d"}', b'{"text": "\\udc00\\ud800", "id": "m"}'])
def test_half_a_character_is_refused(client: TestClient, body: bytes) -> None:
    assert "lone surrogate" in faults(client.post("/v1/triage", content=body, headers=JSON))["text"]


@pytest.mark.parametrize("key", ["channel", "language", "id", "\\ud800"])
def test_half_a_character_elsewhere_is_refused_too(client: TestClient, key: str) -> None:
    body = f'{{"text": "hi", "{key}": "\\ud800"}}'.encode()
    named = faults(client.post("/v1/triage", content=body, headers=JSON))
    assert len(named) == 1
    assert any("surrogate" in said or "unknown" in said for said in named.values()), named


@pytest.mark.parametrize(
    ("message", "field", "named"),
    [
        ({"channel": "pigeon"}, "channel", ("'pigeon'", "live_chat", "phone")),
        ({"channel": ""}, "channel", ("''", "live_chat")),
        ({"channel": "c" * 65}, "channel", ("65", "64")),
        ({"channel": 5}, "channel", ("5",)),
        ({"language": "klingonese"}, "language", ("'klingonese'", "BCP 47")),
        ({"language": ""}, "language", ("''", "BCP 47")),
        ({"language": "t" * 36}, "language", ("36", "35")),
        ({"id": "two words"}, "id", ("'two words'",)),
        ({"id": ""}, "id", ("''",)),
        ({"id": "i" * 129}, "id", ("129", "128")),
        ({"id": 17}, "id", ("17",)),
        ({"mood": "angry"}, "mood", ("unknown",)),
    ],
)
def test_what_surrounds_a_text_is_checked_too(
    client: TestClient, message: dict[str, Any], field: str, named: tuple[str, ...]
) -> None:
    found = faults(client.post("/v1/triage", json={"text": TEXT, **message}))[field]
    assert [part for part in named if part not in found] == []


def test_every_fault_is_named_at_once_up_to_a_limit(client: TestClient) -> None:
    found = faults(client.post("/v1/triage", json={"id": 5, "channel": [], "language": "xx-none-such"}))
    assert found.keys() == {"text", "id", "channel", "language"}
    assert len(faults(client.post("/v1/triage", json={"text": TEXT, **{f"f{at}": at for at in range(500)}}))) == 20


def test_a_wrong_value_is_not_repeated_at_length(client: TestClient) -> None:
    response = client.post("/v1/suggestions", json={"text": TEXT, "limit": TEXT * 100, "customer": TEXT * 100})
    assert TEXT not in response.text
    assert faults(response).keys() == {"limit", "customer"}


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/tickets", "/v2/triage", "/v1/triage/x/corrections/y", "/v1/ตั๋ว"])
def test_a_path_that_does_not_exist_is_named(client: TestClient, path: str) -> None:
    detail = assert_problem(client.get(path), 404)["detail"]
    assert path in detail
    assert "/docs" in detail


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/triage", "POST"),
        ("DELETE", "/v1/triage/batch", "POST"),
        ("PUT", "/v1/answers", "POST"),
        ("POST", "/v1/taxonomy", "GET"),
        ("PATCH", "/readyz", "GET"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_named_with_the_one_it_takes(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)
    detail = assert_problem(response, 405)["detail"]
    assert (method in detail, allowed in detail) == (True, True)
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("language", sorted(PASSWORD))
def test_a_crash_shows_nothing_of_itself(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, language: str
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError(f"no such thing in /srv/secret.py: {PASSWORD[language]}")

    monkeypatch.setattr(triage_service, "read", crash)
    response = client.post("/v1/triage", json={"text": PASSWORD[language]})
    assert set(assert_problem(response, 500)) == {"type", "title", "status", "detail"}
    assert "secret" not in response.text
    assert "RuntimeError" not in response.text
    assert PASSWORD[language] not in response.text
    assert caplog.records[-1].exc_info is not None


def test_a_database_that_cannot_be_used_is_said_so_and_when_to_come_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise DatabaseUnavailable("PostgreSQL at db.internal:5432/desk does not answer")

    monkeypatch.setattr(triage_service, "read", unavailable)
    response = client.post("/v1/triage", json={"text": TEXT})
    assert "db.internal" not in assert_problem(response, 503)["detail"]
    assert int(response.headers["Retry-After"]) > 0
