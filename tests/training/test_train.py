"""From tickets to a bundle: reproducible, measured, and clear about data it cannot use."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.bundle import Bundle, read_manifest, save_bundle
from models.light import LightEncoder
from training.data import Ticket, Tickets, joined
from training.errors import BadTrainingData
from training.splits import few_shots
from training.train import TrainingConfig, learned, train

WORDS = {
    "delivery.not_received": {
        "vi": "đơn hàng chưa tới nơi",
        "th": "ของยังไม่ถึงเลยค่ะ",
        "zh-Hans": "我的包裹还没到",
        "zh-Hant": "我的包裹還沒到",
        "ru": "посылка так и не пришла",
        "en": "my parcel never arrived",
    },
    "refund.status": {
        "vi": "bao giờ hoàn tiền vậy shop",
        "th": "จะได้เงินคืนเมื่อไหร่คะ",
        "zh-Hans": "退款什么时候到账",
        "zh-Hant": "退款什麼時候入帳",
        "ru": "когда вернут деньги",
        "en": "when do I get my refund",
    },
    "account.password": {
        "vi": "mình quên mật khẩu rồi",
        "th": "ลืมรหัสผ่านเข้าไม่ได้",
        "zh-Hans": "忘记密码登录不了",
        "zh-Hant": "忘記密碼登入不了",
        "ru": "забыла пароль и не войти",
        "en": "forgot my password again",
    },
}


def _tickets(intents: list[str] | None = None, languages: list[str] | None = None) -> Tickets:
    """Six messages in each language for each intent, numbered so that none is another's copy."""
    rows = [
        Ticket(f"{text}, TV-{at}{number}", {"intent": (intent,)}, language, f"{language} {intent} {number}")
        for at, (intent, texts) in enumerate(WORDS.items())
        for language, text in texts.items()
        for number in range(6)
        if (intents is None or intent in intents) and (languages is None or language in languages)
    ]
    return Tickets(tuple(rows), (), "f1n6e7")


def _trained(tickets: Tickets, encoder: LightEncoder, *tasks: str, **config: Any) -> Bundle:
    return train(tickets, tasks or ("intent",), encoder, TrainingConfig(**config))


