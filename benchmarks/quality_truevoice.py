"""How good is a bundle at routing real Thai telecom calls to seven destinations?

TrueVoice's training part in five folds, stratified and seeded; the score is of all rows, each by the bundle that did
not see it. Its test part is kept apart and not used.

    python -m benchmarks.quality_truevoice [--method head|fine-tune] [--folds 1 2]
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from sklearn.model_selection import StratifiedKFold

from benchmarks.quality import Result, measure, open_encoder, options, public, report


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--folds", type=int, nargs="+", choices=range(1, 6), default=range(1, 6), help="which to run")
    asked = parser.parse_args()
    encoder = open_encoder()
    data = public("truevoice/train", task="destination")
    labels = [row.label("destination") for row in data.rows]
    folds = StratifiedKFold(5, shuffle=True, random_state=13).split(np.zeros(len(labels)), labels)

    def measured(number: int, inside: Iterable[int], outside: Iterable[int]) -> Result:
        train, test = (replace(data, rows=tuple(data.rows[at] for at in rows)) for rows in (inside, outside))
        name = f"truevoice, fold {number}"
        return measure(name, asked.method, train, test, "destination", encoder, seed=13)

    report((measured(number, *fold) for number, fold in enumerate(folds, 1) if number in asked.folds), asked.output)


if __name__ == "__main__":
    main()
