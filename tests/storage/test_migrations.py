"""The schema: built from nothing, built once, and the one that the code describes."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from serving.storage.engine import Database, NewerDatabase, migrate, open_database
from serving.storage.feedback import FeedbackRepository
from serving.storage.records import DecisionRepository
from serving.storage.tables import METADATA
from tests.storage.samples import decision

ROOT = Path(__file__).parents[2]

TABLES = {table.name for metadata in METADATA for table in metadata.sorted_tables}


def test_the_migrated_schema_is_the_one_that_the_code_describes(database: Database) -> None:
    described: Any = METADATA  # Alembic takes several, and its annotation says one
    with database.engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), described)
    assert difference == []


def test_an_empty_database_is_migrated_and_a_second_time_changes_nothing(empty_url: str) -> None:
    database = open_database(empty_url)
    migrate(database)
    with database.transaction() as session:
        DecisionRepository(session).add(decision("1", "vi"))
    migrate(database)
    with database.transaction() as session:
        assert DecisionRepository(session).get("1") is not None
    assert set(inspect(database.engine).get_table_names()) == TABLES | {"alembic_version"}
    database.close()


def test_processes_that_migrate_at_once_wait_for_each_other(empty_url: str) -> None:
    code = """
import sys
from serving.storage.engine import migrate, open_database
import serving.storage.tables
print("ready", flush=True)
sys.stdin.readline()
database = open_database(sys.argv[1])
migrate(database)
database.close()
"""
    command = [sys.executable, "-c", code, empty_url]
    started = [
        subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [(process.communicate(timeout=30)[1], process.returncode) for process in started]
    assert outcomes == [("", 0)] * 2
    database = open_database(empty_url)
    assert set(inspect(database.engine).get_table_names()) == TABLES | {"alembic_version"}
    database.close()


def test_a_database_of_a_later_version_is_refused_and_left_alone(empty_url: str) -> None:
    database = open_database(empty_url)
    migrate(database)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9876'"))
    with pytest.raises(NewerDatabase, match=r"schema version 9876 and this Frontdesk knows up to 0005\. Install"):
        migrate(database)
    with database.transaction() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9876"
    database.close()


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    database = open_database(empty_url)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE kb_macros (id TEXT)"))
    with pytest.raises(Exception, match="kb_macros"):
        migrate(database)
    assert inspect(database.engine).get_table_names() == ["kb_macros"]
    database.close()


FIRST_VERSION = """
INSERT INTO decisions (id, created_at, language, intent, urgency, action, result, versions)
VALUES ('d1', '2026-03-01 09:00:00', 'vi', 'order.status', 'low', 'review', '{}', '{}');
INSERT INTO suggestions (id, created_at, rank, source_type, source_id, language, confidence, text_expires_at)
VALUES ('s1', '2026-03-01 09:00:00', 1, 'macro', 'm', 'vi', 0.5, '2026-03-31 09:00:00');
INSERT INTO suggestion_events (id, suggestion_id, kind, final_text, digest, created_at)
VALUES ('e1', 's1', 'edited', 'Chào chị Hà', 'x', '2026-03-01 09:00:00'),
       ('e2', 's1', 'accepted', NULL, 'y', '2026-03-01 09:00:00');
INSERT INTO corrections (id, decision_id, task, label, digest, created_at)
VALUES ('c1', 'd1', 'intent', 'order.cancel', 'x', '2026-03-01 09:00:02'),
       ('c2', 'd1', 'intent', 'order.status', 'y', '2026-03-01 09:00:01'),
       ('c3', 'd1', 'urgency', 'high', 'z', '2026-03-01 09:00:02')
"""


def test_feedback_of_the_first_version_comes_through_in_its_order(empty_url: str) -> None:
    database = open_database(empty_url)
    with database.engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "serving.storage:migrations")
        command.upgrade(config, "0001")
        for statement in FIRST_VERSION.split(";"):
            connection.execute(text(statement))
    migrate(database)
    with database.transaction() as session:
        (found,) = FeedbackRepository(session).page()
        assert FeedbackRepository(session).purge_expired_text(datetime(2026, 3, 30, tzinfo=UTC)) == 0
        assert FeedbackRepository(session).purge_expired_text(datetime(2026, 4, 1, tzinfo=UTC)) == 1
        assert session.scalar(text("SELECT count(*) FROM suggestion_events WHERE final_text IS NULL")) == 2
    assert [(c.number, c.label) for c in found.corrections] == [(1, "order.status"), (2, "order.cancel"), (3, "high")]
    database.close()
