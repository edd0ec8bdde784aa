"""Labelled tickets from files: every format reads alike, and every bad row is named with its line."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from training.columns import MAX_LABELS, MAX_TEXT, Fault
from training.data import Problem, Tickets, parse_columns, read_tickets
from training.errors import BadTrainingData

ROWS = [
    {"text": "Đơn của em chưa tới, shop ơi", "language": "vi", "intent": "delivery.not_received", "urgency": "high"},
    {"text": 'ขอใบกำกับภาษีค่ะ\nชื่อบริษัท "กขค"', "language": "th", "intent": "billing.invoice", "urgency": "low"},
    {"text": "怎么退货，在哪里申请", "language": "zh-Hans", "intent": "return.request", "urgency": "normal"},
    {"text": "刷卡失敗，可是錢扣了", "language": "zh-Hant", "intent": "payment.failed", "urgency": "high"},
    {"text": "Где мой возврат?", "language": "ru", "intent": "refund.status", "urgency": "normal"},
    {"text": "Where's my refund, please", "language": "en", "intent": "refund.status", "urgency": "normal"},
]
COLUMNS = {"intent": "intent", "urgency": "urgency"}


def _jsonl(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def _csv(path: Path, rows: Sequence[Any], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _parquet(path: Path, rows: Sequence[Any]) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def _faults(tickets: Tickets) -> list[Fault]:
    return [problem.fault for problem in tickets.problems]


def test_columns_are_named_as_the_desk_calls_them(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", [{"noi_dung": "cho em hỏi size", "nhóm": 7}])
    (ticket,) = read_tickets([path], parse_columns(["queue=nhóm"]), text="noi_dung").rows
    assert (ticket.text, ticket.labels, ticket.language) == ("cho em hỏi size", {"queue": ("7",)}, None)


def test_subject_and_body_stand_in_for_a_text(tmp_path: Path) -> None:
    rows = [
        {"subject": "Возврат", "body": "Где деньги?", "intent": "refund.status"},
        {"subject": "退款", "body": None, "intent": "refund.status"},
        {"subject": "", "body": "คืนเงินเมื่อไหร่", "intent": "refund.status"},
    ]
    read = read_tickets([_jsonl(tmp_path / "a.jsonl", rows)], {"intent": "intent"})
    assert [ticket.text for ticket in read.rows] == ["Возврат\nГде деньги?", "退款", "คืนเงินเมื่อไหร่"]


def test_rows_may_lack_the_label_of_a_task(tmp_path: Path) -> None:
    rows = [{"text": "ok", "intent": "a"}, {"text": "ไม่เอาแล้ว", "urgency": "low", "intent": ""}]
    read = read_tickets([_jsonl(tmp_path / "a.jsonl", rows)], COLUMNS)
    assert [ticket.labels for ticket in read.rows] == [{"intent": ("a",)}, {"urgency": ("low",)}]


def test_an_empty_cell_of_any_kind_is_no_label(tmp_path: Path) -> None:
    rows = [
        {"text": f"ขอยกเลิกค่ะ {at}", "intent": value, "urgency": "low"}
        for at, value in enumerate((None, "", "  ", float("nan")))
    ]
    table = _parquet(tmp_path / "a.parquet", [{"text": "取消", "intent": float("nan"), "urgency": "low"}])
    read = read_tickets([_jsonl(tmp_path / "a.jsonl", [*rows, ROWS[0]]), table], COLUMNS)
    assert [tuple(ticket.labels) for ticket in read.rows] == [("urgency",)] * 4 + [("intent", "urgency"), ("urgency",)]


def test_lists_of_labels_make_a_task_multi_label(tmp_path: Path) -> None:
    rows = [
        {"text": "Giao trễ mà còn thiếu hàng", "topics": ["delivery", "missing", "delivery"], "urgency": "high"},
        {"text": "ขอบคุณค่ะ", "topics": [], "urgency": "low"},
        {"text": "Где чек?", "topics": ["invoice"], "urgency": "low"},
        {"text": "发票呢", "topics": None, "urgency": "low"},
    ]
    columns = {"topics": "topics", "urgency": "urgency"}
    jsonl = [*rows, {"text": "發票呢", "topics": "invoice", "urgency": "low"}]
    for path in (_jsonl(tmp_path / "a.jsonl", jsonl), _parquet(tmp_path / "a.parquet", rows)):
        read = read_tickets([path], columns)
        assert read.multi_label == {"topics"}
        topics = [ticket.labels.get("topics") for ticket in read.rows]
        assert topics[:4] == [("delivery", "missing"), (), ("invoice",), None]
        assert topics[4:] in ([("invoice",)], [])


def test_a_table_names_several_labels_where_it_is_said_so(tmp_path: Path) -> None:
    texts = ("giao trễ, thiếu hàng", "ขอบคุณ", "Где чек?", "发票呢")
    rows = [
        {"text": text, "topics": topics, "intent": "a;b"}
        for text, topics in zip(texts, ("missing; delivery", ";", "invoice", ""), strict=True)
    ]
    path, columns = _csv(tmp_path / "a.csv", rows), {"topics": "topics", "intent": "intent"}
    read = read_tickets([path], columns, multi_label=["topics"])
    assert read.multi_label == {"topics"}
    assert [t.labels.get("topics") for t in read.rows] == [("delivery", "missing"), (), ("invoice",), None]
    assert {ticket.label("intent") for ticket in read.rows} == {"a;b"}
    alone = read_tickets([path], columns)
    assert (alone.multi_label, alone.rows[0].label("topics")) == (frozenset(), "missing; delivery")


def test_tables_with_semicolons_and_tabs_are_read(tmp_path: Path) -> None:
    read = [read_tickets([_csv(tmp_path / f"{at}.csv", ROWS, mark)], COLUMNS) for at, mark in enumerate(",;\t")]
    assert read[0] == read[1] == read[2]


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("vi-VN", "vi"),
        ("th-TH", "th"),
        ("zh-CN", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh_HK", "zh-Hant"),
        ("ru-RU", "ru"),
        ("en-US", "en"),
        ("EN", "en"),
        ("und", None),
        ("", None),
    ],
)
def test_a_language_has_one_code(tmp_path: Path, written: str, language: str | None) -> None:
    read = read_tickets([_jsonl(tmp_path / "a.jsonl", [{**ROWS[0], "language": written}])], COLUMNS)
    assert ([ticket.language for ticket in read.rows], read.problems) == ([language], ())


def test_a_row_of_an_unknown_language_is_listed_and_kept(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", [ROWS[0], {**ROWS[4], "language": "русский"}])
    read = read_tickets([path], COLUMNS)
    assert [ticket.language for ticket in read.rows] == ["vi", None]
    (problem,) = read.problems
    assert (problem.fault, problem.left_out) == (Fault.BAD_LANGUAGE, False)
    assert str(problem).startswith(f"{path}:2: is kept without its language")
    assert "'русский'" in problem.message


def test_bad_rows_are_listed_with_file_and_line_and_left_out(tmp_path: Path) -> None:
    lines = [
        json.dumps(ROWS[0]),
        "{không phải JSON",
        '"退款"',
        "",
        '{"text": "  ", "intent": "a"}',
        '{"intent": "a"}',
        '{"text": 5, "intent": "a"}',
        '{"text": "ลืมรหัสผ่าน"}',
        '{"text": "две метки", "intent": {"a": 1}}',
        json.dumps(ROWS[0], ensure_ascii=False),
        '{"text": "退貨\\ud83d", "intent": "a"}',
        '{"text": "หา\\u0000ย", "intent": "a"}',
        '{"text": "нет слова", "intent": ["a", null]}',
        '{"text": "một nửa", "intent": "a\\udc00"}',
        json.dumps({**ROWS[1], "text": "ก" * (MAX_TEXT + 1)}),
        "[" * 100_000,
        json.dumps({**ROWS[1], "text": "ก" * MAX_TEXT}),
        json.dumps(ROWS[4]),
    ]
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    read = read_tickets([path], COLUMNS)
    assert [ticket.text for ticket in read.rows] == [ROWS[0]["text"], "ก" * MAX_TEXT, ROWS[4]["text"]]
    assert [ticket.place for ticket in read.rows] == [f"{path}:{line}" for line in (1, 17, 18)]
    expected = {
        2: (Fault.UNREADABLE, "is not JSON"),
        3: (Fault.UNREADABLE, "should be an object, and is '退款'"),
        5: (Fault.NO_TEXT, "has no text"),
        6: (Fault.NO_TEXT, "has no text"),
        7: (Fault.NO_TEXT, "has 5 for text, which is not text"),
        8: (Fault.NO_LABEL, "has no label in intent, urgency"),
        9: (Fault.BAD_LABEL, "has {'a': 1} in intent"),
        10: (Fault.REPEATED, f"repeats the text and the labels of {path}:1"),
        11: (Fault.BROKEN_TEXT, "has half a character (U+D83D) at 2"),
        12: (Fault.BROKEN_TEXT, "has the character NUL at 2"),
        13: (Fault.BAD_LABEL, "has ['a', None] in intent"),
        14: (Fault.BAD_LABEL, "has 'a\\udc00' in intent"),
        15: (Fault.LONG_TEXT, "has a text of 100,001 characters; at most 100,000"),
        16: (Fault.UNREADABLE, "is not JSON"),
    }
    assert len(read.problems) == len(expected)
    for (line, (fault, message)), found in zip(expected.items(), read.problems, strict=True):
        assert (found.fault, found.place, found.left_out) == (fault, f"{path}:{line}", True)
        assert found.message.startswith(message)


def test_bad_rows_of_a_table_are_listed_too(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    lines = [
        "text,intent",
        "hàng lỗi,product.faulty",
        ",refund.status",
        "чек,",
        "Здравствуйте, где чек,billing.invoice",
        "发票,billing.invoice,,",
        "thiếu",
        '"ขอเงินคืน',
        'ค่ะ",refund.status',
        f"{'a' * 1_000_000},refund.status",
        '"退款，',
        "刷卡失敗,payment.failed",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    read = read_tickets([path], {"intent": "intent"})
    assert [ticket.text for ticket in read.rows] == ["hàng lỗi", "发票", "ขอเงินคืน\nค่ะ"]
    assert [ticket.place for ticket in read.rows] == [f"{path}:{line}" for line in (2, 6, 8)]
    assert [problem.place for problem in read.problems] == [f"{path}:{line}" for line in (3, 4, 5, 7, 10, 11)]
    faults = [Fault.NO_TEXT, Fault.NO_LABEL, Fault.UNREADABLE, Fault.NO_LABEL, Fault.LONG_TEXT, Fault.UNREADABLE]
    assert _faults(read) == faults
    assert "has 3 cells under 2 columns" in read.problems[2].message
    assert "runs over 2 lines: a quotation mark in them is not closed" in read.problems[5].message


def test_bad_rows_of_parquet_are_listed_by_their_number(tmp_path: Path) -> None:
    rows = [*ROWS, {**ROWS[0], "text": None}, {**ROWS[1], "intent": None, "urgency": None}, ROWS[2]]
    path = _parquet(tmp_path / "a.parquet", rows)
    read = read_tickets([path], COLUMNS)
    assert [problem.place for problem in read.problems] == [f"{path}:{row}" for row in (7, 8, 9)]
    assert _faults(read) == [Fault.NO_TEXT, Fault.NO_LABEL, Fault.REPEATED]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    folders = [tmp_path / "vi", tmp_path / "th"]
    for folder in folders:
        folder.mkdir()
        _jsonl(folder / "tickets.jsonl", [{"text": f"{folder.name} {at}", "intent": "a"} for at in range(2)] + [7])
    read = read_tickets([folder / "tickets.jsonl" for folder in folders], {"intent": "intent"})
    assert [problem.place for problem in read.problems] == [f"{f / 'tickets.jsonl'}:3" for f in folders]
    assert len({ticket.group for ticket in read.rows}) == 4


def test_a_group_is_kept(tmp_path: Path) -> None:
    rows = [{"text": f"сообщение {at}", "intent": "a", "group": group} for at, group in enumerate(["x", "x", 3, None])]
    path = _jsonl(tmp_path / "a.jsonl", rows)
    tickets = read_tickets([path], {"intent": "intent"}).rows
    assert [ticket.group for ticket in tickets[:3]] == ["x", "x", "3"]
    assert tickets[3].group not in {"x", "3"}
    assert [ticket.grouped for ticket in tickets] == [True, True, True, False]


def test_groups_are_read_from_any_column(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", [{"id": at // 2, "text": f"嗨 {at}", "intent": "a"} for at in range(4)])
    tickets = read_tickets([path], {"intent": "intent"}, group="id").rows
    assert [ticket.group == tickets[0].group for ticket in tickets[1:]] == [False, False, False]
    assert tickets[2].group == tickets[3].group == "1"


def test_the_fingerprint_tells_texts_labels_languages_and_groups_and_no_place(tmp_path: Path) -> None:
    def fingerprint(name: str, rows: Sequence[Any]) -> str:
        return read_tickets([_jsonl(tmp_path / name, rows)], COLUMNS).fingerprint

    same = {fingerprint("a.jsonl", ROWS), fingerprint("b.jsonl", ROWS), fingerprint("c.jsonl", [*ROWS, ROWS[0], 7])}
    assert len(same) == 1
    changes: list[dict[str, Any]] = [
        {"text": "khác"},
        {"intent": "order.cancel"},
        {"intent": []},
        {"language": "en"},
        {"group": "g1"},
    ]
    others = {fingerprint("d.jsonl", [{**ROWS[0], **change}, *ROWS[1:]]) for change in changes}
    assert len(others | same | {fingerprint("e.jsonl", ROWS[1:]), fingerprint("f.jsonl", ROWS[::-1])}) == 8


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"columns": {"topic": "intnet"}},
            r"No row of .* has the column 'intnet' that task 'topic' .* Did you mean 'intent'",
        ),
        (
            {"columns": {"topic": "主题"}},
            r"'主题'.*--task topic=COLUMN; there are 'text', 'language', 'intent', 'urgency'",
        ),
        (
            {"columns": COLUMNS, "text": "Text"},
            r"'Text' that texts are read from\. Did you mean 'text'\?.*--text COLUMN",
        ),
        ({"columns": COLUMNS, "group": "беседа"}, r"'беседа' that groups are read from\. Name it by --group COLUMN"),
    ],
)
def test_a_column_that_no_row_has_is_refused(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    for path in (
        _jsonl(tmp_path / "a.jsonl", ROWS),
        _csv(tmp_path / "b.csv", ROWS),
        _parquet(tmp_path / "c.parquet", ROWS),
    ):
        with pytest.raises(BadTrainingData, match=message):
            read_tickets([path], **asked)


def test_a_file_without_texts_is_refused(tmp_path: Path) -> None:
    rows = [{"nội dung": "Đơn đâu rồi", "intent": "delivery.not_received"}]
    with pytest.raises(BadTrainingData, match=r"'text' that texts are read from.*there are 'nội dung', 'intent'"):
        read_tickets([_jsonl(tmp_path / "a.jsonl", rows)], {"intent": "intent"})


def test_a_column_without_a_label_is_refused(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "a.jsonl", [{**row, "intent": None} for row in ROWS])
    with pytest.raises(BadTrainingData, match=r"No row has a label of task 'intent': its column 'intent' is empty"):
        read_tickets([path], COLUMNS)


def test_a_column_may_stand_in_one_of_the_files_only(tmp_path: Path) -> None:
    first, second = _jsonl(tmp_path / "a.jsonl", ROWS[:3]), _jsonl(tmp_path / "b.jsonl", [{"text": "?", "intent": "a"}])
    assert len(read_tickets([second, first], COLUMNS).rows) == 4


def test_ids_are_not_taken_for_labels(tmp_path: Path) -> None:
    lines = [f"客服 {at},TV-{at}\n" for at in range(100_000)]
    (tmp_path / "a.csv").write_text("".join(["text,id\n", *lines]), encoding="utf-8")
    message = f"Task 'intent' has 100,000 labels in the column 'id', such as 'TV-0', .*; at most {MAX_LABELS:,} can"
    with pytest.raises(BadTrainingData, match=f"{message}.*--task intent=COLUMN; there are 'text', 'id'"):
        read_tickets([tmp_path / "a.csv"], {"intent": "id"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "No usable row with intent or urgency: the files are empty"),
        ("text,intent,urgency\n\n\n", "the files are empty"),
        ("text,intent,urgency\nгде чек,,\n", r"tickets\.csv:2: has no label in intent, urgency"),
    ],
)
def test_files_without_a_usable_row_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "tickets.csv").write_text(content, encoding="utf-8")
    with pytest.raises(BadTrainingData, match=message):
        read_tickets([tmp_path / "tickets.csv"], COLUMNS)


def test_a_problem_reads_as_a_line() -> None:
    assert str(Problem(Fault.NO_TEXT, "a.csv:7", "has no text")) == "a.csv:7: has no text"


def test_tasks_name_their_columns() -> None:
    assert parse_columns(["intent", "channel=best_channel"]) == {"intent": "intent", "channel": "best_channel"}
    assert parse_columns(["очередь=a=b"]) == {"очередь": "a=b"}


@pytest.mark.parametrize("tasks", [[""], ["=column"], ["intent", "intent=other"]])
def test_a_task_without_a_name_or_given_twice_is_refused(tasks: list[str]) -> None:
    with pytest.raises(BadTrainingData, match="NAME or NAME=COLUMN, each name once"):
        parse_columns(tasks)
