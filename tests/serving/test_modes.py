"""What a desk lets its tasks do: be written, be shown, be recorded only, or nothing; what is kept back stays so."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle
from models.registry import Registry
from models.registry_state import TaskMode
from serving.desk import Desk, open_registry
from serving.keeper import Keeper
from tests.serving.terminal import Run
from tests.serving.wire import PASSWORD, WRONG_SIZE, client_of, ok, stored_decision, with_pipeline

LANGUAGES = sorted(WRONG_SIZE)
HIDDEN = {"label": "", "confidence": 0.0, "abstained": True, "ranking": [], "out_of_scope": 0.0}
QUIET = [TaskMode.MONITOR, TaskMode.OFF]


def _set(desk: Desk, **modes: TaskMode) -> None:
    registry = open_registry(desk.settings)
    for task, mode in modes.items():
        registry.set_mode(task, mode, who="Lan")
    desk.keeper.look_at_registry()


def _triage(desk: Desk, text: str, identity: str) -> dict[str, Any]:
    return ok(client_of(desk).post("/v1/triage", json={"text": text, "id": identity}))


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in HIDDEN}


@pytest.mark.parametrize("mode", [TaskMode.RECOMMEND, TaskMode.AUTOFILL])
def test_labels_are_shown_with_what_may_be_done_with_them(own_desk: Desk, mode: TaskMode) -> None:
    before = _triage(own_desk, WRONG_SIZE["zh-Hant"], "a")
    assert {before[task]["mode"] for task in ("intent", "urgency", "channel")} == {"recommend"}
    _set(own_desk, intent=mode, urgency=mode, channel=mode)
    after = _triage(own_desk, WRONG_SIZE["zh-Hant"], "b")
    for task in ("intent", "urgency", "channel"):
        assert after[task] == {**before[task], "mode": mode.value}
    assert after["decision"] == before["decision"]


@pytest.mark.parametrize("mode", QUIET)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_intent_that_is_kept_back_is_nowhere_in_the_answer(own_desk: Desk, language: str, mode: TaskMode) -> None:
    label = _triage(own_desk, WRONG_SIZE[language], "shown")["intent"]["label"]
    _set(own_desk, intent=mode)
    found = _triage(own_desk, WRONG_SIZE[language], "kept-back")
    assert found["intent"] == {**HIDDEN, "mode": mode.value}
    assert label not in json.dumps(found)
    assert found["decision"] == {
        "action": "review",
        "reasons": ["this desk decides nothing by the intent: its mode is monitor or off"],
    }
    assert found["urgency"]["label"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_monitored_label_is_in_the_record_and_stays_there(own_desk: Desk, language: str) -> None:
    real = _triage(own_desk, WRONG_SIZE[language], "shown")
    _set(own_desk, intent=TaskMode.MONITOR, urgency=TaskMode.MONITOR, channel=TaskMode.MONITOR)
    answered = _triage(own_desk, WRONG_SIZE[language], "monitored")
    record = stored_decision(own_desk, "monitored")
    assert (record.intent, record.urgency) == (real["intent"]["label"], real["urgency"]["label"])
    assert set(record.result["monitored"]) == {"intent", "urgency", "channel"}
    for task in ("intent", "urgency"):
        assert record.result["monitored"][task]["ranking"] == real[task]["ranking"]
        assert _shown(record.result[task]) == HIDDEN
    assert record.result["monitored"]["channel"]["ranking"]
    assert "monitored" not in answered
    assert _triage(own_desk, WRONG_SIZE[language], "monitored") == answered


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_that_is_off_is_not_in_the_record_either(own_desk: Desk, language: str) -> None:
    label = _triage(own_desk, WRONG_SIZE[language], "shown")["intent"]["label"]
    _set(own_desk, intent=TaskMode.OFF, urgency=TaskMode.OFF, channel=TaskMode.OFF)
    _triage(own_desk, WRONG_SIZE[language], "off")
    record = stored_decision(own_desk, "off")
    assert (record.intent, record.urgency) == ("", "")
    assert "monitored" not in record.result
    assert label not in json.dumps(record.result)


@pytest.mark.parametrize("mode", QUIET)
def test_an_urgency_that_is_kept_back_moves_nothing(own_desk: Desk, mode: TaskMode) -> None:
    text = "ĐƠN HÀNG GIAO SAI RỒI!!! cần gấp hôm nay, gọi cho tôi ngay"
    before = _triage(own_desk, text, "a")
    assert before["urgency"]["reasons"]
    _set(own_desk, urgency=mode)
    found = _triage(own_desk, text, "b")
    assert found["urgency"] == {**HIDDEN, "mode": mode.value, "reasons": []}
    assert "urgency" not in json.dumps(found["decision"])
    assert found["intent"] == before["intent"]


@pytest.mark.parametrize("mode", QUIET)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_channel_is_shown_when_the_model_has_no_say_in_it(own_desk: Desk, language: str, mode: TaskMode) -> None:
    _set(own_desk, channel=mode)
    channel = _triage(own_desk, WRONG_SIZE[language], "a")["channel"]
    assert channel["mode"] == mode.value
    assert sorted(one["channel"] for one in channel["ranking"]) == sorted(own_desk.current().pipeline.policy.ids)
    assert channel["recommended"] is not None
    assert {one["reasons"][0] for one in channel["ranking"]} == {"model: 0.00"}


@pytest.fixture
def queue_desk(own_desk: Desk, light_bundle: Bundle) -> Desk:
    """A desk with a task of its own."""
    queue = replace(light_bundle.heads["urgency"], labels=("бухгалтерия", "คลังสินค้า", "客服", "hậu mãi"))
    pipeline = own_desk.current().pipeline
    bundle = replace(light_bundle, heads={**light_bundle.heads, "queue": queue})
    return with_pipeline(own_desk, replace(pipeline, bundle=bundle))


@pytest.mark.parametrize("mode", QUIET)
def test_a_task_of_the_desk_keeps_its_place_when_its_label_is_kept_back(queue_desk: Desk, mode: TaskMode) -> None:
    before = _triage(queue_desk, PASSWORD["ru"], "a")["labels"]["queue"]
    assert (before["mode"], bool(before["label"])) == ("recommend", True)
    _set(queue_desk, queue=mode)
    assert _triage(queue_desk, PASSWORD["ru"], "b")["labels"] == {"queue": {**HIDDEN, "mode": mode.value, "labels": []}}
    kept = stored_decision(queue_desk, "b").result.get("monitored", {})
    assert kept == ({"queue": {name: before[name] for name in HIDDEN}} if mode is TaskMode.MONITOR else {})


@pytest.mark.parametrize("mode", QUIET)
@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_and_suggestions_do_without_the_intent(
    light_desk: Desk, own_desk: Desk, language: str, mode: TaskMode
) -> None:
    _set(own_desk, intent=mode)
    registry, pipeline = open_registry(own_desk.settings), light_desk.current().pipeline
    cache = light_desk.settings.data_dir / "kb"
    keeper = Keeper(registry, light_desk.database, pipeline, registry.state(), follows=False, cache=cache)
    client = client_of(replace(own_desk, keeper=keeper))
    assert ok(client.post("/v1/suggestions", json={"text": PASSWORD[language]}))["suggestions"]
    assert ok(client.post("/v1/answers", json={"question": PASSWORD[language]}))["text_language"]["code"] == language


def test_a_batch_is_of_one_mode(own_desk: Desk) -> None:
    _set(own_desk, intent=TaskMode.MONITOR)
    messages = [{"text": text, "id": language} for language, text in PASSWORD.items()]
    found = ok(client_of(own_desk).post("/v1/triage/batch", json={"messages": messages}))["results"]
    assert {one["intent"]["mode"] for one in found} == {"monitor"}
    assert all(stored_decision(own_desk, language).intent for language in PASSWORD)


def test_the_command_line_keeps_back_the_same(frontdesk: Run, tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    (shown,) = frontdesk("triage", WRONG_SIZE["th"]).rows
    assert shown["intent"]["mode"] == "recommend"
    registry = Registry(tmp_path / "desk" / "bundles")
    registry.set_mode("intent", TaskMode.MONITOR, who="สมชาย")
    registry.set_mode("urgency", TaskMode.AUTOFILL, who="สมชาย")
    (found,) = frontdesk("triage", WRONG_SIZE["th"]).rows
    assert found["intent"] == {**HIDDEN, "mode": "monitor"}
    assert shown["intent"]["label"] not in json.dumps(found)
    assert "monitored" not in found
    assert found["urgency"] == {**shown["urgency"], "mode": "autofill"}
