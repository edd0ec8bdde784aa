"""From articles and macros to a knowledge base that can be searched; a text is encoded once and never again."""

import logging
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from kb.errors import ImportUnderWay, VectorsNotSaved
from kb.index import IndexSettings, kept_index
from kb.passages import Passage, cut, windows
from kb.search import Embedded, KnowledgeBase
from kb.types import Article, Macro
from models.bundle import Bundle
from models.types import Encoder, TextKind
from models.vectors import VectorCache

PATIENCE = 600.0
"""Seconds that an import waits for another one."""
SAVE_EVERY = 60.0
"""Seconds of encoding that a kill can cost."""
_AT_ONCE = 256

log = logging.getLogger(__name__)


def build(
    articles: Sequence[Article],
    macros: Sequence[Macro],
    *,
    version: str,
    encoder: Encoder,
    bundle: Bundle,
    cache: Path,
    index: IndexSettings | None = None,
    outside: Container[str] = frozenset(),
) -> KnowledgeBase:
    """Cut, encode and index.

    Args:
        version: the store's digest of the content, reported with every decision.
        cache: a folder for vectors by content, and for an index that took long to build; it may be deleted at any time.
        index: when rows are compared one by one, and what an index that does not may miss.
        outside: intents that no article is about, as those of what is not for this desk.
    """
    passages = _passages(articles)
    vectors = _Vectors(cache, encoder, bundle, outside=outside)
    embedded = vectors.of(passages, macros)
    if passages or macros:
        vectors.save_unless_importing()
    return KnowledgeBase(
        version=version,
        articles={article.id: article for article in articles},
        passages=passages,
        macros=list(macros),
        embedded=embedded,
        encoder=encoder,
        bundle=bundle,
        index=partial(kept_index, folder=cache / "index", settings=index),
    )


def encode(
    articles: Sequence[Article],
    macros: Sequence[Macro],
    *,
    encoder: Encoder,
    bundle: Bundle,
    cache: Path,
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Put the vectors of articles and macros into the cache, beside those that are there, for a `build` to come.

    Args:
        advance: called with the number of articles and macros that are ready.

    Raises:
        VectorsNotSaved: when there is no room for them.
    """
    vectors = _Vectors(cache, encoder, bundle, spare=_EVERYTHING)
    saved = time.monotonic()
    for at in range(0, len(articles), _AT_ONCE):
        some = articles[at : at + _AT_ONCE]
        vectors.of(_passages(some), [])
        advance(len(some))
        if time.monotonic() - saved > SAVE_EVERY:
            vectors.save()
            saved = time.monotonic()
    vectors.of([], macros)
    advance(len(macros))
    vectors.save()


@contextmanager
def importing(cache: Path) -> Iterator[None]:
    """One import at a time, and meanwhile no `build` drops the vectors that it has made and not written about yet.

    Raises:
        ImportUnderWay: when another has not ended after `PATIENCE` seconds.
    """
    lock = _lock(cache)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another import or rebuild holds %s; waiting for its end", lock.lock_file)
            lock.acquire(timeout=PATIENCE)
    except Timeout as error:
        raise ImportUnderWay(
            f"Another import or rebuild has held {lock.lock_file} for {PATIENCE:.0f} s. "
            "Wait until it has ended, or end it, and try again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _lock(cache: Path) -> FileLock:
    return FileLock(cache.with_name(f"{cache.name}.lock"))


def _passages(articles: Sequence[Article]) -> list[Passage]:
    return [passage for article in articles if not article.draft for passage in cut(article)]


_EVERYTHING = 2**62


class _Vectors:
    """What encoder and bundle make of passages and macros, each text read once."""

    def __init__(
        self, cache: Path, encoder: Encoder, bundle: Bundle, *, spare: int = 0, outside: Container[str] = frozenset()
    ) -> None:
        self._labels = bundle.heads["intent"].labels if "intent" in bundle.heads else ()
        self._no_topic = [at for at, label in enumerate(self._labels) if label in outside]
        self._cache = cache
        self._bundle, self._general = bundle, VectorCache(cache, encoder, spare=spare)
        self._own = VectorCache(cache, bundle.adapted, spare=spare) if bundle.adapted else self._general

    def of(self, passages: Sequence[Passage], macros: Sequence[Macro]) -> Embedded:
        parts = [windows(passage) for passage in passages]
        tags = [passage.tags for passage in passages]
        encoded = self._general.encode
        return Embedded(
            windows=encoded([part for some in parts for part in some], TextKind.PASSAGE),
            window_of=np.repeat(np.arange(len(passages)), [len(some) for some in parts]),
            texts=encoded([passage.text for passage in passages], TextKind.PASSAGE),
            titles=encoded([passage.title for passage in passages]),
            tags=encoded([tag for some in tags for tag in some]),
            tag_of=np.repeat(np.arange(len(passages)), [len(some) for some in tags]),
            macros=encoded([f"{macro.title}\n{macro.text}" for macro in macros], TextKind.PASSAGE),
            intents=self._intents([passage.title for passage in passages]),
        )

    def save_unless_importing(self) -> None:
        """Keep what is used and drop the rest, unless an import is under way or there is no room."""
        try:
            with _lock(self._cache).acquire(timeout=0):
                self.save()
        except Timeout:
            log.info("an import is under way; its vectors stay")
        except (VectorsNotSaved, OSError) as error:
            log.warning("the knowledge base serves, and its next start will take longer: %s", error)

    def save(self) -> None:
        """
        Raises:
            VectorsNotSaved: when they cannot be written; those that were there stay.
        """
        try:
            self._general.save()
            if self._own is not self._general:
                self._own.save()
        except OSError as error:
            raise VectorsNotSaved(
                f"Vectors cannot be written to {self._cache} ({error.strerror or error}). Make room or mend its rights."
            ) from error

    def _intents(self, titles: Sequence[str]) -> NDArray[np.float32]:
        """What the bundle makes of titles, shape (passages, intents).

        Titles alone: where the bundle has adapted its encoder, what it is to judge is read twice.
        """
        if not self._labels or not titles:
            return np.zeros((len(titles), len(self._labels)), np.float32)
        shares = self._bundle.score(titles, self._own.encode(titles))["intent"].shares
        # In four digits, as the predictions about questions come.
        rounded: NDArray[np.float32] = np.round(shares, 4).astype(np.float32)
        rounded[:, self._no_topic] = 0
        return rounded
