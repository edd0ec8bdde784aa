"""Decisions: stored once, durable when acknowledged, and without text when it expires."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from serving.storage.engine import Database
from serving.storage.records import ConflictingRequest, DecisionRecord, DecisionRepository
from tests.storage.samples import MESSAGES, decision

ROOT = Path(__file__).parents[2]


def _add(database: Database, *records: DecisionRecord) -> list[DecisionRecord]:
    with database.transaction() as session:
        return DecisionRepository(session).add_many(records)


def _get(database: Database, decision_id: str) -> DecisionRecord | None:
    with database.transaction(read_only=True) as session:
        return DecisionRepository(session).get(decision_id)


@pytest.mark.parametrize("language", MESSAGES)
def test_a_decision_comes_back_as_it_was_stored(database: Database, language: str) -> None:
    record = decision("1", language, created_at=datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC))
    assert _add(database, record) == [record]
    assert _get(database, "1") == record
    assert _get(database, "2") is None


def test_times_come_back_in_utc_and_need_a_zone(database: Database) -> None:
    bangkok = datetime(2026, 3, 1, 16, 30, tzinfo=timezone(timedelta(hours=7)))
    (stored,) = _add(database, decision("1", "th", created_at=bangkok))
    assert stored.created_at == bangkok
    assert stored.created_at.tzinfo is UTC
    with pytest.raises(Exception, match="2026-03-01T09:30:00 has no time zone"):
        _add(database, decision("2", created_at=bangkok.astimezone(UTC).replace(tzinfo=None)))


def test_text_that_a_database_cannot_hold_is_stored_with_replacements(database: Database) -> None:
    text = "Không nhận được hàng\0 \ud83d 😡"
    (stored,) = _add(database, decision("1", "vi", text=text, result={"echo": text}))
    assert stored.text == "Không nhận được hàng\ufffd \ufffd 😡"
    assert stored.result == {"echo": text}


def test_the_same_request_again_answers_with_the_first_decision(database: Database) -> None:
    first = decision("1", "zh-Hans")
    _add(database, first)
    again = replace(first, intent="order.status", created_at=first.created_at + timedelta(minutes=1))
    assert _add(database, again) == [first]
    assert _get(database, "1") == first


def test_another_request_under_the_same_id_is_refused(database: Database) -> None:
    first = decision("1", "zh-Hant")
    _add(database, first)
    with pytest.raises(ConflictingRequest, match="'1' stands for another request"):
        _add(database, decision("new"), decision("1", "ru"))
    assert _get(database, "1") == first
    assert _get(database, "new") is None


def test_a_batch_keeps_its_order_and_what_was_there(database: Database) -> None:
    first = decision("b", "ru")
    _add(database, first)
    batch = [decision("c"), replace(first, intent="other"), decision("a"), decision("c")]
    stored = _add(database, *batch)
    assert [r.id for r in stored] == ["c", "b", "a", "c"]
    assert stored[1] == first
    assert _add(database) == []


def test_a_batch_of_256_is_quick(database: Database) -> None:
    batch = [decision(str(number), list(MESSAGES)[number % 6]) for number in range(256)]
    start = time.perf_counter()
    stored = _add(database, *batch)
    assert time.perf_counter() - start < 2
    assert stored == batch


def test_two_batches_at_once_end_with_one_row_each(database: Database) -> None:
    together = threading.Barrier(4)
    batch = [decision(str(number), "th") for number in range(64)]

    def send(worker: int) -> list[DecisionRecord]:
        mine = [replace(r, intent=f"by.{worker}") for r in (batch if worker % 2 else batch[::-1])]
        together.wait()
        return sorted(_add(database, *mine), key=lambda r: r.id)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(send, range(4)))
    assert all(answer == answers[0] for answer in answers)
    assert len({r.intent for r in answers[0]}) == 1


def test_expired_text_and_digest_are_blanked_and_the_rest_stays(database: Database) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    expired = decision("expired", "vi", text_expires_at=now)
    later = decision("later", "th", text_expires_at=now + timedelta(seconds=1))
    forever = decision("forever", "en")
    digest_only = decision("digest", "ru", text=None, text_expires_at=now - timedelta(days=1))
    _add(database, expired, later, forever, digest_only)
    with database.transaction() as session:
        decisions = DecisionRepository(session)
        assert decisions.purge_expired_text(now) == 2
        assert decisions.purge_expired_text(now) == 0
    assert _get(database, "expired") == replace(expired, text=None, request_digest=None)
    assert _get(database, "digest") == replace(digest_only, request_digest=None)
    assert _get(database, "later") == later
    assert _get(database, "forever") == forever
    with pytest.raises(ConflictingRequest, match="its text has expired"):
        _add(database, expired)


def test_an_acknowledged_decision_survives_sigkill(database: Database, url: str) -> None:
    code = """
import sys, time
from serving.storage.engine import open_database
from serving.storage.records import DecisionRepository
from tests.storage.samples import decision
database = open_database(sys.argv[1])
for number in range(1_000_000):
    with database.transaction() as session:
        stored = DecisionRepository(session).add(decision(str(number), "zh-Hant"))
    print(stored.id, stored.created_at.isoformat(), flush=True)
"""
    command = [sys.executable, "-c", code, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline()]
        child.kill()
        acknowledged += [line for line in child.stdout if line.endswith("\n")]
    assert child.returncode == -9
    for line in acknowledged:
        decision_id, created_at = line.split()
        kept = decision(decision_id, "zh-Hant", created_at=datetime.fromisoformat(created_at))
        assert _get(database, decision_id) == kept
        assert _add(database, decision(decision_id, "zh-Hant")) == [kept]
