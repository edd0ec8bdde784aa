"""A candidate beside the live bundle: it reads the same messages, and what it says is recorded and never shown."""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from models.bundle import Bundle, load_bundle
from models.registry import Registry
from models.registry_state import TaskMode
from models.types import Encoder, Prediction, Vectors
from serving.keeper import Snapshot
from serving.services.reading import Reading
from serving.storage.engine import Database
from serving.storage.shadow import ShadowRecord, ShadowRepository

MAX_WAITING = 2_000
"""Messages that wait for the shadow; what comes when so many do is dropped, and counted."""
BATCH = 64
LINGER = 0.1
"""Seconds for which messages gather, so that a busy desk commits ten times a second and not for each of them."""
DRAIN = 5.0
"""Seconds that a server which stops gives what is waiting."""
RETRY_AFTER = 30.0
"""Seconds until a shadow that failed is tried again."""
RELEASE_AFTER = 600.0
"""Seconds without a message after which the bundle is let go: one with an encoder of its own takes half a gigabyte."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A message as the live bundle read it, and whose turn is next."""

    decision_id: str
    text: str
    language: str
    vector: Vectors
    predictions: Mapping[str, Prediction]
    live: str
    shadow: str
    encoder: Encoder


@dataclass(slots=True)
class Tally:
    """Messages since the start: recorded, dropped because too many waited, or lost because the shadow failed."""

    recorded: int = 0
    dropped: int = 0
    failed: int = 0


class Shadow:
    """Whatever happens to it stays here: `offer` neither waits nor raises."""

    def __init__(self, registry: Registry, database: Database) -> None:
        self._registry, self._database = registry, database
        self._waiting: queue.Queue[_Seen] = queue.Queue(MAX_WAITING)
        self._bundle: tuple[str, Bundle] | None = None
        self._broken, self._retry_at = "", 0.0
        self._counting = threading.Lock()
        self.tally = Tally()

    def offer(self, now: Snapshot, ids: Sequence[str], readings: Sequence[Reading]) -> None:
        """Leave messages whose decisions are stored to the shadow, if the desk has one."""
        if now.state.shadow is None:
            return
        for identity, reading in zip(ids, readings, strict=True):
            said = {
                task: prediction
                for task, prediction in reading.predictions.items()
                if now.state.mode(task) is not TaskMode.OFF
            }
            question, live = reading.question, now.pipeline.bundle.reference
            shadow, encoder = now.state.shadow, now.pipeline.encoder
            seen = _Seen(identity, question.text, question.language, question.vector, said, live, shadow, encoder)
            try:
                self._waiting.put_nowait(seen)
            except queue.Full:
                self._count(dropped=1)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Work off what is offered, in a thread of its own; what waits at the end gets `DRAIN` seconds."""
        stop = threading.Event()
        worker = threading.Thread(target=self._work, args=(stop,), name="shadow", daemon=True)
        worker.start()
        try:
            yield
        finally:
            stop.set()
            worker.join(DRAIN)

    def _work(self, stop: threading.Event) -> None:
        idle_since, told = time.monotonic(), Tally()
        while True:
            batch = self._gather()
            if batch:
                self._record(batch)
                idle_since = time.monotonic()
            elif stop.is_set():
                return
            elif time.monotonic() - idle_since > RELEASE_AFTER:
                self._bundle = None
            if lost := self.tally.dropped - told.dropped:
                log.warning("the shadow did not see %d messages: too many were waiting", lost)
                told.dropped += lost

    def _gather(self) -> list[_Seen]:
        try:
            batch = [self._waiting.get(timeout=0.2)]
        except queue.Empty:
            return []
        if self._waiting.qsize() < BATCH:
            time.sleep(LINGER)
        while len(batch) < BATCH:
            try:
                batch.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return batch

    def _record(self, batch: Sequence[_Seen]) -> None:
        for reference in dict.fromkeys(seen.shadow for seen in batch):
            mine = [seen for seen in batch if seen.shadow == reference]
            if reference == self._broken and time.monotonic() < self._retry_at:
                self._count(failed=len(mine))
                continue
            try:
                records = _read(self._loaded(reference, mine[0].encoder), mine)
                with self._database.transaction() as session:
                    ShadowRepository(session).add_many(records)
            except Exception:
                # Whatever is wrong with a candidate, or with recording it, is no matter of the live bundle.
                log.exception("the shadow %s failed; it is tried again in %.0f s", reference, RETRY_AFTER)
                self._broken, self._retry_at = reference, time.monotonic() + RETRY_AFTER
                self._count(failed=len(mine))
            else:
                self._broken = ""
                self._count(recorded=len(mine))

    def _loaded(self, reference: str, encoder: Encoder) -> Bundle:
        if self._bundle is None or self._bundle[0] != reference:
            self._bundle = None  # before the next one is loaded: two need not fit into memory at once
            self._bundle = reference, load_bundle(self._registry.find(reference), encoder)
            log.info("%s runs in shadow", reference)
        return self._bundle[1]

    def _count(self, *, recorded: int = 0, dropped: int = 0, failed: int = 0) -> None:
        with self._counting:
            self.tally.recorded += recorded
            self.tally.dropped += dropped
            self.tally.failed += failed


def _read(bundle: Bundle, batch: Sequence[_Seen]) -> list[ShadowRecord]:
    """What `bundle` says of each message, for the tasks that the live bundle has too."""
    texts = [seen.text for seen in batch]
    # What the live bundle's encoder has read need not be read again, unless the candidate has one of its own.
    own = bundle.vectors(texts, batch[0].encoder) if bundle.adapted else np.stack([seen.vector for seen in batch])
    vectors = bundle.shifted(own, [seen.language for seen in batch])
    return [
        ShadowRecord(
            decision_id=seen.decision_id,
            bundle=bundle.reference,
            task=task,
            label=said.label,
            confidence=said.confidence,
            abstained=said.abstained,
            live_bundle=seen.live,
            live_label=seen.predictions[task].label,
            live_confidence=seen.predictions[task].confidence,
            live_abstained=seen.predictions[task].abstained,
        )
        for seen, predictions in zip(batch, bundle.predict(texts, vectors), strict=True)
        for task, said in predictions.items()
        if task in seen.predictions
    ]
