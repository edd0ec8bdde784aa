"""Desks, clients and a terminal for tests of the edge; nothing here loads weights."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from models.light import LightEncoder
from serving.cli import main
from serving.desk import Desk, open_desk_database, open_registry
from serving.shadow import Shadow
from serving.storage.engine import open_database
from tests.serving.terminal import Finished, Run
from tests.serving.wire import client_of, with_pipeline


@pytest.fixture(scope="session")
def client(light_desk: Desk) -> TestClient:
    """HTTP to the light desk with the demo help centre; records of all tests meet in its database."""
    return client_of(light_desk)


@pytest.fixture(scope="session")
def empty_database(light_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy, which is faster than migrating one for every test."""
    settings = light_desk.settings.model_copy(update={"data_dir": tmp_path_factory.mktemp("empty")})
    open_desk_database(settings).close()
    return settings.data_dir / "frontdesk.db"


@pytest.fixture
def own_desk(light_desk: Desk, empty_database: Path, tmp_path: Path) -> Iterator[Desk]:
    """The light desk's pipeline around a database of the test's own, without articles."""
    settings = light_desk.settings.model_copy(update={"data_dir": tmp_path / "desk"})
    settings.data_dir.mkdir()
    shutil.copy(empty_database, settings.data_dir)
    database = open_database(settings.database)
    desk = Desk(settings, database, light_desk.keeper, Shadow(open_registry(settings), database))
    yield with_pipeline(desk, light_desk.current().pipeline)
    database.close()


@pytest.fixture
def frontdesk(
    light_encoder: LightEncoder,
    light_bundle_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command as a shell would, on the data folder `desk` of the test's own and without weights."""
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(tmp_path / "desk"))
    monkeypatch.setenv("FRONTDESK_BUNDLE", str(light_bundle_folder))
    monkeypatch.setattr("serving.desk.open_encoder", lambda _settings: light_encoder)
    monkeypatch.setattr("serving.cli.train.load_encoder", lambda _config: light_encoder)
    # It would reroute the logs of the whole test run.
    monkeypatch.setattr("serving.cli.serve.configure_logging", lambda _level: None)

    def run(*arguments: object) -> Finished:
        capsys.readouterr()  # what requests have logged before is no output of the command
        monkeypatch.setattr(sys, "argv", ["frontdesk", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Finished(int(ended.value.code or 0), captured.out, captured.err)

    return run
