"""Languages without rows: a bundle that learned in one reads the others better for knowing where they lie."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.bundle import Bundle, load_bundle, save_bundle
from models.encoder import ServingEncoder
from models.light import LightEncoder
from models.types import Vectors
from training.data import Ticket, Tickets, read_tickets
from training.languages import Elsewhere
from training.train import TrainingConfig, train
from training.words import MESSAGES
from triage.normalize import normalize

LANGUAGES = ("en", "vi", "th", "zh-Hans", "zh-Hant", "ru")
STARTER = {*LANGUAGES, "es", "pt", "fr", "de", "ja", "id"}
INTENTS = (
    "account.password", "card.declined", "delivery.not_received", "billing.invoice", "order.cancel", "privacy.request",
    "product.availability", "promotion.code", "refund.status", "subscription.cancel",
)  # fmt: skip
EACH = 8


class _Read:
    """What the encoder makes of texts, each read once for all tests."""

    def __init__(self, encoder: ServingEncoder) -> None:
        self._encoder, self._vectors = encoder, dict[str, Vectors]()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])


@pytest.fixture(scope="module")
def tickets() -> Tickets:
    every = read_tickets(sorted(MESSAGES.rglob("*.jsonl")), {"intent": "intent"})
    taken: dict[tuple[str | None, str], list[Ticket]] = {
        (language, intent): [] for language in LANGUAGES for intent in INTENTS
    }
    for row in every.rows:
        rows = taken.get((row.language, row.label("intent")))
        if rows is not None and len(rows) < EACH:
            rows.append(row)
    assert all(len(rows) == EACH for rows in taken.values())
    return replace(every, rows=tuple(row for rows in taken.values() for row in rows))


@pytest.fixture(scope="module")
def read(encoder: ServingEncoder) -> _Read:
    return _Read(encoder)


def _right(bundle: Bundle, rows: Sequence[Ticket], read: _Read) -> float:
    """The share of `rows` that get the right intent."""
    texts = [normalize(row.text) for row in rows]
    found = bundle.score(texts, bundle.shifted(read(texts), [row.language for row in rows]))["intent"]
    given = [found.labels[at] for at in found.shares.argmax(axis=1)]
    return float(np.mean([one == row.label("intent") for one, row in zip(given, rows, strict=True)]))


def test_what_is_learned_in_one_language_fits_the_others_better(
    tickets: Tickets, encoder: ServingEncoder, read: _Read
) -> None:
    gained = {}
    for language in LANGUAGES:
        own = replace(tickets, rows=tuple(row for row in tickets.rows if row.language == language))
        bundle = train(own, ["intent"], encoder, TrainingConfig(), encode=read)
        assert set(bundle.language_shifts) == STARTER - {language}
        others = [row for row in tickets.rows if row.language != language]
        without = _right(replace(bundle, language_shifts={}), others, read)
        gained[language] = _right(bundle, others, read) - without
    assert np.mean(list(gained.values())) > 0.05
    assert min(gained.values()) > -0.02


def test_a_bundle_carries_how_far_languages_lie(light_encoder: LightEncoder, tmp_path: Path) -> None:
    rows = [
        Ticket(f"{word} {at}", {"intent": (word,)}, language, f"{word} {at}")
        for word, language in (("возврат", "ru"), ("คืนเงิน", "th"), ("hoàn tiền", "vi"))
        for at in range(6)
    ]
    bundle = train(Tickets(tuple(rows), (), ""), ["intent"], light_encoder, TrainingConfig())
    assert set(bundle.language_shifts) == STARTER - {"ru", "th", "vi"}
    save_bundle(bundle, tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle", light_encoder)
    texts, languages = (
        ["退款", "退款", "refund", "คืนเงิน", "rimborso", "?"],
        ["zh-Hans", "zh-Hant", "en", "th", "it", None],
    )
    plain = light_encoder.encode(texts)
    moved = loaded.vectors(texts, light_encoder, languages)
    assert np.array_equal(moved, bundle.vectors(texts, light_encoder, languages))
    assert (moved != plain).any(axis=1).tolist() == [True, True, True, False, False, False]
    searched, own = loaded.both_vectors(texts, light_encoder, languages)
    assert np.array_equal(searched, plain)
    assert np.array_equal(own, moved)
    assert loaded.vectors([], light_encoder, []).shape == (0, light_encoder.dimension)


@pytest.mark.parametrize(
    ("languages", "learned"),
    [
        (["vi"] * 30 + ["th"] * 10, {"vi": 0.75, "th": 0.25}),
        (["zh-Hant"] * 199 + ["en"], {"zh-Hant": 1.0}),  # one row in two hundred may be a slip
        (["ru"] * 5 + ["it"] * 5 + [None] * 90, {"ru": 1.0}),
        ([None] * 5 + ["und"] * 5, {}),
        (["it"] * 5, {}),
        (sorted(STARTER), {}),
    ],
)
def test_a_language_is_learned_where_rows_are_in_it(languages: list[str | None], learned: dict[str, float]) -> None:
    found = Elsewhere.of(languages)
    assert found.learned == learned
    assert bool(found.texts) is bool(learned)
    assert set(found.languages) == (STARTER if learned else set())
