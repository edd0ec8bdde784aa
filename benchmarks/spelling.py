"""What does mending of spelling mend, and what does it spoil?

A tenth of the starter's training messages, by groups, is held out of the counts of words; noise is put on it, and the
share of words that are not as they were is taken before and after mending (of all words of a text, in any order; the
mean over texts). What it spoils: the share of words that it changes in clean texts of the held-out tenth, of MASSIVE's
dev parts, and of langid's sentences in languages that it does not mend. Vietnamese without marks is mended once more by
wordfreq's list alone, without the counts. Before all that, the memory that the words of all languages take. The
starter's test part is not read.

    python -m benchmarks.spelling [--examples 20]
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from unittest import mock

import numpy as np

from benchmarks.data import PUBLIC, rows
from benchmarks.machine import about, resident
from training.noise import Noise, no_marks, no_spaces, typos
from training.words import MESSAGES, counts
from triage import words as triage_words
from triage.normalize import cleaned
from triage.spelling import WORD, mended
from triage.words import likeliest_language

KINDS: dict[str, Noise] = {"typos": typos, "no marks": no_marks, "no spaces": no_spaces}
_TEXTS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=0, help="changes of clean texts to show, of each language")
    asked = parser.parse_args()
    sys.stdout.write(f"{about()}\n{_memory()}\n")
    held = {language: _hold_out(language) for language in triage_words.LANGUAGES}
    sys.stdout.write("\n| | clean words changed | " + " | ".join(KINDS) + " |\n|---|--:|--:|--:|--:|\n")
    for language, texts in held.items():
        cells = [f"{_changed(texts):.1%}", *(_before_and_after(language, texts, kind) for kind in KINDS.values())]
        sys.stdout.write(f"| {language} | " + " | ".join(cells) + " |\n")
        _show(texts, asked.examples)
    sys.stdout.write(f"a text with slips takes {_slow(held):.1f} ms\n")
    for name in ("en-US", "vi-VN", "ru-RU", "es-ES", "de-DE"):
        texts = [row["text"] for row in rows(PUBLIC / "massive" / f"{name}.dev.jsonl.gz")]
        milliseconds = _milliseconds(texts)
        sys.stdout.write(f"MASSIVE {name}: {_changed(texts):.1%} of words changed, {milliseconds:.2f} ms a text\n")
        _show(texts, asked.examples)
    sentences = rows(PUBLIC / "langid" / "sentences.jsonl.gz")
    foreign = [row["text"] for row in sentences if row["language"] not in triage_words.LANGUAGES]
    sys.stdout.write(f"langid, other languages: {_changed(foreign):.2%} of words changed\n")
    _show(foreign, asked.examples)
    sys.stdout.write(f"vi, no marks, by wordfreq's list alone: {_by_list_alone()}\n")


def _by_list_alone() -> str:
    """Vietnamese without marks by how common words are in general, whatever stands before them."""
    triage_words.lexicon.cache_clear()
    with (
        mock.patch.object(triage_words, "_SHARE_OF_MESSAGES", 1e-9),
        mock.patch.object(triage_words.Lexicon, "log_after", lambda words, _previous, word: words.log(word)),
    ):
        return _before_and_after("vi", _hold_out("vi"), no_marks)


def _memory() -> str:
    """What the words of all languages take, and how long reading them does."""
    before, started = resident(), time.perf_counter()
    likeliest_language(["order"])
    for language in triage_words.LANGUAGES:
        triage_words.lexicon(language)
    seconds = (time.perf_counter() - started) / len(triage_words.LANGUAGES)
    taken = resident() - before
    triage_words.lexicon.cache_clear()
    return f"words of all languages: {taken:.0f} MiB, {seconds:.2f} s a language"


def _slow(held: Mapping[str, Sequence[str]]) -> float:
    draw = np.random.default_rng(0)
    noisy = (typos(text, language, draw) for language, texts in held.items() for text in texts)
    return _milliseconds([text for text in noisy if text is not None])


def _hold_out(language: str) -> list[str]:
    """Texts of a tenth of the groups, after teaching `triage.words` the others alone."""
    lines = (line for file in sorted((MESSAGES / language).glob("*.jsonl")) for line in file.open(encoding="utf-8"))
    messages = [json.loads(line) for line in lines]
    groups = sorted({row["group"] for row in messages})
    random.Random(1).shuffle(groups)
    out = set(groups[: len(groups) // 10])
    singles, pairs = counts(cleaned(row["text"]) for row in messages if row["group"] not in out)
    with mock.patch.object(triage_words, "read_counts", return_value=(dict(singles), dict(pairs))):
        triage_words.lexicon(language)
    return [cleaned(row["text"]) for row in messages if row["group"] in out][:_TEXTS]


def _before_and_after(language: str, texts: Sequence[str], put: Noise) -> str:
    draw = np.random.default_rng(0)
    # What its author typed without marks is no truth to restore.
    marked = [text for text in texts if language != "vi" or no_marks(text, "vi", draw)]
    noisy = [(text, put(text, language, draw)) for text in marked]
    pairs = [(text, other) for text, other in noisy if other is not None]
    if not pairs:
        return ""
    before = np.mean([_lost(text, other) for text, other in pairs])
    after = np.mean([_lost(text, mended(other)) for text, other in pairs])
    return f"{before:.1%} → {after:.1%}"


def _lost(text: str, other: str) -> float:
    """The share of the words of `text` that `other` does not have."""
    own, found = (Counter(WORD.findall(some.lower())) for some in (text, other))
    return 1 - (own & found).total() / max(own.total(), 1)


def _changed(texts: Sequence[str]) -> float:
    return float(np.mean([_lost(text, mended(text)) for text in texts]))


def _milliseconds(texts: Sequence[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        mended(text)
    return (time.perf_counter() - started) / len(texts) * 1_000


def _show(texts: Sequence[str], examples: int) -> None:
    changed = [(text, found) for text in texts if (found := mended(text)) != text]
    for text, found in random.Random(0).sample(changed, min(examples, len(changed))):
        own, new = (Counter(WORD.findall(some)) for some in (text, found))
        sys.stdout.write(f"    {' '.join((own - new).elements())} → {' '.join((new - own).elements())}\n")


if __name__ == "__main__":
    main()
