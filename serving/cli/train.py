"""frontdesk train: a bundle from labelled tickets."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from models.backends import Precision
from models.bundle import save_bundle
from models.encoder import EncoderConfig, load_encoder
from models.registry import STARTER_NAME
from serving.cli.output import warn
from serving.errors import BadSettings
from serving.settings import ensure_data_folder, read_settings
from training.data import parse_columns, read_tickets


def train(
    data: Annotated[list[Path], typer.Argument(help="Labelled tickets: .jsonl or .csv, also .gz; or folders of them.")],
    task: Annotated[list[str], typer.Option(help="NAME or NAME=COLUMN; once for each task.")],
    text: Annotated[str | None, typer.Option(help="The column with the text.")] = None,
    name: Annotated[str, typer.Option(help="The bundle's name.")] = "desk",
    seed: Annotated[int, typer.Option(help="The same seed and data give the same bytes on the same machine.")] = 13,
    encoder: Annotated[str | None, typer.Option(help="Another encoder than the desk's.")] = None,
    output: Annotated[Path | None, typer.Option(help="A new folder for the bundle; by default in the desk.")] = None,
) -> None:
    """Train a head per task on the frozen encoder, with cross-validated calibration and figures."""
    # Here and not above: scikit-learn takes longer to import than any other command to start.
    from training.train import TrainingConfig
    from training.train import train as train_bundle

    settings = read_settings()
    if output is not None and output.exists():
        raise BadSettings(f"{output} exists already; name a new folder, or delete it first.")
    if not re.fullmatch(r"[\w-][\w.-]*", name):
        raise BadSettings(f"--name {name!r} should be letters, digits, . _ and - only: it becomes a folder's name.")
    if output is None and name == STARTER_NAME:
        raise BadSettings(
            f"--name {name!r} is the bundle that is shipped. Choose another, or name a folder by --output."
        )
    columns = parse_columns(task)
    tickets = read_tickets(_files(data), columns, text=text)
    if tickets.problems:
        warn(f"{len(tickets.problems)} rows are left out:")
        for problem in tickets.problems:
            warn(f"  {problem}")
    config = TrainingConfig(name=name, seed=seed)
    if output is None:
        ensure_data_folder(settings.data_dir)
        taken = [int(p.name) for p in (settings.data_dir / "bundles" / name).glob("*") if p.name.isdigit()]
        config = replace(config, version=max(taken, default=0) + 1)
        output = settings.data_dir / "bundles" / name / str(config.version)
    # The reference in float32: a bundle should not depend on what the training machine's CPU is good at.
    loaded = load_encoder(
        EncoderConfig(encoder or settings.encoder, settings.cache_dir, "torch", Precision.FLOAT32, settings.threads)
    )
    warn(f"training on {len(tickets.rows):,} tickets; encoding comes first and takes longest")
    bundle = train_bundle(tickets, list(columns), loaded, config)
    save_bundle(bundle, output)
    typer.echo(f"{bundle.reference} in {output}")
    for trained, figures in bundle.notes["metrics"]["tasks"].items():
        typer.echo(
            f"{trained}: accuracy {figures['accuracy']:.3f}, macro-F1 {figures['macro_f1']:.3f}, "
            f"calibration error {figures['ece']:.3f}, sure of {figures['coverage']:.1%} "
            f"at precision {figures['precision_when_sure']:.3f} (cross-validated)"
        )


def _files(data: list[Path]) -> list[Path]:
    files: list[Path] = []
    for path in data:
        if not path.exists():
            raise BadSettings(f"{path} does not exist. Name a .jsonl or .csv file, or a folder of them.")
        patterns = ("*.jsonl", "*.jsonl.gz", "*.csv", "*.csv.gz")
        files += sorted(p for pattern in patterns for p in path.rglob(pattern)) if path.is_dir() else [path]
    return files
