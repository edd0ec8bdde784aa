"""frontdesk train: a bundle from labelled tickets."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from filelock import FileLock, Timeout
from rich.progress import Progress

from models.backends import Precision
from models.bundle import Bundle, load_bundle, read_manifest, save_bundle
from models.encoder import EncoderConfig, ServingEncoder, load_encoder
from models.registry import LIVE, Registry, check_name
from models.types import Encoder, Vectors
from models.vectors import CHUNK, VectorCache
from serving.cli.output import line, progress, warn
from serving.cli.suggest_labels import suggest_labels
from serving.cli.tickets import Group, ticket_files
from serving.errors import BadSettings
from serving.settings import Settings, ensure_data_folder, read_settings
from training.columns import GROUP
from training.data import Tickets, joined, parse_columns, read_tickets

if TYPE_CHECKING:
    from training.features import Numbers
    from training.finetune import FineTuneConfig
    from training.train import Encode, TrainingConfig

REMEMBERED = 200_000
"""Vectors that are kept for the next training beside those of this one; about 300 MB."""
_SECONDS_BETWEEN_SAVES = 60.0
"""What a kill while encoding may cost. Texts that are all known take less, and are saved once."""


class Method(StrEnum):
    """Whether the encoder stays as it is or is adapted too."""

    HEAD = "head"
    FINE_TUNE = "fine-tune"


def train(
    data: Annotated[list[Path], typer.Argument(help="Labelled tickets: .jsonl, .csv or .parquet; or folders of them.")],
    task: Annotated[list[str] | None, typer.Option(help="NAME or NAME=COLUMN; once for each task.")] = None,
    text: Annotated[str | None, typer.Option(help="The column with the text.")] = None,
    group: Group = GROUP,
    multi_label: Annotated[
        list[str] | None, typer.Option(help="A task with several labels a text; in CSV separated by ;.")
    ] = None,
    valid: Annotated[list[Path] | None, typer.Option(help="Tickets to choose and calibrate on, never learned.")] = None,
    method: Annotated[Method, typer.Option(help="Heads on the encoder as it is, or the encoder adapted too.")] = (
        Method.HEAD
    ),
    shots: Annotated[int | None, typer.Option(min=1, help="Learn from N rows of each label, drawn by chance.")] = None,
    oos_label: Annotated[str | None, typer.Option(help="The label of rows that are about none of the others.")] = None,
    noise: Annotated[
        bool, typer.Option("--noise", help="Learn from each row with the noise of real channels on it too.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Learn from the name of each label too: for few rows, and names in words.")
    ] = False,
    average: Annotated[
        int, typer.Option(min=1, help="With --method fine-tune: the mean of N trainings that differ by their seed.")
    ] = 1,
    precision: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.999, help="What labels given are right with; 0.9 by default."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Add the new labels to this bundle; or ask it for doubts.")
    ] = None,
    suggest: Annotated[
        int | None,
        typer.Option("--suggest-labels", help="Write the N unlabelled messages most worth labelling to --output."),
    ] = None,
    labelled: Annotated[
        list[Path] | None,
        typer.Option(help="With --suggest-labels: tickets that are labelled, nothing like which is taken."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Look the data over and stop.")] = False,
    name: Annotated[str, typer.Option(help="The bundle's name.")] = "desk",
    seed: Annotated[int, typer.Option(help="The same seed and data give the same bytes on the same machine.")] = 13,
    encoder: Annotated[str | None, typer.Option(help="Another encoder than the desk's.")] = None,
    output: Annotated[Path | None, typer.Option(help="A new folder for the bundle; by default in the desk.")] = None,
) -> None:
    """Train a head per task, with calibration and figures from rows that it did not see."""
    # Here and not above: scikit-learn takes longer to import than any other command to start.
    from training.splits import few_shots
    from training.train import TrainingConfig
    from training.train import train as train_bundle
    from training.validation import validate

    if suggest is not None:
        if output is None:
            raise BadSettings("--suggest-labels writes a file for Label Studio and Argilla: name it by --output.")
        suggest_labels(data, suggest, start or LIVE, output, labelled=labelled or (), text=text, seed=seed)
        return
    settings = read_settings()
    check_target(settings, name, output)
    if labelled:
        raise BadSettings("--labelled is what --suggest-labels leaves aside, and has no meaning without it.")
    if start and (valid or noise or names or oos_label or precision is not None or method is Method.FINE_TUNE):
        raise BadSettings(
            "--from adds labels to a bundle as it is, and takes neither --valid, --noise, --names, --oos-label, "
            "--precision nor --method fine-tune. Leave that out, or train on old and new rows together without --from."
        )
    if average > 1 and method is not Method.FINE_TUNE:
        raise BadSettings(f"--average {average} is of trainings by --method fine-tune; add that, or leave it out.")
    registry = Registry(settings.data_dir / "bundles")
    columns = parse_columns(task or ())
    if not columns:
        raise BadSettings("No task is named. Say what to learn by --task NAME or --task NAME=COLUMN.")

    def read(paths: list[Path]) -> Tickets:
        return read_tickets(ticket_files(paths), columns, text=text, group=group, multi_label=multi_label or ())

    tickets, validation = read(data), read(valid) if valid else None
    labels = read_manifest(registry.find(start))["tasks"] if start else {}
    report = validate(tickets, validation, known=_known(labels, columns, oos_label))
    for found in report.lines():
        warn(found)
    if check:
        typer.echo(line(report.as_json()))
    report.require_usable()
    if check:
        return
    loaded = training_encoder(settings, encoder)
    extended = load_bundle(registry.find(start), loaded) if start else None
    if shots:
        tickets = few_shots(tickets, shots, seed=seed)
    tickets, held = joined(tickets, report.without_leaks(validation)) if validation else (tickets, None)
    config = TrainingConfig(name=name, seed=seed, oos_label=oos_label, noise=noise, names=names)
    if precision:
        config = replace(config, precision=precision)
    reads = extended.adapted if extended and extended.adapted else loaded
    with progress() as bar, remembering(settings, reads, bar) as encode:
        if method is Method.FINE_TUNE:
            from training.finetune import FineTuneConfig

            with workspace(settings, tickets, loaded, config, list(columns)) as folder:
                tuning = FineTuneConfig(seed=config.seed, averaged=average)
                bundle = _fine_tuned(tickets, list(columns), loaded, config, tuning, held, encode, folder, bar)
                keep(bundle, settings, output)
            return
        if extended:
            bundle = _extended(extended, tickets, list(columns), loaded, encode, config)
        else:
            bundle = train_bundle(tickets, list(columns), loaded, config, valid=held, encode=encode)
    keep(bundle, settings, output)


@contextmanager
def workspace(
    settings: Settings, tickets: Tickets, encoder: Encoder, config: "TrainingConfig", tasks: Sequence[str]
) -> Iterator[Path]:
    """The folder of one training's checkpoints and adapter, which goes when the training has succeeded.

    Raises:
        BadSettings: when the same training runs in another process; its adapter would be written over.
    """
    asked = hashlib.sha256(json.dumps([asdict(config), list(tasks)], sort_keys=True).encode()).hexdigest()[:16]
    folder = settings.cache_dir / "fine-tuning" / f"{tickets.fingerprint}-{encoder.fingerprint}-{asked}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder.with_suffix(".lock"), timeout=0):
            yield folder
            shutil.rmtree(folder, ignore_errors=True)
    except Timeout as error:
        raise BadSettings(
            f"This very training is running in another process, which holds {folder}. Wait for it or end it first."
        ) from error


def _known(labels: Mapping[str, Any], tasks: Iterable[str], oos_label: str | None) -> dict[str, tuple[str, ...]]:
    """Labels of each task that need no row.

    Args:
        labels: what the manifest of the bundle that is extended says of its tasks.
    """
    own = {task: tuple(labels.get(task, {}).get("labels", ())) for task in tasks}
    return {task: (*labels, oos_label) if oos_label else labels for task, labels in own.items()}


def check_target(settings: Settings, name: str, output: Path | None) -> None:
    """
    Raises:
        BadSettings, BundleError: when the bundle could not be kept in this folder or under this name; said before hours
            of work.
    """
    if output is not None and output.exists():
        raise BadSettings(f"{output} exists already; name a new folder, or delete it first.")
    if output is None:
        check_name(name)
        ensure_data_folder(settings.data_dir)


def training_encoder(settings: Settings, encoder: str | None) -> ServingEncoder:
    """The encoder in float32: a bundle should not depend on what the training machine's CPU is good at."""
    return load_encoder(
        EncoderConfig(
            encoder or settings.encoder, settings.cache_dir, settings.backend, Precision.FLOAT32, settings.threads
        )
    )


