"""Does search find the right article, and does the answer stay away when there is none?

Questions: `kb/demo/questions/`, in customers' own words, never used for training. Half of them, by a digest of their
text, are for choosing weights and thresholds (`--half choose`); the figures that count are of the other half.
`--fit` prints the weights of `kb.answer`, fitted on the first half.

    python -m benchmarks.knowledge [--half choose|report] [--fit] [--json]
"""

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.machine import about
from kb.answer import THRESHOLD, answer_probability
from kb.importers import read
from kb.search import Hit, KnowledgeBase
from serving.desk import open_pipeline
from serving.knowledge import knowledge_of
from serving.services.reading import ask
from serving.settings import read_settings
from triage.decision import may_be_answered
from triage.pipeline import Message, Pipeline
from triage.types import Triage

DEMO = Path("kb/demo")
LANGUAGES = ("en", "vi", "th", "zh-Hans", "zh-Hant", "ru")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--half", choices=("choose", "report"), default="report")
    arguments.add_argument("--fit", action="store_true")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    settings = read_settings()
    pipeline = open_pipeline(settings)
    found = read([DEMO / "articles"])
    knowledge = knowledge_of(pipeline, found.articles, version="demo", cache=settings.cache_dir / "kb")
    half = "choose" if options.fit else options.half
    rows = [row for row in _questions() if _half(row["question"]) == half]
    triages, hits = _search(pipeline, knowledge, rows)
    groups = {a.id: a.translation_of or a.id for a in found.articles}
    languages = {(groups[a.id], a.language) for a in found.articles}
    wanted = [_wanted(row, groups) for row in rows]
    if options.fit:
        _fit(wanted, [may_be_answered(t, pipeline.taxonomy) for t in triages], hits, groups)
        return
    figures = _figures(rows, wanted, triages, hits, groups, languages, pipeline)
    print(json.dumps(figures, ensure_ascii=False) if options.json else _table(figures))


