"""What a head reads: the encoder's vector, centred, beside hashed character n-grams.

The dense half knows what words mean in any language, the lexical half knows the very words; together they beat
either alone on every set measured (`benchmarks/README.md`).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.types import Vectors

BUCKETS = 2**15
NGRAMS = (1, 4)

# Multiplicative hashing (Knuth): the product with a large odd number, of which the top 15 bits count.
_SPREAD, _GOLDEN, _DISCARDED = np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15), np.uint64(64 - 15)
_LATIN_WITH_MARKS = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")


def lexical_counts(texts: Sequence[str]) -> sp.csr_matrix:
    """Log-scaled counts of hashed character 1- to 4-grams within words, shape (texts, BUCKETS).

    Latin letters lose their marks first, so that Vietnamese with and without accents meets in the same buckets;
    the dense vector still sees them. scikit-learn's HashingVectorizer does the same, but importing it takes longer than
    the rest of a start.
    """
    words = [plain(text).lower().split() for text in texts]
    every = [f" {word} " for some in words for word in some]
    word_of = np.repeat(np.arange(len(every)), [len(word) for word in every])
    text_of = np.repeat(np.arange(len(texts)), [len(some) for some in words])[word_of]
    letters = np.frombuffer("".join(every).encode("utf-32-le"), np.uint32).astype(np.uint64)
    keys = [np.zeros(0, np.int64)]
    grams = np.zeros(len(letters), np.uint64)
    for size in range(1, min(NGRAMS[1], len(letters)) + 1):
        last = len(letters) - size + 1
        grams = grams[:last] * _SPREAD + letters[size - 1 :]
        within = word_of[:last] == word_of[size - 1 :]
        buckets = (grams * _GOLDEN >> _DISCARDED).astype(np.int64)
        keys.append((text_of[:last] * BUCKETS + buckets)[within])
    found, counts = np.unique(np.concatenate(keys), return_counts=True)
    ends = np.searchsorted(found, np.arange(len(texts) + 1) * BUCKETS)
    values = np.log1p(counts).astype(np.float32)
    return sp.csr_matrix((values, (found % BUCKETS).astype(np.int32), ends), (len(texts), BUCKETS))


def plain(text: str) -> str:
    """The text with its Latin letters without marks: Vietnamese with and without accents becomes the same."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text).replace("đ", "d").replace("Đ", "D")
    stripped = _LATIN_WITH_MARKS.sub(lambda match: unicodedata.normalize("NFD", match[0])[0], composed)
    return stripped.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class FeatureScale:
    """What turns raw vectors and counts into features; learned from the training texts.

    Attributes:
        center: shape (dimension,), the mean vector.
        idf: shape (BUCKETS,), the weight of a bucket by how few texts use it.
    """

    center: NDArray[np.float32]
    idf: NDArray[np.float32]

    @classmethod
    def fit(cls, vectors: Vectors, counts: sp.csr_matrix) -> "FeatureScale":
        texts = counts.shape[0]
        used = np.bincount(counts.indices, minlength=counts.shape[1])
        # Rounded as a bundle stores it, so that a head is trained on exactly what it will be served.
        idf = (np.log((1 + texts) / (1 + used)) + 1).astype(np.float16).astype(np.float32)
        center = vectors.mean(axis=0).astype(np.float16).astype(np.float32)
        return cls(center, idf)

    def dense(self, vectors: Vectors) -> Vectors:
        """Centred vectors of length 1: encoders put all texts into one corner of the sphere, this spreads them."""
        shifted = vectors - self.center
        norms = np.linalg.norm(shifted, axis=1, keepdims=True)
        scaled: Vectors = shifted / np.maximum(norms, 1e-9)
        return scaled

    def lexical(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        """Weighted counts, each row of length 1 (or 0 for a text without a character)."""
        weighted = counts.copy()
        weighted.data *= self.idf[weighted.indices]
        norms = np.sqrt(np.add.reduceat(np.append(weighted.data**2, 0), weighted.indptr[:-1]))
        norms[np.diff(weighted.indptr) == 0] = 1
        weighted.data /= np.repeat(np.maximum(norms, 1e-9), np.diff(weighted.indptr)).astype(np.float32)
        return weighted

    def joined(self, vectors: Vectors, counts: sp.csr_matrix) -> Any:
        """Both halves side by side as one sparse matrix, for training."""
        return sp.hstack([sp.csr_matrix(self.dense(vectors)), self.lexical(counts)], format="csr", dtype=np.float32)
