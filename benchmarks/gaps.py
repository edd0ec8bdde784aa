"""Do questions that ask for the same, in any language, come into one cluster of the report on knowledge gaps?

Questions: `kb/demo/questions/`, whose topics are known; one of no topic is a cluster of its own. `--half choose` tries
weights of the intent and distances, with the intents of the bundle and with their 19 areas in place of them, as a
coarser taxonomy would have it. The figures that count, with the weight and distance of `kb.gaps`, are of the other half
and of `gap_questions.jsonl`: topics in six languages that the demo help centre says nothing of and the taxonomy
little, looked at after the choice.
`--speed` times clustering, and compares it with and without its first pass, on real short messages.

    python -m benchmarks.gaps [--half choose|report] [--speed]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, v_measure_score

from benchmarks.data import short_texts
from benchmarks.knowledge import _half, _questions
from benchmarks.machine import about
from kb import gaps
from kb.ingest import build
from kb.search import Question
from models.types import Vectors
from serving.desk import open_pipeline
from serving.services.reading import ask
from serving.settings import read_settings
from triage.pipeline import Message, Pipeline

WEIGHTS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
DISTANCES = tuple(round(0.54 + 0.04 * step, 2) for step in range(9))
MANY = 20_000
Made = TypeVar("Made")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("choose", "report"), default="report")
    parser.add_argument("--speed", action="store_true")
    options = parser.parse_args()
    pipeline = open_pipeline(read_settings())
    print(f"{about()}\n")
    if options.speed:
        _speed(pipeline)
        return
    _measure(pipeline, [row for row in _questions() if _half(row["question"]) == options.half], options.half)
    if options.half == "report":
        lines = Path("benchmarks/gap_questions.jsonl").read_text(encoding="utf-8").splitlines()
        _measure(pipeline, [json.loads(line) for line in lines], options.half)


def _measure(pipeline: Pipeline, rows: Sequence[dict[str, Any]], half: str) -> None:
    topics = [row["topic"] or f"none {at}" for at, row in enumerate(rows)]
    languages = np.array([row["language"] for row in rows])
    triages, questions = ask(pipeline, [Message(row["question"], None, row["language"]) for row in rows])
    vectors = _centred(pipeline, questions)
    sure = [triage.intent.confidence for triage in triages]
    fine = [triage.intent.label for triage in triages]
    coarse = [label.partition(".")[0] for label in fine]
    if half == "choose":
        _choose(vectors, sure, (fine, coarse), topics)
        return
    names = {"intents": fine, "areas": coarse, "no intents": [""] * len(rows)}
    print(f"\n{len(rows)} questions, {len(set(topics))} clusters there should be\n")
    print(
        "| | clusters | ARI | V-measure | pairs within a language | pairs across languages | right of pairs | mixed |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, labels in names.items():
        found = gaps.cluster(gaps.rows(vectors, labels, sure))
        print(f"| {name} | {found.max() + 1} | " + " | ".join(_figures(topics, found, languages)) + " |")


def _choose(vectors: Vectors, sure: Sequence[float], ways: Sequence[Sequence[str]], topics: Sequence[str]) -> None:
    print("| weight | distance | mean | " + "ARI, V with intents | ARI, V with areas |\n|--:|--:|--:|--:|--:|")
    tried = []
    for weight, distance in product(WEIGHTS, DISTANCES):
        gaps.INTENT_WEIGHT = weight
        scores = []
        for labels in ways:
            found = gaps.cluster(gaps.rows(vectors, labels, sure), distance=distance)
            scores += [adjusted_rand_score(topics, found), v_measure_score(topics, found)]
        tried.append((float(np.mean(scores)), weight, distance, scores))
    for mean, weight, distance, (a, b, c, d) in sorted(tried, reverse=True)[:10]:
        print(f"| {weight} | {distance} | {mean:.3f} | {a:.3f}, {b:.3f} | {c:.3f}, {d:.3f} |")


def _figures(topics: Sequence[str], found: NDArray[np.int64], languages: NDArray[Any]) -> list[str]:
    names = np.unique(topics, return_inverse=True)[1]
    pair = np.triu(np.ones((len(found), len(found)), bool), 1)
    same, together = pair & (names[:, None] == names), pair & (found[:, None] == found)
    across = languages[:, None] != languages
    several = [number for number in range(found.max() + 1) if (found == number).sum() > 1]
    mixed = np.mean([len(set(languages[found == number])) > 1 for number in several])
    return [
        f"{adjusted_rand_score(topics, found):.3f}",
        f"{v_measure_score(topics, found):.3f}",
        f"{(same & together & ~across).sum() / (same & ~across).sum():.1%}",
        f"{(same & together & across).sum() / (same & across).sum():.1%}",
        f"{(same & together).sum() / together.sum():.1%}",
        f"{mixed:.1%}",
    ]


def _speed(pipeline: Pipeline) -> None:
    texts = short_texts()
    texts = [*texts, *(f"{text} {text[::-1]}" for text in texts)][:MANY]
    vectors = _timed(f"encoding {len(texts):,} short messages", lambda: pipeline.encoder.encode(texts))
    languages = [("en", "vi", "th", "zh-Hans", "zh-Hant", "ru", "es", "de")[at % 8] for at in range(len(texts))]
    asked = [Question(t, v, code, {}) for t, v, code in zip(texts, vectors, languages, strict=True)]
    centred = _timed("centring", lambda: _centred(pipeline, asked))
    rows = gaps.rows(centred, [""] * len(texts), [0.0] * len(texts))
    _timed(f"clustering {len(rows):,}", lambda: gaps.cluster(rows))
    few = rows[: gaps.MOST]
    whole = _timed(f"clustering {len(few):,}", lambda: gaps.cluster(few))
    for most in (gaps.MOST // 2, gaps.MOST // 5):
        merged = _timed(f"the same with at most {most:,} after the first pass", partial(gaps.cluster, few, most=most))
        print(f"  agree with the clusters without it: ARI {adjusted_rand_score(whole, merged):.3f}")


def _centred(pipeline: Pipeline, questions: Sequence[Question]) -> Vectors:
    settings = read_settings()
    empty = build(
        [], [], version="empty", encoder=pipeline.encoder, bundle=pipeline.bundle, cache=settings.cache_dir / "kb"
    )
    return np.stack([empty.centred_question(question) for question in questions])


def _timed(what: str, make: Callable[[], Made]) -> Made:
    start = time.perf_counter()
    made = make()
    print(f"{what}: {time.perf_counter() - start:.1f} s")
    sys.stdout.flush()
    return made


if __name__ == "__main__":
    main()
