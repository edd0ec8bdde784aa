"""Adapting an encoder: it learns, its adapter is all a bundle carries, and a killed run goes on where it was."""

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.backends import Precision, load_sentence_transformer
from models.bundle import ADAPTER, load_bundle, save_bundle
from models.encoder import EncoderConfig, ServingEncoder, load_encoder
from models.errors import EncoderUnavailable, ModelError
from models.halves import KINDS, Together
from models.heads import Head
from tests.models.samples import EVERY_MESSAGE
from tests.trouble import largest_file
from training.adapt import Adapting
from training.data import Ticket, Tickets
from training.errors import BadTrainingData
from training.features import TrainingTexts
from training.finetune import FineTuneConfig, Progress, no_progress, run_digest
from training.layers import SplitEncoder
from training.machines import fit_head
from training.objectives import ObjectiveConfig
from training.targets import Target
from training.train import TrainingConfig

TUNING = FineTuneConfig(layers=1, rank=4, epochs=2, least_steps=12, batch=8, learning_rate=5e-3)
LANGUAGES = ("vi", "th", "zh-Hans", "zh-Hant", "ru", "en")
TEXTS = {
    "refund": ["hoàn tiền cho em", "คืนเงินให้ด้วย", "退款到账了吗", "退款入帳了嗎", "верните деньги", "refund me please"],
    "parcel": ["đơn hàng chưa tới", "พัสดุยังไม่ถึง", "快递还没到", "包裹還沒到", "где посылка", "parcel is late"],
}


def tickets() -> Tickets:
    """Two intents in six languages, each said four times over; urgency is known of every second row."""
    rows = [
        Ticket(
            f"{text} {at}",
            {"intent": (intent,)} | ({"urgency": (("high", "low")[at % 2],)} if number % 2 else {}),
            language,
            f"{text} {at}",
        )
        for intent, texts in TEXTS.items()
        for number, (language, text) in enumerate(zip(LANGUAGES, texts, strict=True))
        for at in range(4)
    ]
    return Tickets(tuple(rows), (), "c0ffee")


def adapting(
    folder: Path, cache: Path, workspace: Path, *, tuning: FineTuneConfig = TUNING, progress: Progress = no_progress
) -> Adapting:
    encoder = load_encoder(EncoderConfig(str(folder), cache, "torch", Precision.FLOAT32, 1))
    return Adapting(tickets(), ["intent", "urgency"], encoder, TrainingConfig(), tuning, workspace, progress)


