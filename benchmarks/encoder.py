"""How fast is the encoder through our path, beside `SentenceTransformer.encode` in float32, and is it the same encoder?

Messages of 32 tokens, cut from real ones in eight languages (`../shared/data/massive` and `banking77`), batches of 256
messages and single ones; every round runs each contender once, in turn; medians. Both get the same number of threads.

    python -m benchmarks.encoder [--rounds 7] [--threads 2] [--json]

The targets (batches at least 3.0 times as fast, single messages 2.5 times, mean cosine at least 0.999) are meant for
CPUs with bfloat16 in hardware; on others the figures are float32 against float32.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.data import short_texts
from benchmarks.machine import about
from models.backends import load_sentence_transformer
from models.encoder import EncoderConfig, ServingEncoder, load_encoder
from models.weights import encoder_folder
from serving.settings import read_settings

MESSAGES, TOKENS, SINGLES = 256, 32, 40


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    settings = read_settings()
    folder = encoder_folder(settings.encoder, settings.cache_dir)
    reference = load_sentence_transformer(folder)
    ours = load_encoder(EncoderConfig(settings.encoder, settings.cache_dir, threads=options.threads))
    texts = _texts_of_equal_length(folder)
    figures = _measure(reference, ours, texts, options.rounds)
    print(json.dumps(figures) if options.json else _table(figures))


def _texts_of_equal_length(folder: Path) -> list[str]:
    """Real messages joined and cut so that, with prefix and special tokens, each has `TOKENS` tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts: list[str] = []
    for sample in short_texts():
        words = " ".join([sample] * 8).split()
        while words and len(tokenizer.encode("query: " + " ".join(words)).ids) > TOKENS:
            words.pop()
        candidate = " ".join(words)
        if len(tokenizer.encode("query: " + candidate).ids) == TOKENS:
            texts.append(candidate)
        if len(texts) == MESSAGES:
            break
    return texts


def _measure(reference: Any, ours: ServingEncoder, texts: list[str], rounds: int) -> dict[str, Any]:
    def by_reference(some: list[str]) -> Any:
        return reference.encode(some, prompt="query: ", batch_size=32, show_progress_bar=False)

    contenders: dict[str, Callable[[list[str]], Any]] = {"SentenceTransformer float32": by_reference}
    contenders[ours.runtime] = ours.encode
    batches: dict[str, list[float]] = {name: [] for name in contenders}
    singles: dict[str, list[float]] = {name: [] for name in contenders}
    for encode in contenders.values():
        encode(texts[:64])
        encode(texts[:1])
    for _ in range(rounds):
        for name, encode in contenders.items():
            batches[name].append(len(texts) / _seconds(encode, texts))
            singles[name].append(statistics.median(_seconds(encode, [text]) for text in texts[:SINGLES]) * 1000)
    cosine = (np.asarray(by_reference(texts)) * ours.encode(texts)).sum(axis=1)
    rate = {name: statistics.median(values) for name, values in batches.items()}
    single = {name: statistics.median(values) for name, values in singles.items()}
    first, second = contenders
    return {
        "machine": about(),
        "rounds": rounds,
        "messages_per_second": {name: round(value, 1) for name, value in rate.items()},
        "single_ms": {name: round(value, 2) for name, value in single.items()},
        "batch_speedup": round(rate[second] / rate[first], 2),
        "single_speedup": round(single[first] / single[second], 2),
        "mean_cosine": round(float(cosine.mean()), 6),
        "lowest_cosine": round(float(cosine.min()), 6),
    }


def _seconds(encode: Callable[[list[str]], Any], texts: list[str]) -> float:
    started = time.perf_counter()
    encode(texts)
    return time.perf_counter() - started


def _table(figures: dict[str, Any]) -> str:
    lines = [figures["machine"], "", "| | messages/s in batches | ms for a single one |", "|---|--:|--:|"]
    for name, rate in figures["messages_per_second"].items():
        lines.append(f"| {name} | {rate:.0f} | {figures['single_ms'][name]:.1f} |")
    lines.append(f"| times as fast | {figures['batch_speedup']:.2f} | {figures['single_speedup']:.2f} |")
    lines += ["", f"cosine to float32: mean {figures['mean_cosine']:.6f}, lowest {figures['lowest_cosine']:.6f}"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
