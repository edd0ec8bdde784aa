"""One desk: encoder, bundle, taxonomy, policy, knowledge base and database, put together once."""

from dataclasses import dataclass
from pathlib import Path

from kb.index import IndexSettings
from models.bundle import load_bundle
from models.encoder import EncoderConfig, ServingEncoder, load_encoder
from models.registry import LIVE, Registry
from models.types import Encoder
from serving.errors import BadSettings
from serving.keeper import Keeper, Snapshot
from serving.settings import Settings, ensure_data_folder
from serving.shadow import Shadow
from serving.storage.engine import Database, migrate, open_database
from triage import channels, taxonomy
from triage.channels import load_policy
from triage.entities import EntityConfig, EntityFinder
from triage.language import ScriptFirstDetector
from triage.pipeline import Pipeline
from triage.taxonomy import load_taxonomy


@dataclass(frozen=True, slots=True)
class Desk:
    settings: Settings
    database: Database
    keeper: Keeper
    shadow: Shadow

    def current(self) -> Snapshot:
        """What serves now. To be asked once a request: the next call may give another bundle."""
        return self.keeper.current()


def open_desk(settings: Settings, *, encoder: Encoder | None = None) -> Desk:
    """Load and check everything that serving needs; whatever is wrong shows here, before the first request.

    Args:
        encoder: one that is loaded already, or a light twin in tests.
    """
    database = open_desk_database(settings)
    registry = open_registry(settings)
    # Before the bundle is looked up, so that a promotion between the two is taken up by the first look.
    state = registry.state()
    pipeline = open_pipeline(settings, encoder=encoder)
    follows = settings.bundle == LIVE
    index = IndexSettings(settings.index_exact_up_to, settings.index_recall)
    keeper = Keeper(registry, database, pipeline, state, follows=follows, cache=vectors_folder(settings), index=index)
    return Desk(settings, database, keeper, Shadow(registry, database))


def open_registry(settings: Settings) -> Registry:
    return Registry(settings.data_dir / "bundles")


def vectors_folder(settings: Settings) -> Path:
    """Where the vectors of the knowledge base are kept; what is missing there is encoded again."""
    return settings.data_dir / "kb"


def open_desk_database(settings: Settings) -> Database:
    ensure_data_folder(settings.data_dir)
    database = open_database(settings.database)
    migrate(database)
    return database


def open_encoder(settings: Settings) -> ServingEncoder:
    return load_encoder(
        EncoderConfig(settings.encoder, settings.cache_dir, settings.backend, settings.precision, settings.threads)
    )


def open_pipeline(settings: Settings, *, encoder: Encoder | None = None) -> Pipeline:
    """Everything that triage needs, without a database."""
    labels = load_taxonomy(settings.taxonomy or taxonomy.STARTER)
    policy = load_policy(settings.policy or channels.STARTER)
    try:
        detector = ScriptFirstDetector(settings.languages)
        patterns = {"order_patterns": settings.order_patterns} if settings.order_patterns else {}
        finder = EntityFinder(EntityConfig(regions=settings.regions, **patterns))
    except ValueError as error:
        raise BadSettings(str(error)) from error
    encoder = encoder or open_encoder(settings)
    bundle = load_bundle(open_registry(settings).find(settings.bundle), encoder)
    return Pipeline(encoder, bundle, labels, policy, detector, finder, answer_precision=settings.answer_precision)
