"""The starter: messages in twelve languages, true labels, and a bundle that was trained on just these."""

import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.bundle import Bundle, load_bundle, read_manifest
from models.encoder import ServingEncoder
from models.registry import STARTER
from serving.desk import open_pipeline
from serving.settings import Settings
from training.data import Tickets, parse_columns, read_tickets
from training.findings import Check, Severity
from training.slots import slot_families
from training.validation import validate
from training.words import lines, texts
from triage import words
from triage.channels import load_policy
from triage.decision import decide
from triage.normalize import normalize
from triage.pipeline import Message
from triage.taxonomy import load_taxonomy
from triage.types import Action

FOLDER = Path(__file__).parents[2] / "training" / "starter"
MESSAGES, TEST = FOLDER / "messages", FOLDER / "test"
FIRST = ("vi", "th", "zh-Hans", "zh-Hant", "ru", "en")
LANGUAGES = (*FIRST, "es", "pt", "fr", "de", "ja", "id")
TASKS = ("intent", "urgency", "channel=best_channel")
ADVERSARIAL = Path(__file__).parents[2] / "benchmarks" / "adversarial.jsonl"
KINDS = (
    "nonsense", "word_salad", "injection", "elsewhere", "foreign", "fragment", "disguise", "repetition", "contradiction"
)  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [
        json.loads(line) | {"home": path.parent.name if MESSAGES in path.parents else path.stem}
        for path in (*MESSAGES.rglob("*.jsonl"), *TEST.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(scope="module")
def tickets() -> Tickets:
    """Read as `frontdesk train` reads the folder."""
    return read_tickets(sorted(MESSAGES.rglob("*.jsonl")), parse_columns(TASKS))


def test_every_row_is_usable_and_none_repeats_another(tickets: Tickets, rows: list[dict[str, Any]]) -> None:
    test = read_tickets(sorted(TEST.glob("*.jsonl")), parse_columns(TASKS))
    assert (tickets.problems, test.problems) == ((), ())
    assert len(tickets.rows) + len(test.rows) == len(rows)
    report = validate(tickets, test)
    report.require_usable()
    left_out = [finding for finding in report.findings if finding.severity in (Severity.ERROR, Severity.LEFT_OUT)]
    assert left_out == []
    assert report.leaked == frozenset()
    warnings = {(finding.task, finding.kind) for finding in report.findings if finding.severity is Severity.WARNING}
    # "thanks~" is nearly "thanks" in any language.
    assert {task for task, _ in warnings - {(None, Check.NEAR_LEAK)}} <= {"channel"}


def test_no_row_was_written_by_template(tickets: Tickets) -> None:
    for language in LANGUAGES:
        assert slot_families([ticket.text for ticket in tickets.rows if ticket.language == language]) == []


def test_ids_are_unique(rows: list[dict[str, Any]]) -> None:
    assert [identity for identity, count in Counter(row["id"] for row in rows).items() if count > 1] == []


def test_each_file_lies_with_its_language(rows: list[dict[str, Any]]) -> None:
    assert {row["language"] for row in rows} == set(LANGUAGES)
    assert [row["id"] for row in rows if row["home"] != row["language"]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_enough_of_everything(rows: list[dict[str, Any]], language: str) -> None:
    own = [row for row in rows if row["language"] == language]
    assert len(own) >= 400
    least = 15 if language in FIRST else 8
    intents = Counter(row["intent"] for row in own)
    assert {intent.id: intents[intent.id] for intent in load_taxonomy().intents if intents[intent.id] < least} == {}
    urgencies = Counter(row["urgency"] for row in own)
    assert {level.id: urgencies[level.id] for level in load_taxonomy().urgencies if urgencies[level.id] < least} == {}


def test_there_is_enough_out_of_scope(rows: list[dict[str, Any]]) -> None:
    assert sum(row["intent"] == "other.out_of_scope" for row in rows) >= 400


def test_labels_are_those_of_taxonomy_and_policy(rows: list[dict[str, Any]]) -> None:
    taxonomy, channels = load_taxonomy(), set(load_policy().ids)
    assert {row["intent"] for row in rows} == {intent.id for intent in taxonomy.intents}
    assert {row["urgency"] for row in rows} == {level.id for level in taxonomy.urgencies}
    assert {row["channel"] for row in rows} <= channels
    # What is for no desk has no channel on which this one would solve it.
    assert {row["intent"] for row in rows if "best_channel" not in row} == {"other.out_of_scope"}
    assert {row["best_channel"] for row in rows if row["intent"] != "other.out_of_scope"} <= channels


def test_a_group_stays_within_its_language(rows: list[dict[str, Any]]) -> None:
    pairs = {(row["group"], row["language"]) for row in rows}
    assert [group for group, count in Counter(group for group, _ in pairs).items() if count > 1] == []


def test_the_starter_bundle_was_trained_on_these_very_messages(tickets: Tickets) -> None:
    manifest = read_manifest(STARTER)
    stale = "models/starter is older than training/starter/messages: train it again with `frontdesk train`"
    assert manifest["data"] == {"rows": len(tickets.rows), "fingerprint": tickets.fingerprint}, stale
    labels = {task: {row.label(task) for row in tickets.rows if task in row.labels} for task in parse_columns(TASKS)}
    assert {task: set(about["labels"]) for task, about in manifest["tasks"].items()} == labels, stale


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_words_are_counted_in_these_very_messages(language: str) -> None:
    stale = "triage/starter/words is older than training/starter/messages: run `python -m training.words`"
    with gzip.open(words.COUNTS / f"{language}.txt.gz", "rt", encoding="utf-8") as file:
        assert file.read() == lines(texts(language)), stale


@pytest.fixture(scope="module")
def starter(encoder: ServingEncoder) -> Bundle:
    return load_bundle(STARTER, encoder)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_starter_bundle_knows_the_messages_it_was_trained_on(
    tickets: Tickets, encoder: ServingEncoder, starter: Bundle, language: str
) -> None:
    own = [ticket for ticket in tickets.rows if ticket.language == language]
    own = own[:: len(own) // 24]
    texts = [normalize(ticket.text) for ticket in own]
    predictions = starter.predict(texts, starter.vectors(texts, encoder))
    right = sum(p["intent"].label == t.label("intent") for p, t in zip(predictions, own, strict=True))
    assert right / len(own) > 0.9


@pytest.fixture(scope="module")
def adversarial(encoder: ServingEncoder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Action]]:
    """What the shipped desk does with every seventh of the adversarial messages of each kind, in all languages."""
    pipeline = open_pipeline(Settings(data_dir=tmp_path_factory.mktemp("desk")), encoder=encoder)
    messages = [json.loads(line) for line in ADVERSARIAL.read_text(encoding="utf-8").splitlines()]
    chosen = sorted(messages, key=lambda row: (row["kind"], row["language"]))[::7]
    triages = pipeline.run([Message(row["text"]) for row in chosen], at=datetime(2026, 11, 23, tzinfo=UTC)).triages
    found = defaultdict(list)
    for row, triage in zip(chosen, triages, strict=True):
        found[row["kind"]].append(decide(triage, pipeline.taxonomy, answered=True).action)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_no_desk_can_handle_is_read_by_a_person(adversarial: dict[str, list[Action]], kind: str) -> None:
    actions = adversarial[kind]
    assert len(actions) >= 3
    assert sum(action is Action.REVIEW for action in actions) >= 0.6 * len(actions)
