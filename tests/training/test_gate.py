"""The gate: what got worse is named with figures, and chance is not taken for it."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.training.evaluations import LANGUAGES, evaluation, one_task, said, scored, several
from training import gate
from training.bootstrap import resampled
from training.errors import BadTrainingData
from training.evaluate import Evaluation
from training.gate import Verdict, judge

LABELS = [f"{theme}.{number}" for theme in ("thẻ", "การส่ง", "退款", "發票", "возврат") for number in range(4)]


def _truth(each: int = 30) -> list[str]:
    return [label for label in LABELS for _ in range(each)]


def _guessed(truth: list[str], accuracy: float, generator: np.random.Generator) -> list[str]:
    right = generator.random(len(truth)) < accuracy
    other = generator.choice(LABELS, len(truth))
    return [name if good else str(wrong) for name, good, wrong in zip(truth, right, other, strict=True)]


def _alike(truth: list[str], given: list[str], generator: np.random.Generator) -> list[str]:
    """What another bundle that is right as often says: mostly the same."""
    right = sum(map(str.__eq__, truth, given)) / len(truth)
    same, others = generator.random(len(truth)) < 0.6, _guessed(truth, right, generator)
    return [one if keep else other for one, keep, other in zip(given, same, others, strict=True)]


def _judged(truth: list[str], live: list[str], candidate: list[str], **how: int) -> Verdict:
    return judge(said(truth, live, labels=LABELS), said(truth, candidate, labels=LABELS, bundle="desk@2"), **how)


def test_the_same_answers_pass() -> None:
    truth = _truth()
    given = _guessed(truth, 0.9, np.random.default_rng(0))
    verdict = _judged(truth, given, given)
    assert verdict.accepted
    assert verdict == Verdict((), ())
    assert verdict.as_json() == {"accepted": True, "reasons": [], "notes": []}


def test_candidates_of_equal_quality_are_hardly_ever_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "SWAPS", 2_000)
    # The bootstrap does not decide; it draws the intervals that reasons show.
    monkeypatch.setattr("training.compare.resampled", partial(resampled, resamples=10))
    generator = np.random.default_rng(7)
    refused = 0
    truth = _truth(20)
    for _ in range(40):
        live = _guessed(truth, 0.9, generator)
        refused += not _judged(truth, live, _alike(truth, live, generator)).accepted
    # Judged one by one at 95 %, 27 labels, languages and totals would refuse about half of them.
    assert refused <= 2


def test_a_broken_label_is_named_with_its_figures() -> None:
    generator = np.random.default_rng(1)
    truth = _truth(100)
    live = _guessed(truth, 0.95, generator)
    candidate = _alike(truth, live, generator)
    broken = generator.random(len(truth)) < 0.5
    candidate = [
        LABELS[0] if name == "退款.1" and worse else given
        for name, given, worse in zip(truth, candidate, broken, strict=True)
    ]
    verdict = _judged(truth, live, candidate)
    named = [reason for reason in verdict.reasons if "退款.1" in reason]
    assert not verdict.accepted
    assert len(named) == 1
    assert named[0].startswith("intent: label 退款.1: F1 0.9")
    assert " on 100 rows (recall 0.9" in named[0]
    assert ", difference -0." in named[0]
    # The label that its rows went to lost precision; nothing else is blamed.
    assert all("退款.1" in reason or LABELS[0] in reason for reason in verdict.reasons if "label" in reason)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_broken_language_is_named(language: str) -> None:
    generator = np.random.default_rng(2)
    truth = _truth(60)
    live = _guessed(truth, 0.95, generator)
    spoken = [LANGUAGES[at % len(LANGUAGES)] for at in range(len(truth))]
    candidate = [
        str(generator.choice(LABELS)) if its == language and generator.random() < 0.25 else given
        for given, its in zip(live, spoken, strict=True)
    ]
    verdict = _judged(truth, live, candidate)
    blamed = [reason for reason in verdict.reasons if "language" in reason]
    assert len(blamed) == 1
    assert blamed[0].startswith(f"intent: language {language}: accuracy 0.9")
    assert f"on {spoken.count(language)} rows" in blamed[0]


def test_a_little_worse_everywhere_is_noticed_too() -> None:
    generator = np.random.default_rng(3)
    truth = _truth(60)
    live = _guessed(truth, 0.97, generator)
    worse = generator.random(len(truth)) < 0.04
    candidate = [
        str(other) if bad else given
        for given, bad, other in zip(live, worse, generator.choice(LABELS, len(truth)), strict=True)
    ]
    *_, last = _judged(truth, live, candidate).reasons
    assert last.startswith("intent: all rows: accuracy 0.9")


def test_a_better_candidate_passes_even_where_it_says_a_label_more_often() -> None:
    truth = _truth()
    # The live bundle hardly gives the label; the candidate finds it, with as many false ones as comes with that.
    live = [LABELS[1] if name == LABELS[0] else name for name in truth]
    candidate = [LABELS[0] if at % 150 == 37 else name for at, name in enumerate(truth)]
    assert _judged(truth, live, candidate).accepted


def test_a_label_that_draws_others_to_itself_is_named() -> None:
    truth = _truth()
    # No other label loses more than three of its rows, but this one's word is worth half of what it was.
    candidate = [LABELS[0] if at % 12 == 5 and name != LABELS[0] else name for at, name in enumerate(truth)]
    (first, *_) = _judged(truth, truth, candidate).reasons
    assert first.startswith(f"intent: label {LABELS[0]}: F1 1.000 -> 0.5")
    assert "recall 1.000 -> 1.000" in first


def test_labels_and_tasks_that_are_gone_are_refused_whatever_the_figures() -> None:
    truth = ["a", "b"] * 20
    live = evaluation(
        one_task(truth, scored(["a", "b", "mất rồi", "遗失"], truth)),
        one_task(truth, scored(["a", "b"], truth), task="urgency"),
    )
    candidate = evaluation(one_task(truth, scored(["a", "b", "mới"], truth)), bundle="desk@2")
    verdict = judge(live, candidate)
    assert verdict.reasons == ("task urgency is gone", "intent: label mất rồi is gone", "intent: label 遗失 is gone")
    assert "intent: new labels: mới" in verdict.notes


def test_a_label_that_is_gone_is_named_once_though_its_rows_are_lost() -> None:
    truth = ["a"] * 40 + ["b"] * 40
    candidate = evaluation(one_task(truth, scored(["a"], ["a"] * 80)), bundle="desk@2")
    reasons = judge(said(truth, truth), candidate).reasons
    assert [reason for reason in reasons if "label b" in reason] == ["intent: label b is gone"]


def test_a_new_label_is_no_excuse_for_the_old_ones() -> None:
    truth = ["cũ"] * 60 + ["khác"] * 60 + ["mới"] * 300
    live = evaluation(one_task(truth, scored(["cũ", "khác"], ["cũ"] * 60 + ["khác"] * 60 + ["cũ"] * 300)))
    given = ["mới"] * 30 + ["cũ"] * 30 + ["khác"] * 60 + ["mới"] * 300
    candidate = evaluation(one_task(truth, scored(["cũ", "khác", "mới"], given)), bundle="desk@2")
    reasons = judge(live, candidate).reasons
    assert any(reason.startswith("intent: label cũ: F1 1.000 -> 0.667 on 60 rows") for reason in reasons)
    assert any(reason.startswith("intent: all rows: accuracy 1.000 -> 0.750 on 120 rows") for reason in reasons)


def test_labels_and_languages_with_few_rows_are_noted_and_not_judged() -> None:
    truth = [*_truth(), *["hiếm"] * 9]
    live = [*LABELS[:9], *truth[9:]]  # eight wrong rows, which the candidate has right
    candidate = [*_truth(), *LABELS[:9]]
    verdict = _judged(truth, live, candidate)
    assert verdict.accepted
    assert "intent: too few rows to judge label hiếm" in verdict.notes
    (reason, *_) = _judged(truth, live, candidate, min_support=5).reasons
    assert reason.startswith("intent: label hiếm: F1 1.000 -> 0.000 on 9 rows")


def test_rows_about_one_matter_are_one_observation() -> None:
    truth = _truth()
    candidate = [LABELS[1] if name == LABELS[0] else name for name in truth]
    groups = [f"matter {at // 15}" for at in range(len(truth))]
    alone = judge(said(truth, truth), said(truth, candidate, bundle="desk@2"))
    assert any(LABELS[0] in reason for reason in alone.reasons)
    together = [
        evaluation(one_task(truth, scored(sorted(LABELS), given), groups=groups)) for given in (truth, candidate)
    ]
    assert judge(*together).accepted


def test_what_does_not_decide_is_noted() -> None:
    truth = _truth()
    known = sorted(LABELS)

    def bundle(confidence: float, notes: dict[str, dict[str, str]] | None = None) -> Evaluation:
        return evaluation(one_task(truth, scored(known, truth, confidence)), notes=notes, bundle="desk@2")

    verdict = judge(bundle(0.9), bundle(0.3, {"data": {"fingerprint": "d4t4"}}))
    assert verdict.accepted
    assert verdict.notes[0].startswith("desk@2 was trained on these very rows")
    assert any(note.startswith("intent: coverage got worse, 1.000 -> 0.000") for note in verdict.notes)
    assert any(note.startswith("intent: ece got worse") for note in verdict.notes)


def test_several_labels_a_row_are_judged() -> None:
    truth: list[tuple[str, ...]] = [("оплата",), ("оплата", "доставка"), ()] * 20
    right = np.array([[0.9, 0.1], [0.9, 0.9], [0.1, 0.1]] * 20)
    shy = right * [1, 0.3]
    live, candidate = (evaluation(one_task(truth, several(["оплата", "доставка"], one))) for one in (right, shy))
    reasons = judge(live, candidate).reasons
    assert any(reason.startswith("intent: label доставка: F1 1.000 -> 0.000 on 20 rows") for reason in reasons)
    assert not any("оплата" in reason for reason in reasons)


@pytest.mark.parametrize("truth", [["a"], ["oos"] * 3, ["chưa biết"] * 3])
def test_too_little_to_judge_is_no_reason_to_refuse(truth: list[str]) -> None:
    live = evaluation(one_task(truth, scored(["a", "b"], ["a"] * len(truth))))
    candidate = evaluation(one_task(truth, scored(["a", "b"], ["b"] * len(truth))), bundle="desk@2")
    verdict = judge(live, candidate)
    assert verdict.accepted
    assert any("too few rows to judge label a, b" in note for note in verdict.notes)


def test_other_rows_cannot_be_judged_by() -> None:
    one = said(["a", "b"], ["a", "b"])
    with pytest.raises(BadTrainingData, match="same files"):
        judge(one, replace(one, rows=3))
