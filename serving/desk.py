"""One desk: encoder, bundle, taxonomy, policy, knowledge base and database, put together once."""

from dataclasses import dataclass

from kb.search import KnowledgeBase
from models.bundle import load_bundle
from models.encoder import EncoderConfig, load_encoder
from models.registry import find_bundle
from models.types import Encoder
from serving.errors import BadSettings
from serving.knowledge import KnowledgeKeeper
from serving.settings import Settings, ensure_data_folder
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
    pipeline: Pipeline
    database: Database
    keeper: KnowledgeKeeper

    @property
    def knowledge(self) -> KnowledgeBase:
        return self.keeper.current()

    def versions(self, knowledge: KnowledgeBase) -> dict[str, str]:
        """Of everything that takes part in a decision with this knowledge base."""
        return {**pipeline_versions(self.pipeline), "kb": knowledge.version}


def pipeline_versions(pipeline: Pipeline) -> dict[str, str]:
    return {
        "bundle": pipeline.bundle.reference,
        "taxonomy": pipeline.taxonomy.version,
        "policy": pipeline.policy.version,
    }


def open_desk(settings: Settings, *, encoder: Encoder | None = None) -> Desk:
    """Load and check everything that serving needs; whatever is wrong shows here, before the first request.

    Args:
        encoder: one that is loaded already, or a light twin in tests.
    """
    database = open_desk_database(settings)
    pipeline = open_pipeline(settings, encoder=encoder)
    keeper = KnowledgeKeeper(database, pipeline.encoder, pipeline.bundle, settings.data_dir / "kb")
    return Desk(settings, pipeline, database, keeper)


def open_desk_database(settings: Settings) -> Database:
    ensure_data_folder(settings.data_dir)
    database = open_database(settings.database)
    migrate(database)
    return database


def open_encoder(settings: Settings) -> Encoder:
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
    bundle = load_bundle(find_bundle(settings.bundle, settings.data_dir / "bundles"), encoder)
    return Pipeline(encoder, bundle, labels, policy, detector, finder)
