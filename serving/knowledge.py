"""A knowledge base as a pipeline's encoder, bundle and taxonomy read it."""

from collections.abc import Sequence
from pathlib import Path

from kb.index import IndexSettings
from kb.ingest import build
from kb.search import KnowledgeBase
from kb.types import Article, Macro
from triage.pipeline import Pipeline


def knowledge_of(
    pipeline: Pipeline,
    articles: Sequence[Article],
    macros: Sequence[Macro] = (),
    *,
    version: str,
    cache: Path,
    index: IndexSettings | None = None,
) -> KnowledgeBase:
    """Cut, encode and index; intents that the taxonomy calls out of scope speak for no article."""
    return build(
        articles,
        macros,
        version=version,
        encoder=pipeline.encoder,
        bundle=pipeline.bundle,
        cache=cache,
        index=index,
        outside=pipeline.taxonomy.outside,
    )
