"""One server with the demo help centre for all tests of this folder: a start takes seconds and a gigabyte."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from kb.importers import read as read_articles
from kb.store import KnowledgeStore
from serving.desk import open_desk_database
from tests.conftest import DEMO
from tests.e2e.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("served"), cache)
    found = read_articles([DEMO / "articles", DEMO / "macros"])
    database = open_desk_database(server.settings)
    with database.transaction() as session:
        KnowledgeStore(session).upsert_articles(found.articles)
        KnowledgeStore(session).upsert_macros(found.macros)
    database.close()
    # Reading a help centre takes a minute or two; once on a machine is enough.
    with FileLock(cache / "demo.lock"):
        if (cache / "kb").is_dir():
            shutil.copytree(cache / "kb", server.settings.data_dir / "kb")
        try:
            server.start()
        except BaseException:
            server.close()
            raise
        shutil.copytree(server.settings.data_dir / "kb", cache / "kb", dirs_exist_ok=True)
    try:
        yield server
    finally:
        server.close()
