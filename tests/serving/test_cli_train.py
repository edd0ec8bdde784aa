"""frontdesk train: from labelled tickets to a bundle that serves."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from models.bundle import ADAPTER, WEIGHTS, read_manifest
from models.encoder import load_encoder
from models.light import LightEncoder
from models.types import TextKind, Vectors
from serving.cli.train import workspace
from serving.errors import BadSettings
from serving.settings import Settings
from tests.serving.terminal import Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE
from training.data import Tickets
from training.finetune import FineTuneConfig
from training.train import TrainingConfig
from triage.normalize import normalize

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    """Messages of two intents in six languages, each said in three ways."""
    path = tmp_path / "tickets.jsonl"
    rows = [
        {"text": f"{before}{text}", "language": language, "intent": intent, "team": team}
        for intent, team, texts in (("account.password", "web", PASSWORD), ("delivery.wrong_item", "depot", WRONG_SIZE))
        for language, text in texts.items()
        for before in ("", "?? ", "... ")
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_bundle_goes_where_it_is_wanted_and_serves(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    output = tmp_path / "bundles" / "mine"
    done = frontdesk("train", tickets, "--task", "intent", "--task", "queue=team", "--name", "mine", "--output", output)
    assert done.status == 0
    assert done.out.startswith(f"mine@1 in {output}\n")
    assert {line.split(":")[0] for line in done.out.splitlines()[1:]} == {"intent", "queue"}
    assert "accuracy" in done.out
    assert (output / "manifest.json").is_file()
    for language, text in WRONG_SIZE.items():
        (found,) = frontdesk("triage", text, "--bundle", output).rows
        assert found["intent"]["label"] == "delivery.wrong_item", language
        assert found["labels"]["queue"]["label"] == "depot", language
        assert found["versions"]["bundle"] == "mine@1"
        assert found["urgency"]["abstained"]


def test_without_an_output_versions_are_counted_in_the_desk(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    for version in (1, 2):
        done = frontdesk("train", tickets, "--task", "intent", "--name", "shop")
        assert f"shop@{version} in {tmp_path / 'desk' / 'bundles' / 'shop' / str(version)}" in done.out
    for reference, version in (("shop", 2), ("shop@1", 1)):
        (found,) = frontdesk("triage", PASSWORD["th"], "--bundle", reference).rows
        assert found["versions"]["bundle"] == f"shop@{version}"


def test_rows_that_cannot_be_used_are_listed_and_left_out(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    with tickets.open("a", encoding="utf-8") as file:
        file.write('oops\n{"text": "", "intent": "a"}\n{"text": "Где заказ?"}\n')
    done = frontdesk("train", tickets, "--task", "intent", "--output", tmp_path / "out")
    assert done.status == 0
    for place in ("tickets.jsonl:37", "tickets.jsonl:38", "tickets.jsonl:39"):
        assert place in done.err


def test_what_cannot_be_trained_is_said_and_leaves_nothing(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert_failed(frontdesk("train", tmp_path / "none.jsonl", "--task", "intent", "--output", output), "none.jsonl")
    assert_failed(frontdesk("train", tickets, "--task", "mood", "--output", output), "mood")
    assert_failed(frontdesk("train", tickets, "--task", "=team", "--output", output), "'=team'")
    assert_failed(frontdesk("train", tickets, "--task", "a=team", "--task", "a=intent", "--output", output), "a=intent")
    assert_failed(frontdesk("train", tickets, "--output", output), "--task NAME")
    assert_failed(frontdesk("train", tickets, "--task", "intent", "--output", tmp_path), tmp_path, "exists already")
    one_label = tmp_path / "one.jsonl"
    one_label.write_text('{"text": "a", "intent": "x"}\n{"text": "b", "intent": "x"}\n', encoding="utf-8")
    finished = frontdesk("train", one_label, "--task", "intent", "--output", output)
    assert finished.status == 1
    assert "at least two labels" in finished.err
    assert not output.exists()


@pytest.mark.parametrize("name", ["a/b", "..", "", "shop@2", "starter"])
def test_a_name_that_could_not_be_found_again_is_refused(
    frontdesk: Run, tickets: Path, tmp_path: Path, name: str
) -> None:
    assert_failed(frontdesk("train", tickets, "--task", "intent", "--name", name), repr(name))
    assert not (tmp_path / "desk").exists()


def test_looking_the_data_over_trains_nothing(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    done = frontdesk("train", tickets, "--task", "intent", "--check", "--output", tmp_path / "out")
    (report,) = done.rows
    assert report["rows"] == 36
    assert not (tmp_path / "out").exists()


def test_new_labels_join_a_bundle_that_exists(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    frontdesk("train", tickets, "--task", "intent", "--output", tmp_path / "old")
    new = tmp_path / "new.jsonl"
    texts = [
        "bảo hành máy hút bụi",
        "เคลมประกันเครื่องดูดฝุ่น",
        "吸尘器保修",
        "吸塵器保固",
        "гарантия на пылесос",
        "vacuum warranty",
    ]
    rows = [{"text": f"{text}{mark}", "intent": "warranty.claim"} for text in texts for mark in ("", "?", " ...")]
    new.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    done = frontdesk("train", new, "--task", "intent", "--from", tmp_path / "old", "--output", tmp_path / "wider")
    assert "intent warranty.claim: 18 rows" in done.err
    for text, label in (
        ("吸塵器保固", "warranty.claim"),
        (PASSWORD["ru"], "account.password"),
        (WRONG_SIZE["vi"], "delivery.wrong_item"),
    ):
        (found,) = frontdesk("triage", text, "--bundle", tmp_path / "wider").rows
        assert found["intent"]["label"] == label
    assert "figures from before warranty.claim joined" in done.out
    checked = frontdesk("train", new, "--task", "intent", "--from", tmp_path / "old", "--check")
    assert checked.status == 0, checked.err
    for option in (["--valid", new], ["--noise"], ["--names"], ["--oos-label", "oos"], ["--precision", "0.95"]):
        add = ["train", new, "--task", "intent", "--from", tmp_path / "old", "--output", tmp_path / "x"]
        assert_failed(frontdesk(*add, *option), "--from", option[0])


def test_a_bundle_that_learned_with_noise_or_names_says_so_and_is_another_one(
    frontdesk: Run, tickets: Path, tmp_path: Path
) -> None:
    train = ("train", tickets, "--task", "intent", "--output")
    frontdesk(*train, tmp_path / "clean")
    frontdesk(*train, tmp_path / "noisy", "--noise")
    frontdesk(*train, tmp_path / "named", "--names")
    clean, noisy, named = (read_manifest(tmp_path / name) for name in ("clean", "noisy", "named"))
    assert (clean["training"]["noise"], noisy["training"]["noise"]) == (False, True)
    assert (clean["training"]["names"], named["training"]["names"]) == (False, True)
    assert clean["data"] == noisy["data"] == named["data"]
    assert len({(tmp_path / name / WEIGHTS).read_bytes() for name in ("clean", "noisy", "named")}) == 3


def test_the_encoder_is_adapted_by_as_many_trainings_as_are_averaged(
    frontdesk: Run, tickets: Path, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.cli.train.load_encoder", load_encoder)
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("training.finetune.FineTuneConfig", partial(FineTuneConfig, layers=1, rank=4, steps=3))
    rows = tickets.read_text(encoding="utf-8").splitlines(keepends=True)
    valid = tmp_path / "valid.jsonl"
    tickets.write_text("".join(rows[:15] + rows[18:33]), encoding="utf-8")
    valid.write_text("".join(rows[15:18] + rows[33:]), encoding="utf-8")
    train = ["train", tickets, "--valid", valid, "--task", "intent", "--method", "fine-tune"]
    for average in ("1", "2"):
        output = tmp_path / average
        done = frontdesk(*train, "--average", average, "--encoder", tiny_encoder, "--output", output)
        assert done.status == 0, done.err
        training = read_manifest(output)["training"]
        assert (training["averaged"], training["steps"]) == (int(average), 3)
    adapters = {(tmp_path / name / ADAPTER / "adapter_model.safetensors").read_bytes() for name in ("1", "2")}
    assert len(adapters) == 2
    command = ["train", tickets, "--task", "intent", "--average", "2", "--output", tmp_path / "x"]
    assert_failed(frontdesk(*command), "--average 2", "--method fine-tune")


def test_a_row_with_two_labels_joins_no_bundle_that_gives_one(
    frontdesk: Run, light_bundle_folder: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new.jsonl"
    rows = [
        {"text": text, "intent": ["bảo.hành"] if at % 3 else ["bảo.hành", "рассрочка"]}
        for at, text in enumerate(WRONG_SIZE.values(), start=1)
    ]
    new.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    command = ["train", new, "--task", "intent", "--multi-label", "intent", "--output", tmp_path / "x"]
    done = frontdesk(*command, "--from", light_bundle_folder)
    assert (done.status, done.out) == (1, "")
    assert "new.jsonl:3 has 2 labels of 'intent'" in done.err


def test_what_is_wrong_with_unusable_data_is_reported_too(frontdesk: Run, tmp_path: Path) -> None:
    one = tmp_path / "one.jsonl"
    one.write_text('{"text": "Где заказ?", "intent": "order.status"}\n{"text": "", "intent": "order.status"}\n')
    done = frontdesk("train", one, "--task", "intent", "--check")
    assert done.status == 1
    assert "error" in {found["severity"] for found in json.loads(done.out)["findings"]}


KILLED = """
import os, signal, sys
from models.light import LightEncoder
from serving import cli

