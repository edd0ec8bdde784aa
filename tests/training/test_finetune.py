"""Adapting an encoder: it learns, its adapter is all a bundle carries, and a killed run goes on where it was."""

import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from models.backends import Precision
from models.bundle import ADAPTER, load_bundle, save_bundle
from models.encoder import EncoderConfig, ServingEncoder, load_encoder
from models.errors import EncoderUnavailable
from tests.models.samples import EVERY_MESSAGE
from training.adapt import Adapting
from training.data import Ticket, Tickets
from training.errors import BadTrainingData
from training.finetune import FineTuneConfig
from training.layers import SplitEncoder
from training.train import TrainingConfig

TUNING = FineTuneConfig(layers=1, rank=4, epochs=2, least_steps=12, batch=8, learning_rate=5e-3)
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
            None,
            f"{text} {at}",
        )
        for intent, texts in TEXTS.items()
        for number, text in enumerate(texts)
        for at in range(4)
    ]
    return Tickets(tuple(rows), (), "c0ffee")


def adapting(folder: Path, cache: Path, workspace: Path, *, tuning: FineTuneConfig = TUNING) -> Adapting:
    encoder = load_encoder(EncoderConfig(str(folder), cache, "torch", Precision.FLOAT32, 1))
    return Adapting(tickets(), ["intent", "urgency"], encoder, TrainingConfig(), tuning, workspace)


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
    size = sum(path.stat().st_size for path in (tmp_path / "bundle" / ADAPTER).iterdir())
    assert size < 40_000
    loaded = load_bundle(tmp_path / "bundle", tiny)
    texts = [ticket.text for ticket in tickets().rows]
    vectors = loaded.vectors(texts, tiny)
    assert not np.allclose(vectors, tiny.encode(texts), atol=1e-3)
    predictions = loaded.predict(texts, vectors)
    assert [p["intent"].label for p in predictions] == [ticket.label("intent") for ticket in tickets().rows]


def test_the_halves_together_are_the_encoder(tiny_encoder: Path, tiny: ServingEncoder) -> None:
    split = SplitEncoder(tiny_encoder, trained=1, rank=2, max_tokens=64, narrow=False)
    split.read(EVERY_MESSAGE)
    cosines = (split.vectors() * tiny.encode(EVERY_MESSAGE)).sum(axis=1)
    assert cosines.min() > 0.9999


def test_rows_held_out_for_validation_are_not_learned_from(tiny_encoder: Path, tmp_path: Path) -> None:
    whole = adapting(tiny_encoder, tmp_path, tmp_path / "work")
    valid = np.arange(0, len(tickets().rows), 4)
    bundle = whole.train(valid=valid)
    assert bundle.notes["training"]["held_out"] == "a validation set"
    assert bundle.notes["metrics"]["tasks"]["intent"]["rows"] == len(valid)


SHORT = replace(TUNING, least_steps=0, epochs=3, patience=9, seconds_between_checkpoints=0.2)
_SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from tests.training.test_finetune import SHORT, adapting
adapting(*map(Path, sys.argv[1:4]), tuning=SHORT).train(valid=np.arange(6))
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(tiny_encoder: Path, tmp_path: Path) -> None:
    def adapter(workspace: str) -> bytes:
        adapting(tiny_encoder, tmp_path, tmp_path / workspace, tuning=SHORT).train(valid=np.arange(6))
        return (tmp_path / workspace / "adapter" / "adapter_model.safetensors").read_bytes()

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
    assert adapter("killed") == adapter("whole")


def test_an_adapter_of_another_encoder_is_refused(tiny_encoder: Path, tiny: ServingEncoder, tmp_path: Path) -> None:
    adapting(tiny_encoder, tmp_path, tmp_path / "work").train(valid=np.arange(6))
    config = tmp_path / "work" / "adapter" / "adapter_config.json"
    config.write_text(config.read_text().replace('"r": 4', '"r": 8'))
    with pytest.raises(EncoderUnavailable, match="does not fit"):
        tiny.adapted(tmp_path / "work" / "adapter")


def test_an_encoder_of_a_kind_that_cannot_be_halved_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    import shutil

    other = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, other)
    config = other / "config.json"
    if not config.exists():
        (config,) = other.glob("*/config.json")
    config.write_text(config.read_text().replace('"bert"', '"mpnet"'))
    with pytest.raises((BadTrainingData, ValueError)):
        SplitEncoder(other, trained=1, rank=2, max_tokens=64, narrow=False)


def test_every_setting_that_decides_a_run_is_in_its_digest() -> None:
    assert asdict(TUNING).keys() >= {"seed", "layers", "rank", "epochs", "batch", "learning_rate", "objective"}
    assert asdict(replace(TUNING, rank=8)) != asdict(TUNING)
