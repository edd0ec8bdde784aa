"""What are suggested messages worth, against as many at random and as many of the most uncertain?

On BANKING77: a bundle from a few rows of each label, then one more with `--add` rows of the rest of the training part,
chosen each way; scored on the test part. Texts are encoded once and remembered in the cache of encoders.

    python -m benchmarks.labelling [--shots 5] [--add 300] [--seeds 3]
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.data import PUBLIC
from benchmarks.machine import about
from models.bundle import Bundle
from models.types import Encoder, TextKind, Vectors
from models.vectors import VectorCache
from serving.desk import open_encoder
from serving.settings import read_settings
from training.data import Ticket, Tickets, read_tickets
from training.labelling import suggest, uncertainty
from training.splits import few_shots
from training.train import TrainingConfig, train
from triage.normalize import normalize

TASK = "intent"
Choose = Callable[[Bundle, Encoder, Sequence[str], int, int], Sequence[int]]


class Remembering:
    """An encoder that looks up before it reads."""

    def __init__(self, encoder: Encoder, cache: VectorCache) -> None:
        self._encoder, self._cache = encoder, cache
        self.name, self.fingerprint, self.dimension = encoder.name, encoder.fingerprint, encoder.dimension
        self.adapted, self.pieces = encoder.adapted, encoder.pieces

    def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        return self._cache.encode(texts, kind)


def at_random(_bundle: Bundle, _encoder: Encoder, texts: Sequence[str], count: int, seed: int) -> list[int]:
    chosen: list[int] = np.random.default_rng(seed).permutation(len(texts))[:count].tolist()
    return chosen


def most_uncertain(bundle: Bundle, encoder: Encoder, texts: Sequence[str], count: int, _seed: int) -> list[int]:
    spoken = [normalize(text) for text in texts]
    doubts = uncertainty(bundle.score(spoken, bundle.vectors(spoken, encoder)))
    chosen: list[int] = np.argsort(-doubts, kind="stable")[:count].tolist()
    return chosen


def suggested(bundle: Bundle, encoder: Encoder, texts: Sequence[str], count: int, seed: int) -> list[int]:
    return [candidate.position for candidate in suggest(bundle, encoder, texts, count=count, seed=seed)]


WAYS: dict[str, Choose] = {"at random": at_random, "the most uncertain": most_uncertain, "suggested": suggested}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=5)
    parser.add_argument("--add", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    settings = read_settings()
    real = open_encoder(settings)
    cache = VectorCache(settings.cache_dir / "benchmarks", real)
    encoder = Remembering(real, cache)
    data, test = (read_tickets([PUBLIC / "banking77" / f"{part}.jsonl.gz"], {TASK: TASK}) for part in ("train", "test"))
    encoder.encode([normalize(row.text) for row in (*data.rows, *test.rows)])
    cache.save()
    found: dict[str, list[float]] = {}
    for seed in range(options.seeds):
        start = few_shots(data, options.shots, seed=seed)
        begun = {row.place for row in start.rows}
        rest = [row for row in data.rows if row.place not in begun]
        bundle = _trained(start, encoder, seed)
        found.setdefault("before", []).append(_accuracy(bundle, encoder, test.rows))
        for way, choose in WAYS.items():
            chosen = [rest[at] for at in choose(bundle, encoder, [row.text for row in rest], options.add, seed)]
            more = replace(start, rows=(*start.rows, *chosen))
            found.setdefault(way, []).append(_accuracy(_trained(more, encoder, seed), encoder, test.rows))
            sys.stderr.write(f"seed {seed}, {way}: {found[way][-1]:.2%}\n")
    sys.stdout.write(
        f"{about()}\n\n| {options.shots} of each label and {options.add} more | accuracy | seeds |\n|---|--:|--|\n"
    )
    for way, shares in found.items():
        each = " ".join(f"{share:.1%}" for share in shares)
        sys.stdout.write(f"| {way} | {np.mean(shares):.1%} | {each} |\n")


def _trained(tickets: Tickets, encoder: Encoder, seed: int) -> Bundle:
    return train(tickets, [TASK], encoder, TrainingConfig(name="benchmark", seed=seed))


def _accuracy(bundle: Bundle, encoder: Encoder, rows: Sequence[Ticket]) -> float:
    texts = [normalize(row.text) for row in rows]
    said = bundle.predict(texts, bundle.vectors(texts, encoder))
    return float(np.mean([found[TASK].label == row.label(TASK) for found, row in zip(said, rows, strict=True)]))


if __name__ == "__main__":
    main()
