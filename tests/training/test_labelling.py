"""Which messages are suggested for labelling, and the files that labelling programs read and write."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from models.bundle import Bundle
from models.light import LightEncoder
from models.types import Scored, TextKind, Vectors
from tests.conftest import MESSAGES as STARTER
from tests.models.samples import EVERY_MESSAGE, MESSAGES
from training import labelling
from training.annotations import read_annotations
from training.errors import BadTrainingData
from training.labelling import suggest, uncertainty
from training.labelling_files import (
    MESSAGE,
    Unlabelled,
    argilla_settings,
    label_studio_config,
    labelling_file,
    read_unlabelled,
)
from triage.normalize import normalize

LANGUAGES = sorted(MESSAGES)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    found, problems = read_unlabelled(sorted(STARTER.rglob("varied.jsonl")))
    assert problems == ()
    return [message.text for message in found]


def _scored(shares: list[list[float]], out_of_scope: Sequence[float] | None = None, **how: bool) -> Scored:
    rows = np.array(shares, np.float32)
    scope = np.array(out_of_scope if out_of_scope is not None else [0.0] * len(rows), np.float32)
    labels = tuple(f"label {number}" for number in range(rows.shape[1]))
    return Scored(labels, rows, scope, rows > 1, **how)


def test_doubt_runs_from_none_to_a_toss_whatever_the_number_of_labels() -> None:
    three = _scored([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]])
    assert uncertainty({"intent": three}) == pytest.approx([0, 1, np.log(2) / np.log(3)], abs=1e-6)
    several = _scored([[0, 1], [0.5, 1], [0.1, 0.9]], multi_label=True)
    assert uncertainty({"tags": several})[:2] == pytest.approx([0, 1], abs=1e-6)
    assert uncertainty({"intent": three, "tags": several})[1] == pytest.approx(1)


def test_a_text_that_may_be_out_of_scope_is_doubtful_although_its_label_is_not() -> None:
    sure = _scored([[1, 0]] * 3, [0.02, 0.5, 0.99])
    known, between, foreign = uncertainty({"intent": sure})
    assert between == pytest.approx(1)
    assert known < 0.2
    assert foreign < 0.2


def test_suggestions_are_the_same_for_the_same_seed_and_the_least_certain_come_first(
    light_bundle: Bundle, light_encoder: LightEncoder, texts: list[str]
) -> None:
    first = suggest(light_bundle, light_encoder, texts, count=40)
    assert first == suggest(light_bundle, light_encoder, texts, count=40)
    assert len({candidate.position for candidate in first}) == 40
    doubts = [candidate.uncertainty for candidate in first]
    assert doubts == sorted(doubts, reverse=True)
    spoken = [normalize(text) for text in texts]
    assert np.mean(doubts) > 1.1 * uncertainty(light_bundle.score(spoken, light_encoder.encode(spoken))).mean()
    assert all(candidate.predictions.keys() == light_bundle.heads.keys() for candidate in first)


def test_they_do_not_depend_on_how_many_texts_are_scored_at_once(
    light_bundle: Bundle, light_encoder: LightEncoder, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    class Counting(LightEncoder):
        def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
            sizes.append(len(texts))
            return super().encode(texts, kind)

    whole = suggest(light_bundle, light_encoder, texts, count=5)
    monkeypatch.setattr(labelling, "CHUNK", 100)
    assert suggest(light_bundle, Counting(), texts, count=5) == whole
    assert max(sizes) == 100


def test_what_is_uncertain_is_nearer_to_one_of_them_than_to_one_of_the_most_uncertain(
    light_bundle: Bundle, light_encoder: LightEncoder, texts: list[str]
) -> None:
    vectors = light_encoder.encode(texts)
    by_doubt = np.argsort(-uncertainty(light_bundle.score(texts, vectors)))
    points = light_bundle.scale.dense(vectors)

    def distance(chosen: Sequence[int]) -> float:
        return float(1 - (points[by_doubt[:600]] @ points[chosen].T).max(axis=1).mean())

    suggested = suggest(light_bundle, light_encoder, texts, count=60)
    assert distance([c.position for c in suggested]) < distance(by_doubt[:60].tolist())


def test_near_duplicates_are_suggested_once_and_not_at_all_when_labelled_already(
    light_bundle: Bundle, light_encoder: LightEncoder
) -> None:
    alike = [
        "Đơn TV-118402 của mình giao trễ ba ngày rồi, shop kiểm tra giúp mình với ạ!!",
        "สั่งไปตั้งแต่วันจันทร์ ของยังไม่ถึงเลยค่ะ ช่วยเช็กให้หน่อยค่ะ",
        "我的包裹显示已签收，可是我根本没有收到！",
        "訂單顯示已送達,但我到現在都沒有收到包裹",
        "Заказ должен был прийти в понедельник, а его всё ещё нет!",
        "My order was due on Monday, and still hasn't arrived…",
    ]
    found = suggest(light_bundle, light_encoder, [*EVERY_MESSAGE, *alike, *EVERY_MESSAGE], count=100)
    assert sorted(candidate.position for candidate in found) == list(range(len(EVERY_MESSAGE)))
    left = suggest(light_bundle, light_encoder, EVERY_MESSAGE, count=100, known=alike)
    assert [EVERY_MESSAGE[c.position] for c in left if EVERY_MESSAGE[c.position] in EVERY_MESSAGE[::3]] == []
    assert len(left) == 12


def test_texts_that_are_all_alike_to_the_encoder_are_no_obstacle(
    light_bundle: Bundle, light_encoder: LightEncoder
) -> None:
    class Blind(LightEncoder):
        def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
            return np.zeros((len(texts), self.dimension), np.float32)

    assert len(suggest(light_bundle, Blind(), EVERY_MESSAGE, count=7)) == 7
    assert suggest(light_bundle, light_encoder, [], count=7) == []


def test_progress_counts_every_text(light_bundle: Bundle, light_encoder: LightEncoder) -> None:
    seen: list[int] = []
    suggest(light_bundle, light_encoder, [*EVERY_MESSAGE, *EVERY_MESSAGE], count=3, advance=seen.append)
    assert sum(seen) == 2 * len(EVERY_MESSAGE)


def test_messages_are_read_with_what_is_known_of_them_and_bad_rows_are_named(tmp_path: Path) -> None:
    rows = [{"text": MESSAGES[language][0], "id": f"m-{language}", "language": language} for language in LANGUAGES]
    rows += [{"subject": "Возврат", "body": "Как вернуть чайник?", "channel": "email", "intent": "x"}, {"text": " "}]
    path = tmp_path / "new.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    found, problems = read_unlabelled([path])
    assert found[0] == Unlabelled(MESSAGES["en"][0], {"id": "m-en", "language": "en"})
    assert found[-1] == Unlabelled("Возврат\nКак вернуть чайник?", {"channel": "email"})
    assert [str(problem) for problem in problems] == [f"{path}:8: has no text"]
    with pytest.raises(BadTrainingData, match="'message' that texts are read from"):
        read_unlabelled([path], text="message")
    path.write_text('{"text": ""}\n')
    with pytest.raises(BadTrainingData, match=r"No usable message: .*new\.jsonl:1: has no text"):
        read_unlabelled([path])


@pytest.fixture(scope="module")
def bundle(light_bundle: Bundle) -> Bundle:
    """With a task whose messages have any number of labels, and one that is called as the text is."""
    urgency = replace(light_bundle.heads["urgency"], multi_label=True, thresholds=np.full(4, 0.3))
    heads = {**light_bundle.heads, "urgency": urgency, "text": light_bundle.heads["intent"]}
    return replace(light_bundle, name="bàn-1", heads=heads)


@pytest.fixture(scope="module")
def entries(bundle: Bundle, light_encoder: LightEncoder) -> list[dict[str, Any]]:
    messages = [Unlabelled(MESSAGES[language][0], {"id": language, "channel": "email"}) for language in LANGUAGES]
    candidates = suggest(bundle, light_encoder, [message.text for message in messages], count=6)
    return labelling_file(messages, candidates, bundle)


def test_every_proposal_is_one_that_label_studio_and_argilla_are_told_of(
    bundle: Bundle, entries: list[dict[str, Any]]
) -> None:
    view = ElementTree.fromstring(label_studio_config(bundle))
    options = {
        choices.get("name"): {choice.get("value") for choice in choices.findall("Choice")}
        for choices in view.findall("Choices")
    }
    settings = argilla_settings(bundle)
    questions = {
        question["name"]: {option["value"] for option in question["settings"]["options"]}
        for question in settings["questions"]
    }
    assert options == questions == {task: set(head.labels) for task, head in bundle.heads.items()}
    # Both programs know things by names that have to differ.
    names = [part["name"] for kind in ("fields", "questions", "metadata") for part in settings[kind]]
    assert len(set(names)) == len(names)
    assert [choices.get("choice") for choices in view.findall("Choices")].count("multiple") == 1
    for entry in entries:
        assert entry["data"]["text"] == entry["fields"][MESSAGE]
        (prediction,) = entry["predictions"]
        assert prediction["model_version"] == "bàn-1@1"
        assert 0 <= prediction["score"] <= 1
        for part in prediction["result"]:
            assert set(part["value"]["choices"]) <= options[part["from_name"]]
        for task, suggestion in entry["suggestions"].items():
            several = bundle.heads[task].multi_label
            assert set(suggestion["value"] if several else [suggestion["value"]]) <= questions[task]
            assert len(suggestion["score"]) == len(suggestion["value"]) if several else suggestion["score"] <= 1
            assert suggestion["agent"] == "b-n-1-1"


def test_labels_that_mean_something_in_xml_stay_whole(bundle: Bundle) -> None:
    odd = ("<hoàn tiền> & “đổi”", '退款"30天"', "возврат'1'", "คืน/เปลี่ยน")
    head = replace(bundle.heads["channel"], labels=(*odd, *bundle.heads["channel"].labels[4:]))
    view = ElementTree.fromstring(label_studio_config(replace(bundle, heads={"channel": head})))
    assert [choice.get("value") for choice in view.iter("Choice")][:4] == list(odd)


def _write(folder: Path, entries: object) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def _choices(updated_at: str, *, was_cancelled: bool = False, **labels: list[str]) -> dict[str, Any]:
    """An annotation as Label Studio 1.23 exports it, without what nobody reads."""
    result = [
        {"from_name": task, "to_name": MESSAGE, "type": "choices", "value": {"choices": names}, "origin": "manual"}
        for task, names in labels.items()
    ]
    return {"result": result, "was_cancelled": was_cancelled, "updated_at": updated_at, "completed_by": 1}


def test_what_label_studio_exports_comes_back_as_labels(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    first, later = "2026-03-01T09:00:00Z", "2026-03-01T09:00:01Z"
    annotations = [
        [_choices(later, intent=["order.status"]), _choices(first, intent=["order.cancel"], channel=["phone"])],
        [_choices(first, urgency=["low", "high"]), _choices(later, was_cancelled=True, urgency=["low"])],
        [_choices(first, was_cancelled=True, intent=["order.status"])],
        [],
    ]
    exported = [
        {"id": number, "data": entry["data"], "annotations": given, "predictions": entry["predictions"]}
        for number, (entry, given) in enumerate(zip(entries, annotations, strict=False))
    ]
    one, other = read_annotations(_write(tmp_path, exported))
    assert (one.text, one.about["channel"]) == (entries[0]["data"]["text"], "email")
    assert (one.labels, one.disputed) == ({"intent": "order.status", "channel": "phone"}, ("intent",))
    assert (other.labels, other.disputed) == ({"urgency": ["high", "low"]}, ())


def test_what_argilla_exports_comes_back_as_labels(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    responses: list[dict[str, Any]] = [
        {
            "intent": [{"value": "order.status", "user_id": "a"}, {"value": "order.cancel", "user_id": "b"}],
            "urgency": [{"value": ["low", "high"], "user_id": "a"}],
            "channel": [{"value": "phone", "user_id": "a"}, {"value": "phone", "user_id": "b"}],
        },
        {"urgency": [{"value": [], "user_id": "a"}]},
        {},
    ]
    exported = [
        {"id": str(number), "responses": given, **{key: entry[key] for key in ("fields", "metadata", "suggestions")}}
        for number, (entry, given) in enumerate(zip(entries, responses, strict=False))
    ]
    (one,) = read_annotations(_write(tmp_path, exported))
    assert (one.text, one.about) == (entries[0]["data"]["text"], {"id": entries[0]["data"]["id"], "channel": "email"})
    assert one.labels == {"intent": "order.cancel", "urgency": ["high", "low"], "channel": "phone"}
    assert one.disputed == ("intent",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "cannot be read as JSON"),
        ("\N{REPLACEMENT CHARACTER}", "cannot be read as JSON"),
        ('{"data": {}}', "not a list"),
        ("[1]", "not a list"),
        ('[{"text": "เช็กให้หน่อยค่ะ", "intent": "order.status"}]', "neither format"),
        ('[{"data": {}, "annotations": [{"result": [{"type": "choices"}]}]}]', "neither format"),
        ('[{"data": {"text": "где чек?"}, "annotations": []}]', "Nobody has labelled any of the 1 messages"),
    ],
)
def test_another_file_is_refused_with_what_to_export(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadTrainingData, match=said) as refused:
        read_annotations(path)
    assert "From Label Studio export JSON" in str(refused.value)
