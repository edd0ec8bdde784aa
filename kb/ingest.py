"""From articles and macros to a knowledge base that can be searched; a text is encoded once and never again."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kb.passages import cut
from kb.search import KnowledgeBase
from kb.types import Article, Macro
from models.bundle import Bundle
from models.types import Encoder, TextKind, Vectors


def build(
    articles: Sequence[Article], macros: Sequence[Macro], *, version: str, encoder: Encoder, bundle: Bundle, cache: Path
) -> KnowledgeBase:
    """Cut, encode and index.

    Args:
        version: the store's digest of the content, reported with every decision.
        cache: a folder for vectors by content; it may be deleted at any time.
    """
    passages = [passage for article in articles for passage in cut(article)]
    vectors = VectorCache(cache, encoder)
    text = vectors.encode([passage.indexed for passage in passages], TextKind.PASSAGE)
    titles = vectors.encode([passage.title for passage in passages], TextKind.QUERY)
    replies = vectors.encode([f"{macro.title}\n{macro.text}" for macro in macros], TextKind.PASSAGE)
    vectors.save()
    return KnowledgeBase(
        version=version,
        articles={article.id: article for article in articles},
        passages=passages,
        macros=list(macros),
        text_vectors=text,
        title_vectors=titles,
        macro_vectors=replies,
        bundle=bundle,
    )


class VectorCache:
    """Vectors by the digest of prefix and text, for one encoder; only what was asked for is kept on `save`."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self._encoder = encoder
        self._path = folder / f"vectors-{encoder.fingerprint}.safetensors"
        self._known = self._read()
        self._used: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str], kind: TextKind) -> Vectors:
        keys = [hashlib.sha256(f"{kind}\0{text}".encode("utf-8", "replace")).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        self._known.update(zip(new, self._encoder.encode(list(new.values()), kind), strict=True))
        self._used.update((key, self._known[key]) for key in keys)
        rows = [self._known[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, self._encoder.dimension), np.float32)

    def save(self) -> None:
        """Replace the file in one rename; a process that dies before leaves the old one."""
        if not self._used:
            return
        keys = sorted(self._used)
        packed: dict[str, NDArray[Any]] = {
            "keys": np.frombuffer("".join(keys).encode(), np.uint8),
            "vectors": np.stack([self._used[key] for key in keys]),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._path.with_suffix(f".{os.getpid()}.tmp")
        scratch.write_bytes(save(packed))
        scratch.replace(self._path)

    def _read(self) -> dict[str, Vectors]:
        try:
            packed = load(self._path.read_bytes())
            keys = packed["keys"].tobytes().decode()
            names = [keys[at : at + 64] for at in range(0, len(keys), 64)]
            return dict(zip(names, packed["vectors"], strict=True))
        except (FileNotFoundError, SafetensorError, KeyError, ValueError):
            # Only a cache: what cannot be read is encoded again.
            return {}
