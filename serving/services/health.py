"""Whether a desk can work."""

from serving.desk import Desk
from serving.storage.engine import StorageError
from serving.storage.keys import ApiKeyRepository


def readiness(desk: Desk) -> dict[str, str]:
    """For each part, what it is, or `failing: ` and why."""
    now, problem = desk.current(), desk.keeper.problem
    encoder, bundle, knowledge = now.pipeline.encoder, now.pipeline.bundle.reference, now.knowledge
    checks = {
        "encoder": f"{encoder.name} {encoder.fingerprint}",
        # Not failing: what serves goes on serving, and a balancer should not take every replica away at once.
        "bundle": f"{bundle} ({problem})" if problem else bundle,
        "knowledge": f"{knowledge.version}: {len(knowledge.articles)} articles, {len(knowledge.macros)} macros",
    }
    try:
        with desk.database.transaction(read_only=True) as session:
            ApiKeyRepository(session).list()
        checks["database"] = "ok"
    except StorageError:
        checks["database"] = "failing: cannot be read"
    return checks
