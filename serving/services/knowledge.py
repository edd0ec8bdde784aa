"""What changes the knowledge base, and what makes it anew."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from kb.importers import Imported
from kb.ingest import encode, importing
from kb.search import KnowledgeBase
from kb.store import KnowledgeStore, UpsertCounts
from serving.desk import open_desk_database, open_pipeline, vectors_folder
from serving.knowledge import knowledge_of
from serving.settings import Settings
from triage.pipeline import Pipeline

Progress = Callable[[int], Callable[[int], object]]
"""Takes how many articles and macros there are to encode, and gives what is called with how many became ready."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    articles: UpsertCounts
    macros: UpsertCounts
    version: str


def import_knowledge(
    settings: Settings, found: Imported, progress: Progress, *, pipeline: Pipeline | None = None
) -> ImportReport:
    """Encode what is new or differs, then write all in one transaction: a server has only to index it.

    Whoever is killed before the end leaves the knowledge base as it was, and what was encoded and saved is not encoded
    again.

    Args:
        pipeline: one that is loaded already; without changes none is needed.

    Raises:
        ImportUnderWay: when another import does not end.
    """
    database = open_desk_database(settings)
    with importing(vectors_folder(settings)):
        with database.transaction(read_only=True) as session:
            articles, macros = KnowledgeStore(session).new_or_changed(found.articles, found.macros)
        if articles or macros:
            now, advance = pipeline or open_pipeline(settings), progress(len(articles) + len(macros))
            encode(
                articles,
                macros,
                encoder=now.encoder,
                bundle=now.bundle,
                cache=vectors_folder(settings),
                advance=advance,
            )
        with database.transaction() as session:
            store = KnowledgeStore(session)
            counts = store.upsert_articles(found.articles), store.upsert_macros(found.macros)
            return ImportReport(*counts, store.version())


def rebuild_knowledge(settings: Settings, progress: Progress) -> KnowledgeBase:
    """Encode and index everything from the database alone, and put the vectors in the place of those that are kept."""
    database = open_desk_database(settings)
    with importing(vectors_folder(settings)):
        with database.transaction(read_only=True) as session:
            store = KnowledgeStore(session)
            articles, macros, version = store.articles(), store.macros(), store.version()
        now, advance = open_pipeline(settings), progress(len(articles) + len(macros))
        kept = vectors_folder(settings)
        # A folder deeper, so that what building leaves beside its vectors goes with them.
        scratch = kept / ".rebuilt" / "vectors"
        scratch.mkdir(parents=True, exist_ok=True)
        encode(articles, macros, encoder=now.encoder, bundle=now.bundle, cache=scratch, advance=advance)
        made = knowledge_of(now, articles, macros, version=version, cache=scratch)
        for file in scratch.glob("vectors-*.safetensors"):
            file.replace(kept / file.name)
        shutil.rmtree(scratch.parent, ignore_errors=True)
        return made
