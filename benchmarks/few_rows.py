"""What learns best from a few rows of each label: support vector machines or softmax regression, and do names help?

On the encoder as it is. A few rows of each label of the training parts are learned from, and 1,000 others of them are
scored; no test part is read. `names` is what `frontdesk train --names` does.

    python -m benchmarks.few_rows
"""

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
from training.train import TrainingConfig, learned

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
        tickets = replace(few, rows=(*few.rows, *scored))
        cells = [cell for names in (False, True) for cell in _right(tickets, task, len(few.rows), encoder, names=names)]
        sys.stdout.write(f"| {name} | {shots} | {len(few.rows)} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


def _right(tickets: Tickets, task: str, few: int, encoder: ServingEncoder, *, names: bool) -> list[str]:
    """For each machine the share of right labels among the rows behind the `few` ones, and its seconds."""
    tickets, targets = learned(tickets, [task], TrainingConfig(names=names))
    target, texts = targets[task], TrainingTexts.of(tickets.rows)
    vectors = encoder.encode(texts.texts)
    outside = np.arange(few, tickets.given)
    inside = np.setdiff1d(np.arange(texts.rows), outside)
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
