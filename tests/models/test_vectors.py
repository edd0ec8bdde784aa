"""Vectors on disk: a text is encoded once, and what cannot be read is encoded again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.light import LightEncoder
from models.types import TextKind, Vectors
from models.vectors import VectorCache

TEXTS = ["Đơn hàng đâu rồi?", "ของยังไม่ถึง", "快递还没到", "包裹還沒到", "Где посылка?", "Where is my parcel?"]


class _Counting(LightEncoder):
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        self.asked += texts
        return super().encode(texts, kind)


def test_the_second_run_on_the_same_texts_encodes_nothing(tmp_path: Path) -> None:
    first, second = _Counting(), _Counting()
    cache = VectorCache(tmp_path, first)
    vectors = cache.encode([*TEXTS, TEXTS[0]])
    cache.save()
    advanced: list[int] = []
    again = VectorCache(tmp_path, second).encode([*TEXTS, TEXTS[0]], advance=advanced.append)
    assert first.asked == TEXTS
    assert second.asked == []
    assert np.array_equal(vectors, again)
    assert sum(advanced) == len(TEXTS) + 1


def test_sides_and_encoders_are_kept_apart(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, LightEncoder())
    cache.encode(TEXTS)
    cache.save()
    counting = _Counting()
    VectorCache(tmp_path, counting).encode(TEXTS, TextKind.PASSAGE)
    assert counting.asked == TEXTS
    other = LightEncoder(seed=7)
    assert np.array_equal(VectorCache(tmp_path, other).encode(TEXTS), other.encode(TEXTS))


def test_of_texts_that_were_not_asked_for_only_the_spare_ones_stay(tmp_path: Path) -> None:
    for some in (TEXTS[:4], TEXTS[4:]):
        cache = VectorCache(tmp_path, LightEncoder(), spare=2)
        cache.encode(some)
        cache.save()
    counting = _Counting()
    VectorCache(tmp_path, counting).encode(TEXTS)
    assert len(counting.asked) == 2
    assert set(counting.asked) < set(TEXTS[:4])


def test_a_damaged_file_costs_time_and_nothing_else(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, LightEncoder())
    expected = cache.encode(TEXTS)
    cache.save()
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", b"vectors", whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        assert np.array_equal(VectorCache(tmp_path, LightEncoder()).encode(TEXTS), expected)
