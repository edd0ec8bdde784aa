"""frontdesk export feedback: what people confirmed, as rows that `frontdesk train` reads."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from serving.desk import Desk
from serving.services import export
from serving.storage.records import SuggestionRecord, SuggestionRepository
from serving.storage.tables import EventKind, SourceType
from tests.conftest import ROOT
from tests.serving.terminal import Finished, Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE, client_of, ok
from training.data import parse_columns, read_tickets

LANGUAGES = sorted(WRONG_SIZE)
SENT = {
    "en": "Hello Anna, the right size leaves us today.",
    "vi": "Chào chị, đôi đúng size sẽ được gửi ngay hôm nay ạ.",
    "th": "สวัสดีค่ะ คู่ที่ถูกไซซ์จะจัดส่งวันนี้เลยนะคะ",
    "zh-Hans": "您好，正确尺码的鞋子今天就会寄出。",
    "zh-Hant": "您好，正確尺寸的鞋子今天就會寄出。",
    "ru": "Здравствуйте! Пара нужного размера уедет к вам сегодня.",
}


@pytest.fixture
def client(own_desk: Desk) -> TestClient:
    """HTTP to the desk whose data folder the command line of the test looks at."""
    return client_of(own_desk)


def _triage(client: TestClient, identity: str, message: str, **fields: str) -> dict[str, Any]:
    return ok(client.post("/v1/triage", json={"id": identity, "text": message, **fields}))


def _correct(client: TestClient, identity: str, task: str, label: str, agent: str | None = None) -> None:
    correction = {"task": task, "label": label, "agent": agent}
    ok(client.post(f"/v1/triage/{identity}/corrections", json=correction))


def _suggest(desk: Desk, decision_id: str | None, language: str, **changes: Any) -> str:
    """A suggestion as the route stores it; the desk of these tests has no macros to find."""
    record = SuggestionRecord(
        decision_id=decision_id,
        rank=1,
        source_type=SourceType.MACRO,
        source_id=f"{language}-wrong-item",
        language=language,
        confidence=0.5,
        **{"text": PASSWORD[language], "text_expires_at": datetime.now(UTC) + timedelta(days=30), **changes},
    )
    with desk.database.transaction() as session:
        SuggestionRepository(session).add_many([record])
    return record.id


def _event(client: TestClient, suggestion: str, kind: EventKind, **fields: str) -> None:
    ok(client.post(f"/v1/suggestions/{suggestion}/events", json={"kind": kind, **fields}))


def _exported(frontdesk: Run, *arguments: object) -> Finished:
    finished = frontdesk("export", "feedback", *arguments)
    assert finished.status == 0, finished.err
    return finished


def test_corrected_labels_of_every_language_are_read_by_train_as_they_are(
    client: TestClient, frontdesk: Run, tmp_path: Path
) -> None:
    for language in LANGUAGES:
        _triage(client, f"m-{language}", WRONG_SIZE[language], channel="email", language=language)
        _correct(client, f"m-{language}", "intent", "delivery.wrong_item", "Ольга")
        _correct(client, f"m-{language}", "channel", "phone", "小美")
    _correct(client, "m-th", "urgency", "high")
    finished = _exported(frontdesk, "--output", tmp_path / "feedback.jsonl")
    assert (finished.out, finished.err) == ("", "6 rows written, 0 decisions left out\n")
    columns = parse_columns(["intent", "urgency", "channel=best_channel"])
    tickets = read_tickets([tmp_path / "feedback.jsonl"], columns)
    assert tickets.problems == ()
    assert [(t.text, t.language, t.group) for t in tickets.rows] == [
        (WRONG_SIZE[language], language, f"m-{language}") for language in LANGUAGES
    ]
    assert {t.label("intent") for t in tickets.rows} == {"delivery.wrong_item"}
    assert {t.label("channel") for t in tickets.rows} == {"phone"}
    assert [t.language for t in tickets.rows if "urgency" in t.labels] == ["th"]


def test_a_row_has_what_stands_and_nothing_that_nobody_confirmed(client: TestClient, frontdesk: Run) -> None:
    answered = _triage(client, "m-1", WRONG_SIZE["vi"], channel="messenger")
    for label in ("order.status", "delivery.not_received", "order.status"):
        _correct(client, "m-1", "intent", label, "Hà")
    _triage(client, "m-2", WRONG_SIZE["ru"])
    assert answered["urgency"]["label"]
    assert _exported(frontdesk).rows == [
        {
            "id": "m-1",
            "text": WRONG_SIZE["vi"],
            "language": "vi",
            "channel": "messenger",
            "group": "m-1",
            "source": "correction",
            "intent": "order.status",
        }
    ]


def test_a_prediction_that_an_agent_confirms_is_a_label(client: TestClient, frontdesk: Run) -> None:
    predicted = _triage(client, "m-1", PASSWORD["zh-Hant"])["intent"]["label"]
    _correct(client, "m-1", "intent", predicted)
    assert [row["intent"] for row in _exported(frontdesk).rows] == [predicted]


def test_agents_who_disagree_are_named_by_task_and_the_last_one_counts(client: TestClient, frontdesk: Run) -> None:
    _triage(client, "m-1", WRONG_SIZE["zh-Hans"])
    for label, agent in (("order.status", "小美"), ("delivery.wrong_item", "Anna"), ("delivery.wrong_item", "สมชาย")):
        _correct(client, "m-1", "intent", label, agent)
    _correct(client, "m-1", "urgency", "high", "小美")
    finished = _exported(frontdesk)
    (row,) = finished.rows
    assert (row["intent"], row["urgency"], row["disputed"]) == ("delivery.wrong_item", "high", ["intent"])
    assert "m-1: agents disagree on intent (delivery.wrong_item, order.status); delivery.wrong_item" in finished.err
    _correct(client, "m-1", "intent", "delivery.wrong_item", "小美")
    finished = _exported(frontdesk)
    assert "disputed" not in finished.rows[0]
    assert "disagree" not in finished.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_replies_that_were_sent_come_with_the_message_they_answer(
    own_desk: Desk, client: TestClient, frontdesk: Run, language: str
) -> None:
    for identity in ("m-1", "m-2", "m-3"):
        _triage(client, identity, f"{identity}: {WRONG_SIZE[language]}")
    taken, changed, refused = (_suggest(own_desk, identity, language) for identity in ("m-1", "m-2", "m-3"))
    _event(client, taken, EventKind.ACCEPTED)
    _event(client, changed, EventKind.ACCEPTED)
    _event(client, changed, EventKind.EDITED, final_text=SENT[language])
    _event(client, refused, EventKind.ACCEPTED)
    _event(client, refused, EventKind.REJECTED, reason="incorrect")
    _event(client, _suggest(own_desk, "m-3", language), EventKind.DISPLAYED)
    first, second = _exported(frontdesk).rows
    assert (first["source"], first["text"]) == ("accepted", f"m-1: {WRONG_SIZE[language]}")
    assert (first["reply"], first["reply_language"]) == (PASSWORD[language], language)
    assert (first["reply_source"], first["reply_edited"]) == (f"macro:{language}-wrong-item", False)
    assert (second["reply"], second["reply_edited"]) == (SENT[language], True)
    assert not {"intent", "urgency", "best_channel"} & (first.keys() | second.keys())


def test_a_sent_reply_whose_message_nobody_named_is_counted(own_desk: Desk, client: TestClient, frontdesk: Run) -> None:
    _event(client, _suggest(own_desk, None, "ru"), EventKind.ACCEPTED)
    finished = _exported(frontdesk)
    assert finished.rows == []
    assert "1 sent replies left out" in finished.err
    assert "triage_id" in finished.err


@pytest.mark.parametrize("purged", [False, True])
def test_what_has_expired_is_named_and_left_out_also_before_it_is_purged(
    own_desk: Desk, client: TestClient, frontdesk: Run, purged: bool
) -> None:
    for language in LANGUAGES:
        _triage(client, f"m-{language}", WRONG_SIZE[language])
        _correct(client, f"m-{language}", "intent", "delivery.wrong_item")
    _event(client, _suggest(own_desk, "m-ru", "ru", text=None), EventKind.ACCEPTED)
    blank = ", text = NULL, excerpts = NULL, request_digest = NULL" if purged else ""
    with own_desk.database.transaction() as session:
        session.execute(
            text(f"UPDATE decisions SET text_expires_at = :at {blank} WHERE id IN ('m-th', 'm-en')"),
            {"at": (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S.%f")},
        )
    finished = _exported(frontdesk)
    assert [row["id"] for row in finished.rows] == ["m-ru", "m-vi", "m-zh-Hans", "m-zh-Hant"]
    assert finished.err.splitlines() == [
        "m-en: its text is not kept any more",
        "m-ru: the reply that was sent is not kept any more",
        "m-th: its text is not kept any more",
        "4 rows written, 2 decisions left out",
    ]
    assert "reply" not in finished.rows[0]


def test_since_takes_decisions_whose_feedback_is_new_with_all_of_their_labels(
    own_desk: Desk, client: TestClient, frontdesk: Run
) -> None:
    for identity in ("old", "both", "new"):
        _triage(client, identity, f"{identity}. {WRONG_SIZE['th']}")
    _correct(client, "old", "intent", "delivery.wrong_item")
    _correct(client, "both", "intent", "delivery.wrong_item")
    with own_desk.database.transaction() as session:
        session.execute(text("UPDATE corrections SET created_at = '2026-03-01 09:00:00.000000'"))
    _correct(client, "both", "urgency", "high")
    _correct(client, "new", "urgency", "low")
    rows = _exported(frontdesk, "--since", "2026-03-01T09:00:01").rows
    assert [(row["id"], row.get("intent"), row["urgency"]) for row in rows] == [
        ("both", "delivery.wrong_item", "high"),
        ("new", None, "low"),
    ]
    assert len(_exported(frontdesk, "--since", "2026-03-01").rows) == 3
    assert len(_exported(frontdesk, "--since", "2026-03-01T16:00:00+07:00").rows) == 3
    assert len(_exported(frontdesk, "--since", "2026-03-01T16:00:01+07:00").rows) == 2


@pytest.mark.parametrize("since", ["last week", "2026", "2026-02-30", "hôm qua", "เมื่อวาน", "昨天", "вчера", ""])
def test_a_day_that_is_none_is_refused_with_an_example(frontdesk: Run, since: str) -> None:
    assert_failed(frontdesk("export", "feedback", "--since", since), repr(since), "2026-03-01")


def test_pages_follow_each_other_without_gap(
    client: TestClient, frontdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"m-{number}" for number in (4, 2, 9, 1, 7)]
    for identity in ids:
        _triage(client, identity, f"{identity} {WRONG_SIZE['zh-Hant']}")
        _correct(client, identity, "urgency", "normal")
    whole = _exported(frontdesk).out
    assert [row["id"] for row in _exported(frontdesk).rows] == ids
    for size in (1, 2, 5):
        monkeypatch.setattr(export, "PAGE", size)
        assert _exported(frontdesk).out == whole


def test_without_feedback_the_file_is_empty(frontdesk: Run, own_desk: Desk, tmp_path: Path) -> None:
    assert "0 rows written" in _exported(frontdesk, "--output", tmp_path / "feedback.jsonl").err
    assert (tmp_path / "feedback.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("task", "column"),
    [("intent", "intent"), ("queue", "queue"), ("channel", "best_channel"), ("language", "language_label")],
)
def test_a_task_never_takes_the_column_of_something_else(task: str, column: str) -> None:
    assert export.label_column(task) == column


def test_a_file_that_cannot_be_written_is_a_clear_error(frontdesk: Run, own_desk: Desk, tmp_path: Path) -> None:
    assert_failed(
        frontdesk("export", "feedback", "--output", tmp_path / "nowhere" / "f.jsonl"), "nowhere does not exist"
    )


def test_an_export_that_is_killed_leaves_the_last_file_as_it_was(
    own_desk: Desk, client: TestClient, tmp_path: Path
) -> None:
    _triage(client, "m-1", WRONG_SIZE["en"])
    _correct(client, "m-1", "urgency", "normal")
    target = tmp_path / "feedback.jsonl"
    target.write_text("as it was")
    # It writes what there is and then goes on for ever.
    code = """
import sys
from itertools import cycle
from pathlib import Path
from serving.cli import export
rows = list(export.exported_feedback(export.open_desk_database(export.read_settings())))
def endless(*_arguments, **_options):
    for number, row in enumerate(cycle(rows)):
        if number == 1000:
            print("writing", flush=True)
        yield row
export.exported_feedback = endless
export.feedback(Path(sys.argv[1]))
"""
    environment = {"FRONTDESK_DATA_DIR": str(own_desk.settings.data_dir)}
    command = [sys.executable, "-c", code, str(target)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "writing\n"
        child.kill()
    assert child.returncode == -9
    assert target.read_text() == "as it was"
