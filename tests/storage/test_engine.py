"""Opening, transactions and clear refusals."""

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from serving.storage.engine import DamagedDatabase, Database, DatabaseUnavailable, migrate, open_database
from serving.storage.records import ConflictingRequest, DecisionRepository
from tests.storage.samples import MESSAGES, decision

ROOT = Path(__file__).parents[2]


def test_a_transaction_is_kept_whole_or_not_at_all(database: Database) -> None:
    with database.transaction() as session:
        DecisionRepository(session).add(decision("kept", "th"))
    with pytest.raises(ConflictingRequest), database.transaction() as session:
        DecisionRepository(session).add_many([decision("dropped", "ru"), decision("kept", "zh-Hans")])
    with database.transaction(read_only=True) as session:
        decisions = DecisionRepository(session)
        assert decisions.get("dropped") is None
        kept = decisions.get("kept")
    assert kept is not None
    assert kept.text == MESSAGES["th"]


def test_reading_takes_no_lock_and_cannot_write(database: Database) -> None:
    with database.transaction() as writing:
        DecisionRepository(writing).add(decision("first"))
        with database.transaction(read_only=True) as reading:
            assert DecisionRepository(reading).get("first") is None
    with pytest.raises((DBAPIError, DatabaseUnavailable)), database.transaction(read_only=True) as reading:
        DecisionRepository(reading).add(decision("second"))
    with database.transaction() as session:
        assert DecisionRepository(session).get("second") is None
        DecisionRepository(session).add(decision("third"))


def test_writers_that_read_first_wait_for_each_other(database: Database) -> None:
    together = threading.Barrier(4)

    def work(worker: int) -> None:
        together.wait()
        for turn in range(20):
            with database.transaction() as session:
                decisions = DecisionRepository(session)
                assert decisions.get(f"{worker}-{turn}") is None
                decisions.add(decision(f"{worker}-{turn}"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    with database.transaction(read_only=True) as session:
        assert session.scalar(text("SELECT count(*) FROM decisions")) == 80


def test_sqlite_syncs_each_commit_and_holds_foreign_keys(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'desk.db'}")
    names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
    with database.transaction() as session:
        found = {name: session.scalar(text(f"PRAGMA {name}")) for name in names}
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 10_000, "foreign_keys": 1}
    assert (tmp_path / "desk.db").stat().st_mode & 0o077 == 0


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"folder .*nowhere does not exist.*FRONTDESK_DATA_DIR"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'desk.db'}")
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"is not a file"):
        open_database(f"sqlite:///{tmp_path}")


def test_a_folder_without_the_right_to_write_is_named() -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    # Root may write everywhere, so the child becomes somebody else once it has read its code.
    code = """
import os, sys
from serving.storage.engine import open_database
if os.geteuid() == 0:
    os.setuid(65534)
open_database(sys.argv[1])
"""
    command = [sys.executable, "-c", code, f"sqlite:///{folder / 'desk.db'}"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        shutil.rmtree(folder)
    assert f"DatabaseUnavailable: The folder {folder} is not writable" in done.stderr


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    path.write_text(MESSAGES["vi"] * 100)
    with pytest.raises(DamagedDatabase, match=r"desk\.db is not a sound SQLite database .*backup"):
        open_database(f"sqlite:///{path}")
    assert path.read_text() == MESSAGES["vi"] * 100


def test_damage_inside_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    with database.transaction() as session:
        DecisionRepository(session).add_many([decision(str(number)) for number in range(200)])
    database.close()
    sound = path.stat().st_size * 3 // 4
    with path.open("r+b") as file:
        file.seek(sound)
        file.write(b"\xff" * (path.stat().st_size - sound))
    damaged = open_database(f"sqlite:///{path}")
    with pytest.raises(DamagedDatabase, match=r"malformed.*backup"), damaged.transaction() as session:
        session.execute(text("SELECT count(text) FROM decisions"))
    damaged.close()


def test_an_unreachable_postgresql_is_named_without_its_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(DatabaseUnavailable, match=f"127.0.0.1:{port}/desk does not answer") as caught:
            open_database(f"postgresql://clerk:s3cret@127.0.0.1:{port}/desk")
    assert "s3cret" not in str(caught.value)


def test_a_server_that_goes_away_is_named(postgresql: str) -> None:
    database = open_database(postgresql)
    with pytest.raises(DatabaseUnavailable, match="does not answer"), database.transaction() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with database.transaction() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clerk:s3cret/x@host/desk",
        "postgresql://clerk:p@ss:s3cret@127.0.0.1:port/desk",
        "postgresql://clerk:s3cret@127.0.0.1/desk?sslmod=require",
        "postgresql://127.0.0.1:1/desk?password=s3cret",
        "mysql://clerk:s3cret@host/desk",
        "s3cret",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_an_unusable_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        open_database(url)
    assert "s3cret" not in str(caught.value)


def test_an_error_does_not_show_what_the_customer_wrote(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.transaction() as session:
        session.execute(
            text("INSERT INTO corrections VALUES ('1', 'none', 'intent', :label, NULL, 'd', '2026-01-01')"),
            {"label": MESSAGES["zh-Hant"]},
        )
    assert MESSAGES["zh-Hant"] not in str(caught.value)
