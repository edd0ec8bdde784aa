"""Which other articles are worth offering to a customer whose question got no answer?

On the questions of `kb/demo/questions/` that are not answered: how often anything is offered and how often the right
article is among it, by the score that a hit needs; and how often anything is offered to a question that no article
answers. `--half choose` is what `kb.alternatives.WORTH_OFFERING` was chosen on.

    python -m benchmarks.alternatives [--half choose|report]
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.knowledge import DEMO, _half, _questions, _wanted
from benchmarks.machine import about
from kb.alternatives import MOST_ALTERNATIVES
from kb.importers import read as read_articles
from serving.desk import open_pipeline
from serving.knowledge import knowledge_of
from serving.services.reading import read
from serving.settings import read_settings
from triage.pipeline import Message

SCORES = (0.15, 0.2, 0.25, 0.26, 0.27, 0.28, 0.29, 0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("choose", "report"), default="report")
    half = parser.parse_args().half
    settings = read_settings()
    pipeline, cache = open_pipeline(settings), Path(settings.cache_dir) / "kb"
    articles = read_articles([DEMO / "articles"]).articles
    knowledge = knowledge_of(pipeline, articles, version="demo", cache=cache)
    groups = {article.id: article.translation_of or article.id for article in articles}
    rows = [row for row in _questions() if _half(row["question"]) == half]
    readings = read(pipeline, knowledge, [Message(row["question"]) for row in rows], always=True)
    unanswered = [(row, reading.hits) for row, reading in zip(rows, readings, strict=True) if reading.answer is None]
    wanted = [_wanted(row, groups) for row, _ in unanswered]
    answerable = np.array([topic is not None for topic in wanted])
    print(f"{about()}\n\n| score | offered, of {answerable.sum()} answerable | the right one among them | ", end="")
    print(f"offered, of {(~answerable).sum()} unanswerable |\n|--:|--:|--:|--:|")
    for least in SCORES:
        offered = [[h for h in hits[:MOST_ALTERNATIVES] if h.score >= least] for _, hits in unanswered]
        anything = np.array([bool(hits) for hits in offered])
        right = np.array(
            [t in [groups[h.passage.article_id] for h in hits] for t, hits in zip(wanted, offered, strict=True)]
        )
        shares = anything[answerable].mean(), right[answerable].mean(), anything[~answerable].mean()
        print(f"| {least} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")


if __name__ == "__main__":
    main()
