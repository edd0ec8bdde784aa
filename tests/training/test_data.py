"""Labelled tickets from files: every format reads alike, and every bad row is named with its line."""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from training.data import parse_columns, read_tickets
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


def _csv(path: Path, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def _zipped(path: Path) -> Path:
    zipped = path.with_name(path.name + ".gz")
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    return zipped


def test_every_format_reads_alike(tmp_path: Path) -> None:
    jsonl, table = _jsonl(tmp_path / "a.jsonl", ROWS), _csv(tmp_path / "b.csv")
    marked = _csv(tmp_path / "from a spreadsheet.csv", "utf-8-sig")
    read = [read_tickets([path], COLUMNS) for path in (jsonl, table, marked, _zipped(jsonl), _zipped(table))]
    assert all(tickets == read[0] for tickets in read)
    assert read[0].problems == ()
    for ticket, row in zip(read[0].rows, ROWS, strict=True):
        assert (ticket.text, ticket.language) == (row["text"], row["language"])
        assert ticket.labels == {"intent": (row["intent"],), "urgency": (row["urgency"],)}


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
        '{"text": "две метки", "intent": ["a", "b"]}',
        json.dumps(ROWS[0], ensure_ascii=False),
        json.dumps(ROWS[4]),
    ]
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    read = read_tickets([path], COLUMNS)
    assert [ticket.text for ticket in read.rows] == [ROWS[0]["text"], ROWS[4]["text"]]
    expected = {
        2: "is not JSON",
        3: "should be an object, and is '退款'",
        5: "has no text",
        6: "has no text",
        7: "has no text",
        8: "has no label in intent, urgency",
        9: "has ['a', 'b'] in intent, which is not one label",
        10: f"the same text and labels as {path}:1",
    }
    assert len(read.problems) == len(expected)
    for (line, problem), found in zip(expected.items(), read.problems, strict=True):
        assert found.startswith(f"{path}:{line}: {problem}")


def test_bad_rows_of_a_table_are_listed_too(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("text,intent\nhàng lỗi,product.faulty\n,refund.status\nчек,\n发票,billing.invoice,extra\nthiếu\n")
    read = read_tickets([path], {"intent": "intent"})
    assert [ticket.text for ticket in read.rows] == ["hàng lỗi", "发票"]
    assert read.problems == (
        f"{path}:3: has no text",
        f"{path}:4: has no label in intent",
        f"{path}:6: has no label in intent",
    )


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    folders = [tmp_path / "vi", tmp_path / "th"]
    for folder in folders:
        folder.mkdir()
        _jsonl(folder / "tickets.jsonl", [{"text": f"{folder.name} {at}", "intent": "a"} for at in range(2)] + [7])
    read = read_tickets([folder / "tickets.jsonl" for folder in folders], {"intent": "intent"})
    assert [problem.partition(": ")[0] for problem in read.problems] == [f"{f / 'tickets.jsonl'}:3" for f in folders]
    assert len({ticket.group for ticket in read.rows}) == 4


def test_a_group_is_kept(tmp_path: Path) -> None:
    rows = [{"text": f"сообщение {at}", "intent": "a", "group": group} for at, group in enumerate(["x", "x", 3, None])]
    groups = [ticket.group for ticket in read_tickets([_jsonl(tmp_path / "a.jsonl", rows)], COLUMNS).rows]
    assert groups[:3] == ["x", "x", "3"]
    assert groups[3] not in groups[:3]


def test_the_fingerprint_tells_texts_labels_languages_and_groups_and_no_place(tmp_path: Path) -> None:
    def fingerprint(name: str, rows: Sequence[Any]) -> str:
        return read_tickets([_jsonl(tmp_path / name, rows)], COLUMNS).fingerprint

    same = {fingerprint("a.jsonl", ROWS), fingerprint("b.jsonl", ROWS), fingerprint("c.jsonl", [*ROWS, ROWS[0], 7])}
    assert len(same) == 1
    changes = [{"text": "khác"}, {"intent": "order.cancel"}, {"language": "en"}, {"group": "g1"}]
    others = {fingerprint("d.jsonl", [{**ROWS[0], **change}, *ROWS[1:]]) for change in changes}
    assert len(others | same | {fingerprint("e.jsonl", ROWS[1:]), fingerprint("f.jsonl", ROWS[::-1])}) == 7


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("tickets.xlsx", b"PK", r"is neither \.jsonl nor \.csv"),
        ("tickets.gz", b"", r"is neither \.jsonl nor \.csv"),
        ("tickets", b"", r"is neither \.jsonl nor \.csv"),
        ("latin.jsonl", '{"text": "é"}'.encode("latin-1"), "cannot be read: .*utf-8"),
        ("utf16.csv", "text,intent\nđơn,a\n".encode("utf-16"), "cannot be read: .*utf-8"),
        ("plain.jsonl.gz", b'{"text": "ok", "intent": "a"}', "cannot be read: Not a gzipped file"),
        ("huge.csv", b"text,intent\n" + b"a" * 200_000 + b",b\n", "cannot be read: field larger than"),
        ("empty.jsonl", b"", "No usable row with intent or urgency: the files are empty"),
        ("blank.csv", b"text,intent\n\n\n", "the files are empty"),
        ("unlabelled.csv", "text\nгде чек\n".encode(), r"unlabelled\.csv:2: has no label in intent, urgency"),
    ],
)
def test_a_file_without_a_usable_row_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadTrainingData, match=problem):
        read_tickets([tmp_path / name], COLUMNS)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTrainingData, match=r"không có\.jsonl cannot be read"):
        read_tickets([tmp_path / "không có.jsonl"], COLUMNS)


def test_no_damage_of_an_archive_is_read_as_fewer_rows(tmp_path: Path) -> None:
    path = _zipped(
        _jsonl(tmp_path / "a.jsonl", [{**row, "text": f"{row['text']} {at}"} for at in range(50) for row in ROWS])
    )
    whole = path.read_bytes()
    expected = read_tickets([path], COLUMNS)
    for at in range(10, len(whole), 37):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(BadTrainingData, match="cannot be read"):
                read_tickets([path], COLUMNS)
    path.write_bytes(whole)
    assert read_tickets([path], COLUMNS) == expected


def test_tasks_name_their_columns() -> None:
    assert parse_columns(["intent", "channel=best_channel"]) == {"intent": "intent", "channel": "best_channel"}
    assert parse_columns(["очередь=a=b"]) == {"очередь": "a=b"}


@pytest.mark.parametrize("tasks", [[""], ["=column"], ["intent", "intent=other"]])
def test_a_task_without_a_name_or_given_twice_is_refused(tasks: list[str]) -> None:
    with pytest.raises(BadTrainingData, match="NAME or NAME=COLUMN, each name once"):
        parse_columns(tasks)
