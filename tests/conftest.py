"""What tests share: one real encoder and one light desk for the whole session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.importers import read as read_articles
from kb.store import KnowledgeStore
from models.bundle import Bundle, save_bundle
from models.encoder import EncoderConfig, ServingEncoder, load_encoder
from models.light import LightEncoder
from models.weights import DEFAULT_ENCODER
from serving.desk import Desk, open_desk
from serving.settings import Settings
from tests import tiny
from training.data import parse_columns, read_tickets
from training.train import TrainingConfig, train

ROOT = Path(__file__).parent.parent
MESSAGES = ROOT / "training" / "starter" / "messages"
DEMO = ROOT / "kb" / "demo"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own FRONTDESK_ variables, but for the cache of encoders, do not reach the tests."""
    for name in list(os.environ):
        if name.startswith("FRONTDESK_") and name != "FRONTDESK_CACHE_DIR":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def cache() -> Path:
    """The machine's cache of encoders, which `make setup` has filled."""
    return Settings().cache_dir


@pytest.fixture(scope="session")
def encoder(cache: Path) -> ServingEncoder:
    """The default encoder with its real weights."""
    return load_encoder(EncoderConfig(DEFAULT_ENCODER, cache))


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole encoder of two layers and 32 dimensions, for what needs torch but not good vectors."""
    return tiny.build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def light_encoder() -> LightEncoder:
    return LightEncoder()


LIGHT_MESSAGES = sorted(MESSAGES.rglob("everyday.jsonl"))
"""Messages in the six first languages about 36 of the intents: a bundle learns them in seconds."""


@pytest.fixture(scope="session")
def light_bundle(light_encoder: LightEncoder) -> Bundle:
    """A bundle on the light encoder, trained on some of the starter messages; good enough to steer the plumbing."""
    columns = parse_columns(["intent", "urgency", "channel=best_channel"])
    tickets = read_tickets(LIGHT_MESSAGES, columns)
    return train(tickets, list(columns), light_encoder, TrainingConfig(name="light", folds=2, strengths=(0.5,)))


@pytest.fixture(scope="session")
def light_bundle_folder(light_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "light"
    save_bundle(light_bundle, folder)
    return folder


@pytest.fixture(scope="session")
def light_desk(
    light_encoder: LightEncoder, light_bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A desk with the demo help centre and no weights, for tests of everything around them."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("desk"), bundle=str(light_bundle_folder))
    desk = open_desk(settings, encoder=light_encoder)
    found = read_articles([DEMO / "articles", DEMO / "macros"])
    with desk.database.transaction() as session:
        KnowledgeStore(session).upsert_articles(found.articles)
        KnowledgeStore(session).upsert_macros(found.macros)
    desk.database.close()
    desk = open_desk(settings, encoder=light_encoder)
    yield desk
    desk.database.close()
