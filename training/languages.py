"""Languages that a bundle has no row in: where their messages lie, beside those that it learned.

An encoder puts each language a little to one side. What a head on it learned in one language fits another better
when that language's messages are moved by as much. How much it is, messages of the starter tell
(`docs/decisions/0016-languages-without-rows.md`).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.languages import UNDETERMINED
from models.types import Vectors
from triage.normalize import cleaned

_MESSAGES = Path(__file__).parent / "starter" / "messages"
_LEARNED = 0.01
"""The share of the rows from which on a language is learned; less may be a slip of the file."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Messages of the starter in learned languages and in others, to be read by the encoder of a bundle.

    Attributes:
        texts: none where all languages of the starter are learned, or none of them.
        languages: of each text.
        learned: the share of each learned language among the rows; they sum to 1.
    """

    texts: tuple[str, ...]
    languages: tuple[str, ...]
    learned: dict[str, float]

    @classmethod
    def of(cls, languages: Sequence[str | None]) -> "Elsewhere":
        """
        Args:
            languages: of each row of the training data.
        """
        known = Counter(code for code in languages if code not in (None, UNDETERMINED))
        usual = {code for code, count in known.items() if code and count >= _LEARNED * known.total()}
        messages = _messages()
        learned = {code: known[code] for code in messages if code in usual}
        if not learned or len(learned) == len(messages):
            return cls((), (), {})
        pairs = [(code, text) for code, texts in messages.items() for text in texts]
        shares = {code: count / sum(learned.values()) for code, count in learned.items()}
        return cls(tuple(text for _, text in pairs), tuple(code for code, _ in pairs), shares)

    def shifts(self, vectors: Vectors) -> dict[str, NDArray[np.float32]]:
        """How far each language that is not learned lies from the learned ones, shape (dimension,).

        Args:
            vectors: of `texts`.
        """
        if not self.texts:
            return {}
        own = np.array(self.languages, object)
        means = {code: vectors[own == code].mean(axis=0) for code in dict.fromkeys(self.languages)}
        home = sum(share * means[code] for code, share in self.learned.items())
        # Rounded as a bundle stores them.
        return {
            code: (mean - home).astype(np.float16).astype(np.float32)
            for code, mean in means.items()
            if code not in self.learned
        }


@cache
def _messages() -> dict[str, tuple[str, ...]]:
    """For each language of the starter one message of every intent, drawn by chance, always the same."""
    drawn: dict[tuple[str, str], tuple[str, str]] = {}
    for path in sorted(_MESSAGES.rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            lot = hashlib.sha256(row["id"].encode()).hexdigest()
            key = row["language"], row["intent"]
            drawn[key] = min(drawn.get(key, (lot, row["text"])), (lot, row["text"]))
    messages: dict[str, list[str]] = {}
    for (language, _), (_, text) in sorted(drawn.items()):
        messages.setdefault(language, []).append(cleaned(text))
    return {language: tuple(texts) for language, texts in messages.items()}
