"""Does search find the right paragraph, in any language, and does it know when there is none?

XQuAD: 120 paragraphs and 625 questions in each of 12 languages. For each language a knowledge base of its paragraphs,
read, cut, encoded and searched as a desk's are, with the shipped bundle; all questions of all languages go to each.
Beside it, on the same texts and vectors: dense-only (whole paragraphs, cosine) and lexical-only (BM25 over pieces).

For answers every second article is taken out, so that half of the questions have none; the confidence that
`kb.answer` gives the best hit is what decides. Other topics: BANKING77's and TrueVoice's messages, and mashed keys.

    python -m benchmarks.retrieval [--languages en,th,…] [--json]
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import PUBLIC, TRUEVOICE, rows
from benchmarks.machine import about
from kb.answer import THRESHOLD, answer_probability
from kb.importers import read
from kb.lexical import LexicalIndex
from kb.search import Hit, KnowledgeBase, Question
from kb.types import Article
from models.types import TextKind
from models.vectors import VectorCache
from serving.desk import open_pipeline
from serving.knowledge import knowledge_of
from serving.services.reading import ask
from serving.settings import read_settings
from triage.pipeline import Message, Pipeline

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")
# What detection calls them; the paragraphs are in simplified Chinese.
DESK = tuple("zh-Hans" if code == "zh" else code for code in LANGUAGES)
OTHERS = 500
NONSENSE = (
    "asdf jkl qwer",
    "ตฟหก ดเสว",
    "йцукен фыва",
    "阿斯蒂芬 和季",
    "1234 5678 ???",
    "hhhhhhhhh",
    "lorem zzzz qqq",
    "🙏🙏 .....",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of one language, as the desk has read them, and the article that each is about."""

    questions: list[Question]
    wanted: list[str]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--languages", default=",".join(LANGUAGES))
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    languages = options.languages.split(",")
    settings = read_settings().model_copy(update={"languages": DESK})
    pipeline, cache = open_pipeline(settings), settings.cache_dir / "benchmarks"
    articles = {code: list(read([PUBLIC / "xquad" / f"{code}.articles.jsonl.gz"]).articles) for code in languages}
    asked = {code: _asked(pipeline, code) for code in languages}
    bases = {code: _base(pipeline, articles[code], cache / f"xquad-{code}") for code in languages}
    runs = {
        "dense": {code: _dense(pipeline, articles[code], asked, cache / f"xquad-{code}") for code in languages},
        "lexical": {code: _lexical(pipeline, articles[code], asked) for code in languages},
        "search": {code: _search(bases[code], asked) for code in languages},
    }
    halves = {code: _base(pipeline, articles[code][::2], cache / f"xquad-half-{code}") for code in languages}
    figures = {
        "machine": about(),
        "languages": languages,
        "first": {name: [[found[b][a] for b in languages] for a in languages] for name, found in runs.items()},
        "answers": _answers(halves, asked, _others(pipeline)),
    }
    print(json.dumps(figures) if options.json else _tables(figures))


def _asked(pipeline: Pipeline, code: str) -> Asked:
    found = rows(PUBLIC / "xquad" / f"{code}.questions.jsonl.gz")
    return Asked(_read(pipeline, [row["question"] for row in found]), [row["article_id"] for row in found])


def _read(pipeline: Pipeline, texts: Sequence[str]) -> list[Question]:
    return [q for at in range(0, len(texts), 512) for q in ask(pipeline, [Message(t) for t in texts[at : at + 512]])[1]]


def _base(pipeline: Pipeline, articles: Sequence[Article], cache: Path) -> KnowledgeBase:
    return knowledge_of(pipeline, articles, version="xquad", cache=cache)


def _search(base: KnowledgeBase, asked: Mapping[str, Asked]) -> dict[str, float]:
    return {
        code: _share([hits[0].passage.article_id for hits in base.search(some.questions, 1)], some.wanted)
        for code, some in asked.items()
    }


def _dense(
    pipeline: Pipeline, articles: Sequence[Article], asked: Mapping[str, Asked], cache: Path
) -> dict[str, float]:
    known = VectorCache(cache, pipeline.encoder, spare=10_000)
    vectors = known.encode([article.body for article in articles], TextKind.PASSAGE)
    known.save()
    return {
        code: _best(np.stack([q.vector for q in some.questions]) @ vectors.T, articles, some.wanted)
        for code, some in asked.items()
    }