def _bytes(bundle: Bundle, folder: Path) -> dict[str, bytes]:
    save_bundle(bundle, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes(light_encoder: LightEncoder, tmp_path: Path) -> None:
    first = _bytes(_trained(_tickets(), light_encoder), tmp_path / "1")
    assert _bytes(_trained(_tickets(), light_encoder), tmp_path / "2") == first
    assert _bytes(_trained(_tickets(), light_encoder, seed=14), tmp_path / "3") != first


@pytest.mark.parametrize("language", ["vi", "th", "zh-Hans", "zh-Hant", "ru", "en"])
def test_what_was_taught_is_recognised_in_every_language(light_encoder: LightEncoder, language: str) -> None:
    bundle = _trained(_tickets(), light_encoder)
    texts = {intent: f"{words[language]} TV-999" for intent, words in WORDS.items()}
    predictions = bundle.predict(list(texts.values()), light_encoder.encode(list(texts.values())))
    assert [prediction["intent"].label for prediction in predictions] == list(texts)


def test_the_manifest_says_where_the_bundle_comes_from_and_how_good_it_is(
    light_encoder: LightEncoder, tmp_path: Path
) -> None:
    save_bundle(_trained(_tickets(), light_encoder, name="bàn-hỗ-trợ", version=7, folds=3), tmp_path / "bundle")
    manifest = read_manifest(tmp_path / "bundle")
    assert (manifest["name"], manifest["version"]) == ("bàn-hỗ-trợ", 7)
    assert manifest["data"] == {"rows": 108, "fingerprint": "f1n6e7"}
    training = manifest["training"]
    assert (training["method"], training["seed"], training["precision"]) == ("head", 13, 0.9)
    assert training["held_out"] == manifest["metrics"]["how"] == "3-fold cross-validation, grouped"
    assert training["tasks"]["intent"].keys() == {"regularisation", "balanced", "softmax"}
    assert manifest["encoder"]["fingerprint"] == light_encoder.fingerprint
    assert manifest["tasks"]["intent"]["labels"] == sorted(WORDS)
    assert {"numpy", "scikit-learn", "torch"} <= manifest["libraries"].keys()
    figures = manifest["metrics"]["tasks"]["intent"]
    assert figures["rows"] == 108
    assert figures["languages"].keys() == {"vi", "th", "zh-Hans", "zh-Hant", "ru", "en"}
    shares = [figures[key] for key in ("accuracy", "macro_f1", "ece", "coverage", "precision_when_sure")]
    assert all(0 <= share <= 1 for share in shares)
    assert figures["accuracy"] > 0.95
    assert figures["precision_when_sure"] >= 0.9


def test_few_rows_are_learned_against_each_other_and_many_label_by_label(
    light_encoder: LightEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = _trained(_tickets(), light_encoder)
    monkeypatch.setattr("training.heads.FEW", 100)
    many = _trained(_tickets(), light_encoder)
    texts = [words["vi"] for words in WORDS.values()]
    for bundle, softmax in ((few, True), (many, False)):
        assert bundle.notes["training"]["tasks"]["intent"]["softmax"] is softmax
        predictions = bundle.predict(texts, light_encoder.encode(texts))
        assert [prediction["intent"].label for prediction in predictions] == list(WORDS)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("card_arrival", "card arrival"), ("cardArrival", "card arrival"), ("refund.status", "refund status"),
        ("hoàn_tiền", "hoàn tiền"), ("คืนเงิน", "คืนเงิน"), ("退货/换货", "退货 换货"), ("退貨", "退貨"),
        ("смена-тарифа", "смена тарифа"),
    ],
)  # fmt: skip
def test_a_label_is_known_by_its_name_where_that_is_learned(light_encoder: LightEncoder, label: str, text: str) -> None:
    odd = [
        Ticket(f"{letter * 3} {at}", {"intent": (label,)}, None, f"row {letter}") for at, letter in enumerate("qzxw")
    ]
    tickets = replace(_tickets(), rows=(*_tickets().rows, *odd))
    named, _ = learned(tickets, ["intent"], TrainingConfig(names=True))
    assert {row.label("intent"): row.text.lower() for row in named.rows[named.given :]}[label] == text
    bundle = _trained(tickets, light_encoder, names=True)
    (found,) = bundle.predict([text], light_encoder.encode([text]))
    assert found["intent"].label == label
    assert bundle.notes["training"]["names"] is True
    assert bundle.notes["data"]["rows"] == bundle.notes["metrics"]["tasks"]["intent"]["rows"] == len(tickets.rows)


def test_labels_that_nothing_tells_apart_are_as_likely(light_encoder: LightEncoder) -> None:
    rows = [Ticket("where is it", {"intent": ("ab"[at % 2],)}, None, f"row {at}") for at in range(12)]
    bundle = _trained(Tickets(tuple(rows), (), ""), light_encoder)
    (found,) = bundle.predict(["where is it"], light_encoder.encode(["where is it"]))
    assert found["intent"].confidence == pytest.approx(0.5, abs=0.02)


def test_a_name_is_a_row_of_its_own_task_and_none_without_a_letter() -> None:
    rows = tuple(
        Ticket(f"text {at}", {"intent": (label,), "urgency": ("low",) if at else ("high",)}, None, f"row {at}")
        for at, label in enumerate(["7", "7", "a", "_1"])
    )
    named, targets = learned(Tickets(rows, (), ""), ["intent", "urgency"], TrainingConfig(names=True))
    assert named.rows[: named.given] == rows
    names = [(row.text, dict(row.labels)) for row in named.rows[named.given :]]
    assert names == [
        ("a", {"intent": ("a",)}), ("high", {"urgency": ("high",)}), ("low", {"urgency": ("low",)})
    ]  # fmt: skip
    assert targets["intent"].rows.tolist() == [0, 1, 2, 3, 4]
    assert targets["urgency"].rows.tolist() == [0, 1, 2, 3, 5, 6]


