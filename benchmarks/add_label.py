"""What is a label worth that was added by a description and a few examples (`frontdesk models add-label`)?

Two trials. The shipped starter gets one of seven intents that its taxonomy does not have (`gap_questions.jsonl`: gift
wrapping, parking, ...), by the descriptions below and none to five of the questions, in whatever language they are;
the others of the topic are scored. And a bundle of BANKING77 that never saw every eleventh label gets these seven, one
after the other, by their names in words and none to five rows of the training part; scored on the test part.

What an added label takes from the old ones is counted on the starter's test part and on the old labels' test rows.

    python -m benchmarks.add_label [--draws 3]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import about
from benchmarks.quality import open_encoder, public
from benchmarks.starter import TEST
from models.bundle import Bundle, load_bundle
from models.encoder import ServingEncoder
from models.registry import STARTER
from models.types import Vectors
from training.data import Ticket, Tickets, read_tickets
from training.extend import extend
from training.train import TrainingConfig, train
from triage.normalize import normalize

HERE = Path(__file__).parent
EXAMPLES = (0, 1, 3, 5)
_EVERY = 4
"""One in so many of the old labels' rows is scored; each label by the first draw."""
DESCRIPTIONS = {
    "gift-wrap": "Have an order wrapped as a present, with a card, or ask what that costs.",
    "roaming-at-sea": "Using the phone on a ship or ferry at sea, and what that costs.",
    "shared-card": "A second bank card on the same account for a spouse or another person.",
    "parking": "Whether one can park a car at the store.",
    "student-discount": "Whether students get a discount.",
    "pets-in-store": "Whether dogs or other pets may come into the store.",
    "jobs": "Looking for work at the company; open positions and how to apply.",
}


@dataclass(frozen=True, slots=True)
class Read:
    """Texts with their labels as they were read once, for all trials."""

    texts: list[str]
    labels: NDArray[np.object_]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Trial:
    """Shares of rows: of the new label's, said first and surely; of the old labels', said first before and after."""

    found: float
    sure: float
    before: float
    after: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=3, help="draws of the examples")
    asked = parser.parse_args()
    encoder = open_encoder()
    sys.stdout.write(
        f"{about()}\n\n| bundle | examples | own rows found | and surely | old labels right before | after |\n"
        "|---|--:|--:|--:|--:|--:|\n"
    )
    for name, trials in (("starter", starter(encoder, asked.draws)), ("BANKING77", banking(encoder, asked.draws))):
        for count, some in trials.items():
            found, sure, before, after = (
                np.mean([getattr(t, part) for t in some]) for part in ("found", "sure", "before", "after")
            )
            sys.stdout.write(f"| {name} | {count} | {found:.1%} | {sure:.1%} | {before:.2%} | {after:.2%} |\n")
            sys.stdout.flush()


def starter(encoder: ServingEncoder, draws: int) -> dict[int, list[Trial]]:
    bundle = load_bundle(STARTER, encoder)
    lines = (HERE / "gap_questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    asked = _read(bundle, encoder, [row["question"] for row in questions], [row["topic"] for row in questions])
    test = read_tickets(sorted(TEST.glob("*.jsonl")), {"intent": "intent"})
    some = test.rows[::_EVERY]
    old = _read(bundle, encoder, [row.text for row in some], [row.label("intent") for row in some])
    return _trials(bundle, encoder, DESCRIPTIONS, asked, asked, old, draws)


def banking(encoder: ServingEncoder, draws: int) -> dict[int, list[Trial]]:
    data, test = public("banking77/train", task="intent"), public("banking77/test", task="intent")
    new = sorted({str(row.label("intent")) for row in data.rows})[::11]
    known = replace(data, rows=tuple(row for row in data.rows if row.label("intent") not in new))
    bundle = train(known, ["intent"], encoder, TrainingConfig(name="benchmark"))
    fresh = [row for row in data.rows if row.label("intent") in new]
    rows = [row for row in test.rows if row.label("intent") in new]
    others = [row for row in test.rows if row.label("intent") not in new][::_EVERY]
    pool, own, old = (
        _read(bundle, encoder, [row.text for row in some], [row.label("intent") for row in some])
        for some in (fresh, rows, others)
    )
    return _trials(bundle, encoder, {label: label.replace("_", " ") for label in new}, pool, own, old, draws)


def _trials(
    bundle: Bundle, encoder: ServingEncoder, descriptions: dict[str, str], pool: Read, own: Read, old: Read, draws: int
) -> dict[int, list[Trial]]:
    """Each label added by each number of examples, in each draw; rows of `own` that were examples are not scored."""
    before = float((_said(bundle, old)[0] == old.labels).mean())
    found: dict[int, list[Trial]] = {count: [] for count in EXAMPLES}
    for label, description in descriptions.items():
        candidates = [text for text, name in zip(pool.texts, pool.labels, strict=True) if name == label]
        for count in EXAMPLES:
            after = before
            for draw in range(draws if count else 1):
                chosen = np.random.default_rng((13, draw)).permutation(len(candidates))[:count]
                examples = [candidates[at] for at in chosen]
                texts = enumerate([description, *examples])
                rows = tuple(Ticket(text, {"intent": (label,)}, None, str(number)) for number, text in texts)
                extended = extend(bundle, Tickets(rows, (), ""), ["intent"], encoder).bundle
                scored = np.array([name == label for name in own.labels]) & ~np.isin(own.texts, examples)
                said, sure = _said(extended, own)
                hit = said[scored] == label
                after = after if draw else float((_said(extended, old)[0] == old.labels).mean())
                found[count].append(Trial(float(hit.mean()), float((hit & sure[scored]).mean()), before, after))
    return found


def _said(bundle: Bundle, rows: Read) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    predictions = [found["intent"] for found in bundle.predict(rows.texts, rows.vectors)]
    labels = np.array([found.label for found in predictions], object)
    return labels, np.array([not found.abstained for found in predictions])


def _read(bundle: Bundle, encoder: ServingEncoder, texts: Sequence[str], labels: Sequence[str | None]) -> Read:
    normal = [normalize(text) for text in texts]
    return Read(normal, np.array(labels, object), bundle.vectors(normal, encoder))


if __name__ == "__main__":
    main()
