"""Two bundles on the same rows: differences, their intervals, and the rows behind them."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.training.evaluations import LANGUAGES, evaluation, one_task, said, scored, several
from training.compare import Comparison, TaskComparison, compare
from training.errors import BadTrainingData
from training.evaluate import Evaluation

LABELS = ("thẻ bị mất", "ยกเลิก", "退款", "発票", "возврат", "card.lost")


def _truth(rows: int = 120) -> list[str]:
    return [LABELS[at // len(LANGUAGES) % len(LABELS)] for at in range(rows)]


def _missing(truth: list[str], every: int, start: int = 0) -> list[str]:
    """Wrong on every so-manieth row, by the label that comes next."""
    wrong = range(start, len(truth), every)
    return [LABELS[(LABELS.index(name) + (at in wrong)) % len(LABELS)] for at, name in enumerate(truth)]


def _task(a: Evaluation, b: Evaluation) -> TaskComparison:
    return compare(a, b).tasks["intent"]


def _json(comparison: Comparison) -> Any:
    return json.loads(json.dumps(comparison.as_json(), allow_nan=False))


def test_a_bundle_differs_in_nothing_from_itself() -> None:
    truth = _truth()
    one = said(truth, _missing(truth, 7))
    found = _task(one, one)
    assert (found.rows, found.fixed, found.broken, found.only_a, found.only_b) == (120, (), (), (), ())
    parts = [found.figures, *found.labels.values(), *found.languages.values()]
    differences = [difference for part in parts for difference in part.values()]
    assert {(known.value, known.interval, known.direction) for known in differences} == {(0.0, (0.0, 0.0), 0)}


def test_what_changed_is_said_with_the_rows() -> None:
    truth = _truth()
    a, b = _missing(truth, 10), _missing(truth, 20, start=5)
    found = _task(said(truth, a, bundle="desk@1"), said(truth, b, bundle="desk@2"))
    assert [row["place"] for row in found.fixed] == [f"tickets.jsonl:{at + 1}" for at in range(0, 120, 10)]
    assert [row["place"] for row in found.broken] == [f"tickets.jsonl:{at + 1}" for at in range(5, 120, 20)]
    first = found.fixed[0]
    assert (first["truth"], first["a"]["predicted"], first["b"]["predicted"]) == (truth[0], a[0], truth[0])
    accuracy = found.figures["accuracy"]
    assert (accuracy.a, accuracy.b, accuracy.value) == (0.9, 0.95, 0.05)
    low, high = accuracy.interval or (0, 0)
    assert low < 0.05 < high
    assert found.languages.keys() == set(LANGUAGES)
    assert {language for language, known in found.languages.items() if known["accuracy"].value} == {
        row["language"] for row in (*found.fixed, *found.broken)
    }
    document = _json(compare(said(truth, a), said(truth, b)))
    assert document["tasks"]["intent"]["figures"]["accuracy"]["difference"] == 0.05
    assert document["tasks"]["intent"]["labels"].keys() == set(LABELS)


def test_intervals_are_paired() -> None:
    # Both are wrong on the same sixth of the rows; only two rows differ, and that difference is known well.
    truth = _truth(600)
    a = _missing(truth, 6)
    b = [truth[at] if at in (0, 6) else name for at, name in enumerate(a)]
    low, high = _task(said(truth, a), said(truth, b)).figures["accuracy"].interval or (-1, 1)
    assert 0 <= low < high < 0.01


def test_a_clear_difference_lies_beyond_its_interval() -> None:
    truth = _truth(600)
    found = _task(said(truth, truth), said(truth, ["退款" if name == "возврат" else name for name in truth]))
    assert found.figures["accuracy"].direction == -1
    assert {name for name, known in found.labels.items() if known["f1"].direction == -1} == {"退款", "возврат"}
    assert found.labels["возврат"]["recall"].b == 0
    assert found.labels["возврат"]["precision"].b is None
    assert found.labels["возврат"]["precision"].value is None
    assert found.labels["退款"]["recall"].direction == 0


def test_labels_of_either_bundle_count() -> None:
    truth = ["cũ"] * 6 + ["mới"] * 6 + ["khác"] * 6
    a = one_task(truth, scored(["cũ", "khác"], ["cũ"] * 12 + ["khác"] * 6))
    b = one_task(truth, scored(["mới", "cũ"], ["cũ"] * 6 + ["mới"] * 6 + ["cũ"] * 6))
    found = _task(evaluation(a), evaluation(b))
    assert (found.rows, found.only_a, found.only_b) == (18, ("khác",), ("mới",))
    assert (len(found.fixed), len(found.broken)) == (6, 6)
    assert (found.labels["mới"]["recall"].a, found.labels["mới"]["recall"].b) == (0.0, 1.0)
    assert {row["b"]["predicted"] for row in found.broken} == {"cũ"}


def test_telling_out_of_scope_is_compared_too() -> None:
    truth = ["a", "b"] * 20 + ["oos"] * 20
    given = ["a", "b"] * 30
    blind = evaluation(one_task(truth, scored(["a", "b"], given, 0.9)))
    seeing = evaluation(one_task(truth, scored(["a", "b"], given, [0.9] * 40 + [0.3] * 20)))
    found = _task(blind, seeing).figures
    assert (found["out_of_scope_auroc"].a, found["out_of_scope_auroc"].b) == (0.5, 1.0)
    assert found["out_of_scope_recall_at_2_percent"].direction == 1
    assert not any(name.startswith("out_of_scope") for name in _task(said(["a"], ["a"]), said(["a"], ["a"])).figures)


def test_tasks_with_several_labels_are_compared() -> None:
    truth: list[tuple[str, ...]] = [("оплата",), ("оплата", "доставка"), ()] * 10
    right = np.array([[0.9, 0.1], [0.9, 0.9], [0.1, 0.1]] * 10)
    shy = np.where(right > 0.5, [0.9, 0.2], 0.1)
    a, b = (evaluation(one_task(truth, several(["оплата", "доставка"], shares))) for shares in (right, shy))
    found = _task(a, b)
    assert (found.figures["micro_f1"].a, found.figures["micro_f1"].direction) == (1.0, -1)
    assert (len(found.fixed), len(found.broken)) == (0, 10)


def test_one_row_is_compared() -> None:
    found = _task(said(["a"], ["a"]), said(["a"], ["b"]))
    assert (found.figures["accuracy"].value, found.figures["accuracy"].interval) == (-1.0, (-1.0, -1.0))
    _json(compare(said(["a"], ["a"]), said(["a"], ["b"])))


def test_only_the_same_rows_and_tasks_can_be_compared() -> None:
    one = said(["a", "b"], ["a", "b"])
    with pytest.raises(BadTrainingData, match=r"desk@1 was evaluated on 2 rows \(d4t4\), desk@1 on 2 \(0th3r\)"):
        compare(one, replace(one, fingerprint="0th3r"))
    other = evaluation(one_task(["a", "b"], scored(["a", "b"], ["a", "b"]), task="urgency"), bundle="desk@2")
    with pytest.raises(BadTrainingData, match=r"desk@1 \(intent\) and desk@2 \(urgency\) share no task"):
        compare(one, other)
