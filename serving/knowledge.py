"""The knowledge base that serves: built from the database, and built again when the database has changed."""

import logging
import threading
import time
from pathlib import Path

from kb.ingest import build
from kb.search import KnowledgeBase
from kb.store import KnowledgeStore
from models.bundle import Bundle
from models.types import Encoder
from serving.storage.engine import Database, StorageError

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between two looks at the database's version."""


class KnowledgeKeeper:
    """Hands out the newest finished version; a rebuild runs beside the requests, never within one."""

    def __init__(self, database: Database, encoder: Encoder, bundle: Bundle, cache: Path) -> None:
        self._database, self._encoder, self._bundle, self._cache = database, encoder, bundle, cache
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._current = self._build()

    def current(self) -> KnowledgeBase:
        if time.monotonic() - self._looked > LOOK_EVERY and self._lock.acquire(blocking=False):
            self._looked = time.monotonic()
            threading.Thread(target=self._refresh, name="knowledge", daemon=True).start()
        return self._current

    def _refresh(self) -> None:
        try:
            with self._database.transaction(read_only=True) as session:
                version = KnowledgeStore(session).version()
            if version != self._current.version:
                self._current = self._build()
                log.info("knowledge base %s is in use", version)
        except StorageError as error:
            log.warning("knowledge base stays at %s: %s", self._current.version, error)
        finally:
            self._lock.release()

    def _build(self) -> KnowledgeBase:
        with self._database.transaction(read_only=True) as session:
            store = KnowledgeStore(session)
            articles, macros, version = store.articles(), store.macros(), store.version()
        return build(articles, macros, version=version, encoder=self._encoder, bundle=self._bundle, cache=self._cache)
