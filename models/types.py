"""What passes between an encoder, the heads and those who use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Shape (texts, dimension); every row has length 1, or is all zeros for a text without a token."""


class TextKind(StrEnum):
    """The two sides of a search; asymmetric encoders give each its own prefix."""

    QUERY = "query"
    PASSAGE = "passage"


class Encoder(Protocol):
    """Turns texts into vectors. The real one needs weights, `models.light.LightEncoder` does not."""

    @property
    def name(self) -> str:
        """The id or folder that it was asked for by."""

    @property
    def fingerprint(self) -> str:
        """A digest of weights, tokenizer and prefixes: equal fingerprints, equal vectors."""

    @property
    def dimension(self) -> int: ...

    def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        """The vectors of `texts`, in their order."""

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of the subword pieces of each text, in the order of the text, without prefixes and specials."""

    def adapted(self, adapter: Path) -> "AdaptedEncoder":
        """This encoder with the adapter of a bundle in its layers; its own vectors stay as they are.

        Raises:
            EncoderUnavailable: when the adapter does not fit this encoder.
        """


class AdaptedEncoder(Encoder, Protocol):
    """An encoder with an adapter, which knows the one without it."""

    def encode_both(self, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        """The vectors of `texts` without the adapter and with it, in less time than one after the other."""


class Score(NamedTuple):
    """A label with its probability; a tuple, because there are dozens of them for every message."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one head says about one text. `label` is the best one even when the head abstains.

    Attributes:
        labels: for a multi-label task, every label that reaches its own threshold, the likeliest first.
        out_of_scope: how likely it is that the text is about none of the labels, 0 to 1.
    """

    label: str
    confidence: float
    abstained: bool
    ranking: tuple[Score, ...]
    labels: tuple[str, ...] = ()
    out_of_scope: float = 0.0


@dataclass(frozen=True, slots=True)
class Scored:
    """What one head says about many texts, as arrays: for evaluation, where `Prediction` objects would be too many.

    Attributes:
        labels: the label of each column.
        shares: calibrated probabilities, shape (texts, labels); rows sum to 1 unless the task is multi-label.
        out_of_scope: shape (texts,), how likely it is that a text is about none of the labels, 0 to 1.
        chosen: shape (texts, labels), bool: the label that is given, or the labels of a multi-label task; a row
            without any abstains.
        multi_label: whether a text may have any number of labels.
    """

    labels: tuple[str, ...]
    shares: NDArray[np.float32]
    out_of_scope: NDArray[np.float32]
    chosen: NDArray[np.bool_]
    multi_label: bool = False
