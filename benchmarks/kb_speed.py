"""How long do import, re-import, a change and a search take?

Import: paragraphs of XQuAD in six languages by what `frontdesk kb import` calls, with the encoder loaded, beside the
bare encoder on the very texts that the import encodes, in turn. Re-import: 10,000 articles that have not changed, as a
process. A change: one edited article imported by a process beside a running server, from the command's end until
the server answers from the new version. Search: knowledge bases with 100,000 passages (sentences of XQuAD in random
order, vectors in clusters), what a search takes beyond the encode.

    python -m benchmarks.kb_speed [--rounds N]
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.data import PUBLIC, rows
from benchmarks.machine import about
from kb.importers import Imported, read
from kb.index import IndexSettings, kept_index
from kb.passages import Passage, cut, windows
from kb.search import Embedded, KnowledgeBase, Question
from kb.store import KnowledgeStore
from kb.types import Article, Audience
from models.types import TextKind
from serving.desk import open_desk_database, open_pipeline
from serving.services.knowledge import import_knowledge
from serving.settings import Settings, read_settings
from triage.pipeline import Pipeline

LANGUAGES = ("en", "vi", "th", "zh", "ru", "es")
PASSAGES, TOPICS, DIMENSION, QUESTIONS = 100_000, 5_000, 384, 200
PORT = 8765


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    settings = read_settings()
    pipeline = open_pipeline(settings)
    with tempfile.TemporaryDirectory() as scratch:
        lines = [
            _import(pipeline, settings, Path(scratch), options.rounds),
            _again(Path(scratch) / "again"),
            _change(Path(scratch) / "change", options.rounds),
            _search(pipeline, Path(scratch) / "index"),
        ]
    sys.stdout.write("\n".join([about(), "", "| | |", "|---|--:|", *lines]) + "\n")


def _articles(code: str) -> list[Article]:
    found = read([PUBLIC / "xquad" / f"{code}.articles.jsonl.gz"]).articles
    return [replace(article, id=f"{code}-{article.id}") for article in found]


def _import(pipeline: Pipeline, settings: Settings, scratch: Path, rounds: int) -> str:
    """Each round takes other paragraphs, so that nothing is known already."""
    shares, speeds = [], []
    every = [article for code in LANGUAGES for article in _articles(code)]
    random.Random(13).shuffle(every)
    for at in range(rounds):
        some = every[at * 40 : at * 40 + 40]
        passages = [passage for article in some for passage in cut(article)]
        texts = {text for p in passages for text in (p.text, *windows(p))}
        own = settings.model_copy(update={"data_dir": scratch / f"import-{at}"})
        started = time.perf_counter()
        pipeline.encoder.encode(sorted(texts), TextKind.PASSAGE)
        pipeline.encoder.encode(sorted({p.title for p in passages}))
        bare = time.perf_counter() - started
        started = time.perf_counter()
        import_knowledge(own, Imported(tuple(some), (), ()), lambda _total: lambda _done: None, pipeline=pipeline)
        took = time.perf_counter() - started
        shares.append(bare / took)
        speeds.append(len(some) / took)
    return (
        f"| import, share of the bare encoder's throughput on the same texts, {rounds} rounds of 40 articles | "
        f"{median(shares):.1%} ({median(speeds):.1f} articles/s) |"
    )


def _again(folder: Path) -> str:
    bodies = [article.body for code in LANGUAGES for article in _articles(code)]
    with _environment(folder):
        database = open_desk_database(read_settings())
        articles = [
            Article(f"n{at}", "en", f"Article {at}", f"{bodies[at % len(bodies)]} {at}") for at in range(10_000)
        ]
        with database.transaction() as session:
            KnowledgeStore(session).upsert_articles(articles)
        path = folder / "all.jsonl"
        lines = [{"id": a.id, "language": a.language, "title": a.title, "body": a.body} for a in articles]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        took = []
        for _ in range(3):
            started = time.perf_counter()
            said = _frontdesk("kb", "import", str(path))
            took.append(time.perf_counter() - started)
        if "10000 unchanged" not in said:
            raise SystemExit(f"not what was to be measured: {said}")
    return f"| import of 10,000 articles that have not changed, as a process, median of 3 | {median(took):.1f} s |"


def _change(folder: Path, rounds: int) -> str:
    """A help centre of 720 articles, one of which changes."""
    with _environment(folder):
        path = folder / "help.jsonl"
        articles = [article for code in LANGUAGES for article in _articles(code)]

        def write(number: int) -> None:
            changed = replace(articles[0], body=f"{articles[0].body} {number}")
            lines = [
                {"id": a.id, "language": a.language, "title": a.title, "body": a.body} for a in [changed, *articles[1:]]
            ]
            path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

        write(0)
        _frontdesk("kb", "import", str(path))
        server = subprocess.Popen([sys.executable, "-m", "serving.cli", "serve", "--port", str(PORT)])
        try:
            _until(lambda: _version() != "")
            took = []
            for at in range(1, rounds + 1):
                write(at)
                before = _version()
                _frontdesk("kb", "import", str(path))
                started = time.perf_counter()
                _until(lambda old=before: _version() != old)
                took.append(time.perf_counter() - started)
        finally:
            server.terminate()
            server.wait()
    return (
        f"| an edited article of 720 is answered from, after the end of `kb import`, median of {rounds} (most) | "
        f"{median(took):.2f} s ({max(took):.2f} s) |"
    )


def _search(pipeline: Pipeline, folder: Path) -> str:
    dice = np.random.default_rng(13)
    sentences = [s for code in LANGUAGES for a in _articles(code) for s in re.split(r"(?<=[.!?。])\s*", a.body) if s]
    texts = [" ".join(sentences[at] for at in dice.integers(len(sentences), size=3)) for _ in range(PASSAGES)]
    passages = [
        Passage(f"a{at}", 0, "en", Audience.PUBLIC, sentences[at % len(sentences)][:60], "", text)
        for at, text in enumerate(texts)
    ]
    topics = dice.standard_normal((TOPICS, DIMENSION)).astype(np.float32)
    near = topics[dice.integers(TOPICS, size=PASSAGES)]
    vectors = near + 1.2 * dice.standard_normal(near.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    intents = pipeline.bundle.heads["intent"].labels
    shares = dice.dirichlet(np.full(len(intents), 0.05), PASSAGES).astype(np.float32)
    base = KnowledgeBase(
        version="100k",
        articles={p.article_id: Article(p.article_id, "en", p.title, p.text) for p in passages},
        passages=passages,
        macros=[],
        embedded=Embedded(
            windows=np.repeat(vectors, 2, axis=0) + np.float32(0.02),
            window_of=np.repeat(np.arange(PASSAGES), 2),
            texts=vectors,
            titles=vectors,
            tags=np.zeros((0, DIMENSION), np.float32),
            tag_of=np.zeros(0, np.int64),
            intents=shares,
            macros=np.zeros((0, DIMENSION), np.float32),
        ),
        encoder=pipeline.encoder,
        bundle=pipeline.bundle,
        index=lambda made: kept_index(made, folder, IndexSettings()),
    )
    asked = [row["question"] for code in LANGUAGES for row in rows(PUBLIC / "xquad" / f"{code}.questions.jsonl.gz")]
    chosen = [asked[at] for at in dice.integers(len(asked), size=QUESTIONS)]
    questions = [
        Question(text, vectors[at], "en", dict(zip(intents, shares[at].tolist(), strict=True)))
        for text, at in zip(chosen, dice.integers(PASSAGES, size=QUESTIONS), strict=True)
    ]
    took = []
    for question in questions:
        started = time.perf_counter()
        base.search([question], 4)
        took.append(1000 * (time.perf_counter() - started))
    return (
        f"| search among {PASSAGES:,} passages ({3 * PASSAGES:,} windows) beyond the encode, {QUESTIONS} questions, "
        "median (p95) | "
        f"{median(took):.1f} ms ({float(np.quantile(took, 0.95)):.1f} ms) |"
    )


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    cache = str(read_settings().cache_dir.absolute())
    before = {name: os.environ.get(name) for name in ("FRONTDESK_DATA_DIR", "FRONTDESK_CACHE_DIR")}
    os.environ.update(FRONTDESK_DATA_DIR=str(folder), FRONTDESK_CACHE_DIR=cache)
    try:
        yield
    finally:
        _restore(before)


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _frontdesk(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "serving.cli", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def _version() -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/v1/answers",
        json.dumps({"question": "How many points did the Panthers defense surrender?"}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            found: Any = json.load(response)
    except OSError:
        return ""
    return str(found["versions"]["kb"])


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("the server did not take it up within 300 s")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
