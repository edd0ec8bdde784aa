"""From articles and macros to a knowledge base that can be searched; a text is encoded once and never again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.passages import Passage, cut
from kb.search import KnowledgeBase
from kb.types import Article, Macro
from models.bundle import Bundle
from models.types import Encoder, TextKind, Vectors
from models.vectors import VectorCache


def build(
    articles: Sequence[Article], macros: Sequence[Macro], *, version: str, encoder: Encoder, bundle: Bundle, cache: Path
) -> KnowledgeBase:
    """Cut, encode and index.

    Args:
        version: the store's digest of the content, reported with every decision.
        cache: a folder for vectors by content; it may be deleted at any time.
    """
    passages = [passage for article in articles if not article.draft for passage in cut(article)]
    vectors = VectorCache(cache, encoder)
    text = vectors.encode([passage.indexed for passage in passages], TextKind.PASSAGE)
    titles = vectors.encode([passage.title for passage in passages], TextKind.QUERY)
    replies = vectors.encode([f"{macro.title}\n{macro.text}" for macro in macros], TextKind.PASSAGE)
    vectors.save()
    shares = _intent_shares(bundle, passages, text, titles, cache)
    return KnowledgeBase(
        version=version,
        articles={article.id: article for article in articles},
        passages=passages,
        macros=list(macros),
        text_vectors=text,
        title_vectors=titles,
        macro_vectors=replies,
        intent_shares=shares,
        bundle=bundle,
    )


def _intent_shares(
    bundle: Bundle, passages: Sequence[Passage], text: Vectors, titles: Vectors, cache: Path
) -> NDArray[np.float32]:
    """What the bundle makes of each passage, the mean over its text and its title, shape (passages, intents)."""
    if "intent" not in bundle.heads or not passages:
        return np.zeros((len(passages), 0), np.float32)
    by_text, by_title = [p.indexed for p in passages], [p.title for p in passages]
    if bundle.adapted:
        own = VectorCache(cache, bundle.adapted)
        text, titles = own.encode(by_text), own.encode(by_title)
        own.save()
    shares = [bundle.score(*asked)["intent"].shares for asked in ((by_text, text), (by_title, titles))]
    # In four digits, as the predictions about questions come.
    mean: NDArray[np.float32] = np.round(shares, 4).mean(axis=0).astype(np.float32)
    return mean
