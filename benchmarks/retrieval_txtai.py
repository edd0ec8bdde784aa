"""A plain txtai pipeline on the same encoder and texts: is search better, and no slower?

XQuAD, each language by itself: 120 paragraphs and every fifth of the 625 questions, one at a time, as customers ask.
txtai embeds with the encoder's folder through sentence-transformers, dense alone and hybrid (its BM25), with e5's two
prefixes. Ours is what a question to a desk costs: triage, both encodes where the bundle has its own, and search. They
take turns, question by question.

txtai is no dependency of the project: `pip install txtai==9.14.0`, in an environment of its own if need be.

    python -m benchmarks.retrieval_txtai [--languages en,th,…]
"""

import argparse
import sys
import time
from collections import defaultdict
from statistics import median
from typing import Any

from benchmarks.data import PUBLIC, rows
from benchmarks.machine import about
from benchmarks.retrieval import DESK, LANGUAGES
from kb.importers import read
from serving.desk import open_encoder, open_pipeline
from serving.knowledge import knowledge_of
from serving.services.reading import ask
from serving.settings import read_settings
from triage.pipeline import Message


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    options = parser.parse_args()
    settings = read_settings().model_copy(update={"languages": DESK})
    encoder = open_encoder(settings)
    pipeline = open_pipeline(settings, encoder=encoder)
    right: dict[str, list[bool]] = defaultdict(list)
    took: dict[str, list[float]] = defaultdict(list)
    for code in options.languages.split(","):
        articles = read([PUBLIC / "xquad" / f"{code}.articles.jsonl.gz"]).articles
        cache = settings.cache_dir / "benchmarks" / f"xquad-{code}"
        base = knowledge_of(pipeline, articles, version=code, cache=cache)
        bodies = [(article.id, article.body) for article in articles]
        plain = {
            "txtai, dense": _txtai(str(encoder.folder), bodies, hybrid=False),
            "txtai, hybrid": _txtai(str(encoder.folder), bodies, hybrid=True),
        }
        for row in rows(PUBLIC / "xquad" / f"{code}.questions.jsonl.gz")[::5]:
            for name, index in plain.items():
                started = time.perf_counter()
                [(found, _)] = index.search(row["question"], 1) or [("", 0.0)]
                took[name].append(time.perf_counter() - started)
                right[name].append(found == row["article_id"])
            started = time.perf_counter()
            _, questions = ask(pipeline, [Message(row["question"])])
            [hits] = base.search(questions, 1)
            took["frontdesk"].append(time.perf_counter() - started)
            right["frontdesk"].append(hits[0].passage.article_id == row["article_id"])
    lines = [
        f"| {name} | {sum(right[name]) / len(right[name]):.1%} | {1000 * median(took[name]):.0f} |" for name in took
    ]
    head = ["| | right paragraph first | ms a question, median |", "|---|--:|--:|"]
    sys.stdout.write("\n".join([about(), f"{len(right['frontdesk'])} questions", "", *head, *lines]) + "\n")


def _txtai(folder: str, bodies: list[tuple[str, str]], *, hybrid: bool) -> Any:
    from txtai import Embeddings

    made = Embeddings(path=folder, hybrid=hybrid, instructions={"query": "query: ", "data": "passage: "})
    made.index(bodies)
    return made


if __name__ == "__main__":
    main()
