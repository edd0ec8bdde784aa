"""A bundle on labelled tickets: what counts, what is counted apart, and what every row's result looks like."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.bundle import Bundle
from models.light import LightEncoder
from tests.conftest import LIGHT_MESSAGES
from tests.conftest import MESSAGES as STARTER
from tests.training.evaluations import LANGUAGES, evaluation, one_task, said, scored, several
from training.data import Ticket, Tickets, read_tickets
from training.errors import BadTrainingData
from training.evaluate import Evaluation, evaluate
from training.mistakes import confused_pairs, row_of, wrong_rows
from triage.normalize import normalize

PARCEL = {
    "vi": "đơn TV-104233 mãi chưa thấy giao tới",
    "th": "พัสดุยังไม่ถึงเลยค่ะ รอมาอาทิตย์นึงแล้ว",
    "zh-Hans": "快递一直没收到，都一周了",
    "zh-Hant": "包裹一直沒收到，都一週了",
    "ru": "посылка так и не пришла, жду неделю",
    "en": "my parcel still has not arrived, it's been a week",
}


def _tickets(rows: Sequence[tuple[str, str | None, Mapping[str, Sequence[str]]]]) -> Tickets:
    tickets = [
        Ticket(text, {task: tuple(names) for task, names in labels.items()}, language, f"row {at}", f"a.jsonl:{at + 1}")
        for at, (text, language, labels) in enumerate(rows)
    ]
    return Tickets(tuple(tickets), (), "f1n6e7")


def _parcels(*labels: str) -> Tickets:
    return _tickets([(text, language, {"intent": labels}) for language, text in PARCEL.items()])


def _figures(found: Evaluation, task: str = "intent") -> Any:
    """As a program reads them, which takes no NaN."""
    return json.loads(json.dumps(found.as_json(), allow_nan=False))["tasks"][task]


def test_every_figure_of_the_starter_messages(light_bundle: Bundle, light_encoder: LightEncoder) -> None:
    tickets = read_tickets(sorted(STARTER.rglob("contrast.jsonl")), {"intent": "intent", "urgency": "urgency"})
    known = light_bundle.heads["intent"].labels
    tickets = replace(tickets, rows=tuple(row for row in tickets.rows if row.label("intent") in known))
    found = evaluate(light_bundle, light_encoder, tickets, ["intent", "urgency"])
    assert found.as_json()["bundle"] == "light@1"
    assert found.as_json()["tasks"].keys() == {"intent", "urgency"}
    figures = _figures(found)
    texts = [normalize(row.text) for row in tickets.rows]
    predicted = light_bundle.predict(texts, light_encoder.encode(texts))
    right = [row.label("intent") == one["intent"].label for row, one in zip(tickets.rows, predicted, strict=True)]
    sure = [not one["intent"].abstained for one in predicted]
    assert figures["rows"] == len(right)
    assert figures["accuracy"] == pytest.approx(np.mean(right), abs=1e-4)
    assert figures["coverage"] == pytest.approx(np.mean(sure), abs=1e-4)
    assert figures["languages"].keys() == set(LANGUAGES)
    assert sum(known["support"] for known in figures["languages"].values()) == len(right)
    assert set(figures["labels"]) == set(light_bundle.heads["intent"].labels)
    for part in [figures, *figures["languages"].values()]:
        for key, (low, high) in part["intervals"].items():
            assert 0 <= low <= part[key] <= high <= 1, key
    of_label = figures["labels"]["order.cancel"]
    assert {"precision", "recall", "f1", "support", "coverage", "precision_when_sure"} <= of_label.keys()
    assert of_label["support"] == sum(row.label("intent") == "order.cancel" for row in tickets.rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_are_read_in_their_language(light_bundle: Bundle, light_encoder: LightEncoder, language: str) -> None:
    away = 2 * (light_encoder.encode([normalize(PARCEL[language])])[0] - light_bundle.scale.center)
    bundle = replace(light_bundle, language_shifts={language: away})
    plain, moved = (
        evaluate(one, light_encoder, _parcels("delivery.not_received"), ["intent"]).tasks["intent"]
        for one in (light_bundle, bundle)
    )
    changed = (moved.scored.shares != plain.scored.shares).any(axis=1)
    assert [row.language for row, other in zip(moved.tickets, changed, strict=True) if other] == [language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_read_as_they_are_served(light_bundle: Bundle, light_encoder: LightEncoder, language: str) -> None:
    text = PARCEL[language]
    disguised = f"\ufeff{text[:6]}\u200b{text[6:]}\n\n\n"
    rows = _tickets([(shown, language, {"intent": ["delivery.not_received"]}) for shown in (text, disguised)])
    task = evaluate(light_bundle, light_encoder, rows, ["intent"]).tasks["intent"]
    assert np.array_equal(task.scored.shares[0], task.scored.shares[1])


def test_pieces_of_work_are_reported_and_change_nothing(
    light_bundle: Bundle, light_encoder: LightEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate(light_bundle, light_encoder, _parcels("delivery.not_received"), ["intent"])
    monkeypatch.setattr("training.evaluate._CHUNK", 4)
    steps: list[int] = []
    pieces = evaluate(light_bundle, light_encoder, _parcels("delivery.not_received"), ["intent"], advance=steps.append)
    assert steps == [4, 2]
    assert pieces.tasks["intent"].scored.shares == pytest.approx(whole.tasks["intent"].scored.shares, abs=1e-6)


def test_rows_count_for_the_tasks_they_are_labelled_for(light_bundle: Bundle, light_encoder: LightEncoder) -> None:
    rows = [(text, language, {"intent": ["delivery.not_received"]}) for language, text in PARCEL.items()]
    rows[0][2]["urgency"] = ["normal"]
    rows.append(("không có nhãn", "vi", {"queue": ["kho"]}))
    found = evaluate(light_bundle, light_encoder, _tickets(rows), ["intent", "urgency"])
    assert [_figures(found, task)["rows"] for task in ("intent", "urgency")] == [6, 1]
    assert found.rows == 7


@pytest.mark.parametrize(
    ("task", "message"),
    [("mood", r"light@1 has no task mood; it has intent, urgency, channel"), ("channel", "No row .* task 'channel'")],
)
def test_a_task_that_cannot_be_measured_is_refused(
    light_bundle: Bundle, light_encoder: LightEncoder, task: str, message: str
) -> None:
    with pytest.raises(BadTrainingData, match=message):
        evaluate(light_bundle, light_encoder, _parcels("delivery.not_received"), [task])


def test_several_labels_are_refused_where_a_bundle_gives_one(light_bundle: Bundle, light_encoder: LightEncoder) -> None:
    with pytest.raises(BadTrainingData, match=r"a.jsonl:1 has 2 labels of 'intent'"):
        evaluate(light_bundle, light_encoder, _parcels("delivery.not_received", "order.status"), ["intent"])


def test_whether_the_rows_were_trained_on_is_known(light_bundle: Bundle, light_encoder: LightEncoder) -> None:
    columns = {"intent": "intent", "urgency": "urgency", "channel": "best_channel"}
    trained_on = read_tickets(LIGHT_MESSAGES, columns)
    assert evaluate(light_bundle, light_encoder, trained_on, ["intent"]).seen_in_training
    assert not evaluate(light_bundle, light_encoder, _parcels("order.status"), ["intent"]).seen_in_training


def test_labels_that_the_bundle_does_not_know_are_counted_apart() -> None:
    known = said(["đổi", "đổi", "trả"], ["đổi", "trả", "trả"])
    labels = ["đổi", "trả"]
    rows = ["đổi", "đổi", "trả", "换货", "换货", "“<b>”"]
    task = one_task(rows, scored(labels, ["đổi", "trả", "trả", "đổi", "đổi", "trả"]))
    figures = _figures(evaluation(task))
    assert figures["unknown_labels"] == {"换货": 2, "“<b>”": 1}
    assert (figures["rows"], figures["accuracy"]) == (3, _figures(known)["accuracy"])
    assert [row["truth"] for row in wrong_rows(task)] == ["đổi"]


def test_rows_out_of_scope_count_for_being_told_apart_only() -> None:
    rows = ["a", "b", "a", "oos", "oos"]
    confidence = [0.9, 0.9, 0.8, 0.95, 0.2]
    task = one_task(rows, scored(["a", "b"], ["a", "b", "a", "b", "a"], confidence))
    figures = _figures(evaluation(task))
    assert (figures["rows"], figures["accuracy"], figures["unknown_labels"]) == (3, 1.0, {})
    # The scores are 0.1, 0.1, 0.2 in scope, and 0.05 and 0.8 out of it.
    found = figures["out_of_scope"]
    assert (found["rows"], found["auroc"], found["recall_at_2_percent"], found["abstained"]) == (2, 0.5, 0.5, 0.5)
    assert [(row["truth"], row["predicted"], row["abstained"]) for row in wrong_rows(task)] == [("oos", "b", False)]
    assert _figures(said(["a", "b"], ["a", "b"]))["out_of_scope"] is None


def test_a_label_that_a_bundle_learned_can_stand_for_out_of_scope(
    light_bundle: Bundle, light_encoder: LightEncoder
) -> None:
    rows = [(text, language, {"intent": ["delivery.not_received"]}) for language, text in PARCEL.items()]
    rows += [("cho hỏi mai trời có mưa không", "vi", {"intent": ["other.out_of_scope"]})]
    plain = _figures(evaluate(light_bundle, light_encoder, _tickets(rows), ["intent"]))
    assert (plain["rows"], plain["out_of_scope"]) == (7, None)
    found = evaluate(light_bundle, light_encoder, _tickets(rows), ["intent"], oos_label="other.out_of_scope")
    assert (_figures(found)["rows"], _figures(found)["out_of_scope"]["rows"]) == (6, 1)


@pytest.mark.parametrize(
    ("truth", "given", "accuracy"),
    [(["ru"], ["ru"], 1.0), (["ru"], ["th"], 0.0), (["một nhãn"] * 5, ["một nhãn"] * 5, 1.0), (["?"], ["a"], None)],
)
def test_the_least_data_has_figures_too(truth: list[str], given: list[str], accuracy: float | None) -> None:
    labels = sorted({"ru", "th", "một nhãn", "a"})
    figures = _figures(evaluation(one_task(truth, scored(labels, given))))
    assert figures["accuracy"] == figures["macro_f1"] == accuracy
    if accuracy is None:
        assert (figures["rows"], figures["intervals"], figures["languages"]) == (0, {}, {})
    else:
        assert figures["intervals"]["accuracy"] == [accuracy, accuracy]
        assert figures["labels"]["a"] | {"intervals": {}} == {
            "support": 0,
            "given": 0,
            "precision": None,
            "recall": None,
            "f1": None,
            "coverage": None,
            "precision_when_sure": None,
            "intervals": {},
        }


def test_a_head_that_is_never_sure_has_no_precision_when_it_is() -> None:
    figures = _figures(evaluation(one_task(["a", "b"], scored(["a", "b"], ["a", "b"], 0.6, threshold=0.99))))
    assert (figures["accuracy"], figures["coverage"], figures["precision_when_sure"]) == (1.0, 0.0, None)


def test_rows_that_name_no_language_are_undetermined() -> None:
    task = one_task(["a", "a", "b", "b"], scored(["a", "b"], ["a", "b", "b", "b"]), languages=("th", None))
    languages = _figures(evaluation(task))["languages"]
    assert {name: known["accuracy"] for name, known in languages.items()} == {"th": 1.0, "und": 0.5}


def test_a_row_of_several_labels_is_right_when_all_of_them_are() -> None:
    labels = ["оплата", "配送", "ส่งคืน"]
    truth: list[tuple[str, ...]] = [("оплата", "配送"), (), ("ส่งคืน",), ("oos",)]
    task = one_task(truth, several(labels, [[0.9, 0.8, 0.1], [0.2, 0.1, 0.1], [0.7, 0, 0.6], [0, 0, 0.9]], 0.75))
    figures = _figures(evaluation(task))
    assert (figures["rows"], figures["accuracy"], figures["multi_label"]) == (3, 0.6667, True)
    assert figures["micro_f1"] == pytest.approx(6 / 7, abs=1e-4)
    assert (figures["coverage"], figures["precision_when_sure"]) == (0.3333, 1.0)
    assert [(row["truth"], row["predicted"]) for row in wrong_rows(task)] == [
        (["oos"], ["ส่งคืน"]),
        (["ส่งคืน"], ["оплата", "ส่งคืน"]),
    ]


def test_wrong_rows_come_with_their_place_and_the_surest_first() -> None:
    truth, given = ["a", "b", "c", "a"], ["b", "b", "a", "c"]
    task = one_task(truth, scored(["a", "b", "c", "d"], given, [0.4, 0.9, 0.7, 0.8]))
    rows = list(wrong_rows(task))
    assert [row["confidence"] for row in rows] == [0.8, 0.7, 0.4]
    assert [row["place"] for row in rows] == ["tickets.jsonl:4", "tickets.jsonl:3", "tickets.jsonl:1"]
    assert rows[2] == row_of(task, 0)
    assert (rows[2]["truth"], rows[2]["predicted"], rows[2]["abstained"], rows[2]["language"]) == ("a", "b", True, "vi")
    assert [len(row["ranking"]) for row in rows] == [3, 3, 3]
    assert rows[2]["ranking"][0] == {"label": "b", "score": 0.4}


def test_the_most_confused_pairs_come_first_with_their_surest_rows() -> None:
    truth = ["退货"] * 5 + ["换货"] * 4
    given = ["换货"] * 3 + ["退货"] * 2 + ["退货"] + ["换货"] * 3
    task = one_task(truth, scored(["换货", "退货"], given, [0.6, 0.8, 0.7] + [0.9] * 6))
    first, second = confused_pairs(task, most=5, examples=2)
    assert (first.truth, first.given, first.count, first.share) == ("退货", "换货", 3, 0.6)
    assert [row["confidence"] for row in first.examples] == [0.8, 0.7]
    assert (second.truth, second.given, second.count) == ("换货", "退货", 1)
    assert len(confused_pairs(task, most=1)) == 1
