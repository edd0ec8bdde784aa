"""Bodies over the limit are refused without being read to the end, and logs hold nothing that a customer wrote."""

import logging
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from serving.desk import Desk
from serving.limits import MAX_BODY
from tests.serving.wire import WRONG_SIZE, assert_problem, client_of, faults, ok

MIB = 1024 * 1024


def test_a_body_of_five_megabytes_is_too_large(client: TestClient) -> None:
    message = faults(client.post("/v1/triage", json={"text": "đ" * 2_500_000}), 413)["body"]
    assert f"{MAX_BODY:,}" in message
    assert "the limit" in message


def test_a_body_that_does_not_say_how_long_it_is_is_read_only_up_to_the_limit(client: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(50):
            sent += MIB
            yield b" " * MIB

    response = client.post("/v1/triage/batch", content=endless())
    assert_problem(response, 413)
    assert "content-length" not in response.request.headers


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 400), (MAX_BODY + 1, 413)])
def test_the_limit_itself_is_allowed(client: TestClient, size: int, status: int) -> None:
    response = client.post("/v1/triage", content=b"x" * size, headers={"Content-Type": "application/json"})
    assert_problem(response, status)


def test_every_path_has_the_limit(client: TestClient) -> None:
    for path in ("/v1/answers", "/v1/suggestions", "/v1/suggestions/x/events", "/v1/nothing", "/healthz"):
        assert_problem(client.post(path, content=b"x" * (MAX_BODY + 1)), 413)


@pytest.mark.parametrize("language", sorted(WRONG_SIZE))
def test_logs_hold_no_message_texts(own_desk: Desk, caplog: pytest.LogCaptureFixture, language: str) -> None:
    client, text = client_of(own_desk), WRONG_SIZE[language]
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        ok(client.post("/v1/triage", json={"text": text, "id": "m-1"}))
        ok(client.post("/v1/answers", json={"question": text}))
        ok(client.post("/v1/suggestions", json={"text": text, "customer": {"name": "Nguyễn Thị Hà"}}))
        client.post("/v1/triage", json={"text": f"{text}!", "id": "m-1"})
        client.post("/v1/triage", json={"text": text, "channel": text})
        client.post("/v1/triage", json={"text": [text]})
        client.post("/v1/triage", content=text.encode())
        client.get(f"/v1/{text}")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx2")]
    logged = f"{lines}{ours}"
    assert len(lines) == 8
    for words in (text, text[:10], "TV-104233", "anna.pham@example.com", "Nguyễn Thị Hà"):
        assert words not in logged


def test_each_request_is_one_line_with_its_route_and_outcome(client: TestClient) -> None:
    with capture_logs() as lines:
        client.post("/v1/triage/m-17/corrections", json={})
        client.get("/v1/nothing")
        client.get("/healthz")
    assert [(line["method"], line["status"]) for line in lines] == [("POST", 422), ("GET", 404), ("GET", 200)]
    assert [line["event"] for line in lines] == ["request"] * 3
    assert all(line["ms"] >= 0 for line in lines)
    assert lines[2]["route"] == "/healthz"
    assert "m-17" not in str(lines[0])
