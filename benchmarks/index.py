"""Which index for how many passages: build time, memory, milliseconds and recall.

Rows are synthetic, made to lie as real ones do, and `--calibrate` shows both side by side: passages and titles of
XQuAD (12 languages), MASSIVE (6) and BANKING77 through the default encoder, centred by language, row = passage + half
its title. A synthetic row belongs to an article, an article to a topic whose size has a heavy tail (Pareto, 1.2);
topic, article and the row itself each add normal noise whose variance falls over the dimensions as that of real rows.
Queries lie between a row and noise of the same shape, as far away as real questions lie.

Each index is built and saved; a fresh process loads it, answers one query after another with two threads, and says what
it keeps in memory and finds. `exact` and `cells` are those of `kb.index`; the others are parts of FAISS
factory strings, their effort raised until recall@10 on other queries is 0.975.

    python -m benchmarks.index [--rows 100000] [--kinds cells HNSW16_SQ8 …] [--threads 2] [--mapped]
    python -m benchmarks.index --calibrate
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import PUBLIC, rows
from benchmarks.machine import about, resident
from kb.index import Index, IndexSettings, Kind, Rows, load_index
from models.types import TextKind
from models.vectors import VectorCache, unit
from serving.desk import open_encoder
from serving.settings import read_settings

DIMENSION, QUERIES, MASKED, K, WANTED = 384, 1_000, 200, 10, 0.97
# Its generated types do not show what FAISS adds in Python.
library: Any = faiss
KINDS = ["exact", "cells", "SQfp16", "SQ8", "PQ96,Refine(SQfp16)", "HNSW16_SQ8", "HNSW32_SQ8"]
EFFORTS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)
REFINED = 10
"""Candidates for each row that is wanted, where product-quantized rows are compared again in half precision."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--kinds", nargs="*", default=KINDS)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--mapped", action="store_true", help="leave the index in its file")
    arguments.add_argument("--calibrate", action="store_true")
    arguments.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    library.omp_set_num_threads(options.threads)
    if options.answer:
        print(json.dumps(answer(options.answer, options.kinds[0], mapped=options.mapped)))
    elif options.calibrate:
        calibrate()
    else:
        compare(options.rows, options.kinds, options.threads, mapped=options.mapped)


