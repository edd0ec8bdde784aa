"""A candidate reads live messages beside the live bundle: recorded, never shown, and in nobody's way."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

import serving.shadow
from models.bundle import WEIGHTS, Bundle
from models.light import AdaptedLightEncoder, LightEncoder
from models.registry import LIVE, Registry
from models.registry_state import TaskMode
from models.types import Prediction, TextKind, Vectors
from serving.app import create_app
from serving.desk import Desk
from tests.conftest import ROOT
from tests.serving.following import WHO, add_versions, opened
from tests.serving.terminal import Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE, ok, rows

TEXTS = [*PASSWORD.values(), *WRONG_SIZE.values()]
TASKS = ("intent", "urgency", "channel")
UNSEEN = "unseen."


@pytest.fixture
def registry(light_bundle: Bundle, empty_database: Path, tmp_path: Path) -> Registry:
    """help@1 is live; help@2 says another intent of every message; help@3 has labels that no other has, and shadows."""
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "frontdesk.db").write_bytes(empty_database.read_bytes())
    registry = add_versions(folder, light_bundle)
    heads = {
        task: replace(head, labels=tuple(f"{UNSEEN}{label}" for label in head.labels))
        for task, head in light_bundle.heads.items()
    }
    registry.add(replace(light_bundle, name="help", heads=heads))
    registry.set_shadow("help@3", who=WHO)
    return registry


@pytest.fixture
def desk(registry: Registry, light_encoder: LightEncoder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(serving.shadow, "LINGER", 0.0)
    with opened(registry.folder.parent, light_encoder, bundle=LIVE) as desk:
        yield desk


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    """HTTP to a server that runs, its threads included."""
    with TestClient(create_app(desk), raise_server_exceptions=False) as client:
        yield client


def _soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


def _said(desk: Desk) -> list[dict[str, Any]]:
    with desk.database.transaction(read_only=True) as session:
        found = session.execute(text("SELECT * FROM shadow_predictions ORDER BY decision_id, task"))
        return [dict(row) for row in found.mappings()]


def _send(client: TestClient, texts: Sequence[str] = TEXTS) -> list[dict[str, Any]]:
    messages = [{"text": message, "id": f"m-{number}"} for number, message in enumerate(texts)]
    found: list[dict[str, Any]] = ok(client.post("/v1/triage/batch", json={"messages": messages}))["results"]
    return found


def test_what_the_shadow_says_of_each_message_is_recorded_beside_the_live_bundles_words(
    desk: Desk, client: TestClient
) -> None:
    results = _send(client)
    one = ok(client.post("/v1/triage", json={"text": "ขอเปลี่ยนไซซ์รองเท้าได้ไหมคะ", "id": "m-x"}))
    assert _soon(lambda: desk.shadow.tally.recorded == len(TEXTS) + 1)
    said = _said(desk)
    assert {(row["decision_id"], row["task"]) for row in said} == {
        (result["id"], task) for result in [*results, one] for task in TASKS
    }
    assert {(row["bundle"], row["live_bundle"]) for row in said} == {("help@3", "help@1")}
    # The shadow differs in its labels' names alone.
    assert all(row["label"] == UNSEEN + row["live_label"] for row in said)
    assert all(row["confidence"] == row["live_confidence"] for row in said)
    shown = {result["id"]: result["intent"]["label"] for result in [*results, one]}
    assert {row["decision_id"]: row["live_label"] for row in said if row["task"] == "intent"} == shown


def _requests() -> dict[str, tuple[str, dict[str, Any] | None]]:
    """A request for each route."""
    asked = {"text": PASSWORD["vi"], "triage_id": "m-0"}
    return {
        "/v1/triage": ("POST", {"text": WRONG_SIZE["ru"], "id": "m-0"}),
        "/v1/triage/batch": ("POST", {"messages": [{"text": message} for message in TEXTS]}),
        "/v1/triage/{triage_id}/corrections": ("POST", {"task": "intent", "label": "order.status"}),
        "/v1/answers": ("POST", {"question": PASSWORD["zh-Hant"]}),
        "/v1/answers/{answer_id}/outcome": ("POST", {"outcome": "solved"}),
        "/v1/knowledge/gaps": ("GET", None),
        "/v1/reply-candidates": ("GET", None),
        "/v1/reply-candidates/{candidate_id}/review": ("POST", {"status": "approved"}),
        "/v1/suggestions": ("POST", asked),
        "/v1/suggestions/{suggestion_id}/events": ("POST", {"kind": "displayed"}),
        "/v1/taxonomy": ("GET", None),
        "/healthz": ("GET", None),
        "/readyz": ("GET", None),
    }


def test_no_route_shows_anything_of_it(desk: Desk, client: TestClient) -> None:
    requests = _requests()
    assert client.get("/openapi.json").json()["paths"].keys() == requests.keys()
    told = ""
    for route, (method, body) in requests.items():
        path = route.format(triage_id="m-0", suggestion_id="s", answer_id="a", candidate_id="c")
        response = client.request(method, path, json=body)
        assert response.status_code in (200, 404), response.text
        told += response.text + str(response.headers)
    told += client.get("/openapi.json").text
    assert _soon(lambda: desk.shadow.tally.recorded == 1 + len(TEXTS))
    assert [word for word in (UNSEEN, "help@3", "shadow") if word in told] == []


def test_answers_are_the_same_as_without_a_shadow(desk: Desk, client: TestClient, registry: Registry) -> None:
    with_shadow = _send(client)
    # What is still waiting to be recorded would find its decisions again below.
    assert _soon(lambda: desk.shadow.tally.recorded == len(TEXTS))
    registry.set_shadow(None, who=WHO)
    desk.keeper.look_at_registry()
    with desk.database.transaction() as session:
        session.execute(text("DELETE FROM decisions"))
    assert _send(client) == with_shadow
    assert rows(desk, "shadow_predictions") == 0


@pytest.mark.parametrize("mode", TaskMode)
def test_a_task_that_is_off_is_not_recorded(desk: Desk, client: TestClient, registry: Registry, mode: TaskMode) -> None:
    registry.set_mode("urgency", mode, who=WHO)
    desk.keeper.look_at_registry()
    _send(client, TEXTS[:1])
    assert _soon(lambda: desk.shadow.tally.recorded == 1)
    assert {row["task"] for row in _said(desk)} == set(TASKS) - ({"urgency"} if mode is TaskMode.OFF else set())


def test_a_message_sent_again_counts_once(desk: Desk, client: TestClient) -> None:
    for _ in range(3):
        _send(client, TEXTS[:2])
    assert _soon(lambda: desk.shadow.tally.recorded == 6)
    assert rows(desk, "shadow_predictions") == 2 * len(TASKS)


def test_another_shadow_takes_over_and_none_ends_it(desk: Desk, client: TestClient, registry: Registry) -> None:
    for reference in ("help@2", None):
        registry.set_shadow(reference, who=WHO)
        desk.keeper.look_at_registry()
        ok(client.post("/v1/triage", json={"text": PASSWORD["zh-Hans"], "id": f"beside-{reference}"}))
    assert _soon(lambda: desk.shadow.tally.recorded == 1)
    assert {(row["decision_id"], row["bundle"]) for row in _said(desk)} == {("beside-help@2", "help@2")}


class _Stuck:
    """In place of a bundle whose every prediction waits until it is let go."""

    reference, adapted = "help@3", None

    def __init__(self) -> None:
        self.go = threading.Event()

    def shifted(self, vectors: Vectors, languages: Sequence[str]) -> Vectors:
        assert len(vectors) == len(languages)
        return vectors

    def predict(self, texts: Sequence[str], vectors: Vectors) -> list[dict[str, Prediction]]:
        self.go.wait(20)
        return [{} for _ in texts]


def test_a_slow_shadow_keeps_nobody_waiting_and_what_it_misses_is_counted(
    registry: Registry, light_encoder: LightEncoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = _Stuck()
    monkeypatch.setattr(serving.shadow, "load_bundle", lambda *_: stuck)
    monkeypatch.setattr(serving.shadow, "MAX_WAITING", 5)
    monkeypatch.setattr(serving.shadow, "BATCH", 1)
    with opened(registry.folder.parent, light_encoder) as desk, TestClient(create_app(desk)) as client:
        started = time.monotonic()
        assert len(_send(client)) == len(TEXTS)
        assert time.monotonic() - started < 10
        # One is in its hands, or still waiting as well.
        assert desk.shadow.tally.dropped in (len(TEXTS) - 6, len(TEXTS) - 5)
        stuck.go.set()
        assert _soon(lambda: desk.shadow.tally.recorded + desk.shadow.tally.dropped == len(TEXTS))
        assert _soon(lambda: "the shadow did not see" in caplog.text)
    assert rows(desk, "decisions") == len(TEXTS)


def test_what_waits_when_the_server_stops_is_still_recorded(
    registry: Registry, light_encoder: LightEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(registry.folder.parent, light_encoder) as desk:
        with TestClient(create_app(desk)) as client:
            _send(client)
        assert rows(desk, "shadow_predictions") == len(TEXTS) * len(TASKS)


def test_a_shadow_that_cannot_be_loaded_or_fails_is_logged_counted_and_tried_again(
    desk: Desk,
    client: TestClient,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    weights = registry.find("help@3") / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    expected = _send(client, TEXTS[:1])
    assert _soon(lambda: desk.shadow.tally.failed == 1)
    assert "the shadow help@3 failed; it is tried again" in caplog.text
    # Until then it is not even tried: a message is not worth reading a broken file.
    monkeypatch.setattr(serving.shadow, "load_bundle", None)
    assert _send(client, TEXTS[:1]) == expected
    assert _soon(lambda: desk.shadow.tally.failed == 2)
    monkeypatch.undo()
    weights.write_bytes(whole)
    desk.shadow._retry_at = 0.0
    assert _send(client, TEXTS[:1]) == expected
    assert _soon(lambda: desk.shadow.tally.recorded == 1)
    assert rows(desk, "shadow_predictions") == len(TASKS)


def test_a_table_that_cannot_be_written_is_no_matter_of_the_live_answer(desk: Desk, client: TestClient) -> None:
    with desk.database.transaction() as session:
        session.execute(text("DROP TABLE shadow_predictions"))
    assert len(_send(client)) == len(TEXTS)
    assert _soon(lambda: desk.shadow.tally.failed == len(TEXTS))


def test_a_candidate_with_an_encoder_of_its_own_reads_by_it(
    desk: Desk, client: TestClient, light_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    class Own(AdaptedLightEncoder):
        def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
            read.extend(texts)
            return -super().encode(texts, kind)

    adapted = replace(light_bundle, name="help", version=3, adapted=Own(LightEncoder(), 0))
    monkeypatch.setattr(serving.shadow, "load_bundle", lambda *_: adapted)
    _send(client)
    assert _soon(lambda: desk.shadow.tally.recorded == len(TEXTS))
    assert sorted(read) == sorted(TEXTS)
    assert any(row["label"] != row["live_label"] for row in _said(desk))


def test_nothing_is_half_recorded_when_the_server_is_killed(desk: Desk, registry: Registry) -> None:
    code = """