def _questions() -> list[dict[str, Any]]:
    files = sorted((DEMO / "questions").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def _half(question: str) -> str:
    return "choose" if hashlib.sha256(question.encode()).digest()[0] % 2 else "report"


def _wanted(row: dict[str, Any], groups: dict[str, str]) -> str | None:
    """The group of the question's topic, whatever languages its articles are in."""
    if row["topic"] is None:
        return None
    return next(
        groups[name] for name in (f"{row['topic']}-{language.lower()}" for language in LANGUAGES) if name in groups
    )


def _search(
    pipeline: Pipeline, knowledge: KnowledgeBase, rows: Sequence[dict[str, Any]]
) -> tuple[list[Triage], list[list[Hit]]]:
    triages, questions = ask(pipeline, [Message(row["question"]) for row in rows])
    return triages, knowledge.search(questions, 10)


def _fit(
    wanted: Sequence[str | None], askable: Sequence[bool], hits: Sequence[Sequence[Hit]], groups: dict[str, str]
) -> None:
    right = np.array([groups[h[0].passage.article_id] == w for h, w in zip(hits, wanted, strict=True)])
    unanswerable = np.array([w is None for w in wanted])
    every = np.array([[e.text, e.intents, e.lexical, e.lead] for h in hits for e in [h[0].evidence]])
    for name, columns in (("_WITH_INTENTS", [0, 1, 2, 3]), ("_WITHOUT_INTENTS", [0, 2, 3])):
        # Scaled so that one unit of evidence, and of regularisation, is alike for all. Evidence speaks for a hit; what
        # would speak against it here says nothing new, and is left out.
        while True:
            scale = every[:, columns].std(axis=0)
            model = LogisticRegression(C=1.0, max_iter=1000).fit(every[:, columns] / scale, right)
            if model.coef_[0].min() >= 0:
                break
            columns = [at for at, weight in zip(columns, model.coef_[0], strict=True) if weight >= 0]
        weights = np.zeros(4)
        weights[columns] = model.coef_[0] / scale
        print(name, "=", tuple(round(float(w), 2) for w in (model.intercept_[0], *weights)))
        scores = model.predict_proba(every[:, columns] / scale)[:, 1] * np.array(askable)
        highest = np.sort(scores[unanswerable])[::-1]
        for most in (1, 2, 3, 5):
            limit = np.ceil(1000 * np.nextafter(highest[most], 1)) / 1000
            given, good = (scores >= limit)[~unanswerable], right[~unanswerable]
            rightly, wrongly = (given & good).mean(), (given & ~good).mean()
            print(f"  threshold {limit:.3f}: answered {(highest >= limit).sum()} of {len(highest)} unanswerable,")
            print(f"    and {rightly:.1%} of the answerable rightly, {wrongly:.1%} wrongly")
        order = np.argsort(-scores, kind="stable")
        precision = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
        for least in (0.8, 0.85, 0.9, 0.95, 0.97):
            last = int(np.flatnonzero(precision >= least)[-1])
            print(f"  precision {least:.2f} from {scores[order[last]]:.3f} on, {last + 1} of {len(order)} answered")


def _figures(
    rows: Sequence[dict[str, Any]],
    wanted: Sequence[str | None],
    triages: Sequence[Triage],
    hits: Sequence[Sequence[Hit]],
    groups: dict[str, str],
    languages: set[tuple[str, str]],
    pipeline: Pipeline,
) -> dict[str, Any]:
    ranks = [
        next((place for place, hit in enumerate(h, 1) if groups[hit.passage.article_id] == w), 99)
        for h, w in zip(hits, wanted, strict=True)
    ]
    given = [
        may_be_answered(t, pipeline.taxonomy) and answer_probability(h[0].evidence) >= THRESHOLD
        for t, h in zip(triages, hits, strict=True)
    ]
    answerable = [w is not None for w in wanted]
    across = [w is not None and (w, row["language"]) not in languages for w, row in zip(wanted, rows, strict=True)]

    def share(of: Callable[[int], bool], among: Callable[[int], bool]) -> float | None:
        chosen = [of(at) for at in range(len(rows)) if among(at)]
        return round(sum(chosen) / len(chosen), 4) if chosen else None

    def part(name: str, inside: Callable[[int], bool]) -> dict[str, Any]:
        return {
            "part": name,
            "answerable": sum(answerable[at] and inside(at) for at in range(len(rows))),
            "first": share(lambda at: ranks[at] == 1, lambda at: answerable[at] and inside(at)),
            "first_three": share(lambda at: ranks[at] <= 3, lambda at: answerable[at] and inside(at)),
            "answered_right": share(lambda at: given[at] and ranks[at] == 1, lambda at: answerable[at] and inside(at)),
            "answered_wrong": share(lambda at: given[at] and ranks[at] != 1, lambda at: answerable[at] and inside(at)),
            "unanswerable": sum(not answerable[at] and inside(at) for at in range(len(rows))),
            "wrongly_answered": share(lambda at: given[at], lambda at: not answerable[at] and inside(at)),
        }

    parts = [
        part("all", lambda _at: True),
        part("article in the language", lambda at: not across[at]),
        part("across languages", lambda at: across[at]),
        *(part(language, lambda at, own=language: rows[at]["language"] == own) for language in LANGUAGES),  # type: ignore[misc]
    ]
    return {"machine": about(), "threshold": THRESHOLD, "parts": parts}


def _table(figures: dict[str, Any]) -> str:
    names = [name for name in figures["parts"][0] if name != "part"]
    lines = ["| | " + " | ".join(name.replace("_", " ") for name in names) + " |", "|---|" + "--:|" * len(names)]
    for part in figures["parts"]:
        cells = [f"{v:.1%}" if isinstance(v, float) else "–" if v is None else str(v) for v in map(part.get, names)]
        lines.append(f"| {part['part']} | {' | '.join(cells)} |")
    return "\n".join([figures["machine"], "", *lines])


if __name__ == "__main__":
    main()
