"""The words of the starter's messages, counted for `triage.words`.

    python -m training.words

What is counted are training messages, never the test part. A message whose author typed no marks would teach that
words have none, and is left out: where chance does not explain that it has none, or a word of it usually has some.
"""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from models.features import plain
from triage.normalize import cleaned
from triage.spelling import WORD
from triage.words import COUNTS, LANGUAGES

MESSAGES = Path(__file__).parent / "starter" / "messages"
_WORD_OR_BREAK = re.compile(rf"{WORD.pattern}|[.!?…,;:()\d]+")
_EXPECTED = 3.0
"""Words with marks that a message should have: where it has none, chance is no excuse."""
_USUALLY = 10
"""How much more often others type a word with marks than without, for one without to tell of its author."""


def counts(texts: Iterable[str]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """How often each word occurs, and each pair of words in a row that no punctuation parts."""
    split = [_WORD_OR_BREAK.findall(text.lower().replace("’", "'")) for text in texts]
    words = [word for some in split for word in some if word[0].isalpha()]
    marked = sum(plain(word) != word for word in words) / max(len(words), 1)
    bare = Counter(word for word in words if plain(word) == word)
    with_marks = Counter(plain(word) for word in words if plain(word) != word)
    singles: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for some in split:
        own = [word for word in some if word[0].isalpha()]
        without = all(plain(word) == word for word in own)
        if without and (
            len(own) * marked >= _EXPECTED or any(with_marks[word] >= _USUALLY * bare[word] for word in own)
        ):
            continue
        singles.update(own)
        pairs.update((one, two) for one, two in pairwise(some) if one[0].isalpha() and two[0].isalpha())
    return singles, pairs


def lines(texts: Iterable[str]) -> str:
    """The content of a file of counts: a number, a tabulator, and a word or two."""
    singles, pairs = counts(texts)
    one = (f"{count}\t{word}\n" for word, count in sorted(singles.items()))
    two = (f"{count}\t{first} {second}\n" for (first, second), count in sorted(pairs.items()))
    return "".join((*one, *two))


def texts(language: str) -> list[str]:
    """The starter's training messages in a language, without signatures and quoted history."""
    files = sorted((MESSAGES / language).glob("*.jsonl"))
    rows = (json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return [cleaned(row["text"]) for row in rows]


def main() -> None:
    COUNTS.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        # Without name and time, so that the same words are the same bytes.
        with (COUNTS / f"{language}.txt.gz").open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(lines(texts(language)).encode())


if __name__ == "__main__":
    main()