import sys
from itertools import count
from models.light import LightEncoder
from serving import shadow
from serving.desk import open_desk
from serving.services.triage import TriageRequest, triage
from serving.settings import Settings
from triage.pipeline import Message
from tests.serving.wire import PASSWORD
shadow.LINGER = 0.0
desk = open_desk(Settings(data_dir=sys.argv[1]), encoder=LightEncoder())
with desk.shadow.recording():
    for number in count():
        for language, text in PASSWORD.items():
            triage(desk, [TriageRequest(Message(text), f"{number}-{language}")])
        if desk.shadow.tally.recorded > 30:
            print(number, flush=True)
"""
    command = [sys.executable, "-c", code, str(desk.settings.data_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        child.kill()
    assert child.returncode == -9
    said = _said(desk)
    assert len(said) > 30 * len(TASKS)
    assert {row["task"] for row in said} == set(TASKS)
    by_decision = [
        [row for row in said if row["decision_id"] == identity] for identity in {r["decision_id"] for r in said}
    ]
    assert {len(found) for found in by_decision} == {len(TASKS)}
    with TestClient(create_app(desk)) as client:
        _send(client)
        assert _soon(lambda: desk.shadow.tally.recorded == len(TEXTS))


@pytest.fixture
def spoken(desk: Desk, client: TestClient, registry: Registry) -> Desk:
    """help@2 has seen twelve messages, and agents have given four of them an intent."""
    registry.set_shadow("help@2", who=WHO)
    desk.keeper.look_at_registry()
    results = _send(client)
    assert _soon(lambda: desk.shadow.tally.recorded == len(TEXTS))
    shadows = {row["decision_id"]: row["label"] for row in _said(desk) if row["task"] == "intent"}
    labels = [shadows["m-0"], shadows["m-1"], results[2]["intent"]["label"]]
    for number, label in enumerate(labels):
        ok(client.post(f"/v1/triage/m-{number}/corrections", json={"task": "intent", "label": label}))
    return desk


def test_agreement_is_reported_by_task_language_pair_and_correction(frontdesk: Run, spoken: Desk) -> None:
    finished = frontdesk("models", "agreement", "--json")
    assert finished.status == 0, finished.err
    (report,) = finished.rows
    assert (report["bundle"], report["live"]) == ("help@2", {"help@1": 12})
    assert (report["recorded"], report["decisions"]) == (12, 12)
    intent, urgency = report["tasks"]["intent"], report["tasks"]["urgency"]
    assert (intent["rows"], intent["agreement"], urgency["agreement"]) == (12, 0.0, 1.0)
    assert intent["interval"] == pytest.approx([0, 0.2425], abs=1e-4)
    assert urgency["interval"] == pytest.approx([0.7575, 1], abs=1e-4)
    assert set(intent["languages"]) == set(PASSWORD)
    assert all(share["rows"] == 2 for share in intent["languages"].values())
    assert intent["abstained"] == intent["live_abstained"]
    assert sum(pair["rows"] for pair in intent["differences"]) == 12
    assert {identity for pair in intent["differences"] for identity in pair["decisions"]} <= {
        f"m-{number}" for number in range(12)
    }
    assert urgency["differences"] == []
    assert intent["corrected"] == {"task": "intent", "rows": 3, "right": 2, "live_right": 1, "both_right": 0}
    assert urgency["corrected"] is None


def test_agreement_is_told_to_people_too(frontdesk: Run, spoken: Desk) -> None:
    finished = frontdesk("models", "agreement", "help@2", "--since", "2026-01-01")
    assert finished.status == 0, finished.err
    assert "help@2 on 12 of 12 decisions, beside help@1 (12)" in finished.out
    assert "intent: the same label 0.0% (0.0% to 24.2%) of 12" in finished.out
    assert "agents gave 3 labels: the shadow had 2 of them, live 1, both 0" in finished.out
    assert "zh-Hant" in finished.out
    assert " → " in finished.out


def test_no_agreement_without_a_shadow_is_a_clear_error(frontdesk: Run, spoken: Desk) -> None:
    assert_failed(frontdesk("models", "agreement", "help@9"), "help@9 has read no live message", "models shadow")
    assert_failed(frontdesk("models", "agreement", "--since", "2999-01-01"), "no shadow has read", "since 2999-01-01")
    assert_failed(frontdesk("models", "agreement", "--since", "เมื่อวาน"), "2026-03-01")