@contextmanager
def remembering(settings: Settings, encoder: Encoder, bar: Progress) -> "Iterator[Encode]":
    """Encoding with a progress bar, of texts that no earlier training has encoded."""
    remembered = VectorCache(settings.cache_dir / "training", encoder, spare=REMEMBERED)

    def encode(texts: Sequence[str]) -> Vectors:
        job = bar.add_task("encoding", total=len(texts))
        vectors = np.empty((len(texts), encoder.dimension), np.float32)
        trouble, saved = None, time.monotonic()
        for at in range(0, len(texts), CHUNK):
            some = slice(at, at + CHUNK)
            vectors[some] = remembered.encode(texts[some], advance=lambda count: bar.advance(job, count))
            if at + CHUNK < len(texts) and time.monotonic() - saved < _SECONDS_BETWEEN_SAVES:
                continue
            try:
                remembered.save()
            except OSError as error:
                trouble = error
            saved = time.monotonic()
        if trouble:
            warn(f"vectors are not remembered for the next training: {trouble.strerror or trouble}")
        return vectors

    yield encode


def keep(bundle: Bundle, settings: Settings, output: Path | None) -> None:
    """Save a bundle in its folder or in the desk, and say what it is good for."""
    if output is None:
        registry = Registry(settings.data_dir / "bundles")
        bundle = registry.add(bundle)
        output = registry.find(bundle.reference)
    else:
        save_bundle(bundle, output)
    typer.echo(f"{bundle.reference} in {output}")
    if added := [entry["label"] for entry in bundle.notes.get("extended", [])]:
        typer.echo(f"figures from before {', '.join(added)} joined:")
    for task, figures in bundle.notes["metrics"]["tasks"].items():
        typer.echo(
            f"{task}: accuracy {figures['accuracy']:.3f}, macro-F1 {figures['macro_f1']:.3f}, "
            f"calibration error {figures['ece']:.3f}, sure of {figures['coverage']:.1%} "
            f"at precision {figures['precision_when_sure']:.3f} ({bundle.notes['metrics']['how']})"
        )


