"""Whether a desk can work."""

from serving.desk import Desk
from serving.storage.engine import StorageError
from serving.storage.keys import ApiKeyRepository


def readiness(desk: Desk) -> dict[str, str]:
    """For each part, what it is, or `failing: ` and why."""
    knowledge = desk.knowledge
    checks = {
        "encoder": f"{desk.pipeline.encoder.name} {desk.pipeline.encoder.fingerprint}",
        "bundle": desk.pipeline.bundle.reference,
        "knowledge": f"{knowledge.version}: {len(knowledge.articles)} articles, {len(knowledge.macros)} macros",
    }
    try:
        with desk.database.transaction(read_only=True) as session:
            ApiKeyRepository(session).list()
        checks["database"] = "ok"
    except StorageError:
        checks["database"] = "failing: cannot be read"
    return checks