def compare(size: int, kinds: list[str], threads: int, *, mapped: bool) -> None:
    print(f"{about()}, {threads} threads, load {os.getloadavg()[0]:.1f}, {size:,} rows{', mapped' if mapped else ''}\n")
    print(
        "| index | built in s (CPU) | on disk, MiB | resident, MiB | ms a query | p95 | CPU ms | recall@10 | effort |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    made = synthetic(size)
    queries = questions(made, QUERIES, seed=2)
    truth = Truth(made, queries)
    for kind in kinds:
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
            folder = Path(name)
            started, worked = time.perf_counter(), time.process_time()
            effort = build(kind, made, folder)
            seconds, busy = time.perf_counter() - started, time.process_time() - worked
            np.savez(folder / "queries.npz", queries=queries)
            command = [sys.executable, "-m", "benchmarks.index", "--answer", name, "--kinds", kind]
            command += ["--threads", str(threads), *(["--mapped"] if mapped else [])]
            done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            figures = json.loads(done)
            found = dict(np.load(folder / "found.npz"))
            disk = sum(p.stat().st_size for p in folder.rglob("*.faiss")) / 2**20
        line = figures["found"]["all"]
        print(
            f"| {kind} | {seconds:.0f} ({busy:.0f}) | {disk:,.0f} | {figures['resident']:,.0f} | {line['median']:.2f} "
            f"| {line['p95']:.2f} | {line['cpu']:.2f} | {truth.recall('all', found['all']):.3f} | {effort} |",
            flush=True,
        )
        shares = [
            f"{name}: {line['median']:.2f} ms, {truth.recall(name, found[name]):.3f}"
            for name, line in figures["found"].items()
        ]
        print(f"    allowed, ms, recall: {'; '.join(shares[1:])}", flush=True)


class Truth:
    """The product with the tenth nearest row, of all rows and of those that each mask allows."""

    def __init__(self, made: Rows, queries: Rows) -> None:
        self._made, self._queries, self._worst = made, queries, {}
        for name, allowed in masks(len(made)).items():
            some = queries if allowed is None else queries[:MASKED]
            open_rows = made if allowed is None else made[allowed]
            self._worst[name] = library.knn(some, open_rows, K, metric=library.METRIC_INNER_PRODUCT)[0][:, -1:]

    def recall(self, name: str, found: NDArray[np.int64]) -> float:
        products = np.einsum("qkd,qd->qk", self._made[found], self._queries[: len(found)])
        return float(np.mean((found >= 0) & (products >= self._worst[name] - 1e-6)))


def masks(size: int) -> dict[str, NDArray[np.bool_] | None]:
    shares = (0.99, 0.5, 0.1, 0.01, 0.001)
    some = {f"{share:.1%}": np.random.default_rng(5).random(size) < share for share in shares}
    return {"all": None, **some}


def build(kind: str, made: Rows, folder: Path) -> int:
    """Build and save an index of this kind; returns the effort that reaches what is wanted on 256 queries."""
    if kind in list(Kind):
        index = Index(made, IndexSettings(kind=Kind(kind)))
        index.save(folder / "index", {})
        return index.facts.effort
    tuning = questions(made, 256, seed=1)
    worst = library.knn(tuning, made, K, metric=library.METRIC_INNER_PRODUCT)[0][:, -1:]
    cells = int(4 * len(made) ** 0.5)
    factory = kind if "HNSW" in kind else f"IVF{cells},{kind}"
    index = library.index_factory(DIMENSION, factory, library.METRIC_INNER_PRODUCT)
    index.train(made[np.random.default_rng(3).choice(len(made), min(len(made), 64 * cells), replace=False)])
    index.add(made)
    library.write_index(index, str(folder / "index.faiss"))
    for effort in EFFORTS:
        found = index.search(tuning, K, params=parameters(kind, effort))[1]
        scores = np.einsum("qkd,qd->qk", made[found], tuning)
        if np.mean(scores >= worst - 1e-6) >= WANTED + 0.005:
            break
    (folder / "effort.json").write_text(str(effort))
    return effort


def parameters(kind: str, effort: int, selector: Any = None) -> Any:
    if "HNSW" in kind:
        return library.SearchParametersHNSW(efSearch=effort, sel=selector)
    inner = library.SearchParametersIVF(nprobe=effort, sel=selector)
    if "Refine" not in kind:
        return inner
    return library.IndexRefineSearchParameters(k_factor=REFINED, base_index_params=inner)


def answer(folder: Path, kind: str, *, mapped: bool) -> dict[str, Any]:
    """In a process of its own: load, search one by one, and say what it took."""
    queries = np.load(folder / "queries.npz")["queries"]
    if kind in list(Kind):
        ours = load_index(folder / "index", {}, IndexSettings(kind=Kind(kind)), mapped=mapped)
        size = ours.facts.rows

        def search(query: Rows, allowed: NDArray[np.bool_] | None) -> NDArray[np.int64]:
            return ours.nearest(query, K, allowed).rows
    else:
        index = library.read_index(str(folder / "index.faiss"), library.IO_FLAG_MMAP_IFC if mapped else 0)
        effort, size = int((folder / "effort.json").read_text()), index.ntotal
        selector_of = lru_cache(lambda bits: library.IDSelectorBitmap(np.frombuffer(bits, np.uint8)))

        def search(query: Rows, allowed: NDArray[np.bool_] | None) -> NDArray[np.int64]:
            selector = None if allowed is None else selector_of(np.packbits(allowed, bitorder="little").tobytes())
            found: NDArray[np.int64] = index.search(query, K, params=parameters(kind, effort, selector))[1]
            return found

    figures: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for name, allowed in masks(size).items():
        found, took, worked = [], [], time.process_time()
        some = queries if allowed is None else queries[:MASKED]
        for at in range(len(some)):
            started = time.perf_counter()
            found.append(search(some[at : at + 1], allowed))
            took.append(1e3 * (time.perf_counter() - started))
        figures[name] = {
            "median": float(np.median(took)),
            "p95": float(np.quantile(took, 0.95)),
            "cpu": 1e3 * (time.process_time() - worked) / len(some),
        }
        answers[name] = np.concatenate(found)
        if name == "all":
            memory = resident()
    np.savez(folder / "found.npz", **answers)
    return {"found": figures, "resident": memory}


def synthetic(size: int, seed: int = 7) -> Rows:
    dice = np.random.default_rng(seed)
    variance = (np.arange(DIMENSION) + 30.0) ** -1.3
    spread = np.sqrt(variance / variance.sum()).astype(np.float32)

    def noise(count: int, share: float) -> Rows:
        drawn: Rows = dice.standard_normal((count, DIMENSION), dtype=np.float32) * (spread * np.float32(share**0.5))
        return drawn

    topics, articles = max(size // 60, 1), size // 3 + 1
    weights = dice.pareto(1.2, topics) + 1
    topic_of = dice.choice(topics, articles, p=weights / weights.sum())
    centre = noise(topics, 0.5)[topic_of] + noise(articles, 0.15)
    title = unit(centre + noise(articles, 3.2))
    made = np.empty((size, DIMENSION), np.float32)
    for at in range(0, size, 100_000):
        count = min(100_000, size - at)
        article_of = dice.integers(articles, size=count)
        # Some passages say nearly the same as others, and some are alone.
        apart = np.sqrt(dice.exponential(size=(count, 1))).astype(np.float32)
        text = unit(centre[article_of] + apart * noise(count, 0.55))
        made[at : at + count] = text + np.float32(0.5) * title[article_of]
    return made


def questions(made: Rows, count: int, seed: int, distance: float = 1.9) -> Rows:
    """Rows that have moved by noise of the length `distance`, which varies as rows do."""
    dice = np.random.default_rng(seed)
    near = unit(made[dice.integers(len(made), size=count)])
    away = np.zeros_like(near)
    for _ in range(16):
        signs = dice.choice(np.array([-1, 1], np.float32), size=(count, 1))
        away += signs * unit(made[dice.integers(len(made), size=count)])
    return unit(near + distance * unit(away))


def calibrate() -> None:
    real, asked = real_vectors()
    made = synthetic(len(real))
    print(f"{about()}, {len(real):,} rows, {len(asked):,} real queries; each cell 10 %, 50 %, 90 %\n")
    print("| | real | synthetic |\n|---|---|---|")
    drawn = questions(made, 1_000, seed=2)
    for (name, one), other in zip(_shape(real, asked).items(), _shape(made, drawn).values(), strict=True):
        print(f"| {name} | {one} | {other} |")
    print("\nRecall@10 by cells a search, of 128 with eight bits a number:\n")
    print("| queries | 4 | 8 | 16 | 32 | 64 | 128 |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    dice = np.random.default_rng(6)
    even = unit(real[dice.integers(len(real), size=1_000)])
    even = unit(even + 1.9 * unit(dice.standard_normal(even.shape, dtype=np.float32)))
    for name, rows_, queries in (
        ("real, real rows", real, asked),
        ("drawn, real rows", real, questions(real, 1_000, seed=2)),
        ("drawn with noise alike in all directions, real rows", real, even),
        ("drawn, synthetic rows", made, drawn),
    ):
        print(f"| {name} | {' | '.join(f'{share:.3f}' for share in _curve(rows_, queries))} |")


def _shape(vectors: Rows, queries: Rows) -> dict[str, str]:
    def three(values: NDArray[Any]) -> str:
        return ", ".join(f"{value:.2f}" for value in np.quantile(values, (0.1, 0.5, 0.9)))

    units = unit(vectors)
    near = library.knn(units, units, K + 1, metric=library.METRIC_INNER_PRODUCT)[0]
    asked = library.knn(queries, vectors, K, metric=library.METRIC_INNER_PRODUCT)[0]
    one, other = np.random.default_rng(0).integers(len(units), size=(2, 20_000))
    spectrum = np.sort(np.linalg.eigvalsh(np.cov(vectors.T)))[::-1].cumsum()
    parts = [int((spectrum < share * spectrum[-1]).sum()) + 1 for share in (0.5, 0.9)]
    return {
        "length of a row": three(np.linalg.norm(vectors, axis=1)),
        "cosine to the nearest row": three(near[:, 1]),
        "cosine to the tenth": three(near[:, K]),
        "query's product with the nearest row": three(asked[:, 0]),
        "with the tenth": three(asked[:, -1]),
        "standard deviation of the cosine of two rows at random": f"{np.sum(units[one] * units[other], 1).std():.3f}",
        "principal components for half and nine tenths of the variance": f"{parts[0]}, {parts[1]}",
    }


def _curve(vectors: Rows, queries: Rows) -> list[float]:
    centres = library.IndexFlatIP(DIMENSION)
    eight = library.ScalarQuantizer.QT_8bit
    index = library.IndexIVFScalarQuantizer(centres, DIMENSION, 128, eight, library.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add(vectors)
    worst = library.knn(queries, vectors, K, metric=library.METRIC_INNER_PRODUCT)[0][:, -1:]
    shares = []
    for effort in (4, 8, 16, 32, 64, 128):
        found = index.search(queries, K, params=library.SearchParametersIVF(nprobe=effort))[1]
        shares.append(float(np.mean(np.einsum("qkd,qd->qk", vectors[found], queries) >= worst - 1e-6)))
    return shares


def real_vectors() -> tuple[Rows, Rows]:
    """Rows and questions of public texts as search makes them, encoded once and kept in `.cache/`."""
    passages, titles, spoken, asked, asked_in = [], [], [], [], []
    for path in sorted((PUBLIC / "xquad").glob("*.articles.jsonl.gz")):
        for row in rows(path):
            passages.append(row["body"])
            titles.append(row["title"].replace("_", " "))
            spoken.append(row["language"])
    for path in sorted((PUBLIC / "xquad").glob("*.questions.jsonl.gz")):
        for row in rows(path)[::10]:
            asked.append(row["question"])
            asked_in.append(row["language"])
    short = [(name, PUBLIC / "massive" / f"{name}.dev.jsonl.gz", 300, 40) for name in
             ("en-US", "vi-VN", "th-TH", "zh-CN", "zh-TW", "ru-RU")]  # fmt: skip
    for name, path, count, step in short:
        for row in rows(path)[:count]:
            passages.append(row["text"])
            titles.append(row["intent"].replace("_", " "))
            spoken.append(name)
        for row in rows(path)[count:2000:step]:
            asked.append(row["text"])
            asked_in.append(name)
    bank = rows(PUBLIC / "banking77" / "train.jsonl.gz")
    for row in bank[::8]:
        passages.append(row["text"])
        titles.append(row["intent"].replace("_", " "))
        spoken.append("en")
    for row in bank[4::80]:
        asked.append(row["text"])
        asked_in.append("en")
    cache = VectorCache(Path(".cache/index"), open_encoder(read_settings()))
    texts, heads = cache.encode(passages, TextKind.PASSAGE), cache.encode(titles)
    queries = cache.encode(asked)
    cache.save()
    return _centred(texts, spoken) + np.float32(0.5) * _centred(heads, spoken), _centred(queries, asked_in)


def _centred(vectors: Rows, languages: list[str]) -> Rows:
    names, centred = np.array(languages), vectors.copy()
    for language in set(languages):
        centred[names == language] -= vectors[names == language].mean(axis=0)
    return unit(centred)


if __name__ == "__main__":
    main()
