"""The encoder that serves: tokens in batches of like length, through OpenVINO or torch."""

import hashlib
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.backends import Backend, ModelFiles, Precision, load_backend
from models.files import RECORD, sha256, verified_record
from models.types import TextKind, Vectors
from models.vectors import unit
from models.weights import encoder_folder

log = logging.getLogger(__name__)

BATCH = 16
"""Texts in one forward pass; larger ones gained nothing on two cores and cost memory."""
_STEP = 8
"""Lengths are padded to a multiple of this, so that the runtime sees few shapes and reuses its kernels."""


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """Which encoder, and how it runs.

    Attributes:
        encoder: the default's name, a Hugging Face id or a local folder.
        cache: the folder for fetched, rebuilt and converted files.
        backend: `auto` (OpenVINO, else torch), `openvino` or `torch`.
        precision: `auto` takes bfloat16 where the CPU has it in hardware and float32 elsewhere.
        threads: CPU threads for inference; 0 leaves it to the runtime.
    """

    encoder: str
    cache: Path
    backend: str = "auto"
    precision: Precision = Precision.AUTO
    threads: int = 0


class ServingEncoder:
    """Tokenizer, prefixes and a backend."""

    def __init__(self, config: EncoderConfig, files: ModelFiles) -> None:
        self._config, self._files = config, files
        folder = files.folder
        self._backend = self._load()
        self._prefixes = read_prefixes(folder)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_max_tokens(folder))
        self._lock = threading.Lock()
        self._adapted: WeakValueDictionary[str, AdaptedServingEncoder] = WeakValueDictionary()
        self._adapting = threading.Lock()

    @property
    def name(self) -> str:
        return self._config.encoder

    @property
    def fingerprint(self) -> str:
        return self._files.fingerprint

    @property
    def folder(self) -> Path:
        """Where its files are, as sentence-transformers reads them."""
        return self._files.folder

    @property
    def dimension(self) -> int:
        return self._backend.dimension

    @property
    def runtime(self) -> str:
        """What runs the model and how, for people: `openvino bf16`."""
        return self._backend.runtime

    def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        vectors: Vectors = self._read(self._backend, texts, kind)[0]
        return vectors

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        found = self._tokenizer.encode_batch_fast([_speakable(t) for t in texts], add_special_tokens=False)
        return [encoding.ids for encoding in found]

    def adapted(self, adapter: Path) -> "AdaptedServingEncoder":
        """This encoder with the adapter in a folder; the same object for the same files as long as anyone has it.

        A bundle with one label more has the adapter of the one before: promoting it takes no second gigabyte.
        """
        digests = [self.fingerprint, *(f"{path.name} {sha256(path)}" for path in sorted(adapter.iterdir()))]
        fingerprint = hashlib.sha256("\n".join(digests).encode()).hexdigest()[:16]
        with self._adapting:
            if (found := self._adapted.get(fingerprint)) is None:
                found = AdaptedServingEncoder(self._config, ModelFiles(self._files.folder, fingerprint, adapter))
                self._adapted[fingerprint] = found
            return found

    def _load(self, *, both: bool = False) -> Backend:
        config = self._config
        cache = config.cache / "openvino"
        return load_backend(self._files, cache, config.backend, config.precision, config.threads, both=both)

    def _read(self, backend: Backend, texts: Sequence[str], kind: TextKind) -> NDArray[np.float32]:
        """What `backend` makes of `texts`, shape (outputs, texts, dimension), rows of length 1."""
        if not texts:
            return np.zeros((backend.outputs, 0, backend.dimension), np.float32)
        prefix = self._prefixes[kind]
        tokens = [e.ids for e in self._tokenizer.encode_batch_fast([prefix + _speakable(t) for t in texts])]
        order = sorted(range(len(tokens)), key=lambda i: -len(tokens[i]))
        batches = [_padded(batch) for batch in _batches([tokens[i] for i in order])]
        vectors = np.empty((backend.outputs, len(texts), backend.dimension), np.float32)
        with self._lock:
            vectors[:, order] = np.concatenate(backend.run(batches), axis=1)
        # Not every encoder ends in a norm of its own, and everything behind it counts on one.
        return unit(vectors)


class AdaptedServingEncoder(ServingEncoder):
    """An encoder with an adapter in its upper layers; what the lower ones make of a text serves both at once."""

    def __init__(self, config: EncoderConfig, files: ModelFiles) -> None:
        super().__init__(config, files)
        # Only where both are read: evaluation and training do not.
        self._both: Backend | None = None

    def encode_both(self, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        with self._lock:
            self._both = self._both or self._load(both=True)
        plain, own = self._read(self._both, texts, TextKind.QUERY)
        return plain, own


def load_encoder(config: EncoderConfig) -> ServingEncoder:
    """Fetch or rebuild the files of an encoder, check them, and make it ready to serve.

    Raises:
        EncoderUnavailable: when its files or a runtime for it cannot be had.
        DamagedFile: when a cached file is not what was written there.
    """
    folder = encoder_folder(config.encoder, config.cache)
    encoder = ServingEncoder(config, ModelFiles(folder, encoder_fingerprint(folder)))
    log.info("encoder %s %s on %s", encoder.name, encoder.fingerprint, encoder.runtime)
    return encoder


def encoder_fingerprint(folder: Path) -> str:
    """A digest of everything that decides the vectors of the encoder in `folder`."""
    deciding = ("config.json", "tokenizer.json", "modules.json", "model.safetensors")
    if (folder / RECORD).is_file():
        record = verified_record(folder)
    else:
        paths = [*folder.glob("*.json"), *folder.glob("*.safetensors"), *folder.glob("[0-9]_*/*")]
        record = {p.relative_to(folder).as_posix(): sha256(p) for p in paths if p.is_file()}
    named = {n: d for n, d in record.items() if n in deciding or n.endswith(".safetensors") or n[:1].isdigit()}
    content = json.dumps([named, read_prefixes(folder)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def read_prefixes(folder: Path) -> dict[TextKind, str]:
    """The prefixes that the encoder's own sentence-transformers settings ask for; none where it names none."""
    prompts = _read(folder / "config_sentence_transformers.json").get("prompts") or {}
    passage = prompts.get("passage", prompts.get("document", ""))
    return {TextKind.QUERY: prompts.get("query", ""), TextKind.PASSAGE: passage}


def _max_tokens(folder: Path) -> int:
    """Where sentence-transformers cuts: at its own setting, else at the least that tokenizer and model say."""
    own = _read(folder / "sentence_bert_config.json").get("max_seq_length")
    others = (
        _read(folder / "tokenizer_config.json").get("model_max_length"),
        _read(folder / "config.json").get("max_position_embeddings"),
    )
    return int(own or min((n for n in others if n and n > 0), default=512))


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def _speakable(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 tokenizer takes, replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _batches(rows: list[list[int]]) -> Iterator[list[list[int]]]:
    """Rows, sorted by length, that are padded to one width: so a text's vector does not depend on its company."""
    for _, alike in groupby(rows, _width):
        some = list(alike)
        yield from (some[at : at + BATCH] for at in range(0, len(some), BATCH))


def _width(row: list[int]) -> int:
    return -(-len(row) // _STEP) * _STEP


def _padded(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    width = _width(rows[0])
    ids = np.ones((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask
