"""What the quality benchmarks share: public tickets, one training, one evaluation, one row of a table."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.data import PUBLIC
from benchmarks.machine import about
from models.backends import Precision
from models.bundle import Bundle, load_bundle, save_bundle
from models.encoder import EncoderConfig, ServingEncoder, load_encoder
from serving.settings import read_settings
from training.adapt import Adapting
from training.data import Tickets, joined, read_tickets
from training.evaluate import evaluate
from training.finetune import FineTuneConfig
from training.train import TrainingConfig, train

METHODS = ("head", "fine-tune")


@dataclass(frozen=True, slots=True)
class Result:
    """What one training is worth on rows that it never saw; `seconds` are from raw text to a saved bundle."""

    name: str
    method: str
    seed: int
    seconds: float
    figures: dict[str, Any]

    def row(self) -> str:
        f = self.figures
        oos = f"{f['oos_auroc']:.4f}" if f.get("oos_auroc") is not None else ""
        return (
            f"| {self.name} | {self.method} | {self.seed} | {f['accuracy']:.2%} | {f['macro_f1']:.2%} "
            f"| {f['ece']:.4f} | {f['coverage']:.1%} at {f['precision_when_sure']:.1%} | {oos} | {self.seconds:.0f} |"
        )


HEADER = (
    "| set | method | seed | accuracy | macro-F1 | ECE | sure of, at precision | out-of-scope AUROC | seconds |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|"
)


def options(description: str | None, *, seeds: bool = False) -> argparse.ArgumentParser:
    """
    Args:
        seeds: whether the script takes several seeds, one after another.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=METHODS, default="head")
    if seeds:
        parser.add_argument("--seeds", type=int, default=1, help="how many, one after another")
        parser.add_argument("--first-seed", type=int, default=13, help="the first of them")
    parser.add_argument("--output", type=Path, help="append results as JSON lines")
    return parser


def public(*names: str, task: str, group: str = "group") -> Tickets:
    """Tickets of public files under `../shared/data`, by names without their endings."""
    return read_tickets([PUBLIC / f"{name}.jsonl.gz" for name in names], {task: task}, group=group)


def open_encoder() -> ServingEncoder:
    """In float32, as `frontdesk train` has it."""
    settings = read_settings()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    return load_encoder(
        EncoderConfig(settings.encoder, settings.cache_dir, settings.backend, Precision.FLOAT32, settings.threads)
    )


def measure(
    name: str,
    method: str,
    data: Tickets,
    test: Tickets,
    task: str,
    encoder: ServingEncoder,
    *,
    seed: int,
    valid: Tickets | None = None,
    tuning: FineTuneConfig | None = None,
    names: bool = False,
) -> Result:
    """Train from raw texts with a cold cache, save, load, and evaluate on `test`."""
    started = time.monotonic()
    held = None
    if valid is not None:
        data, held = joined(data, valid)
    config = TrainingConfig(name="benchmark", seed=seed, names=names)
    with tempfile.TemporaryDirectory() as scratch:
        if method == "head":
            bundle = train(data, [task], encoder, config, valid=held)
        else:
            tuning = replace(tuning or FineTuneConfig(), seed=seed)
            adapting = Adapting(data, [task], encoder, config, tuning, Path(scratch) / "work", _Bar())
            bundle = adapting.train(valid=held)
        folder = Path(scratch) / "bundle"
        save_bundle(bundle, folder)
        seconds = time.monotonic() - started
        figures = _evaluated(load_bundle(folder, encoder), test, task, encoder)
        if method != "head":
            _forget(encoder, folder)
    chosen = bundle.notes["training"]["tasks"][task]
    return Result(name, method, seed, round(seconds, 1), {**figures, "chosen": chosen})


def report(results: Iterable[Result], output: Path | None) -> None:
    """The table of results on standard output, and each as a JSON line in `output` as soon as it is there."""
    machine = about()
    sys.stdout.write(f"{machine}\n\n{HEADER}\n")
    found = []
    for result in results:
        found.append(result)
        sys.stdout.write(f"{result.row()}\n")
        sys.stdout.flush()
        if output:
            line = {"machine": machine, "set": result.name, "method": result.method, "seed": result.seed}
            with output.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**line, "seconds": result.seconds, **result.figures}) + "\n")
    if len(found) > 1:
        accuracy = [result.figures["accuracy"] for result in found]
        sys.stdout.write(f"\nmean accuracy {np.mean(accuracy):.2%}, deviation {np.std(accuracy):.2%}\n")


def _evaluated(bundle: Bundle, test: Tickets, task: str, encoder: ServingEncoder) -> dict[str, Any]:
    found = evaluate(bundle, encoder, test, [task]).as_json()["tasks"][task]
    wanted = ("rows", "accuracy", "macro_f1", "ece", "coverage", "precision_when_sure", "languages", "out_of_scope")
    figures = {key: found[key] for key in wanted if key in found}
    figures["oos_auroc"] = (found.get("out_of_scope") or {}).get("auroc")
    return figures


def _forget(encoder: ServingEncoder, folder: Path) -> None:
    """Delete the converted model of an adapted encoder, which is half a gigabyte and of no further use."""
    adapted = encoder.adapted(folder / "adapter")
    for path in (read_settings().cache_dir / "openvino").glob(f"{adapted.fingerprint}-*"):
        shutil.rmtree(path)


class _Bar:
    """Steps on standard error, one line every half minute."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, done: int, total: int, note: str) -> None:
        if time.monotonic() - self._last > 30:
            self._last = time.monotonic()
            sys.stderr.write(f"  step {done} of {total} {note}\n")
