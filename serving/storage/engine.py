"""Opening, migrating and using the database: SQLite in one file, or PostgreSQL."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

BUSY_SECONDS = 10
"""How long a writer waits for another one, and a connection for PostgreSQL, before it gives up."""

_MIGRATION_BUSY_SECONDS = 600
_MIGRATION_LOCK = 7_310_031_946
"""The key of the advisory lock that migrating processes share on PostgreSQL; any fixed number would do."""


class StorageError(Exception):
    """Base of what can be wrong with a database as a whole."""


class DatabaseUnavailable(StorageError):
    """The database cannot be reached, opened, or written now."""


class DamagedDatabase(StorageError):
    """The file is not an SQLite database, or its content is malformed."""


class NewerDatabase(StorageError):
    """A later version of Frontdesk has migrated this database."""


class Database:
    """A pool of connections to one database; safe to share between threads, not between forked processes."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        self._reading = engine.execution_options(postgresql_readonly=True, sqlite_readonly=True)

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Session]:
        """A session whose work is committed at the end, or rolled back by any exception.

        On SQLite the first statement takes the one write lock and waits for it up to `BUSY_SECONDS`, so nothing that
        has begun fails half-way for another writer. With `read_only` it takes none and sees one snapshot.

        Raises:
            DatabaseUnavailable: the connection is lost, the disk is full, or the lock was not to be had.
            DamagedDatabase: the database's content is malformed.
        """
        with _explained(self.name), Session(self._reading if read_only else self.engine) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Connect to `sqlite:///PATH`, creating the file, or to `postgresql://…`; the schema is `migrate`'s matter.

    Raises:
        DatabaseUnavailable: the URL, the folder, the file or the server is not as needed; it never shows a password.
        DamagedDatabase: the file is not an SQLite database.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Neither the value nor its parse error may be shown: a password may stand in them.
        raise DatabaseUnavailable(
            "FRONTDESK_DATABASE_URL cannot be read; write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME, "
            "with special characters of the password percent-encoded."
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed.set(drivername="sqlite"))
        case "postgresql" | "postgres":
            return _open_postgresql(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise DatabaseUnavailable(f"No support for {other!r}; use a URL that begins with sqlite or postgresql.")


def migrate(database: Database) -> None:
    """Bring the schema to this code's version, in one transaction; processes that start together wait for each other.

    Raises:
        NewerDatabase: the schema is of a later version, and is left as it is.
        DatabaseUnavailable: another process held the database for longer than ten minutes.
    """
    config = Config()
    config.set_main_option("script_location", "serving.storage:migrations")
    with _explained(database.name), database.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # Tables that a version rebuilds are dropped first, which foreign keys would turn into deletions; the
            # setting has no effect inside a transaction, and the connection does not go back to the pool.
            connection.detach()
            for setting in ("foreign_keys = OFF", f"busy_timeout = {_MIGRATION_BUSY_SECONDS * 1000}"):
                connection.connection.cursor().execute(f"PRAGMA {setting}")
        with connection.begin():
            if not sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            _refuse_newer(connection, ScriptDirectory.from_config(config), database.name)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _refuse_newer(connection: Connection, script: ScriptDirectory, name: str) -> None:
    known = {version.revision for version in script.walk_revisions()}
    found = set(MigrationContext.configure(connection).get_current_heads())
    if found - known:
        raise NewerDatabase(
            f"{name} has schema version {', '.join(sorted(found - known))} and this Frontdesk knows up to "
            f"{script.get_current_head()}. Install the Frontdesk that wrote it, or restore the backup from before."
        )


def _open_sqlite(url: URL) -> Database:
    if url.database in (None, "", ":memory:"):
        raise DatabaseUnavailable("An SQLite database needs a file; write sqlite:///PATH.")
    path = Path(str(url.database))
    _check_file(path)
    try:
        _enter_wal(path)
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            raise _damaged(str(path), error) from error
        raise DatabaseUnavailable(f"{path} cannot be opened: {error}") from error
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, str(path))


def _check_file(path: Path) -> None:
    folder = path.absolute().parent
    if not os.path.isdir(folder):
        raise DatabaseUnavailable(f"The folder {folder} does not exist. Create it, or set FRONTDESK_DATA_DIR.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DatabaseUnavailable(f"The folder {folder} is not writable. Allow this user to write there.")
    try:
        # It will hold what customers write, so nobody else may read it; SQLite gives its side files the same rights.
        path.touch(mode=0o600)
    except OSError as error:
        raise DatabaseUnavailable(f"{path} cannot be written ({error.strerror}). Check whose file it is.") from error
    # Asked, not tried: closing a descriptor of the file would drop the locks that this process holds on it.
    if not os.path.isfile(path) or not os.access(path, os.R_OK | os.W_OK):
        raise DatabaseUnavailable(
            f"{path} is not a file that this user can read and write. Check what and whose it is."
        )


def _enter_wal(path: Path) -> None:
    """Switch the file to WAL, which it keeps; SQLite does not wait by itself when two processes do so at once."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _sqlite_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    # FULL syncs each commit, so that what was acknowledged survives a power cut; NORMAL takes 0.06 ms for a small
    # commit and FULL 0.54 ms (median, ext4 on a virtual disk).
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("sqlite_readonly", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {reading:d}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _open_postgresql(url: URL) -> Database:
    waiting = {} if "connect_timeout" in url.query else {"connect_timeout": BUSY_SECONDS}
    engine = create_engine(
        url, hide_parameters=True, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=waiting
    )
    host = url.query.get("host", url.host or "localhost")
    database = Database(engine, f"PostgreSQL at {host}:{url.port or 5432}/{url.database or ''}")
    try:
        with _explained(database.name):
            engine.connect().close()
    except ProgrammingError as error:
        raise DatabaseUnavailable(f"FRONTDESK_DATABASE_URL is wrong: {_first_line(error.orig)}") from error
    return database


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable(f"No connection to {name} came free ({error.args[0]}). Send less at once.") from error
    except DBAPIError as error:
        if _is_damage(error.orig):
            raise _damaged(name, error.orig) from error
        wrong_statement = _sqlite_code(error.orig) == sqlite3.SQLITE_ERROR
        if (isinstance(error, OperationalError) and not wrong_statement) or error.connection_invalidated:
            raise DatabaseUnavailable(
                f"{name} does not answer ({_first_line(error.orig)}). "
                "Check the server or disk and FRONTDESK_DATABASE_URL, then try again."
            ) from error
        raise


def _damaged(name: str, error: BaseException | None) -> DamagedDatabase:
    return DamagedDatabase(
        f"{name} is not a sound SQLite database ({error}). "
        "Restore it from a backup, or move it away to start with an empty one."
    )


def _is_damage(error: BaseException | None) -> bool:
    return _sqlite_code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _sqlite_code(error: BaseException | None) -> int:
    """The primary result code of an error of SQLite, 0 for any other."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0]
