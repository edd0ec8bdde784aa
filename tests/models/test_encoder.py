"""The real encoder on native messages, and a tiny one of our own through both runtimes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.backends import Precision, load_sentence_transformer
from models.encoder import BATCH, EncoderConfig, ServingEncoder, encoder_fingerprint, load_encoder
from models.errors import DamagedFile, EncoderUnavailable
from models.types import TextKind, Vectors
from models.weights import DEFAULT_ENCODER, encoder_folder
from tests.models.samples import EVERY_MESSAGE, MESSAGES


@pytest.fixture(scope="module")
def tiny_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which the tiny encoder is converted once for all tests."""
    return tmp_path_factory.mktemp("cache")


def _tiny(folder: Path, cache: Path, backend: str = "torch") -> ServingEncoder:
    return load_encoder(EncoderConfig(str(folder), cache, backend, Precision.FLOAT32))


def _cosines(some: Vectors, others: Vectors) -> Vectors:
    lengths = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    cosines: Vectors = (some * others).sum(axis=1) / lengths
    return cosines


def test_vectors_come_in_the_order_of_the_texts(encoder: ServingEncoder) -> None:
    texts = [message * times for times in (2, 1) for message in EVERY_MESSAGE]
    assert len(texts) > 2 * BATCH
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts[::3]])
    # To the bit: vectors are kept by content, and the same data has to give the same bundle.
    assert np.array_equal(together[::3], alone)


@pytest.mark.slow
def test_vectors_are_those_of_sentence_transformers(encoder: ServingEncoder, cache: Path) -> None:
    reference = load_sentence_transformer(encoder_folder(DEFAULT_ENCODER, cache))
    texts = [messages[0] for messages in MESSAGES.values()]
    for kind in TextKind:
        cosines = _cosines(encoder.encode(texts, kind), reference.encode(texts, prompt_name=kind.value))
        assert {language: cosine for language, cosine in zip(MESSAGES, cosines, strict=True) if cosine < 0.999} == {}


def test_each_side_of_a_search_has_its_own_prefix(encoder: ServingEncoder, tiny_encoder: Path, tmp_path: Path) -> None:
    questions, passages = (encoder.encode(EVERY_MESSAGE, kind) for kind in TextKind)
    assert _cosines(questions, passages).max() < 0.9999
    bare = _copied(tiny_encoder, tmp_path / "bare", prompts={})
    prefixed = [f"query: {message}" for message in EVERY_MESSAGE]
    expected = _tiny(bare, tmp_path).encode(prefixed)
    assert _tiny(tiny_encoder, tmp_path).encode(EVERY_MESSAGE) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("text", ["", " ", "\ud800", "заказ \udcff где", "a\0b", "👍🏽", "สวัสดี\ud83d", "\U000e0001"])
def test_any_string_has_a_vector_of_length_one(encoder: ServingEncoder, text: str) -> None:
    assert np.linalg.norm(encoder.encode([text, "bình thường"]), axis=1) == pytest.approx([1, 1], abs=1e-4)


@pytest.mark.parametrize("message", [messages[0] for messages in MESSAGES.values()], ids=MESSAGES)
def test_a_long_text_is_read_to_the_limit_and_no_further(tiny_encoder: Path, tmp_path: Path, message: str) -> None:
    long, longer, short = _tiny(tiny_encoder, tmp_path).encode([message * 100, message * 200, message])
    assert np.array_equal(long, longer)
    assert not np.allclose(long, short, atol=0.01)


def test_the_real_encoder_reads_a_very_long_text_to_its_limit(encoder: ServingEncoder) -> None:
    message = MESSAGES["th"][0]
    long, longer, short = encoder.encode([message * 100, message * 1000, message])
    assert long @ longer > 0.9999
    assert long @ short > 0.8


def test_an_id_that_is_no_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match=r"it has no config\.json\. Name a folder"):
        load_encoder(EncoderConfig(str(tmp_path / "nowhere"), tmp_path))


def test_an_unknown_backend_names_those_that_exist(tiny_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="'tensorflow'; set FRONTDESK_BACKEND to auto, openvino or torch"):
        _tiny(tiny_encoder, tmp_path, "tensorflow")


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_a_local_encoder_gives_what_sentence_transformers_gives(
    tiny_encoder: Path, tiny_cache: Path, backend: str
) -> None:
    local = _tiny(tiny_encoder, tiny_cache, backend)
    texts = [*EVERY_MESSAGE, "".join(EVERY_MESSAGE) * 3]
    reference = load_sentence_transformer(tiny_encoder)
    for kind in TextKind:
        expected = reference.encode(texts, prompt_name=kind.value, normalize_embeddings=True)
        assert local.encode(texts, kind) == pytest.approx(expected, abs=2e-5)
    assert local.runtime.lower() == f"{backend} float32"
    assert local.dimension == 32


def test_a_conversion_is_done_once_and_refused_when_damaged(
    tiny_encoder: Path, tiny_cache: Path, tmp_path: Path
) -> None:
    first = _tiny(tiny_encoder, tiny_cache, "openvino").encode(EVERY_MESSAGE)
    (converted,) = (tiny_cache / "openvino").iterdir()
    built = (converted / "model.bin").stat().st_mtime_ns
    assert np.array_equal(_tiny(tiny_encoder, tiny_cache, "openvino").encode(EVERY_MESSAGE), first)
    assert (converted / "model.bin").stat().st_mtime_ns == built
    damaged = shutil.copytree(converted, tmp_path / "openvino" / converted.name) / "model.bin"
    _flip(damaged)
    with pytest.raises(DamagedFile, match=rf"{damaged} is damaged: .* Delete that folder"):
        _tiny(tiny_encoder, tmp_path, "openvino")


@pytest.mark.parametrize(
    "file", ["config.json", "tokenizer.json", "modules.json", "model.safetensors", "1_Pooling/config.json"]
)
def test_the_fingerprint_tells_any_deciding_file(tiny_encoder: Path, tmp_path: Path, file: str) -> None:
    copy = _copied(tiny_encoder, tmp_path / "copy")
    assert encoder_fingerprint(copy) == encoder_fingerprint(tiny_encoder)
    _flip(copy / file)
    assert encoder_fingerprint(copy) != encoder_fingerprint(tiny_encoder)


def test_the_fingerprint_tells_the_prefixes(tiny_encoder: Path, tmp_path: Path) -> None:
    prompts = [{}, {"query": "câu hỏi: "}, {"passage": "câu hỏi: "}, {"query": "câu hỏi: ", "passage": "бумага: "}]
    copies = [_copied(tiny_encoder, tmp_path / str(at), prompts=prompt) for at, prompt in enumerate(prompts)]
    assert len({encoder_fingerprint(folder) for folder in [tiny_encoder, *copies]}) == 5


def _copied(folder: Path, target: Path, *, prompts: dict[str, str] | None = None) -> Path:
    shutil.copytree(folder, target)
    if prompts is not None:
        settings = target / "config_sentence_transformers.json"
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"prompts": prompts}))
    return target


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
