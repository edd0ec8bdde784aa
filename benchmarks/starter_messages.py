"""How clean are the starter's messages: near duplicates, templates, translations, labels that two readings differ on?

Second readings lie in `training/starter/readings`: every message was labelled again, by its text alone, by a reader who
had not seen the first labels. Of the first 14,082, rows on which they differed were looked at once more, and what
stands in the messages is the outcome; in `daily.jsonl` and `spoken.jsonl` the first labels stand.

    python -m benchmarks.starter_messages [--translations]
"""

import argparse
import json
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import cohen_kappa_score

from benchmarks.quality import open_encoder
from training.near_duplicates import families
from training.parallels import parallel_runs
from training.slots import slot_families
from triage.normalize import fold, normalize

STARTER = Path(__file__).parent.parent / "training" / "starter"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--translations", action="store_true", help="encode all messages and look for parallel files")
    asked = parser.parse_args()
    languages = sorted(path.stem for path in (STARTER / "test").glob("*.jsonl"))
    rows = {language: _rows(language) for language in languages}
    sys.stdout.write(
        "| | rows | near duplicates | in templates | intent agrees | kappa | urgency agrees | kappa |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    for language, own in rows.items():
        sys.stdout.write(_line(language, own))
    if asked.translations:
        _translations(rows)


def _rows(language: str) -> list[dict[str, Any]]:
    files = [*sorted((STARTER / "messages" / language).glob("*.jsonl")), STARTER / "test" / f"{language}.jsonl"]
    every = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    # In the order in which they were written, which the ids keep.
    return sorted(every, key=lambda row: str(row["id"]))


def _line(language: str, rows: list[dict[str, Any]]) -> str:
    texts = [fold(normalize(row["text"])) for row in rows]
    family = families(texts)
    near = len(rows) - len(np.unique(family))
    slots = sum(map(len, slot_families(texts)))
    lines = (STARTER / "readings" / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    second = {found["id"]: found for found in map(json.loads, lines)}
    cells = []
    for task in ("intent", "urgency"):
        pairs = [(row[task], second[row["id"]][task]) for row in rows]
        agree = float(np.mean([one == other for one, other in pairs]))
        cells += [f"{agree:.1%}", f"{cohen_kappa_score(*zip(*pairs, strict=True)):.3f}"]
    return f"| {language} | {len(rows):,} | {near} | {slots} | {' | '.join(cells)} |\n"


def _translations(rows: dict[str, list[dict[str, Any]]]) -> None:
    encoder = open_encoder()
    vectors = {language: encoder.encode([normalize(row["text"]) for row in own]) for language, own in rows.items()}
    found = 0
    for one, other in combinations(rows, 2):
        for run in parallel_runs(vectors[one], vectors[other]):
            found += 1
            at, there = run.one[0], run.other[0]
            sys.stdout.write(
                f"{len(run.one)} rows of {one} and {other} run side by side, from "
                f"{rows[one][at]['id']} “{rows[one][at]['text'][:40]}” and "
                f"{rows[other][there]['id']} “{rows[other][there]['text'][:40]}”\n"
            )
    sys.stdout.write(f"\n{found} runs of rows that match line by line, among {len(rows)} languages\n")


if __name__ == "__main__":
    main()
