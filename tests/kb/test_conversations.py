"""Conversations from files: read whole, or named with file and line."""

import gzip
import json
from pathlib import Path

import pytest

from kb.conversations import Sender, read_conversations
from kb.errors import BadConversation, NothingToImport
from tests.conversations import FILE, conversation, write_jsonl

GOOD = conversation("a", "C: Где мой заказ?", "A: В пути, приедет завтра.")


def test_the_samples_are_read_as_they_stand_there(tmp_path: Path) -> None:
    found = read_conversations([FILE]).conversations
    assert len(found) == 30
    assert sum(one.resolved for one in found) == 24
    zipped = tmp_path / "conversations.jsonl.gz"
    zipped.write_bytes(gzip.compress(FILE.read_bytes()))
    assert read_conversations([zipped]).conversations == found
    first = found[0]
    assert first.turns[0].sender is Sender.CUSTOMER
    assert first.channel == "chat"


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("{oops", "is not JSON"),
        ('"text"', "should be an object"),
        (json.dumps({**GOOD, "id": ""}), "id should be"),
        (json.dumps({**GOOD, "id": None}), "missing"),
        (json.dumps({**GOOD, "resolved": "yes"}), "resolved should be true or false, and is 'yes'"),
        (json.dumps({**GOOD, "channel": 7}), "channel should be a word"),
        (json.dumps({**GOOD, "messages": []}), "at least one message"),
        (json.dumps({**GOOD, "messages": ["hi"]}), "message 1 should be an object"),
        (json.dumps({**GOOD, "messages": [{"from": "bot", "text": "hi"}]}), "and is 'bot'"),
        (json.dumps({**GOOD, "messages": [{"from": "agent", "text": 5}]}), "text should be a string"),
        (json.dumps({**GOOD, "messages": [{"from": "agent", "text": "я" * 20_001}]}), "20,001"),
        (json.dumps({**GOOD, "messages": [{"from": "agent", "text": "hi"}] * 1001}), "1,001 messages"),
        (json.dumps(GOOD), "id 'a' is already taken by"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line_and_left_out_if_asked(tmp_path: Path, row: str, named: str) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n\n{row}\n", encoding="utf-8")
    with pytest.raises(BadConversation) as raised:
        read_conversations([path])
    assert f"{path}, line 3: " in str(raised.value)
    assert named in str(raised.value)
    found = read_conversations([path], keep_going=True)
    assert [one.id for one in found.conversations] == ["a"]
    assert len(found.problems) == 1


def test_a_message_without_text_is_a_picture_and_no_problem(tmp_path: Path) -> None:
    row = {**GOOD, "messages": [{"from": "customer", "text": None}, *GOOD["messages"]]}
    (found,) = read_conversations([write_jsonl(tmp_path / "a.jsonl", [row])]).conversations
    assert len(found.turns) == 2


def test_what_breaks_off_says_where(tmp_path: Path) -> None:
    rows = [{**GOOD, "id": str(number)} for number in range(2000)]
    whole = gzip.compress("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadConversation, match=r"line .*was cut off"):
        read_conversations([cut])
    (tmp_path / "latin.jsonl").write_bytes(json.dumps(GOOD, ensure_ascii=False).encode("cp1251"))
    with pytest.raises(BadConversation, match="line 1: is not UTF-8"):
        read_conversations([tmp_path / "latin.jsonl"])


@pytest.mark.parametrize("name", ["nowhere.jsonl", "export.csv", "empty.jsonl"])
def test_files_without_conversations_are_refused(tmp_path: Path, name: str) -> None:
    if name != "nowhere.jsonl":
        (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(NothingToImport, match=name):
        read_conversations([tmp_path / name])
