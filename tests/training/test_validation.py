"""Labelled tickets looked over before any compute: every fault is found, with its file and line, and no other is."""

import json
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.columns import Fault
from training.data import Tickets, parse_columns, read_tickets
from training.errors import BadTrainingData
from training.findings import Check, Finding, Severity, ValidationReport
from training.near_duplicates import families
from training.validation import validate

REFUND = {
    "vi": "Bao giờ shop hoàn tiền cho mình",
    "th": "เมื่อไหร่จะคืนเงินให้คะ",
    "zh-Hans": "你们什么时候把钱退给我",
    "zh-Hant": "請問什麼時候會退款給我",
    "ru": "Когда вы вернёте мне деньги",
    "en": "When will I get my money back",
}
INVOICE = {
    "vi": "Cho mình xin hoá đơn đỏ của đơn này",
    "th": "ขอใบกำกับภาษีของออเดอร์นี้หน่อยค่ะ",
    "zh-Hans": "麻烦给这个订单开一张增值税发票",
    "zh-Hant": "這筆訂單可以開統一發票給公司嗎",
    "ru": "Пришлите, пожалуйста, счёт-фактуру по этому заказу",
    "en": "Please send a VAT invoice for this order",
}
LANGUAGES = tuple(REFUND)


def _rows(*intents: str) -> list[dict[str, Any]]:
    texts = {"refund": REFUND, "invoice": INVOICE}
    return [
        {"text": text, "language": language, "intent": intent}
        for intent in intents or texts
        for language, text in texts[intent].items()
    ]


def _read(path: Path, rows: Sequence[Any], tasks: Sequence[str] = ("intent",)) -> Tickets:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return read_tickets([path], parse_columns(tasks))


def _found(report: ValidationReport, kind: Check | Fault) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.kind is kind]
    return finding


def _lines_of(finding: Finding) -> list[list[int]]:
    return [[int(place.rpartition(":")[2]) for place in case.places] for case in finding.cases]


def test_sound_tickets_have_no_findings(tmp_path: Path) -> None:
    report = validate(_read(tmp_path / "a.jsonl", _rows()))
    report.require_usable()
    assert report.findings == ()
    assert report.languages == dict.fromkeys(sorted(LANGUAGES), 2)
    assert report.tasks["intent"]["refund"] == dict.fromkeys(sorted(LANGUAGES), 1)
    assert report.lines() == [
        "12 rows; en 2, ru 2, th 2, vi 2, zh-Hans 2, zh-Hant 2",
        "intent: 2 labels, 6 to 6 rows each",
    ]


def test_rows_that_reading_left_out_are_sorted_by_what_is_wrong(tmp_path: Path) -> None:
    bad = [{"text": "", "intent": "refund"}, {"text": "где?"}, "退款", _rows()[0], {"text": None, "intent": "refund"}]
    odd = {"text": "退費了嗎", "intent": "refund", "language": "中文"}
    report = validate(_read(tmp_path / "a.jsonl", [*_rows(), *bad, odd]))
    expected = {Fault.NO_TEXT: [13, 17], Fault.NO_LABEL: [14], Fault.UNREADABLE: [15], Fault.REPEATED: [16]}
    for fault, lines in expected.items():
        finding = _found(report, fault)
        assert (finding.severity, _lines_of(finding)) == (Severity.LEFT_OUT, [[line] for line in lines])
    assert (_found(report, Fault.BAD_LANGUAGE).severity, report.rows) == (Severity.WARNING, 13)
    assert _lines_of(_found(report, Check.NO_LANGUAGE)) == [[18]]
    text = "\n".join(report.lines())
    assert f"left out: rows without text: 2\n  {tmp_path / 'a.jsonl'}:13: has no text\n" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_text_under_two_labels_is_found_and_kept(tmp_path: Path, language: str) -> None:
    again = {"text": f"  {REFUND[language].upper()}", "language": language, "intent": "invoice"}
    report = validate(_read(tmp_path / "a.jsonl", [*_rows(), again]))
    finding = _found(report, Check.CONFLICT)
    first = LANGUAGES.index(language) + 1
    assert (finding.severity, finding.task, _lines_of(finding)) == (Severity.WARNING, "intent", [[first, 13]])
    assert REFUND[language] in finding.cases[0].detail
    assert "'refund'" in finding.cases[0].detail
    assert "'invoice'" in finding.cases[0].detail
    assert report.rows == 13


