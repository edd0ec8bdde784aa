"""A text is encoded once: the cache of vectors across builds, and what it survives."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from kb.index import IndexSettings
from kb.ingest import build
from kb.search import KnowledgeBase, Question
from kb.types import Article, Macro
from models.light import LightEncoder
from tests.kb.samples import RETURN_QUESTIONS, TopicEncoder, bundle, help_centre, question

MACROS = [Macro("vi-late", "Giao trễ", "vi", ("delivery.not_received",), "Dạ, giao hàng bị trễ, em xin lỗi ạ.")]
LONG = Article(
    "returns-en", "en", "Returns", "Return it in 30 days.\n## Stores\nAny store.\n## Costs\nA parcel is free."
)


def built(cache: Path, articles: list[Article], encoder: TopicEncoder | None = None) -> list[str]:
    """The texts that a build had to encode."""
    encoder = encoder or TopicEncoder()
    build(articles, MACROS, version="1", encoder=encoder, bundle=bundle(), cache=cache)
    return encoder.seen


def hits(knowledge: KnowledgeBase) -> list[Any]:
    return knowledge.search([question(text, language) for language, text in RETURN_QUESTIONS.items()], 5)


def test_a_second_build_encodes_nothing(tmp_path: Path) -> None:
    first = built(tmp_path / "kb", help_centre())
    assert len(first) == len(set(first)) == 2 * len(help_centre()) + len(MACROS)
    assert built(tmp_path / "kb", help_centre()) == []
    assert built(tmp_path / "kb", help_centre()[::-1]) == []


def test_a_changed_article_encodes_its_new_passages_alone(tmp_path: Path) -> None:
    built(tmp_path, [LONG, *help_centre()[1:]])
    changed = replace(LONG, body=LONG.body.replace("Any store", "Every store but the airport"))
    assert built(tmp_path, [changed, *help_centre()[1:]]) == ["Every store but the airport."]
    renamed = built(tmp_path, [replace(changed, title="Send it back"), *help_centre()[1:]])
    assert renamed == ["Send it back"]


def test_search_is_the_same_with_and_without_the_cache(tmp_path: Path) -> None:
    def knowledge(cache: Path) -> KnowledgeBase:
        return build(help_centre(), MACROS, version="1", encoder=TopicEncoder(), bundle=bundle(), cache=cache)

    fresh = knowledge(tmp_path / "one")
    again = knowledge(tmp_path / "one")
    assert hits(again) == hits(fresh) == hits(knowledge(tmp_path / "two"))
    assert np.array_equal(again.macro_vectors, fresh.macro_vectors)


def test_every_encoder_has_its_own_vectors(tmp_path: Path) -> None:
    first = built(tmp_path, help_centre())
    other = TopicEncoder()
    other.fingerprint = "topics-2"
    assert built(tmp_path, help_centre(), other) == first
    assert built(tmp_path, help_centre()) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"\0" * len(content),
        lambda content: b"not a cache" + content,
        lambda content: save({"other": np.zeros(3, np.float32)}),
        lambda content: save({"keys": np.full(64, 255, np.uint8), "vectors": np.zeros((1, 4), np.float32)}),
        lambda content: save({"keys": np.full(64, 97, np.uint8), "vectors": np.zeros((2, 4), np.float32)}),
    ],
    ids=["empty", "half-written", "zeros", "foreign", "other tensors", "no text", "too few keys"],
)
def test_a_damaged_cache_is_ignored_and_replaced(tmp_path: Path, damage: Any) -> None:
    everything = built(tmp_path, help_centre())
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert built(tmp_path, help_centre()) == everything
    assert built(tmp_path, help_centre()) == []


class Killed(BaseException):
    """Stands in for the end of the process."""


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_build_that_is_killed_while_saving_leaves_the_old_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    built(tmp_path, help_centre()[:9])
    (file,) = tmp_path.iterdir()
    before = file.read_bytes()
    write = Path.write_bytes

    def die(path: Path, content: Any) -> None:
        if step == "write_bytes":
            write(path, content[: len(content) // 2])
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(Path, step, die)
        with pytest.raises(Killed):
            built(tmp_path, help_centre())
    assert file.read_bytes() == before
    assert len(built(tmp_path, help_centre())) == 2 * len(help_centre()[9:])


def test_what_is_no_longer_used_leaves_the_cache(tmp_path: Path) -> None:
    built(tmp_path, help_centre())
    (file,) = tmp_path.iterdir()
    size = file.stat().st_size
    built(tmp_path, help_centre()[:3])
    assert file.stat().st_size < size / 2


def test_a_build_of_nothing_is_an_empty_knowledge_base(tmp_path: Path) -> None:
    encoder = TopicEncoder()
    knowledge = build([], [], version="empty", encoder=encoder, bundle=bundle(), cache=tmp_path / "kb")
    assert (knowledge.version, encoder.seen, list(knowledge.passages)) == ("empty", [], [])
    assert not (tmp_path / "kb").exists()


def test_a_large_knowledge_base_finds_the_same_and_is_indexed_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = np.random.default_rng(3).permutation(4_000).reshape(-1, 2)
    articles = [
        Article(f"a{at}", "th", f"เรื่องที่ {at}", f"รหัส {first * 7919} และ {second * 104729} ใช้กับบริการนี้ค่ะ")
        for at, (first, second) in enumerate(words)
    ]
    encoder = LightEncoder()
    asked = [Question(a.body, encoder.encode([a.body])[0], "th", {}) for a in articles[::100]]

    def found(settings: IndexSettings) -> list[list[str]]:
        base = build(articles, [], version="1", encoder=encoder, bundle=bundle(64), cache=tmp_path, index=settings)
        return [[hit.passage.article_id for hit in hits] for hits in base.search(asked, 3)]

    exact = found(IndexSettings())
    assert [ids[0] for ids in exact] == [a.id for a in articles[::100]]
    assert not (tmp_path / "index").exists()
    with caplog.at_level("INFO", "frontdesk.index"):
        for times in (1, 2):
            in_cells = found(IndexSettings(exact_up_to=1_000))
            assert np.mean([a[0] == b[0] for a, b in zip(in_cells, exact, strict=True)]) > 0.9
            assert len([r for r in caplog.records if "is built" in r.getMessage()]) == 1, times
        (tmp_path / "index" / "manifest.json").write_text("{")
        assert found(IndexSettings(exact_up_to=1_000)) == in_cells
        assert "manifest.json is damaged" in caplog.text
