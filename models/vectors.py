"""Vectors that are kept on disk by the content of their texts, so that a text is encoded once."""

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.types import Encoder, TextKind, Vectors

_TINY = 1e-9
CHUNK = 1024
"""Texts between two reports of progress."""


def unit(vectors: Vectors) -> Vectors:
    """Each row scaled to length 1; a row of zeros stays."""
    scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY)
    return scaled


class VectorCache:
    """Vectors of one encoder by the digest of prefix and text.

    Args:
        folder: where its file lies; it may be deleted at any time.
        spare: how many vectors are kept beside those that were asked for; the ones used last stay longest.
    """

    def __init__(self, folder: Path, encoder: Encoder, *, spare: int = 0) -> None:
        self._encoder, self._spare = encoder, spare
        self._path = folder / f"vectors-{encoder.fingerprint}.safetensors"
        self._known = self._read()
        self._used: dict[str, Vectors] = {}

    def encode(
        self,
        texts: Sequence[str],
        kind: TextKind = TextKind.QUERY,
        *,
        advance: Callable[[int], object] = lambda _: None,
    ) -> Vectors:
        """The vectors of `texts`; `advance` is called with the number of texts that became ready."""
        keys = [hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "replace")).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        advance(len(keys) - len(new))
        names, missing = list(new), list(new.values())
        for at in range(0, len(missing), CHUNK):
            some = self._encoder.encode(missing[at : at + CHUNK], kind)
            self._known.update(zip(names[at : at + CHUNK], some, strict=True))
            advance(len(some))
        self._used.update((key, self._known[key]) for key in keys)
        rows = [self._known[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, self._encoder.dimension), np.float32)

    def save(self) -> None:
        """Replace the file in one rename; a process that dies before leaves the old one."""
        if not self._used:
            return
        others = [key for key in self._known if key not in self._used]
        keys = [*others[len(others) - min(self._spare, len(others)) :], *sorted(self._used)]
        vectors = np.stack([self._known[key] for key in keys])
        packed: dict[str, NDArray[Any]] = {
            "keys": np.frombuffer("".join(keys).encode(), np.uint8),
            "vectors": vectors,
            "digest": _digest(vectors),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            scratch.write_bytes(save(packed))
            scratch.replace(self._path)
        finally:
            scratch.unlink(missing_ok=True)

    def _read(self) -> dict[str, Vectors]:
        try:
            packed = load(self._path.read_bytes())
            if packed["digest"].tobytes() != _digest(packed["vectors"]).tobytes():
                raise ValueError(f"{self._path} is not as it was written")
            keys = packed["keys"].tobytes().decode()
            names = [keys[at : at + 64] for at in range(0, len(keys), 64)]
            return dict(zip(names, packed["vectors"], strict=True))
        except (OSError, SafetensorError, KeyError, ValueError):
            # Only a cache: what cannot be read, or is not as it was written, is encoded again.
            return {}


def _digest(vectors: Vectors) -> NDArray[np.uint8]:
    return np.frombuffer(hashlib.sha256(vectors.tobytes()).digest(), np.uint8)
