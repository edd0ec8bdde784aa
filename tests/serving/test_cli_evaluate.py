"""frontdesk evaluate and models compare: from labelled tickets to figures, rows and a report."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle, save_bundle
from models.light import LightEncoder
from serving import desk
from serving.settings import Settings
from tests.serving.terminal import Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE

INTENTS = {"account.password": PASSWORD, "delivery.wrong_item": WRONG_SIZE}


def _rows() -> list[dict[str, Any]]:
    return [
        {"text": text, "language": language, "intent": intent, "urgency": "normal", "channel": "phone", "ziel": intent}
        for intent, texts in INTENTS.items()
        for language, text in texts.items()
    ]


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    return _write(tmp_path / "tickets.jsonl", _rows())


def test_one_object_for_programs(frontdesk: Run, light_bundle_folder: Path, tickets: Path) -> None:
    done = frontdesk("evaluate", light_bundle_folder, tickets, "--json")
    assert (done.status, done.err) == (0, "")
    (found,) = done.rows
    assert found["bundle"] == "light@1"
    # The column `channel` is where messages came from, and no task unless it is named one.
    assert found["tasks"].keys() == {"intent", "urgency"}
    intent = found["tasks"]["intent"]
    assert intent["rows"] == 12
    assert {"accuracy", "macro_f1", "ece", "coverage", "precision_when_sure", "intervals"} <= intent.keys()
    assert intent["languages"].keys() == set(PASSWORD)
    assert intent["labels"]["account.password"]["support"] == 6


def test_people_get_tables(frontdesk: Run, light_bundle_folder: Path, tickets: Path) -> None:
    done = frontdesk("evaluate", light_bundle_folder, tickets, "--task", "intent")
    assert done.status == 0
    assert "intent: 12 rows, 36 labels" in done.out
    for said in ("accuracy", "macro-F1", "calibration error", "weakest labels", "95 % interval", "zh-Hant"):
        assert said in done.out, said
    assert "urgency" not in done.out


def test_files_folders_columns_and_tasks(frontdesk: Run, light_bundle_folder: Path, tmp_path: Path) -> None:
    rows = _rows()
    folder = tmp_path / "data"
    folder.mkdir()
    _write(folder / "a.jsonl.gz", rows[:4])
    (folder / "b.csv").write_text(
        "text,ziel,kanal\n" + "".join(f'"{row["text"]}",{row["ziel"]},phone\n' for row in rows[4:8]), encoding="utf-8"
    )
    alone = _write(tmp_path / "c.jsonl", [{**row, "nội_dung": row["text"]} for row in rows[8:]])
    (found,) = frontdesk("evaluate", light_bundle_folder, folder, alone, "--task", "intent=ziel", "--json").rows
    assert found["tasks"].keys() == {"intent"}
    assert found["tasks"]["intent"]["rows"] == 12
    (named,) = frontdesk("evaluate", light_bundle_folder, alone, "--text", "nội_dung", "--json").rows
    assert named["tasks"]["intent"]["rows"] == 4


def test_rows_out_of_scope_have_the_label_that_is_named(
    frontdesk: Run, light_bundle_folder: Path, tmp_path: Path
) -> None:
    far = {"text": "พรุ่งนี้ฝนจะตกไหมคะ", "language": "th", "intent": "ไม่เกี่ยว"}
    data = _write(tmp_path / "tickets.jsonl", [*_rows(), far])
    (found,) = frontdesk("evaluate", light_bundle_folder, data, "--oos-label", "ไม่เกี่ยว", "--json").rows
    assert (found["tasks"]["intent"]["rows"], found["tasks"]["intent"]["out_of_scope"]["rows"]) == (12, 1)
    (found,) = frontdesk("evaluate", light_bundle_folder, data, "--json").rows
    assert found["tasks"]["intent"]["unknown_labels"] == {"ไม่เกี่ยว": 1}
    assert "ไม่เกี่ยว (1)" in frontdesk("evaluate", light_bundle_folder, data).out


def test_rows_of_one_matter_are_one_observation_whatever_their_column(
    frontdesk: Run, light_bundle_folder: Path, tmp_path: Path
) -> None:
    half = [{**row, "vụ_việc": "m1"} | ({"intent": "order.cancel"} if at % 2 else {}) for at, row in enumerate(_rows())]
    data = _write(tmp_path / "tickets.jsonl", half)

    def interval(*options: str) -> list[float]:
        (found,) = frontdesk("evaluate", light_bundle_folder, data, "--task", "intent", "--json", *options).rows
        low_and_high: list[float] = found["tasks"]["intent"]["intervals"]["accuracy"]
        return low_and_high

    low, high = interval()
    assert low < high
    low, high = interval("--group", "vụ_việc")
    assert low == high
    assert_failed(frontdesk("evaluate", light_bundle_folder, data, "--group", "matter"), "'matter'", "--group COLUMN")
    both = ("models", "compare", light_bundle_folder, light_bundle_folder)
    assert_failed(frontdesk(*both, data, "--group", "matter"), "'matter'", "--group COLUMN")


def test_wrong_rows_are_written_where_they_are_wanted(
    frontdesk: Run, light_bundle_folder: Path, tmp_path: Path
) -> None:
    swapped = [{**row, "intent": "order.cancel"} for row in _rows()]
    data = _write(tmp_path / "tickets.jsonl", swapped)
    wrong = tmp_path / "wrong.jsonl"
    done = frontdesk("evaluate", light_bundle_folder, data, "--task", "intent", "--wrong", wrong, "--json")
    rows = [json.loads(line) for line in wrong.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 12 - done.rows[0]["tasks"]["intent"]["accuracy"] * 12
    assert {row["place"] for row in rows} <= {f"{data}:{at}" for at in range(1, 13)}
    assert rows[0].keys() == {
        "place", "task", "text", "language", "truth", "predicted", "confidence", "abstained", "out_of_scope", "ranking"
    }  # fmt: skip
    assert [row["confidence"] for row in rows] == sorted((row["confidence"] for row in rows), reverse=True)


def test_a_report_goes_into_a_new_folder(
    frontdesk: Run, light_bundle_folder: Path, tickets: Path, tmp_path: Path
) -> None:
    report = tmp_path / "reports" / "today"
    done = frontdesk("evaluate", light_bundle_folder, tickets, "--report", report, "--json")
    assert done.status == 0
    assert str(report / "report.html") in done.err
    assert {"report.html", "metrics.json", "model-card.md"} <= {path.name for path in report.iterdir()}
    assert json.loads((report / "metrics.json").read_text(encoding="utf-8")) == done.rows[0]
    assert_failed(frontdesk("evaluate", light_bundle_folder, tickets, "--report", report), report, "exists already")
    (tmp_path / "file").write_text("")
    beneath = tmp_path / "file" / "report"
    assert_failed(
        frontdesk("evaluate", light_bundle_folder, tickets, "--report", beneath), beneath, "cannot be written"
    )


def test_what_is_wrong_with_rows_is_listed(frontdesk: Run, light_bundle_folder: Path, tickets: Path) -> None:
    with tickets.open("a", encoding="utf-8") as file:
        file.write('oops\n{"text": "", "intent": "a"}\n')
    done = frontdesk("evaluate", light_bundle_folder, tickets, "--json")
    assert done.status == 0
    assert "2 rows are left out" in done.err
    assert "tickets.jsonl:13" in done.err
    assert "tickets.jsonl:14" in done.err


def test_what_cannot_be_measured_is_said(frontdesk: Run, light_bundle_folder: Path, tickets: Path) -> None:
    folder = light_bundle_folder
    assert_failed(frontdesk("evaluate", folder, tickets.parent / "none.jsonl"), "none.jsonl", "does not exist")
    assert_failed(frontdesk("evaluate", "nowhere@4", tickets), "nowhere@4")
    assert_failed(frontdesk("evaluate", folder, tickets, "--task", "mood"), "no task mood", "channel, intent, urgency")
    assert_failed(frontdesk("evaluate", folder, tickets, "--task", "intent=mood"), "mood")
    bare = _write(tickets.parent / "bare.jsonl", [{"text": "Где мой заказ?", "channel": "phone"}])
    assert_failed(frontdesk("evaluate", folder, bare), "intent or urgency", "--task NAME=COLUMN")
    empty = _write(tickets.parent / "empty.jsonl", [])
    assert_failed(frontdesk("evaluate", folder, empty), "No row has a column")
    assert frontdesk("evaluate", folder).status == 2


def test_a_bundle_that_learned_these_rows_is_no_surprise(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    more = _write(
        tmp_path / "more.jsonl",
        [{**row, "text": f"{row['text']} {at}"} for at, row in enumerate(_rows() * 3)],
    )
    assert frontdesk("train", more, "--task", "intent", "--output", tmp_path / "bundle").status == 0
    assert "trained on these very rows" in frontdesk("evaluate", tmp_path / "bundle", more, "--task", "intent").err
    assert "trained on" not in frontdesk("evaluate", tmp_path / "bundle", tickets, "--task", "intent").err


def test_two_bundles_are_compared(
    frontdesk: Run, light_bundle: Bundle, light_bundle_folder: Path, tickets: Path, tmp_path: Path
) -> None:
    head = light_bundle.heads["intent"]
    blind = replace(head, dense=head.dense * 0, lexical=head.lexical * 0)
    other = replace(light_bundle, version=2, heads={"intent": blind})
    save_bundle(other, tmp_path / "blind")
    done = frontdesk("models", "compare", light_bundle_folder, tmp_path / "blind", tickets, "--json")
    (found,) = done.rows
    assert (found["a"], found["b"], found["tasks"].keys()) == ("light@1", "light@2", {"intent"})
    accuracy = found["tasks"]["intent"]["figures"]["accuracy"]
    assert accuracy["difference"] == pytest.approx(accuracy["b"] - accuracy["a"])
    assert len(found["tasks"]["intent"]["broken"]) > 6
    shown = frontdesk("models", "compare", light_bundle_folder, tmp_path / "blind", tickets)
    assert shown.status == 0
    for said in ("light@1 and light@2 on 12 rows", "accuracy by language", "worse", "rows right before and wrong now"):
        assert said in shown.out, said
    same = frontdesk("models", "compare", light_bundle_folder, light_bundle_folder, tickets)
    assert "no label's F1 changed" in same.out


def test_each_bundle_gets_the_encoder_that_it_was_trained_on(
    frontdesk: Run, light_bundle: Bundle, light_bundle_folder: Path, tickets: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    opened: list[str] = []

    def open_encoder(settings: Settings) -> LightEncoder:
        opened.append(settings.encoder)
        return LightEncoder(7 if settings.encoder == "other" else 0)

    monkeypatch.setattr(desk, "open_encoder", open_encoder)
    about = {"name": "other", "fingerprint": LightEncoder(7).fingerprint, "dimension": 64}
    save_bundle(replace(light_bundle, version=2, encoder=about), tmp_path / "other")
    found = frontdesk("models", "compare", light_bundle_folder, tmp_path / "other", tickets, "--json")
    assert found.rows[0]["b"] == "light@2"
    assert opened == [Settings().encoder, "other"]
