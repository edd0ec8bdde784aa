"""The out-of-scope score: its own evidence beside the probabilities, and a threshold that known texts keep to."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.bundle import Bundle
from models.heads import Head
from models.light import LightEncoder
from models.scope import TRAITS, Scope, label_means, traits_of
from tests.models.samples import EVERY_MESSAGE

FOREIGN = (
    "Nấu phở bò mất mấy tiếng?",
    "พรุ่งนี้ฝนจะตกไหม",
    "长城有多长",
    "誰寫了紅樓夢",
    "Как звали сестру Пушкина?",
    "Who won the chess final in 1972?",
)


def test_what_a_bundle_never_heard_of_is_further_out_than_what_it_learned(
    light_bundle: Bundle, light_encoder: LightEncoder
) -> None:
    def scores(texts: Sequence[str]) -> NDArray[np.float32]:
        return light_bundle.score(texts, light_encoder.encode(texts))["intent"].out_of_scope

    assert np.median(scores(FOREIGN)) > np.median(scores(EVERY_MESSAGE))


def test_a_text_out_of_scope_gets_no_label_however_likely_it_is() -> None:
    scope = Scope(np.eye(2, 3, dtype=np.float32), np.array([-1.0, -4.0], np.float32), 1.0, 0.5)
    head = Head(
        ("a", "b", "c"),
        np.array([[9, 0, 0], [0, 0, 0]], np.float32),
        np.zeros((1, 3), np.float32),
        np.zeros(3, np.float32),
        1.0,
        np.zeros(3),
    )
    dense, lexical = np.array([[0.05, -1.0]], np.float32), sp.csr_matrix((1, 1), dtype=np.float32)
    assert not head.predict(dense, lexical)[0].abstained
    (outside,) = replace(head, scope=scope).predict(dense, lexical)
    assert outside.abstained
    assert outside.out_of_scope > 0.5
    assert outside.label == "a"


def test_means_are_of_length_one_and_traits_are_the_best_score_and_the_nearest_mean() -> None:
    dense = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    means = label_means(dense, np.array([0, 0, 2]), 3)
    assert np.allclose(np.linalg.norm(means, axis=0), [1, 0, 1], atol=1e-3)
    scores = np.array([[0.1, 2.0, -1], [0, 0, 0], [-3, -2, -1]], np.float32)
    found = traits_of(dense, scores, means)
    assert found.shape == (3, TRAITS)
    assert found[:, 0].tolist() == [2.0, 0.0, -1.0]
    assert np.allclose(found[:, 1], (dense @ means).max(axis=1))