def test_names_do_not_make_up_for_rows() -> None:
    rows = tuple(Ticket(f"text {at}", {"intent": (label,)}, None, f"row {at}") for at, label in enumerate("abc"))
    with pytest.raises(BadTrainingData, match="a label on two rows"):
        learned(Tickets(rows, (), ""), ["intent"], TrainingConfig(names=True))


def test_rows_are_scored_by_a_head_that_did_not_see_their_group(light_encoder: LightEncoder) -> None:
    # Each group tells its own story, so that only a leak between folds could know the label of another.
    rows = [
        Ticket(f"{word} {at}", {"intent": ("a" if number % 2 else "b",)}, None, word)
        for number, word in enumerate(
            ["xanh", "đỏ", "แดง", "เขียว", "红色", "綠色", "синий", "жёлтый", "violet", "grey"]
        )
        for at in range(6)
    ]
    figures = _trained(Tickets(tuple(rows), (), ""), light_encoder).notes["metrics"]["tasks"]["intent"]
    assert figures["accuracy"] < 0.8


def test_a_task_of_two_labels_works_both_ways(light_encoder: LightEncoder) -> None:
    bundle = _trained(_tickets(["refund.status", "account.password"]), light_encoder)
    assert bundle.heads["intent"].labels == ("account.password", "refund.status")
    texts = [words[language] for words in WORDS.values() for language in ("vi", "th", "zh-Hans", "zh-Hant", "ru", "en")]
    predictions = bundle.predict(texts[6:], light_encoder.encode(texts[6:]))
    assert [p["intent"].label for p in predictions] == ["refund.status"] * 6 + ["account.password"] * 6


