"""What serves now, of one piece; taken up anew when another process has promoted a bundle or changed an article."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kb.index import IndexSettings
from kb.search import KnowledgeBase
from kb.store import KnowledgeStore
from kb.types import Article, Macro
from models.bundle import Bundle, load_bundle
from models.errors import RegistryError
from models.registry import Registry
from models.registry_state import RegistryState, TaskMode
from serving.knowledge import knowledge_of
from serving.storage.engine import Database, StorageError
from triage.pipeline import Message, Pipeline

LOOK_AT_REGISTRY, LOOK_AT_KNOWLEDGE = 0.5, 0.5
"""Seconds between two looks at the registry's file, and at the database for changes of the knowledge base."""
_LOOK_CLOSELY = 10
"""Every so many looks the content itself is compared: clocks of other machines may be behind."""
RETRY_AFTER = 5.0
"""Seconds until a bundle that could not be loaded is tried again: its files may have been slow to arrive."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one request works with from its first line to its last, so that its answer is of one piece.

    Attributes:
        state: the registry's; its `live` can be ahead of `pipeline.bundle` while a promoted bundle is being loaded,
            and differs where the settings name another.
    """

    pipeline: Pipeline
    knowledge: KnowledgeBase
    state: RegistryState

    @property
    def versions(self) -> dict[str, str]:
        """Of everything that takes part in a decision."""
        return {
            "bundle": self.pipeline.bundle.reference,
            "taxonomy": self.pipeline.taxonomy.version,
            "policy": self.pipeline.policy.version,
            "kb": self.knowledge.version,
        }


class Keeper:
    """Hands out the newest snapshot; a new one is made beside the requests, never within one.

    Args:
        state: as it was read before the bundle of `pipeline` was looked up.
        follows: whether the registry says which bundle serves; otherwise it says what tasks may do, and no more.
        cache: a folder for vectors of the knowledge base.
        index: how the knowledge base is indexed.
    """

    def __init__(
        self,
        registry: Registry,
        database: Database,
        pipeline: Pipeline,
        state: RegistryState,
        *,
        follows: bool,
        cache: Path,
        index: IndexSettings | None = None,
    ) -> None:
        self._registry, self._database, self._encoder, self._cache = registry, database, pipeline.encoder, cache
        self._follows, self._live, self._index = follows, state.live, index
        self._registry_problem, self._bundle_problem, self._retry_at = "", "", 0.0
        self._stamp: tuple[object, ...] = ()
        self._looks = 0
        self._swapping = threading.Lock()
        pipeline = _restrained(pipeline, state)
        self._current = Snapshot(pipeline, self._build(pipeline, *self._content()), state)

    def current(self) -> Snapshot:
        return self._current

    @property
    def problem(self) -> str:
        """Why the registry is not followed just now; empty when it is."""
        return self._registry_problem or self._bundle_problem

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look again and again, each in a thread of its own: encoding a large import holds up no promotion."""
        _warm_up(self._current.pipeline)
        stop = threading.Event()
        looks = (self.look_at_registry, LOOK_AT_REGISTRY), (self.look_at_knowledge, LOOK_AT_KNOWLEDGE)
        for look, seconds in looks:
            threading.Thread(target=_repeat, args=(look, seconds, stop), name=look.__name__, daemon=True).start()
        try:
            yield
        finally:
            stop.set()

    def look_at_registry(self) -> None:
        """Take up a promotion, a rollback or a mode; what cannot be loaded or read leaves all as it is."""
        try:
            state = self._registry.state()
        except RegistryError as error:
            if not self._registry_problem:
                log.error("the registry is not followed: %s", error)
            self._registry_problem = "the registry's state cannot be read"
            return
        self._registry_problem = ""
        if not self._follows or state.live == self._live:
            self._bundle_problem, self._retry_at = "", 0.0
        elif time.monotonic() >= self._retry_at:
            self._take_up(state)
        if state != self._current.state:
            # Also when its bundle could not be loaded: a task that is switched off must not wait for that.
            self._swap(lambda seen: replace(seen, pipeline=_restrained(seen.pipeline, state), state=state))

    def look_at_knowledge(self) -> None:
        """Build the knowledge base again when the database has another version of it."""
        try:
            with self._database.transaction(read_only=True) as session:
                store = KnowledgeStore(session)
                stamp = store.stamp()
                self._looks += 1
                if stamp == self._stamp and self._looks % _LOOK_CLOSELY:
                    return
                version = store.version()
            if version != self._current.knowledge.version:
                content = self._content()
                self._swap(lambda seen: replace(seen, knowledge=self._build(seen.pipeline, *content)))
                log.info("knowledge base %s is in use", self._current.knowledge.version)
            self._stamp = stamp
        except StorageError as error:
            log.warning("knowledge base stays at %s: %s", self._current.knowledge.version, error)

    def _take_up(self, state: RegistryState) -> None:
        try:
            bundle = load_bundle(self._registry.find(state.live), self._encoder)
            _warm_up(replace(self._current.pipeline, bundle=bundle))
            self._swap(lambda seen: self._with_bundle(seen, bundle, state))
        except Exception:
            # Whatever is wrong with it, the one that serves goes on serving.
            log.exception("%s is promoted and cannot be loaded", state.live)
            self._bundle_problem = f"{state.live} is promoted and cannot be loaded; the log says why"
            self._retry_at = time.monotonic() + RETRY_AFTER
        else:
            self._live, self._bundle_problem, self._retry_at = state.live, "", 0.0
            log.info("bundle %s is in use", bundle.reference)

    def _with_bundle(self, seen: Snapshot, bundle: Bundle, state: RegistryState) -> Snapshot:
        old = seen.knowledge
        pipeline = _restrained(replace(seen.pipeline, bundle=bundle), state)
        return Snapshot(pipeline, self._build(pipeline, list(old.articles.values()), old.macros, old.version), state)

    def _swap(self, make: Callable[[Snapshot], Snapshot]) -> None:
        """Put what `make` makes of the snapshot in its place; made again if another thread was faster."""
        while True:
            seen = self._current
            new = make(seen)
            with self._swapping:
                if self._current is seen:
                    self._current = new
                    return

    def _content(self) -> tuple[Sequence[Article], Sequence[Macro], str]:
        with self._database.transaction(read_only=True) as session:
            store = KnowledgeStore(session)
            return store.articles(), store.macros(), store.version()

    def _build(
        self, pipeline: Pipeline, articles: Sequence[Article], macros: Sequence[Macro], version: str
    ) -> KnowledgeBase:
        return knowledge_of(pipeline, articles, macros, version=version, cache=self._cache, index=self._index)


def _warm_up(pipeline: Pipeline) -> None:
    """Read messages: a pipeline that cannot must not find that out on a customer's, and the first ones are slow.

    One alone, and two that are no batch together: these take different ways through the encoder.
    """
    short, long = Message("Where is my order?"), Message("Where is the order that I placed on Monday? " * 4)
    for messages in ([short], [short, long]):
        pipeline.run(messages, at=datetime.now(UTC))


def _restrained(pipeline: Pipeline, state: RegistryState) -> Pipeline:
    quiet = {task for task, mode in state.modes.items() if mode in (TaskMode.MONITOR, TaskMode.OFF)}
    return replace(pipeline, set_aside=frozenset(quiet))


def _repeat(look: Callable[[], None], seconds: float, stop: threading.Event) -> None:
    while not stop.wait(seconds):
        try:
            look()
        except Exception:
            # A thread that ended here would never look again.
            log.exception("%s failed", look.__name__)
