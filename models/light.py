"""A light twin of the encoder: same protocol, no weights. For tests of the plumbing, never for judging quality."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.features import lexical_counts
from models.types import TextKind, Vectors


class LightEncoder:
    """Random projections of character n-grams, fixed by a seed: texts that share letters are close."""

    name = "light"
    dimension = 64

    def __init__(self, seed: int = 0) -> None:
        self.fingerprint = f"light-{seed}"
        self._projection = np.random.default_rng(seed).standard_normal((2**15, self.dimension)).astype(np.float32)

    def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:  # noqa: ARG002 - the protocol's
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        vectors = lexical_counts(texts) @ self._projection
        scaled: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return scaled

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Three letters in a row are a piece."""
        return [[zlib.crc32(text[at : at + 3].encode("utf-8", "replace")) for at in range(len(text))] for text in texts]

    def adapted(self, adapter: Path) -> "AdaptedLightEncoder":
        """Another projection for every other content of the folder."""
        content = b"".join(path.read_bytes() for path in sorted(adapter.iterdir()))
        return AdaptedLightEncoder(self, zlib.crc32(content, zlib.crc32(self.fingerprint.encode())))


class AdaptedLightEncoder(LightEncoder):
    """A light encoder beside the one that it was made from."""

    def __init__(self, plain: LightEncoder, seed: int) -> None:
        super().__init__(seed)
        self._plain = plain

    def encode_both(self, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        return self._plain.encode(texts), self.encode(texts)