def _lexical(pipeline: Pipeline, articles: Sequence[Article], asked: Mapping[str, Asked]) -> dict[str, float]:
    index = LexicalIndex([article.body for article in articles], pipeline.encoder)
    return {
        code: _best(index.scores([q.text for q in some.questions]), articles, some.wanted)
        for code, some in asked.items()
    }


def _best(scores: NDArray[np.float32], articles: Sequence[Article], wanted: Sequence[str]) -> float:
    return _share([articles[at].id for at in scores.argmax(axis=1)], wanted)


def _share(found: Sequence[str], wanted: Sequence[str]) -> float:
    return round(float(np.mean([a == b for a, b in zip(found, wanted, strict=True)])), 4)


def _others(pipeline: Pipeline) -> dict[str, list[Question]]:
    """Messages about other things, spread over the whole of each set."""
    banking = [row["text"] for row in rows(PUBLIC / "banking77" / "test.jsonl.gz")]
    truevoice = [row["text"] for row in rows(TRUEVOICE)]
    sets = {"banking77": _spread(banking), "truevoice": _spread(truevoice), "nonsense": list(NONSENSE)}
    return {name: _read(pipeline, texts) for name, texts in sets.items()}


def _spread(texts: Sequence[str]) -> list[str]:
    return list(texts[:: max(len(texts) // OTHERS, 1)][:OTHERS])


def _answers(
    halves: Mapping[str, KnowledgeBase], asked: Mapping[str, Asked], others: Mapping[str, Sequence[Question]]
) -> dict[str, Any]:
    """Of the questions in the articles' own language; what is answered at the threshold that gives 90 % precision."""
    chances, right, answerable = [], [], []
    for code, base in halves.items():
        for hits, wanted in zip(base.search(asked[code].questions, 1), asked[code].wanted, strict=True):
            chances.append(_chance(hits))
            right.append(hits[0].passage.article_id == wanted)
            answerable.append(wanted in base.articles)
    confidence, good, known = np.array(chances), np.array(right), np.array(answerable)
    order = np.argsort(-confidence, kind="stable")
    precise = np.cumsum(good[order]) / np.arange(1, len(order) + 1) >= 0.9
    at = float(confidence[order][np.flatnonzero(precise)[-1]]) if precise.any() else 1.0
    false = {
        name: [_chance(hits) for base in halves.values() for hits in base.search(questions, 1)]
        for name, questions in others.items()
    }
    return {
        name: {
            "threshold": round(limit, 4),
            "precision": round(float(good[confidence >= limit].mean()), 4),
            "answered_right": round(float((good & (confidence >= limit))[known].mean()), 4),
            "unanswerable_answered": round(float((confidence[~known] >= limit).mean()), 4),
            **{f"{kind}_answered": round(float((np.array(some) >= limit).mean()), 4) for kind, some in false.items()},
        }
        for name, limit in (("at 90 % precision", at), ("at the shipped threshold", THRESHOLD))
    }


def _chance(hits: Sequence[Hit]) -> float:
    return answer_probability(hits[0].evidence) if hits else 0.0


def _tables(figures: Mapping[str, Any]) -> str:
    languages = figures["languages"]
    lines = [
        figures["machine"],
        "",
        "| right paragraph first | " + " | ".join(languages) + " | mean | across, mean | worst |",
    ]
    lines.append("|---|" + "--:|" * (len(languages) + 3))
    for name, found in figures["first"].items():
        table = np.array(found)
        same, across = np.diag(table), table[~np.eye(len(table), dtype=bool)]
        cells = [*same, same.mean(), *((across.mean(), across.min()) if len(across) else (np.nan, np.nan))]
        lines.append(f"| {name} | " + " | ".join(f"{100 * cell:.1f}" for cell in cells) + " |")
    columns = next(iter(figures["answers"].values()))
    lines += ["", "| answers | " + " | ".join(name.replace("_", " ") for name in columns) + " |"]
    lines.append("|---|" + "--:|" * len(columns))
    for name, cells in figures["answers"].items():
        shown = [f"{value:.2f}" if key == "threshold" else f"{value:.1%}" for key, value in cells.items()]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
