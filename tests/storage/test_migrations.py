"""The schema: built from nothing, built once, and the one that the code describes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from serving.storage.engine import Database, NewerDatabase, migrate, open_database
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
    with pytest.raises(NewerDatabase, match=r"schema version 9876 and this Frontdesk knows up to 0001\. Install"):
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
