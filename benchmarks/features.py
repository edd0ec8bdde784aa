"""Do dense and lexical features together beat either alone?

Linear SVMs as `frontdesk train` fits them, on four fifths of a public training part, scored on the fifth (stratified,
seeded); test parts are not touched.

    python -m benchmarks.features [truevoice] [banking77] [--seed 0]
"""

import argparse
import sys
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from benchmarks.data import PUBLIC, rows
from benchmarks.machine import about
from models.features import FeatureScale, lexical_counts
from serving.desk import open_encoder
from serving.settings import read_settings
from triage.normalize import normalize

SETS = {"truevoice": "destination", "banking77": "intent"}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sets", nargs="*", choices=[*SETS, []], default=list(SETS))
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    encoder = open_encoder(read_settings())
    sys.stdout.write(f"{about()}\n\n| | features | accuracy | macro-F1 |\n|---|---|--:|--:|\n")
    for name in options.sets:
        tickets = rows(PUBLIC / name / "train.jsonl.gz")
        labels = np.array([ticket[SETS[name]] for ticket in tickets])
        texts = [normalize(ticket["text"]) for ticket in tickets]
        vectors, counts = encoder.encode(texts), lexical_counts(texts)
        inside, outside = train_test_split(
            np.arange(len(texts)), test_size=0.2, random_state=options.seed, stratify=labels
        )
        scale = FeatureScale.fit(vectors[inside], counts[inside])
        raw = FeatureScale(np.zeros_like(scale.center), scale.idf)
        variants: dict[str, Any] = {
            "dense": sp.csr_matrix(scale.dense(vectors)),
            "lexical": scale.lexical(counts),
            "both": scale.joined(vectors, counts),
            "both, not centred": raw.joined(vectors, counts),
        }
        for features, matrix in variants.items():
            machine = LinearSVC(C=0.5, random_state=options.seed)
            guess = machine.fit(matrix[inside], labels[inside]).predict(matrix[outside])
            accuracy, macro = np.mean(guess == labels[outside]), f1_score(labels[outside], guess, average="macro")
            sys.stdout.write(f"| {name} | {features} | {accuracy:.1%} | {macro:.1%} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
