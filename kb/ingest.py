"""From articles and macros to a knowledge base that can be searched; a text is encoded once and never again."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.passages import Passage, cut, windows
from kb.search import Embedded, KnowledgeBase
from kb.types import Article, Macro
from models.bundle import Bundle
from models.types import Encoder, TextKind
from models.vectors import VectorCache


def build(
    articles: Sequence[Article],
    macros: Sequence[Macro],
    *,
    version: str,
    encoder: Encoder,
    bundle: Bundle,
    cache: Path,
    advance: Callable[[int], object] = lambda _: None,
) -> KnowledgeBase:
    """Cut, encode and index.

    Args:
        version: the store's digest of the content, reported with every decision.
        cache: a folder for vectors by content; it may be deleted at any time.
        advance: called with the number of texts that became ready, of `texts_of(articles, macros)`.
    """
    passages = [passage for article in articles if not article.draft for passage in cut(article)]
    parts = [windows(passage) for passage in passages]
    vectors = VectorCache(cache, encoder)
    embedded = Embedded(
        windows=vectors.encode([part for some in parts for part in some], TextKind.PASSAGE, advance=advance),
        window_of=np.repeat(np.arange(len(passages)), [len(some) for some in parts]),
        texts=vectors.encode([passage.text for passage in passages], TextKind.PASSAGE, advance=advance),
        titles=vectors.encode([passage.title for passage in passages], advance=advance),
        macros=vectors.encode([f"{m.title}\n{m.text}" for m in macros], TextKind.PASSAGE, advance=advance),
        intents=_intents(bundle, passages, vectors, cache),
    )
    vectors.save()
    return KnowledgeBase(
        version=version,
        articles={article.id: article for article in articles},
        passages=passages,
        macros=list(macros),
        embedded=embedded,
        encoder=encoder,
        bundle=bundle,
    )


def _intents(bundle: Bundle, passages: Sequence[Passage], vectors: VectorCache, cache: Path) -> NDArray[np.float32]:
    """What the bundle makes of the title of each passage, shape (passages, intents).

    Titles alone: where the bundle has adapted its encoder, what it is to judge is read twice.
    """
    if "intent" not in bundle.heads or not passages:
        return np.zeros((len(passages), 0), np.float32)
    titles = [passage.title for passage in passages]
    own = VectorCache(cache, bundle.adapted) if bundle.adapted else vectors
    shares = bundle.score(titles, own.encode(titles))["intent"].shares
    if own is not vectors:
        own.save()
    # In four digits, as the predictions about questions come.
    rounded: NDArray[np.float32] = np.round(shares, 4).astype(np.float32)
    return rounded