def _fine_tuned(
    tickets: Tickets,
    tasks: Sequence[str],
    encoder: ServingEncoder,
    config: "TrainingConfig",
    tuning: "FineTuneConfig",
    held: "Numbers | None",
    encode: "Encode",
    workspace: Path,
    bar: Progress,
) -> Bundle:
    from training.adapt import Adapting

    job = bar.add_task("fine-tuning", total=None)

    def show(done: int, total: int, note: str) -> None:
        if done <= 1:  # the next of several runs: the bar would take the time of the one before for its own
            bar.reset(job)
        bar.update(job, completed=done, total=total, description=f"fine-tuning, {note}" if note else "fine-tuning")

    adapting = Adapting(tickets, tasks, encoder, config, tuning, workspace, show)
    return adapting.train(valid=held, encode=encode)


def _extended(
    bundle: Bundle, tickets: Tickets, tasks: Sequence[str], encoder: Encoder, encode: "Encode", config: "TrainingConfig"
) -> Bundle:
    from training.extend import extend

    found = extend(bundle, tickets, tasks, encoder, seed=config.seed, encode=encode)
    for label in found.added:
        recall = "too few rows to judge" if label.recall is None else f"wins {label.recall:.0%} of its held-out rows"
        name, cosine = label.nearest
        warn(f"{label.task} {label.label}: {label.rows} rows, {recall}; most like {name} ({cosine:.2f})")
    return replace(found.bundle, name=config.name, version=config.version)