class Mortal(LightEncoder):
    left = int(sys.argv.pop(1))

    def encode(self, texts, *arguments, **named):
        if Mortal.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Mortal.left -= 1
        return super().encode(texts, *arguments, **named)

train = sys.modules["serving.cli.train"]
train.training_encoder = lambda *_: Mortal()
train.CHUNK, train._SECONDS_BETWEEN_SAVES = 10, 0
cli.main()
"""


def test_a_kill_while_encoding_costs_the_last_texts_alone(
    frontdesk: Run, tickets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "cache"))
    command = ["train", str(tickets), "--task", "intent", "--output", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", KILLED, "2", *command], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert not (tmp_path / "out").exists()
    encoded: list[str] = []
    encode = LightEncoder.encode

    def counted(self: LightEncoder, texts: list[str], *how: TextKind) -> Vectors:
        encoded.extend(texts)
        return encode(self, texts, *how)

    monkeypatch.setattr(LightEncoder, "encode", counted)
    assert frontdesk(*command).status == 0
    read = [normalize(json.loads(line)["text"]) for line in tickets.read_text(encoding="utf-8").splitlines()]
    assert set(encoded) & set(read[:20]) == set()
    assert set(read[20:]) <= set(encoded)


def test_vectors_that_cannot_be_remembered_cost_nothing_else(
    frontdesk: Run, tickets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "training").write_text("a file where a folder should be")
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(cache))
    done = frontdesk("train", tickets, "--task", "intent", "--output", tmp_path / "out")
    assert done.status == 0, done.err
    assert "not remembered for the next training" in done.err
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_what_is_labelled_is_asked_for_where_it_counts(frontdesk: Run, tickets: Path, tmp_path: Path) -> None:
    command = ["train", tickets, "--task", "intent", "--labelled", tickets, "--output", tmp_path / "out"]
    assert_failed(frontdesk(*command), "--labelled", "--suggest-labels")


def test_each_training_has_a_workspace_of_its_own_and_one_at_a_time(
    light_encoder: LightEncoder, tmp_path: Path
) -> None:
    settings, rows = Settings(cache_dir=tmp_path), Tickets((), (), "c0ffee")
    with workspace(settings, rows, light_encoder, TrainingConfig(seed=1), ["intent"]) as first:
        (first / "adapter").mkdir()
        with workspace(settings, rows, light_encoder, TrainingConfig(seed=2), ["intent"]) as other:
            assert other != first
        with (
            pytest.raises(BadSettings, match="another process"),
            workspace(settings, rows, light_encoder, TrainingConfig(seed=1), ["intent"]),
        ):
            pass
        assert (first / "adapter").is_dir()
    assert not first.exists()
    with (
        pytest.raises(KeyboardInterrupt),
        workspace(settings, rows, light_encoder, TrainingConfig(seed=1), ["intent"]) as first,
    ):
        raise KeyboardInterrupt
    assert first.is_dir()
