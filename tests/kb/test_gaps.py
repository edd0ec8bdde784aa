"""Questions that ask for the same come into one cluster, whatever their language and however many they are."""

import json
from pathlib import Path

import numpy as np
import pytest

from kb.gaps import central, cluster, rows
from kb.ingest import build
from models.encoder import ServingEncoder
from models.types import Vectors
from serving.desk import open_pipeline
from serving.services.reading import ask
from serving.settings import Settings
from tests.conftest import ROOT
from tests.kb.samples import RETURN_QUESTIONS, knowledge, question
from triage.pipeline import Message

TOPICS = ("gift-wrap", "roaming-at-sea", "shared-card")


def _around(*middles: int, spread: float = 0.0, seed: int = 0) -> Vectors:
    """A row near each of these axes of 200, of length 1."""
    random = np.random.default_rng(seed)
    found = np.eye(200, dtype=np.float32)[list(middles)]
    found = found + spread * random.standard_normal(found.shape, np.float32)
    scaled: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return scaled


def test_the_largest_cluster_comes_first_and_of_equal_ones_the_first_seen() -> None:
    found = cluster(_around(3, 1, 2, 1, 2, 2, 0))
    assert found.tolist() == [2, 1, 0, 1, 0, 0, 3]
    assert cluster(_around(5)).tolist() == [0]
    assert cluster(np.zeros((0, 200), np.float32)).tolist() == []


def test_clusters_are_as_wide_as_the_distance_and_no_wider() -> None:
    three = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)  # 0.2, 0.4 and 1 apart
    assert cluster(three, distance=0.1).tolist() == [0, 1, 2]
    assert cluster(three, distance=0.3).tolist() == [0, 0, 1]
    assert cluster(three, distance=0.8).tolist() == [0, 0, 0]


@pytest.mark.parametrize("most", [2000, 300, 60, 20])
def test_merging_near_rows_first_finds_the_same_clusters(most: int) -> None:
    topics = np.random.default_rng(1).integers(0, 20, 1000).tolist()
    found = cluster(_around(*topics, spread=0.03), most=most)
    pairs = dict.fromkeys(zip(topics, found.tolist(), strict=True))
    assert len(pairs) == len(set(topics)) == found.max() + 1


def test_more_scattered_rows_than_can_be_compared_end_all_the_same() -> None:
    scattered = _around(*range(200))
    assert sorted(cluster(scattered, most=50)) == list(range(200))


def test_a_sure_intent_holds_together_what_a_doubtful_one_does_not() -> None:
    half_alike = np.array([[1, 0], [0.5, 0.8660254]], np.float32)

    def together(*about: tuple[str, float]) -> bool:
        found = cluster(rows(half_alike, [label for label, _ in about], [sure for _, sure in about]), distance=0.45)
        return bool(found[0] == found[1])

    assert together(("order.status", 0.9), ("order.status", 0.9))
    assert not together(("order.status", 0.9), ("order.status", 0.1))
    assert not together(("order.status", 0.9), ("order.cancel", 0.9))
    assert not together(("", 0.9), ("", 0.9))


def test_the_middle_of_a_cluster_comes_first() -> None:
    three = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    assert central(three).tolist()[0] == 1


def test_one_question_in_six_languages_is_one_cluster(tmp_path: Path) -> None:
    base = knowledge(tmp_path, [])
    asked = [question(text, language) for language, text in RETURN_QUESTIONS.items()]
    asked.append(question("посылка где?", "ru"))
    vectors = np.stack([base.centred_question(one) for one in asked])
    assert cluster(rows(vectors, [""] * 7, [0.0] * 7)).tolist() == [0] * 6 + [1]


def test_customers_of_six_languages_meet_in_clusters(encoder: ServingEncoder, tmp_path: Path) -> None:
    """Real weights and the starter bundle, on questions about what the demo help centre says nothing of."""
    pipeline = open_pipeline(Settings(data_dir=tmp_path / "desk"), encoder=encoder)
    lines = (ROOT / "benchmarks" / "gap_questions.jsonl").read_text(encoding="utf-8").splitlines()
    every = [(row["topic"], row["language"], row["question"]) for row in map(json.loads, lines)]
    asked = [row for row in every if row[0] in TOPICS]
    triages, questions = ask(pipeline, [Message(text, None, language) for _, language, text in asked])
    base = build([], [], version="empty", encoder=pipeline.encoder, bundle=pipeline.bundle, cache=tmp_path / "kb")
    intents = [triage.intent for triage in triages]
    vectors = np.stack([base.centred_question(one) for one in questions])
    found = cluster(rows(vectors, [i.label for i in intents], [i.confidence for i in intents]))
    members = {
        int(number): [asked[at][:2] for at in np.flatnonzero(found == number)] for number in range(found.max() + 1)
    }
    assert all(len({topic for topic, _ in of_cluster}) == 1 for of_cluster in members.values())
    largest = {topic: set[str]() for topic in TOPICS}
    for of_cluster in members.values():
        languages = {language for _, language in of_cluster}
        largest[of_cluster[0][0]] = max(largest[of_cluster[0][0]], languages, key=len)
    assert {topic: len(languages) >= 5 for topic, languages in largest.items()} == dict.fromkeys(TOPICS, True)
