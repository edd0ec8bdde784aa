"""From unlabelled messages to a file for labelling programs, and from what people did there to labelled tickets."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from serving.cli.suggest_labels import MAX_COUNT, suggest_labels
from serving.errors import BadSettings
from tests.serving.terminal import Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE
from training.data import parse_columns, read_tickets
from training.errors import BadTrainingData

LANGUAGES = sorted(WRONG_SIZE)


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "new.jsonl"
    rows = [
        {"id": f"{kind}-{language}", "text": texts[language], "language": language, "channel": "email"}
        for kind, texts in (("size", WRONG_SIZE), ("password", PASSWORD))
        for language in LANGUAGES
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_a_file_goes_out_and_comes_back_as_labelled_tickets(
    frontdesk: Run, light_bundle_folder: Path, messages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    todo = tmp_path / "todo.json"
    suggest_labels([messages], 8, str(light_bundle_folder), todo)
    told = capsys.readouterr()
    assert "8 of 12 messages in " in told.out
    assert (tmp_path / "todo.argilla.json").is_file()
    view = ElementTree.parse(tmp_path / "todo.label-studio.xml").getroot()
    assert [choices.get("name") for choices in view.findall("Choices")] == ["channel", "intent", "urgency"]
    entries = json.loads(todo.read_text(encoding="utf-8"))
    # Every person agrees with the bundle, and two of them quarrel over one message.
    for number, entry in enumerate(entries):
        result = entry["predictions"][0]["result"]
        entry |= {"id": number, "annotations": [{"result": result, "updated_at": "2026-03-01T09:00:00Z"}]}
    second = {"from_name": "intent", "to_name": "message", "type": "choices", "value": {"choices": ["order.cancel"]}}
    entries[0]["annotations"].append({"result": [second], "updated_at": "2026-03-01T09:00:01Z"})
    (tmp_path / "done.json").write_text(json.dumps(entries), encoding="utf-8")

    finished = frontdesk("export", "annotations", tmp_path / "done.json", "--output", tmp_path / "done.jsonl")
    assert finished.status == 0
    assert finished.err.splitlines()[0] == "8 rows written"
    assert "1 of them were labelled differently by several people" in finished.err
    rows = [json.loads(line) for line in (tmp_path / "done.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (rows[0]["intent"], rows[0]["disputed"], rows[0]["channel"]) == ("order.cancel", ["intent"], "email")
    tickets = read_tickets([tmp_path / "done.jsonl"], parse_columns(["intent", "urgency", "channel=best_channel"]))
    assert tickets.problems == ()
    assert [t.label("channel") for t in tickets.rows[1:]] == [
        entry["suggestions"]["channel"]["value"] for entry in entries[1:]
    ]


def test_what_is_labelled_already_is_not_suggested(
    frontdesk: Run,
    light_bundle_folder: Path,
    messages: Path,
    tmp_path: Path,
) -> None:
    known = tmp_path / "known.jsonl"
    rows = [{"text": text, "intent": "delivery.wrong_item"} for text in WRONG_SIZE.values()]
    lines = [*(json.dumps(row, ensure_ascii=False) for row in rows), "не JSON"]
    known.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["train", messages, "--suggest-labels", "100", "--from", light_bundle_folder, "--labelled", known]
    done = frontdesk(*command, "--output", tmp_path / "todo.json")
    assert done.status == 0, done.err
    entries = json.loads((tmp_path / "todo.json").read_text(encoding="utf-8"))
    assert {entry["data"]["text"] for entry in entries} == set(PASSWORD.values())
    assert "only 6" in done.err
    assert "known.jsonl:7" in done.err


def test_bad_rows_are_named_and_the_rest_is_done(
    frontdesk: Run, light_bundle_folder: Path, messages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with messages.open("a", encoding="utf-8") as file:
        file.write('{"text": ""}\n{"text": 5}\nне JSON\n')
    suggest_labels([messages], 3, str(light_bundle_folder), tmp_path / "todo.json")
    said = capsys.readouterr().err
    assert "3 rows are left out" in said
    assert f"{messages}:15: is not JSON" in said
    assert len(json.loads((tmp_path / "todo.json").read_text(encoding="utf-8"))) == 3


@pytest.mark.parametrize("count", [0, -1, MAX_COUNT + 1])
def test_a_number_of_messages_that_nobody_labels_is_refused(messages: Path, tmp_path: Path, count: int) -> None:
    with pytest.raises(BadSettings, match=f"--suggest-labels is {count}; it can be 1 to 5,000"):
        suggest_labels([messages], count, "starter", tmp_path / "todo.json")


def test_files_that_cannot_be_are_refused_before_any_work(messages: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"todo\.jsonl should end in \.json"):
        suggest_labels([messages], 3, "starter", tmp_path / "todo.jsonl")
    with pytest.raises(BadSettings, match=r"nowhere\.jsonl does not exist"):
        suggest_labels([tmp_path / "nowhere.jsonl"], 3, "starter", tmp_path / "todo.json")
    messages.write_text("")
    with pytest.raises(BadTrainingData, match="the files are empty"):
        suggest_labels([messages], 3, "starter", tmp_path / "todo.json")


def test_annotations_that_are_none_are_a_clear_error(frontdesk: Run, tmp_path: Path) -> None:
    assert_failed(
        frontdesk("export", "annotations", tmp_path / "done.json"), "done.json", "From Label Studio export JSON"
    )
