"""What learns best from a few rows of each label: support vector machines or softmax regression, and do names help?

On the encoder as it is. A few rows of each label of the training parts are learned from, and 1,000 others of them are
scored; no test part is read. `names` adds the name of each label as one more row of it, without its punctuation.

    python -m benchmarks.few_rows
"""

import re
import sys
import time
from dataclasses import replace

import numpy as np

from benchmarks.machine import about
from benchmarks.quality import open_encoder, public
from models.encoder import ServingEncoder
from training.data import Tickets
from training.features import TrainingTexts
from training.machines import Strength, fit_head
from training.splits import few_shots
from training.train import task_targets

SETS = (
    ("banking77/train", "intent", 5),
    ("banking77/train", "intent", 10),
    ("clinc150/train", "intent", 10),
    ("banking77/train", "intent", 30),
    ("truevoice/train", "destination", 20),
    ("truevoice/train", "destination", 200),
)
SCORED = 1_000
SEED = 13
STRENGTHS = {"support vectors": Strength(0.5), "softmax": Strength(0.5, softmax=True)}


def main() -> None:
    encoder = open_encoder()
    columns = [f"{kind}{names}" for names in ("", " and names") for kind in STRENGTHS]
    sys.stdout.write(f"{about()}\n\n| set | shots | rows | {' | '.join(columns)} |\n|---|--:|--:|{'--:|' * 4}\n")
    for name, task, shots in SETS:
        data = public(name, task=task)
        few = few_shots(data, shots, seed=SEED)
        known = {ticket.text for ticket in few.rows}
        others = [ticket for ticket in data.rows if ticket.text not in known]
        chosen = np.random.default_rng(SEED).choice(len(others), SCORED, replace=False)
        scored = tuple(others[at] for at in chosen)
        labels = sorted({ticket.label(task) or "" for ticket in few.rows})
        names = [
            replace(few.rows[0], text=re.sub(r"[\W_]+", " ", label), labels={task: (label,)}, group=f"name {label}")
            for label in labels
        ]
        cells = [
            cell
            for more in ([], names)
            for cell in _right(replace(few, rows=(*few.rows, *more, *scored)), task, len(few.rows) + len(more), encoder)
        ]
        sys.stdout.write(f"| {name} | {shots} | {len(few.rows)} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


def _right(tickets: Tickets, task: str, learned: int, encoder: ServingEncoder) -> list[str]:
    """For each machine the share of right labels among the rows behind the `learned` ones, and its seconds."""
    texts = TrainingTexts.of(tickets.rows)
    target = task_targets(tickets, [task], None)[task]
    vectors = encoder.encode(texts.texts)
    inside, outside = np.arange(learned), np.arange(learned, texts.rows)
    scale = texts.scale(vectors, inside)
    cells = []
    for strength in STRENGTHS.values():
        started = time.perf_counter()
        head = fit_head(target, inside, texts, vectors, scale, strength, seed=SEED)
        seconds = time.perf_counter() - started
        found = texts.scores(head, scale, vectors, outside).argmax(axis=1)
        cells.append(f"{np.mean(found == target.numbers[outside]):.1%} in {seconds:.1f} s")
    return cells


if __name__ == "__main__":
    main()
