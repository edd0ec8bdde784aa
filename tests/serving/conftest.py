"""Desks and clients for tests of what goes over the wire; nothing here loads weights."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.desk import Desk, open_desk_database
from serving.knowledge import KnowledgeKeeper
from tests.serving.wire import client_of


@pytest.fixture(scope="session")
def client(light_desk: Desk) -> TestClient:
    """HTTP to the light desk with the demo help centre; records of all tests meet in its database."""
    return client_of(light_desk)


@pytest.fixture
def own_desk(light_desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """The light desk's pipeline around a database of the test's own, without articles."""
    settings = light_desk.settings.model_copy(update={"data_dir": tmp_path / "desk"})
    database = open_desk_database(settings)
    pipeline = light_desk.pipeline
    keeper = KnowledgeKeeper(database, pipeline.encoder, pipeline.bundle, settings.data_dir / "kb")
    yield Desk(settings, pipeline, database, keeper)
    database.close()
