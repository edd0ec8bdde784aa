"""The starter: balanced messages in six languages, true labels, and a bundle that was trained on just these."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models.bundle import load_bundle, read_manifest
from models.encoder import ServingEncoder
from models.registry import STARTER
from training.data import Tickets, parse_columns, read_tickets
from triage.channels import load_policy
from triage.normalize import normalize
from triage.taxonomy import load_taxonomy

MESSAGES = Path(__file__).parents[2] / "training" / "starter" / "messages"
LANGUAGES = ("vi", "th", "zh-Hans", "zh-Hant", "ru", "en")
TASKS = ("intent", "urgency", "channel=best_channel")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [
        json.loads(line) | {"folder": path.parent.name}
        for path in MESSAGES.rglob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(scope="module")
def tickets() -> Tickets:
    """Read as `frontdesk train` reads the folder."""
    return read_tickets(sorted(MESSAGES.rglob("*.jsonl")), parse_columns(TASKS))


def test_every_row_is_usable_and_none_repeats_another(tickets: Tickets, rows: list[dict[str, Any]]) -> None:
    assert tickets.problems == ()
    assert len(tickets.rows) == len(rows)


def test_ids_are_unique(rows: list[dict[str, Any]]) -> None:
    assert [identity for identity, count in Counter(row["id"] for row in rows).items() if count > 1] == []


def test_each_file_lies_with_its_language(rows: list[dict[str, Any]]) -> None:
    assert {row["language"] for row in rows} == set(LANGUAGES)
    assert [row["id"] for row in rows if row["folder"] != row["language"]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_enough_of_everything(rows: list[dict[str, Any]], language: str) -> None:
    own = [row for row in rows if row["language"] == language]
    assert len(own) >= 400
    intents = Counter(row["intent"] for row in own)
    assert {intent.id: intents[intent.id] for intent in load_taxonomy().intents if intents[intent.id] < 10} == {}
    urgencies = Counter(row["urgency"] for row in own)
    assert {level.id: urgencies[level.id] for level in load_taxonomy().urgencies if urgencies[level.id] < 10} == {}


def test_labels_are_those_of_taxonomy_and_policy(rows: list[dict[str, Any]]) -> None:
    taxonomy, channels = load_taxonomy(), set(load_policy().ids)
    assert {row["intent"] for row in rows} == {intent.id for intent in taxonomy.intents}
    assert {row["urgency"] for row in rows} == {level.id for level in taxonomy.urgencies}
    assert {row["channel"] for row in rows} <= channels
    assert {row["best_channel"] for row in rows} <= channels


def test_a_group_stays_within_its_language(rows: list[dict[str, Any]]) -> None:
    pairs = {(row["group"], row["language"]) for row in rows}
    assert [group for group, count in Counter(group for group, _ in pairs).items() if count > 1] == []


def test_the_starter_bundle_was_trained_on_these_very_messages(tickets: Tickets) -> None:
    manifest = read_manifest(STARTER)
    stale = "models/starter is older than training/starter/messages: train it again with `frontdesk train`"
    assert manifest["data"] == {"rows": len(tickets.rows), "fingerprint": tickets.fingerprint}, stale
    labels = {task: {row.label(task) for row in tickets.rows} for task in parse_columns(TASKS)}
    assert {task: set(about["labels"]) for task, about in manifest["tasks"].items()} == labels, stale


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_starter_bundle_knows_the_messages_it_was_trained_on(
    tickets: Tickets, encoder: ServingEncoder, language: str
) -> None:
    bundle = load_bundle(STARTER, encoder)
    own = [ticket for ticket in tickets.rows if ticket.language == language][::80]
    texts = [normalize(ticket.text) for ticket in own]
    predictions = bundle.predict(texts, encoder.encode(texts))
    right = sum(p["intent"].label == t.label("intent") for p, t in zip(predictions, own, strict=True))
    assert right / len(own) > 0.9
