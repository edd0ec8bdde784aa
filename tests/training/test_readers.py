"""Files of labelled tickets: every format gives the same rows, and no damage or other encoding passes for fewer."""

import csv
import gzip
import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from training.data import Tickets, read_tickets
from training.errors import BadTrainingData

ROWS = [
    {"text": "Đơn của em chưa tới, shop ơi", "language": "vi", "intent": "delivery.not_received"},
    {"text": 'ขอใบกำกับภาษีค่ะ\nชื่อบริษัท "กขค"', "language": "th", "intent": "billing.invoice"},
    {"text": "怎么退货，在哪里申请", "language": "zh-Hans", "intent": "return.request"},
    {"text": "刷卡失敗，可是錢扣了", "language": "zh-Hant", "intent": "payment.failed"},
    {"text": "Где мой возврат?", "language": "ru", "intent": "refund.status"},
    {"text": "Where’s my refund, please", "language": "en", "intent": "refund.status"},
]


def _read(path: Path) -> Tickets:
    return read_tickets([path], {"intent": "intent"})


def _csv(path: Path, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def _jsonl(path: Path, times: int = 1) -> Path:
    rows = [{**row, "text": f"{row['text']}{at or ''}"} for at in range(times) for row in ROWS]
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def _parquet(path: Path, times: int = 1) -> Path:
    rows = [{**row, "text": f"{row['text']}{at or ''}"} for at in range(times) for row in ROWS]
    parquet.write_table(pyarrow.Table.from_pylist(rows), path, write_page_checksum=True)
    return path


def _zipped(path: Path) -> Path:
    zipped = path.with_name(path.name + ".gz")
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    return zipped


def test_every_format_reads_alike(tmp_path: Path) -> None:
    jsonl, table = _jsonl(tmp_path / "a.jsonl"), _csv(tmp_path / "b.csv")
    marked = _csv(tmp_path / "from a spreadsheet.csv", "utf-8-sig")
    columnar = _parquet(tmp_path / "c.parquet")
    read = [_read(path) for path in (jsonl, table, marked, columnar, _zipped(jsonl), _zipped(table))]
    assert all(tickets == read[0] for tickets in read)
    assert read[0].problems == ()
    found = [(ticket.text, ticket.language, ticket.label("intent")) for ticket in read[0].rows]
    assert found == [(row["text"], row["language"], row["intent"]) for row in ROWS]
    assert [ticket.place for ticket in read[1].rows] == [f"{table}:{line}" for line in (2, 3, 5, 6, 7, 8)]
    assert [ticket.place for ticket in read[3].rows] == [f"{columnar}:{row}" for row in range(1, 7)]


def test_other_columns_of_parquet_may_be_of_any_kind(tmp_path: Path) -> None:
    rows = [{**row, "vector": [0.5, at], "raw": b"\xff", "seen": {"by": at}} for at, row in enumerate(ROWS)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert _read(tmp_path / "a.parquet") == _read(_jsonl(tmp_path / "a.jsonl"))


def test_labels_of_parquet_may_be_categories(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist(ROWS)
    coded = table.set_column(2, "intent", table["intent"].dictionary_encode())
    parquet.write_table(coded, tmp_path / "a.parquet")
    assert _read(tmp_path / "a.parquet") == _read(_jsonl(tmp_path / "a.jsonl"))


def _for_windows_1258(text: str) -> str:
    """Vowels stay in one piece, tones come apart, as in that code page."""
    apart = unicodedata.normalize("NFD", text)
    return re.sub("[AaEeOoUu][\u0302\u0306\u031b]", lambda pair: unicodedata.normalize("NFC", pair[0]), apart)


@pytest.mark.parametrize(
    ("language", "encoding", "byte"),
    [
        ("vi", "cp1258", 0xD0),
        ("th", "tis-620", 0xA2),
        ("zh-Hans", "gb18030", 0xD4),
        ("zh-Hant", "big5", 0xA8),
        ("ru", "cp1251", 0xC3),
        ("en", "cp1252", 0x92),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "csv.gz"])
def test_an_encoding_of_old_is_refused_with_the_place(
    tmp_path: Path, language: str, encoding: str, byte: int, kind: str
) -> None:
    (row,) = [row for row in ROWS if row["language"] == language]
    text = _for_windows_1258(row["text"]) if encoding == "cp1258" else row["text"]
    before = "text,intent\n" if "csv" in kind else '{"text": "ok", "intent": "a"}\n'
    line = f'"{text.replace(chr(34), chr(34) * 2)}",a\n' if "csv" in kind else f'{{"text": "{text}", "intent": "a"}}\n'
    content = (before + line).encode(encoding)
    path = tmp_path / f"tickets.{kind}"
    path.write_bytes(gzip.compress(content) if kind.endswith("gz") else content)
    offset = content.index(bytes([byte]))
    place = f"not UTF-8, byte 0x{byte:02X} at offset {offset} in line 2. Convert it, for example with iconv"
    with pytest.raises(BadTrainingData, match=re.escape(place)) as refused:
        _read(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_wide_encodings_are_named(tmp_path: Path, encoding: str, kind: str) -> None:
    path = _csv(tmp_path / "a.csv") if kind == "csv" else _jsonl(tmp_path / "a.jsonl")
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    name = encoding[:6].upper()
    with pytest.raises(BadTrainingData, match=f"looks like {name}, and UTF-8 is needed.*iconv -f {name} -t UTF-8"):
        _read(path)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("tickets.xlsx", b"PK", r"is neither \.jsonl nor \.csv \(either may end in \.gz\) nor \.parquet"),
        ("tickets.gz", b"", r"is neither \.jsonl nor \.csv"),
        ("tickets.parquet.gz", b"", r"is neither \.jsonl nor \.csv"),
        ("tickets", b"", r"is neither \.jsonl nor \.csv"),
        ("plain.jsonl.gz", b'{"text": "ok", "intent": "a"}', r"cannot be read: Not a gzipped file.*copy it again"),
        ("open.csv", b'text,intent\n"' + b"a,b\n" * 2_600_000, r"field larger than .*quotation mark that is opened"),
        ("twice.csv", "text,intent,intent\nгде чек,a,b\n".encode(), r"several columns 'intent'"),
        ("empty.parquet", b"", r"cannot be read: .*It is no Parquet, or damaged"),
        ("words.parquet", "退款在哪里".encode(), r"cannot be read: .*It is no Parquet, or damaged"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadTrainingData, match=problem):
        _read(tmp_path / name)


@pytest.mark.parametrize("name", ["không có.jsonl", "ไม่มี.csv.gz", "没有.parquet"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadTrainingData, match=f"{re.escape(name)} cannot be read.*No such file"):
        _read(tmp_path / name)


def _texts_and_labels(path: Path) -> list[tuple[str, Mapping[str, tuple[str, ...]]]] | None:
    try:
        return [(row.text, row.labels) for row in _read(path).rows]
    except BadTrainingData:
        return None


@pytest.mark.parametrize("kind", ["jsonl.gz", "parquet"])
def test_no_damage_is_read_as_fewer_rows(tmp_path: Path, kind: str) -> None:
    path = _parquet(tmp_path / "a.parquet", 50) if kind == "parquet" else _zipped(_jsonl(tmp_path / "a.jsonl", 50))
    whole = path.read_bytes()
    expected = _read(path)
    assert len(expected.rows) == 300
    step = len(whole) // 60
    for at in range(10, len(whole), step):
        path.write_bytes(whole[:at])
        with pytest.raises(BadTrainingData, match=r"cannot be read: .*cut off on its way"):
            _read(path)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        # Names and statistics at the end of Parquet carry no checksum; texts and labels do.
        assert _texts_and_labels(path) in (None, [(row.text, row.labels) for row in expected.rows])
    path.write_bytes(whole)
    assert _read(path) == expected


def test_the_limit_of_other_readers_of_csv_stays(tmp_path: Path) -> None:
    usual = csv.field_size_limit()
    _read(_csv(tmp_path / "a.csv"))
    (tmp_path / "b.csv").write_text('text,intent\n"' + "a" * 10_000_001, encoding="utf-8")
    with pytest.raises(BadTrainingData, match="field larger"):
        _read(tmp_path / "b.csv")
    assert csv.field_size_limit() == usual