@pytest.fixture(scope="module")
def tiny(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> ServingEncoder:
    return load_encoder(
        EncoderConfig(str(tiny_encoder), tmp_path_factory.mktemp("cache"), "torch", Precision.FLOAT32, 1)
    )


def test_the_bundle_carries_the_adapter_and_reads_as_it_was_trained(
    tiny_encoder: Path, tiny: ServingEncoder, tmp_path: Path
) -> None:
    bundle = adapting(tiny_encoder, tmp_path, tmp_path / "work").train()
    assert bundle.notes["training"]["method"] == "fine-tune"
    assert bundle.heads.keys() == {"intent", "urgency"}
    save_bundle(bundle, tmp_path / "bundle")
    # Whoever may read one file may read all of them: the server may be another user.
    assert len({path.stat().st_mode for path in (tmp_path / "bundle").rglob("*") if path.is_file()}) == 1
    size = sum(path.stat().st_size for path in (tmp_path / "bundle" / ADAPTER).iterdir())
    assert size < 40_000
    loaded = load_bundle(tmp_path / "bundle", tiny)
    texts = [ticket.text for ticket in tickets().rows]
    vectors = loaded.vectors(texts, tiny)
    assert not np.allclose(vectors, tiny.encode(texts), atol=1e-3)
    predictions = loaded.predict(texts, vectors)
    assert [p["intent"].label for p in predictions] == [ticket.label("intent") for ticket in tickets().rows]
    # An encoder that was adapted has drawn the languages together as far as this can.
    assert not loaded.language_shifts


def test_the_halves_together_are_the_encoder(tiny_encoder: Path, tiny: ServingEncoder) -> None:
    split = SplitEncoder(tiny_encoder, trained=1, rank=2, max_tokens=64, narrow=False)
    split.read(EVERY_MESSAGE)
    cosines = (split.vectors() * tiny.encode(EVERY_MESSAGE)).sum(axis=1)
    assert cosines.min() > 0.9999


def test_a_text_is_cut_where_the_encoder_ends(tiny_encoder: Path, tiny: ServingEncoder) -> None:
    split = SplitEncoder(tiny_encoder, trained=1, rank=2, max_tokens=128, narrow=False)
    texts = ["refund me please " * 40, "hoàn tiền cho em " * 40]
    split.read(texts)
    assert split.lengths.tolist() == [64, 64]
    assert (split.vectors() * tiny.encode(texts)).sum(axis=1).min() > 0.9999


def test_what_was_learned_is_kept_as_well_as_the_rank_can(tiny_encoder: Path, tiny: ServingEncoder) -> None:
    def kept(rank: int) -> float:
        split = SplitEncoder(tiny_encoder, trained=1, rank=rank, max_tokens=64, narrow=False)
        split.read(EVERY_MESSAGE)
        generator = torch.Generator().manual_seed(13)
        moved = {n: w + 0.2 * torch.randn(w.shape, generator=generator) for n, w in split.state().items()}
        split.restore(moved)
        learned = split.vectors()
        split.keep_as_adapter()
        closeness = float((split.vectors() * learned).sum(axis=1).min())
        split.start_over()
        assert (split.vectors() * tiny.encode(EVERY_MESSAGE)).sum(axis=1).min() > 0.9999
        assert (learned * tiny.encode(EVERY_MESSAGE)).sum(axis=1).min() < 0.99
        return closeness

    assert kept(32) > 0.9999
    assert kept(2) < kept(16) < 0.9999


def test_nothing_learns_from_rows_held_out_for_validation(tiny_encoder: Path, tmp_path: Path) -> None:
    valid = np.arange(0, len(tickets().rows), 4)
    once = replace(TUNING, epochs=1, least_steps=0)

    def trained(rows: Tickets, workspace: Path) -> tuple[bytes, NDArray[np.float32]]:
        encoder = load_encoder(EncoderConfig(str(tiny_encoder), tmp_path, "torch", Precision.FLOAT32, 1))
        config = TrainingConfig(strengths=(0.5,))
        bundle = Adapting(rows, ["intent"], encoder, config, once, workspace).train(valid=valid)
        assert bundle.notes["training"]["held_out"] == "a validation set"
        assert bundle.notes["metrics"]["tasks"]["intent"]["rows"] == len(valid)
        return (workspace / "adapter" / "adapter_model.safetensors").read_bytes(), bundle.heads["intent"].dense

    # Other labels on those rows, and the adapter and the head's weights are the same.
    other = {"refund": "parcel", "parcel": "refund"}
    turned = [
        replace(row, labels={"intent": (other[row.label("intent")],)}) if at in valid else row
        for at, row in enumerate(tickets().rows)
    ]
    adapter, weights = trained(tickets(), tmp_path / "one")
    same_adapter, same_weights = trained(replace(tickets(), rows=tuple(turned)), tmp_path / "other")
    assert adapter == same_adapter
    assert np.array_equal(weights, same_weights)


def test_of_plenty_of_rows_one_adapter_is_made_and_of_few_one_a_fold(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def runs(workspace: str) -> tuple[list[str], str]:
        said = []

        def note(done: int, total: int, note: str) -> None:
            if total and done == 1:
                said.append(note.partition(",")[0])

        bundle = adapting(tiny_encoder, tmp_path, tmp_path / workspace, progress=note).train()
        return said, bundle.notes["training"]["held_out"]

    assert runs("few") == (["1 of 4", "2 of 4", "3 of 4", "4 of 4"], "cross-fitted in 3 folds")
    monkeypatch.setattr("training.adapt.SMALL", 10)
    assert runs("more") == (["1 of 2", "2 of 2"], "one tenth held out")
    monkeypatch.setattr("training.adapt.PLENTY", 20)
    assert runs("plenty") == ([""], "one tenth held out")


def test_of_plenty_of_rows_heads_learn_from_those_too_that_the_adapter_did_not_see(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[int] = []

    def counting(target: Target, inside: NDArray[np.intp], *rest: Any, **named: Any) -> Head:
        learned.append(len(inside))
        return fit_head(target, inside, *rest, **named)

    monkeypatch.setattr("training.heads.fit_head", counting)
    monkeypatch.setattr("training.adapt.SMALL", 10)
    monkeypatch.setattr("training.adapt.PLENTY", 20)
    bundle = adapting(tiny_encoder, tmp_path, tmp_path / "plenty").train()
    rows = len(tickets().rows)
    held = bundle.notes["metrics"]["tasks"]["intent"]["rows"]
    assert {rows - held, rows} <= set(learned)
    assert 0 < held < rows / 4
    learned.clear()
    adapting(tiny_encoder, tmp_path, tmp_path / "valid").train(valid=np.arange(6))
    assert max(learned) == rows - 6


def test_the_mean_of_two_trainings_is_what_both_have_learned(tiny_encoder: Path, tmp_path: Path) -> None:
    whole = replace(TUNING, rank=32)

    def learned(name: str, tuning: FineTuneConfig) -> tuple[list[str], dict[str, Tensor]]:
        """Which runs there were, and the change of each matrix."""
        said = []

        def note(done: int, total: int, note: str) -> None:
            if total and done == 1:
                said.append(note.partition(",")[0])

        run = adapting(tiny_encoder, tmp_path, tmp_path / name, tuning=tuning, progress=note)
        notes = run.train(valid=np.arange(6)).notes["training"]
        assert notes["averaged"] == tuning.averaged
        factors = load_file(tmp_path / name / "adapter" / "adapter_model.safetensors")
        ups = [tensor_name for tensor_name in factors if "lora_B" in tensor_name]
        return said, {up: factors[up].float() @ factors[up.replace("lora_B", "lora_A")].float() for up in ups}

    (_, one), (_, other) = learned("one", whole), learned("other", replace(whole, seed=14))
    runs, both = learned("both", replace(whole, averaged=2))
    assert runs == ["1 of 2", "2 of 2"]
    assert one.keys() == other.keys() == both.keys() != set()
    for name, change in both.items():
        assert torch.allclose(change, (one[name] + other[name]) / 2, atol=1e-3)
        assert not torch.allclose(change, one[name], atol=1e-2)


def test_large_data_is_bounded_in_steps(tiny_encoder: Path, tmp_path: Path) -> None:
    tuning = replace(TUNING, epochs=50, most_steps=9)
    bundle = adapting(tiny_encoder, tmp_path, tmp_path / "work", tuning=tuning).train(valid=np.arange(6))
    assert bundle.notes["training"]["steps"] <= 9


def test_a_row_is_learned_from_in_both_its_spellings() -> None:
    rows = [Ticket(text, {"intent": (intent,)}, None, text) for intent in TEXTS for text in TEXTS[intent]]
    texts = TrainingTexts.of(rows)
    assert [texts.texts[at] for at in texts.stand_ins[:, 0]] == [
        # Reading restores these marks, so that this is no other way to spell it.
        *("hoàn tiền cho em", "คืนเงินให้ด้วย", "退款到賬了嗎", "退款入帐了吗", "верните деньги", "refund me please"),
        *("đơn hàng chưa tới", "พัสดุยังไม่ถึง", "快遞還沒到", "包裹还没到", "где посылка", "parcel is late"),
    ]


def test_a_row_is_learned_from_with_the_noise_of_a_channel_too() -> None:
    languages = ("vi", "th", "zh-Hans", "zh-Hant", "ru", "en")
    rows = [
        Ticket(f"{text}, {at}", {"intent": ("x",)}, language, "")
        for at in range(9)
        for language, text in zip(languages, TEXTS["refund"], strict=True)
    ]
    texts = TrainingTexts.of(rows, noise=True)
    noisy = [texts.texts[at] for at in texts.stand_ins[:, -1]]
    # Reading takes some telephones' signatures out again.
    assert sum(noise != text for noise, text in zip(noisy, texts.texts, strict=False)) > 0.9 * len(rows)
    assert {int(row) for row in texts.row_of(texts.stand_ins[:, -1])} == set(range(len(rows)))
    assert [texts.texts[at] for at in TrainingTexts.of(rows, noise=True).stand_ins[:, -1]] == noisy


SHORT = replace(TUNING, least_steps=0, epochs=15, patience=9, seconds_between_checkpoints=0.2)
_SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from tests.training.test_finetune import SHORT, adapting
adapting(*map(Path, sys.argv[1:4]), tuning=SHORT).train(valid=np.arange(6))
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(tiny_encoder: Path, tmp_path: Path) -> None:
    def run(workspace: str) -> tuple[list[int], bytes]:
        """The steps that were taken, by their number, and the adapter."""
        steps: list[int] = []

        def note(done: int, total: int, _: str) -> None:
            if total:
                steps.append(done)

        adapting(tiny_encoder, tmp_path, tmp_path / workspace, tuning=SHORT, progress=note).train(valid=np.arange(6))
        return steps, (tmp_path / workspace / "adapter" / "adapter_model.safetensors").read_bytes()

    command = [sys.executable, "-c", _SCRIPT, str(tiny_encoder), str(tmp_path), str(tmp_path / "killed")]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "killed").glob("checkpoints/*/[1-9]*/integrity.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    assert not (tmp_path / "killed" / "adapter").exists()
    (resumed, adapter), (every, same) = run("killed"), run("whole")
    assert 0 < len(resumed) < len(every)
    assert resumed == every[-len(resumed) :]
    assert adapter == same


def test_a_run_that_is_done_is_not_done_again(tiny_encoder: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def until_the_second(done: int, total: int, _: str) -> None:
        if total:
            seen.append(done)
            if seen.count(1) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adapting(tiny_encoder, tmp_path, tmp_path / "work", progress=until_the_second).train()
    again: list[int] = []
    adapting(
        tiny_encoder, tmp_path, tmp_path / "work", progress=lambda done, total, _: again.append(done) if total else None
    ).train()
    # Three folds and all rows are four runs, and the first is over.
    assert again.count(1) == 3


def test_a_disk_without_room_costs_checkpoints_and_then_says_so(
    tiny_encoder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = adapting(tiny_encoder, tmp_path, tmp_path / "work")
    with largest_file(600), pytest.raises(ModelError, match="adapter cannot be written"):
        run.train(valid=np.arange(6))
    assert "could not be kept" in caplog.text
    assert adapting(tiny_encoder, tmp_path, tmp_path / "work").train(valid=np.arange(6)).adapter is not None


def test_a_task_that_nothing_can_be_calibrated_for_is_refused_before_any_step(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    steps: list[int] = []
    run = adapting(tiny_encoder, tmp_path, tmp_path / "work", progress=lambda done, *_: steps.append(done))
    without = [at for at, row in enumerate(tickets().rows) if "urgency" not in row.labels]
    with pytest.raises(BadTrainingData, match=r"Of the \d+ rows labelled for 'urgency' none is held out"):
        run.train(valid=np.array(without[:6]))
    assert not steps


@pytest.fixture(scope="module")
def adapter(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of the tiny encoder, made once for all tests that only read it."""
    folder = tmp_path_factory.mktemp("adapter")
    adapting(tiny_encoder, folder, folder / "work").train(valid=np.arange(6))
    return folder / "work" / "adapter"


@pytest.mark.parametrize(
    ("backend", "kinds"), [("torch", KINDS), ("openvino", KINDS), ("torch", ())], ids=["torch", "openvino", "whole"]
)
def test_both_vectors_of_a_text_are_read_in_one_go(
    tiny_encoder: Path,
    adapter: Path,
    tmp_path: Path,
    backend: str,
    kinds: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("models.halves.KINDS", kinds)
    plain = load_encoder(EncoderConfig(str(tiny_encoder), tmp_path, backend, Precision.FLOAT32, 1))
    adapted = plain.adapted(adapter)
    without, own = adapted.encode_both(EVERY_MESSAGE)
    assert without == pytest.approx(plain.encode(EVERY_MESSAGE), abs=1e-5)
    assert own == pytest.approx(adapted.encode(EVERY_MESSAGE), abs=1e-5)
    assert not np.allclose(without, own, atol=0.01)
    assert [vectors.shape for vectors in adapted.encode_both([])] == [(0, plain.dimension)] * 2
    alone = np.concatenate([np.stack(adapted.encode_both([message])) for message in EVERY_MESSAGE], axis=1)
    assert alone == pytest.approx(np.stack([without, own]), abs=1e-5)


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_no_vector_is_lost_in_bfloat16(tiny_encoder: Path, adapter: Path, tmp_path: Path, backend: str) -> None:
    wide, narrow = (
        load_encoder(EncoderConfig(str(tiny_encoder), tmp_path, backend, precision, 1)).adapted(adapter)
        for precision in (Precision.FLOAT32, Precision.BFLOAT16)
    )
    for precise, rough in zip(wide.encode_both(EVERY_MESSAGE), narrow.encode_both(EVERY_MESSAGE), strict=True):
        assert (precise * rough).sum(axis=1).min() > 0.99


def test_the_same_adapter_in_another_folder_is_loaded_once(tiny: ServingEncoder, adapter: Path, tmp_path: Path) -> None:
    first, again = tiny.adapted(adapter), shutil.copytree(adapter, tmp_path / "again")
    assert tiny.adapted(again) is first
    weights = again / "adapter_model.safetensors"
    save_file({name: -tensor for name, tensor in load_file(weights).items()}, weights)
    assert tiny.adapted(again) is not first


def test_layers_below_the_adapter_are_shared(tiny_encoder: Path, adapter: Path) -> None:
    layers = len(load_sentence_transformer(tiny_encoder)[0].model.encoder.layer)
    together = Together([load_sentence_transformer(tiny_encoder, found) for found in (None, adapter)])
    assert together.alike == layers - TUNING.layers


def test_an_adapter_of_another_encoder_is_refused(tiny_encoder: Path, tiny: ServingEncoder, tmp_path: Path) -> None:
    adapting(tiny_encoder, tmp_path, tmp_path / "work").train(valid=np.arange(6))
    config = tmp_path / "work" / "adapter" / "adapter_config.json"
    config.write_text(config.read_text().replace('"r": 4', '"r": 8'))
    with pytest.raises(EncoderUnavailable, match="does not fit"):
        tiny.adapted(tmp_path / "work" / "adapter")


def test_an_encoder_of_a_kind_that_cannot_be_halved_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    other = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, other)
    config = other / "config.json"
    if not config.exists():
        (config,) = other.glob("*/config.json")
    config.write_text(config.read_text().replace('"bert"', '"mpnet"'))
    with pytest.raises(BadTrainingData, match=r"'mpnet'.*--method head"):
        SplitEncoder(other, trained=1, rank=2, max_tokens=64, narrow=False)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 14}, {"layers": 2}, {"rank": 8}, {"epochs": 3.0}, {"least_steps": 9}, {"most_steps": 9}, {"steps": 5},
        {"batch": 4}, {"learning_rate": 1e-4}, {"max_tokens": 32}, {"objective": ObjectiveConfig(contrast=0.0)},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_a_run_with_other_settings_does_not_go_on_from_this_ones_checkpoint(changed: dict[str, Any]) -> None:
    target = Target.of("intent", tickets().rows, multi_label=False)
    texts = [ticket.text for ticket in tickets().rows]

    def digest(tuning: FineTuneConfig, *, rows: int = 40, some: list[str] = texts) -> str:
        return run_digest({"intent": target}, some, "tiny", np.arange(rows), tuning)

    assert digest(TUNING) == digest(replace(TUNING))
    assert digest(replace(TUNING, **changed)) != digest(TUNING)
    assert digest(TUNING, rows=39) != digest(TUNING)
    assert digest(TUNING, some=texts[::-1]) != digest(TUNING)