NEARLY = {
    "vi": "Bao giờ shop hoàn tiền cho mình ạ?",
    "th": "เมื่อไหร่จะคืนเงินให้ค่ะ!!",
    "zh-Hans": "你们什么时候把钱退给我呢？",
    "zh-Hant": "請問，什麼時候會退款給我呢？",
    "ru": "Когда же вы вернёте мне деньги?",
    "en": "when will i get my money back?? 😡",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nearly_the_same_text_is_found_in_every_script(tmp_path: Path, language: str) -> None:
    again = {"text": NEARLY[language], "language": language, "intent": "refund"}
    first = LANGUAGES.index(language) + 1
    agreeing = validate(_read(tmp_path / "a.jsonl", [*_rows(), again]))
    assert _lines_of(_found(agreeing, Check.NEAR_DUPLICATE)) == [[first, 13]]
    contested = validate(_read(tmp_path / "b.jsonl", [*_rows(), {**again, "intent": "invoice"}]))
    assert _lines_of(_found(contested, Check.NEAR_CONFLICT)) == [[first, 13]]
    assert {finding.kind for finding in contested.findings} == {Check.NEAR_CONFLICT}


def test_tasks_that_rows_lack_are_no_conflict(tmp_path: Path) -> None:
    rows = [*_rows(), {"text": REFUND["th"].strip() + " ", "urgency": "high"}, {"text": "ด่วน", "urgency": "low"}]
    report = validate(_read(tmp_path / "a.jsonl", rows, ["intent", "urgency"]))
    assert _lines_of(_found(report, Check.DUPLICATE)) == [[2, 13]]
    assert Check.CONFLICT not in {finding.kind for finding in report.findings}


def test_numbers_and_marks_do_not_make_another_text() -> None:
    texts = ["Đơn 10025 đâu rồi?", "đơn 7 đâu rồi", "订单10025呢？", "订单 7 呢", "???", "!!!", "👍", ""]
    numbers = families(texts).tolist()
    assert numbers[0] != numbers[1]  # case is the caller's to fold
    assert numbers[2] == numbers[3]
    assert len(set(numbers[4:])) == 4


def test_families_do_not_depend_on_the_order() -> None:
    texts = [text for texts in (REFUND, NEARLY, INVOICE) for text in texts.values()]
    order = np.random.default_rng(13).permutation(len(texts))
    forward, shuffled = families(texts), families([texts[at] for at in order])
    same = forward[:, None] == forward[None, :]
    assert np.array_equal(same[np.ix_(order, order)], shuffled[:, None] == shuffled[None, :])


@pytest.mark.parametrize("language", LANGUAGES)
def test_validation_rows_that_were_trained_on_are_left_out(tmp_path: Path, language: str) -> None:
    train = _read(tmp_path / "train.jsonl", _rows())
    rows = [
        {"text": f"{REFUND[language]}\u200b ", "intent": "refund"},
        {"text": NEARLY[language], "intent": "refund"},
        {"text": "退货 возврат đổi trả คืนของ", "intent": "return"},
    ]
    valid = _read(tmp_path / "valid.jsonl", rows)
    report = validate(train, valid)
    report.require_usable()
    line = LANGUAGES.index(language) + 1
    places = (f"{tmp_path / 'valid.jsonl'}:1", f"{tmp_path / 'train.jsonl'}:{line}")
    leak = _found(report, Check.LEAK)
    assert (leak.severity, leak.cases[0].places) == (Severity.LEFT_OUT, places)
    assert report.leaked == {0}
    near = _found(report, Check.NEAR_LEAK)
    assert (near.severity, _lines_of(near)) == (Severity.WARNING, [[2, line]])
    assert [ticket.text for ticket in report.without_leaks(valid).rows] == [row["text"] for row in rows[1:]]
    unknown = _found(report, Check.UNKNOWN_LABEL)
    assert (_lines_of(unknown), unknown.cases[0].detail) == ([[3]], "'return'")
    assert {finding.kind for finding in report.findings} == {Check.LEAK, Check.NEAR_LEAK, Check.UNKNOWN_LABEL}


def test_a_validation_set_that_was_trained_on_is_refused(tmp_path: Path) -> None:
    train = _read(tmp_path / "train.jsonl", _rows())
    with pytest.raises(BadTrainingData, match=r"Every text of the validation set is in the training set too"):
        validate(train, train).require_usable()


def test_a_group_on_both_sides_is_found(tmp_path: Path) -> None:
    train = _read(tmp_path / "train.jsonl", [{**row, "group": f"g{at}"} for at, row in enumerate(_rows())])
    rows = [{"text": "Thế còn phí ship?", "intent": "refund", "group": "g3"}, {"text": "运费呢", "intent": "refund"}]
    report = validate(train, _read(tmp_path / "valid.jsonl", rows))
    finding = _found(report, Check.GROUP_LEAK)
    assert (finding.cases[0].detail, _lines_of(finding)) == ("'g3'", [[1, 4]])
    plain = validate(_read(tmp_path / "a.jsonl", _rows("refund")), _read(tmp_path / "b.jsonl", _rows("invoice")))
    assert Check.GROUP_LEAK not in {finding.kind for finding in plain.findings}


def test_rare_labels_are_found(tmp_path: Path) -> None:
    many = [{"text": f"{REFUND[language]} {'x' * at}", "intent": "refund"} for at in range(7) for language in LANGUAGES]
    rare = _rows("invoice")[:2]
    report = validate(_read(tmp_path / "a.jsonl", [*many[:41], *rare]))
    assert _found(report, Check.RARE_LABEL).cases[0].detail == "'invoice' 2"
    assert _lines_of(_found(report, Check.RARE_LABEL)) == [[42, 43]]
    balanced = validate(_read(tmp_path / "b.jsonl", [*many[:40], *rare]))
    assert Check.RARE_LABEL not in {finding.kind for finding in balanced.findings}


def test_labels_seen_once_are_found(tmp_path: Path) -> None:
    rows = [*_rows(), {"text": "Đổi size giúp em", "intent": "đổi_hàng"}, {"text": "换个颜色", "intent": "换货"}]
    finding = _found(validate(_read(tmp_path / "a.jsonl", rows)), Check.SEEN_ONCE)
    assert [case.detail for case in finding.cases] == ["'đổi_hàng'", "'换货'"]
    assert _lines_of(finding) == [[13], [14]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("đổi_hàng", unicodedata.normalize("NFD", "đổi_hàng")),
        ("คืนเงิน", "คืน เงิน"),
        ("Возврат", "возврат "),
        ("Refund", "re-fund"),
        ("ｂ２", "b2"),
        ("退款", " 退款"),
    ],
)
def test_labels_that_look_alike_are_found(tmp_path: Path, one: str, other: str) -> None:
    rows = [{**row, "intent": (one, other)[at % 2]} for at, row in enumerate(_rows())]
    finding = _found(validate(_read(tmp_path / "a.jsonl", rows)), Check.ALIKE_LABELS)
    assert finding.cases[0].detail == f"{one!r} 6, {other!r} 6"
    assert _lines_of(finding) == [[1, 2]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_label_that_lacks_a_common_language_is_found(tmp_path: Path, language: str) -> None:
    openings = ("Shop ơi", "สวัสดีค่ะ", "您好", "哈囉", "Здравствуйте", "Hello", "Alo", "ฮัลโหล", "喂", "Эй")
    lacking = [row for row in _rows() if (row["intent"], row["language"]) != ("invoice", language)]
    rows = [{**row, "text": f"{opening}: {row['text']}"} for row in lacking for opening in openings]
    finding = _found(validate(_read(tmp_path / "a.jsonl", rows)), Check.MISSING_LANGUAGE)
    assert [case.detail for case in finding.cases] == [f"'invoice' in {language}"]
    few = [row for row in rows if row["language"] != language or row["text"].startswith(openings[:9])]
    report = validate(_read(tmp_path / "b.jsonl", few))
    assert Check.MISSING_LANGUAGE not in {finding.kind for finding in report.findings}


def test_a_single_label_is_refused_unless_the_bundle_knows_others(tmp_path: Path) -> None:
    tickets = _read(tmp_path / "a.jsonl", _rows("refund"))
    with pytest.raises(BadTrainingData, match=r"Task 'intent' has 'refund' on all of its 6 rows.*--task intent=COLUMN"):
        validate(tickets).require_usable()
    validate(tickets, known={"intent": ["invoice"]}).require_usable()


def test_a_single_group_is_refused(tmp_path: Path) -> None:
    tickets = _read(tmp_path / "a.jsonl", [{**row, "group": "беседа 7"} for row in _rows()])
    with pytest.raises(BadTrainingData, match="rows of one group alone, 'беседа 7'"):
        validate(tickets).require_usable()


def test_several_labels_are_compared_as_a_whole(tmp_path: Path) -> None:
    rows = [
        {"text": REFUND["vi"], "topics": ["refund", "delay"]},
        {"text": REFUND["vi"].upper(), "topics": ["delay", "refund"]},
        {"text": REFUND["th"], "topics": ["refund"]},
        {"text": f"{REFUND['th']}\n", "topics": []},
        {"text": INVOICE["ru"], "topics": "invoice"},
    ]
    report = validate(_read(tmp_path / "a.jsonl", rows, ["topics"]))
    assert _lines_of(_found(report, Check.DUPLICATE)) == [[1, 2]]
    conflict = _found(report, Check.CONFLICT)
    assert (_lines_of(conflict), conflict.cases[0].detail.endswith("is 'refund' or no label")) == ([[3, 4]], True)
    note = _found(report, Check.MULTI_LABEL)
    assert note.message == "topics is multi-label: 1 rows with none, 2 with one, 2 with several"
    assert report.tasks["topics"]["refund"] == {"und": 3}


def test_lines_are_few_and_json_is_complete(tmp_path: Path) -> None:
    again = [{**row, "text": f"{row['text']}{'!' * (1 + at)}"} for at in range(4) for row in _rows()]
    report = validate(_read(tmp_path / "a.jsonl", [*_rows(), *again, *[{"text": "", "intent": "a"}] * 100]))
    assert len(report.lines()) == 2 + 7 + 7 + 7
    assert "  … and 95 more" in report.lines()
    written = json.loads(json.dumps(report.as_json()))
    assert written["rows"] == 60
    by_kind = {finding["kind"]: finding for finding in written["findings"]}
    assert len(by_kind["no_text"]["cases"]) == 100
    assert [len(case["places"]) for case in by_kind["near_duplicate"]["cases"]] == [5] * 12
    assert by_kind["near_duplicate"]["severity"] == "note"


@pytest.mark.slow
def test_fifteen_thousand_rows_take_seconds_also_where_thousands_are_alike(tmp_path: Path) -> None:
    names = ["Lan", "สมชาย", "小明", "志豪", "Маша", "Emma"]
    random = np.random.default_rng(13)
    alike, different = "{0} {1}: where is my order, it should have come last week, {2} {3}", "{3} {0}, {2}"
    rows = [
        {"text": form.format(*random.choice(names, 3), random.integers(1 << 60)), "intent": f"a{at % 50}"}
        for form in (alike, different)
        for at in range(7_500)
    ]
    tickets = _read(tmp_path / "a.jsonl", rows)
    started = time.process_time()
    validate(tickets)
    assert time.process_time() - started < 10