def test_a_task_learns_from_the_rows_that_have_its_label(light_encoder: LightEncoder) -> None:
    rows = [
        replace(row, labels={**row.labels, "urgency": (("high", "low")[at // 2 % 2],)}) if at % 2 else row
        for at, row in enumerate(_tickets().rows)
    ]
    both = _trained(Tickets(tuple(rows), (), ""), light_encoder, "intent", "urgency")
    assert both.heads["intent"].labels == tuple(sorted(WORDS))
    assert both.heads["urgency"].labels == ("high", "low")
    tasks = both.notes["metrics"]["tasks"]
    assert (tasks["intent"]["rows"], tasks["urgency"]["rows"]) == (108, 54)
    text = [WORDS["refund.status"]["th"]]
    vectors = light_encoder.encode(text)
    alone = _trained(_tickets(), light_encoder)
    assert both.predict(text, vectors)[0]["intent"] == alone.predict(text, vectors)[0]["intent"]


@pytest.mark.parametrize(
    ("taught", "text"),
    [
        ("vi", "bao gio hoan tien vay shop"),
        ("zh-Hans", "退款什麼時候到賬"),
        ("zh-Hant", "退款什么时候入帐"),
    ],
)
def test_the_other_spelling_of_a_language_is_learned_along(light_encoder: LightEncoder, taught: str, text: str) -> None:
    bundle = _trained(_tickets(languages=[taught]), light_encoder)
    (prediction,) = bundle.predict([text], light_encoder.encode([text]))
    assert prediction["intent"].label == "refund.status"
    assert prediction["intent"].confidence > 0.8


def _rows(labels: list[str], groups: list[str]) -> Tickets:
    texts = [f"tin nhắn số {at}" for at in range(len(labels))]
    rows = zip(texts, labels, groups, strict=True)
    return Tickets(tuple(Ticket(text, {"intent": (label,)}, "vi", group) for text, label, group in rows), (), "")


@pytest.mark.parametrize(
    ("labels", "groups", "problem"),
    [
        (["a"] * 6, list("123456"), r"Task 'intent' has 1 label\(s\) on 6 row\(s\) in 6 group\(s\)"),
        (["a", "b"] * 3, ["1"] * 6, r"has 2 label\(s\) on 6 row\(s\) in 1 group\(s\)"),
        (["a", "b", "c"], list("123"), r"has 3 label\(s\) on 3 row\(s\) .* and a label on two rows"),
    ],
)
def test_too_little_to_learn_from_is_refused(
    light_encoder: LightEncoder, labels: list[str], groups: list[str], problem: str
) -> None:
    with pytest.raises(BadTrainingData, match=problem):
        _trained(_rows(labels, groups), light_encoder)


def test_a_task_that_no_row_has_is_refused(light_encoder: LightEncoder) -> None:
    with pytest.raises(BadTrainingData, match=r"Task 'queue' has 0 label\(s\)"):
        _trained(_tickets(), light_encoder, "intent", "queue")


@pytest.mark.parametrize("labels", ["aab", "abb", "aabbcd", "aaaab", "abcabc"])
def test_the_least_that_can_be_learned_from_is_learned_from(light_encoder: LightEncoder, labels: str) -> None:
    bundle = _trained(_rows(list(labels), [str(at) for at in range(len(labels))]), light_encoder)
    (prediction,) = bundle.predict(["tin nhắn số 0"], light_encoder.encode(["tin nhắn số 0"]))
    assert {score.label for score in prediction["intent"].ranking} == set(labels)


def test_a_task_of_several_labels_gives_each_of_them_by_itself(light_encoder: LightEncoder) -> None:
    parts = {"refund": "hoàn tiền คืนเงิน 退款 возврат refund", "parcel": "đơn hàng พัสดุ 包裹 посылка parcel"}
    rows = [
        Ticket(" ".join([*(parts[label] for label in labels), f"số {at}"]), {"topic": labels}, None, str((labels, at)))
        for labels in ((), ("refund",), ("parcel",), ("parcel", "refund"))
        for at in range(12)
    ]
    bundle = train(Tickets(tuple(rows), (), "", frozenset({"topic"})), ["topic"], light_encoder, TrainingConfig())
    texts = [row.text for row in rows[::12]]
    given = [set(p["topic"].labels) for p in bundle.predict(texts, light_encoder.encode(texts))]
    assert given == [set(), {"refund"}, {"parcel"}, {"parcel", "refund"}]
    assert bundle.predict(texts[:1], light_encoder.encode(texts[:1]))[0]["topic"].abstained


def test_a_validation_set_calibrates_and_nothing_learns_from_it(light_encoder: LightEncoder) -> None:
    whole = _tickets()
    rows = tuple(replace(row, text=f"{row.text} xyzzy", group=f"v{row.group}") for row in whole.rows[::3])
    # Other labels on those rows: what was learned is the same, and what was calibrated is not.
    labels = sorted(WORDS)
    turned = tuple(replace(row, labels={"intent": (labels[labels.index(row.label("intent")) - 1],)}) for row in rows)

    def trained(valid: tuple[Ticket, ...]) -> Bundle:
        both, held = joined(whole, Tickets(valid, (), "v"))
        return train(both, ["intent"], light_encoder, TrainingConfig(strengths=(0.5,)), valid=held)

    bundle, other = trained(rows), trained(turned)
    assert bundle.notes["metrics"]["how"] == "a validation set"
    assert bundle.notes["metrics"]["tasks"]["intent"]["rows"] == len(rows)
    head, same = bundle.heads["intent"], other.heads["intent"]
    assert np.array_equal(head.dense, same.dense)
    assert np.array_equal(head.lexical, same.lexical)
    assert head.sharpness != same.sharpness


def test_a_few_rows_of_each_label_are_drawn_by_chance_and_the_same_for_the_same_seed() -> None:
    drawn = few_shots(_tickets(), 5, seed=1)
    assert Counter(row.label("intent") for row in drawn.rows) == dict.fromkeys(WORDS, 5)
    assert drawn == few_shots(_tickets(), 5, seed=1)
    assert drawn.rows != few_shots(_tickets(), 5, seed=2).rows


def test_rows_marked_as_out_of_scope_are_no_label(light_encoder: LightEncoder) -> None:
    foreign = [Ticket(f"погода завтра {at} weather", {"intent": ("oos",)}, None, f"w{at}") for at in range(6)]
    tickets = replace(_tickets(), rows=(*_tickets().rows, *foreign))
    bundle = train(tickets, ["intent"], light_encoder, TrainingConfig(oos_label="oos"))
    assert bundle.heads["intent"].labels == tuple(sorted(WORDS))
