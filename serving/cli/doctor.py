"""frontdesk doctor: is everything there, whole, and of one piece?"""

from collections.abc import Callable
from typing import Annotated

import typer

from kb.errors import KnowledgeError
from kb.store import KnowledgeStore
from models.errors import ModelError
from serving.cli.output import line
from serving.desk import open_desk_database, open_pipeline
from serving.errors import BadSettings
from serving.settings import Settings, ensure_data_folder, read_settings
from serving.storage.engine import StorageError
from triage.errors import BadConfiguration


def doctor(json: Annotated[bool, typer.Option("--json", help="One JSON object a check.")] = False) -> None:
    """Check settings, folders, database, encoder, bundle, taxonomy and policy; exit status 1 if one fails."""
    settings = read_settings()
    checks: dict[str, Callable[[Settings], str]] = {
        "data folder": _data_folder,
        "database": _database,
        "models and labels": _models,
    }
    failed = False
    for name, check in checks.items():
        try:
            state, found = "ok", check(settings)
        except (BadConfiguration, BadSettings, KnowledgeError, ModelError, StorageError) as error:
            state, found, failed = "failing", str(error), True
        typer.echo(line({"check": name, "state": state, "found": found}) if json else f"{state:8} {name}: {found}")
    if failed:
        raise typer.Exit(1)


def _data_folder(settings: Settings) -> str:
    ensure_data_folder(settings.data_dir)
    return f"{settings.data_dir}, cache {settings.cache_dir}"


def _database(settings: Settings) -> str:
    database = open_desk_database(settings)
    with database.transaction(read_only=True) as session:
        store = KnowledgeStore(session)
        return f"{database.name}, {len(store.articles())} articles, {len(store.macros())} macros"


def _models(settings: Settings) -> str:
    pipeline = open_pipeline(settings)
    runtime = getattr(pipeline.encoder, "runtime", "light")
    found = [f"{pipeline.encoder.name} {pipeline.encoder.fingerprint} on {runtime}", pipeline.bundle.reference]
    standard = {
        "intent": {intent.id for intent in pipeline.taxonomy.intents},
        "urgency": {level.id for level in pipeline.taxonomy.urgencies},
        "channel": set(pipeline.policy.ids),
    }
    for task, labels in standard.items():
        head = pipeline.bundle.heads.get(task)
        if head is None:
            found.append(f"the bundle does not predict {task}")
        elif unknown := sorted(set(head.labels) - labels):
            raise BadSettings(
                f"{pipeline.bundle.reference} predicts {task} {', '.join(unknown)}, which your files do not have. "
                "Add them to the taxonomy or policy file, or train a bundle on your labels."
            )
        elif task != "channel" and (never := sorted(labels - set(head.labels))):
            found.append(f"the bundle never says {task} {', '.join(never)}: train it, or `frontdesk models add-label`")
    rules = pipeline.policy.rules
    named = {label for rule in rules for label in rule.intents} - standard["intent"]
    named |= {label for rule in rules for label in rule.urgencies} - standard["urgency"]
    if named:
        found.append(f"policy rules wait for {', '.join(sorted(named))}, which the taxonomy does not have")
    return "; ".join(found)
