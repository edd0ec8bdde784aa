"""frontdesk triage: one message or a file of them, bad lines apart, and output that is whole or absent."""

import gzip
import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.desk import open_desk_database
from serving.settings import Settings
from tests.serving.terminal import Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE, ok

LANGUAGES = sorted(PASSWORD)


def _jsonl(path: Path, *rows: object) -> Path:
    text = "".join(row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_message_gives_what_http_gives(frontdesk: Run, client: TestClient, language: str) -> None:
    (found,) = frontdesk("triage", WRONG_SIZE[language], "--channel", "email").rows
    served = ok(client.post("/v1/triage", json={"text": WRONG_SIZE[language], "channel": "email"}))
    assert list(found) == list(served)
    for name in ("text_language", "intent", "urgency", "channel", "labels", "entities"):
        assert found[name] == served[name]


def test_nothing_is_recorded(frontdesk: Run, tmp_path: Path) -> None:
    frontdesk("triage", WRONG_SIZE["vi"])
    database = open_desk_database(Settings(data_dir=tmp_path / "desk"))
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM decisions").scalar() == 0
    database.close()


@pytest.mark.parametrize("name", ["in.jsonl", "in.jsonl.gz"])
def test_good_lines_are_done_in_order_and_bad_ones_listed_by_number(frontdesk: Run, tmp_path: Path, name: str) -> None:
    source = _jsonl(
        tmp_path / name,
        {"id": "m-1", "text": WRONG_SIZE["vi"], "channel": "sms", "language": "vi"},  # 1
        "{not json\n",  # 2
        {"text": WRONG_SIZE["th"]},  # 3
        "\n",  # 4, which is no line at all
        {"id": "m-5", "text": "   "},  # 5
        {"text": PASSWORD["ru"], "channel": "pigeon"},  # 6
        '"Где мой заказ"\n',  # 7
        ["where"],  # 8
        {"text": 9},  # 9
        {"id": "m-10", "txet": "hello"},  # 10
        {"text": "x" * 20_001},  # 11
        {"text": "Ship\0it"},  # 12
        '{"text": "half \\ud83d"}\n',  # 13
        {"text": PASSWORD["zh-Hant"], "language": "klingonese"},  # 14
        "[" * 100_000 + "\n",  # 15
        {"id": 16, "text": PASSWORD["zh-Hans"]},  # 16
    )
    done = frontdesk("triage", "--input", source)
    assert done.status == 1
    assert [row["id"] for row in done.rows] == ["m-1", "3", "16"]
    assert [row["text_language"]["code"] for row in done.rows] == ["vi", "th", "zh-Hans"]
    listed = [line.split(": ", 1) for line in done.err.splitlines() if line.startswith("  line ")]
    assert [int(place.removeprefix("  line ")) for place, _ in listed] == [2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    reasons = {int(place.removeprefix("  line ")): reason for place, reason in listed}
    named = {2: "not JSON", 5: "blank", 6: "'pigeon'", 7: "str", 8: "list", 9: "int", 10: "no text", 11: "20,001"}
    named |= {12: "NUL", 13: "surrogates", 14: "'klingonese'", 15: "not JSON"}
    assert {number: part for number, part in named.items() if part not in reasons[number]} == {}
    assert "Где мой заказ" not in done.err


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
def test_a_table_as_spreadsheets_write_it_is_read(frontdesk: Run, tmp_path: Path, name: str) -> None:
    text = f'\ufeffid,text,channel\r\na,"{WRONG_SIZE["th"]}\nรอนานแล้ว",sms\r\nb,,\r\nc,{PASSWORD["vi"]},\r\n'
    content = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    done = frontdesk("triage", "--input", tmp_path / name, "--channel", "email")
    assert [row["id"] for row in done.rows] == ["a", "c"]
    assert "line 4: text is blank" in done.err
    assert done.status == 1


@pytest.mark.parametrize("name", ["in.txt", "in.txt.gz"])
def test_a_text_file_has_one_message_a_line(frontdesk: Run, tmp_path: Path, name: str) -> None:
    lines = [WRONG_SIZE[language].encode() for language in LANGUAGES]
    content = b"\r\n".join([*lines, "đơn hàng".encode("utf-16-le"), b"caf\xe9 noir", PASSWORD["vi"].encode()])
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    done = frontdesk("triage", "--input", tmp_path / name)
    assert [row["id"] for row in done.rows] == ["1", "2", "3", "4", "5", "6", "9"]
    assert [row["text_language"]["code"] for row in done.rows[:6]] == LANGUAGES
    assert "line 8: text is not Unicode" in done.err
    assert done.status == 1


def test_a_file_without_a_fault_ends_well_and_silently(frontdesk: Run, tmp_path: Path) -> None:
    source = _jsonl(tmp_path / "in.jsonl", *({"text": text} for text in PASSWORD.values()))
    done = frontdesk("triage", "--input", source)
    assert (done.status, done.err, len(done.rows)) == (0, "", 6)
    empty = _jsonl(tmp_path / "empty.jsonl")
    assert frontdesk("triage", "--input", empty) == type(done)(0, "", "")


def test_output_goes_to_a_file(frontdesk: Run, tmp_path: Path) -> None:
    source = _jsonl(tmp_path / "in.jsonl", {"text": PASSWORD["th"]}, "oops\n", {"text": PASSWORD["vi"]})
    target = tmp_path / "out.jsonl"
    target.write_text("of yesterday")
    done = frontdesk("triage", "--input", source, "--output", target)
    assert (done.status, done.out) == (1, "")
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["1", "3"]
    assert frontdesk("triage", PASSWORD["ru"], "--output", target).out == ""
    assert json.loads(target.read_text(encoding="utf-8"))["text_language"]["code"] == "ru"


def test_output_is_whole_or_as_it_was(frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.cli.triage.CHUNK", 1)
    rows = [{"text": f"{WRONG_SIZE[LANGUAGES[at % 6]]} {at * at}"} for at in range(200)]
    source = _jsonl(tmp_path / "in.jsonl.gz", *rows)
    source.write_bytes(source.read_bytes()[:-300])
    target = tmp_path / "out" / "out.jsonl"
    target.parent.mkdir()
    assert_failed(frontdesk("triage", "--input", source, "--output", target), source, "cannot be read")
    assert list(target.parent.iterdir()) == []
    target.write_text("of yesterday")
    assert_failed(frontdesk("triage", "--input", source, "--output", target), source)
    assert [path.read_text() for path in target.parent.iterdir()] == ["of yesterday"]


@pytest.mark.parametrize("name", ["cut.jsonl.gz", "mangled.jsonl.gz", "plain.jsonl.gz"])
def test_a_damaged_archive_is_named(frontdesk: Run, tmp_path: Path, name: str) -> None:
    packed = gzip.compress("".join(f'{{"text": "{at} {at**7}"}}\n' for at in range(400)).encode())
    middle = len(packed) // 2
    content = {
        "cut": packed[:middle],
        "mangled": packed[:middle] + bytes(100) + packed[middle + 100 :],
        "plain": b'{"text": "hi"}\n',
    }[name.partition(".")[0]]
    (tmp_path / name).write_bytes(content)
    finished = frontdesk("triage", "--input", tmp_path / name, "--output", tmp_path / "out.jsonl")
    assert_failed(finished, tmp_path / name, "cannot be read")
    assert not (tmp_path / "out.jsonl").exists()


def test_what_cannot_be_done_is_said_with_the_next_step(frontdesk: Run, tmp_path: Path) -> None:
    good = _jsonl(tmp_path / "in.jsonl", {"text": PASSWORD["en"]})
    assert_failed(frontdesk("triage"), "TEXT", "--input")
    assert_failed(frontdesk("triage", "hello", "--input", good), "TEXT", "--input")
    assert_failed(frontdesk("triage", "--input", tmp_path / "none.jsonl"), tmp_path / "none.jsonl")
    assert_failed(frontdesk("triage", "--input", tmp_path), tmp_path)
    assert_failed(frontdesk("triage", "--input", tmp_path / "in.xlsx"), "in.xlsx", ".jsonl", ".csv", ".txt")
    assert_failed(frontdesk("triage", "hello", "--channel", "pigeon"), "'pigeon'", "live_chat")
    assert_failed(frontdesk("triage", "--input", good, "--channel", "pigeon"), "'pigeon'", "live_chat")
    assert_failed(frontdesk("triage", "hello", "--bundle", "shop@7"), "'shop@7'", "starter")
    assert_failed(frontdesk("triage", "hello", "--output", tmp_path / "no" / "out.jsonl"), tmp_path / "no")
    assert_failed(frontdesk("triage", "hello", "--output", tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("text", "named"), [("", "blank"), (" \n", "blank"), ("ы" * 20_001, "20,000"), ("caf\udce9", "not Unicode")]
)
def test_a_text_that_nobody_can_have_written_is_refused(frontdesk: Run, text: str, named: str) -> None:
    assert_failed(frontdesk("triage", text), named)
