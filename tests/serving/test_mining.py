"""From conversations to macros: mined once, reviewed by people, and suggested to nobody before that."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from kb.conversations import Conversation, Sender, Turn, read_conversations
from models.encoder import ServingEncoder
from serving.app import purge_expired_texts
from serving.desk import Desk, open_desk
from serving.services.mining import MiningReport, mine_replies
from serving.services.review import list_candidates
from serving.settings import Settings
from serving.storage.candidates import CandidateRecord
from tests.conversations import FILE, PERSONAL, conversation, write_jsonl
from tests.conversations import rows as samples
from tests.serving.terminal import Run, assert_failed
from tests.serving.wire import WRONG_SIZE, assert_problem, client_of, faults, ok, rows, with_pipeline

ROOT = Path(__file__).parents[2]
LANGUAGES = sorted(PERSONAL)
REPLIES = {
    "en": "Keep the tag on, open My orders, choose Wrong item: we will send the right size and collect the other.",
    "vi": "Mình giữ nguyên tem mác, vào mục Đơn hàng chọn Giao sai, bên em gửi lại đúng size và qua lấy đôi kia ạ.",
    "th": "รบกวนเก็บป้ายสินค้าไว้ เข้าเมนูคำสั่งซื้อแล้วกดได้รับสินค้าผิด เราจะส่งไซซ์ที่ถูกต้องและรับของเดิมคืนค่ะ",
    "zh-Hans": "吊牌请保留好，在我的订单里点收到错误商品，我们会补发正确的尺码，并上门取回发错的那件，不收任何费用。",
    "zh-Hant": "吊牌請先保留，到我的訂單點選收到錯誤商品，我們會補寄正確的尺寸，並請物流收回寄錯的那件，不收任何費用。",
    "ru": "Не срезайте бирку, откройте «Мои заказы», выберите «Не тот товар»: правильный размер отправим бесплатно.",
}


@pytest.fixture(scope="module")
def starter_desk(encoder: ServingEncoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with real weights and nothing in its knowledge base."""
    desk = open_desk(Settings(data_dir=tmp_path_factory.mktemp("starter"), bundle="starter"), encoder=encoder)
    yield desk
    desk.database.close()


@pytest.fixture(scope="module")
def mined(starter_desk: Desk) -> MiningReport:
    return mine_replies(starter_desk, read_conversations([FILE]).conversations)


def _every(desk: Desk) -> list[CandidateRecord]:
    return list(list_candidates(desk.database, None, limit=1000).candidates)


def _conversations(*languages: str, times: int = 2, prefix: str = "") -> list[Conversation]:
    asked, answered = Sender.CUSTOMER, Sender.AGENT
    return [
        Conversation(
            f"{prefix}{language}-{number}",
            True,
            (Turn(asked, f"{WRONG_SIZE[language]} ({number})"), Turn(answered, REPLIES[language])),
        )
        for language in languages
        for number in range(times)
    ]


@pytest.fixture
def waiting(own_desk: Desk) -> Desk:
    """A desk with a pending candidate in each language."""
    assert mine_replies(own_desk, _conversations(*LANGUAGES)).candidates == 6
    return own_desk


def _ids(desk: Desk) -> dict[str, str]:
    return {one.language: one.id for one in _every(desk)}


def _suggested(desk: Desk, language: str) -> list[str]:
    """The sources of what is suggested by a server that has seen the database as it is now."""
    fresh = with_pipeline(desk, desk.current().pipeline)
    found = ok(client_of(fresh).post("/v1/suggestions", json={"text": WRONG_SIZE[language], "limit": 20}))
    return [one["source"]["id"] for one in found["suggestions"]]


def test_real_weights_find_what_two_agents_answered_alike(mined: MiningReport, starter_desk: Desk) -> None:
    assert mined.exchanges >= 24
    found = _every(starter_desk)
    for language in LANGUAGES:
        about_refunds = [one for one in found if one.language == language and one.intents[0] == "refund.status"]
        assert [one.count for one in about_refunds] == [2], language
        assert len(about_refunds[0].examples) == 2
    others = [one for one in found if one.intents[0] != "refund.status"]
    assert {one.intents[0] for one in others} <= {"delivery.wrong_item", "return.exchange"}
    assert len(others) >= 4


def test_nobody_is_named_in_a_candidate_and_nothing_that_says_nothing_is_one(
    mined: MiningReport, starter_desk: Desk
) -> None:
    assert mined.candidates == len(_every(starter_desk))
    for one in _every(starter_desk):
        named = [name for name in PERSONAL[one.language] if name in one.text or name in one.title]
        assert named == []
        assert len(one.text) > 50
        assert "TV-" not in "".join(one.examples)


def test_greetings_and_holding_replies_say_nothing_and_short_answers_mostly_do(
    starter_desk: Desk, own_desk: Desk
) -> None:
    """Docs quote these figures; none of the texts took part in setting the limits."""
    desk = replace(own_desk, keeper=starter_desk.keeper)
    every = list(enumerate(samples("small_talk.jsonl")))
    for telling, taken in ((False, 0), (True, 13)):
        conversations = [
            Conversation(str(number), True, (Turn(Sender.CUSTOMER, row["request"]), Turn(Sender.AGENT, row["reply"])))
            for number, row in every
            if row["says_something"] is telling
        ]
        mine_replies(desk, conversations, min_count=1)
        assert sum(one.count for one in _every(desk)) >= taken
        assert telling or not _every(desk)


def test_the_same_file_again_changes_nothing(mined: MiningReport, starter_desk: Desk) -> None:
    before = _every(starter_desk)
    again = mine_replies(starter_desk, read_conversations([FILE]).conversations)
    assert (again.candidates, again.joined) == (0, 0)
    assert again.known == sum(one.count for one in before)
    assert again.exchanges == mined.exchanges
    assert _every(starter_desk) == before


def test_more_conversations_count_to_the_candidate_that_is_there(waiting: Desk) -> None:
    assert [one.count for one in _every(waiting)] == [2] * 6
    ids = _ids(waiting)
    report = mine_replies(waiting, _conversations("th", "ru", times=5))
    assert (report.candidates, report.known, report.joined) == (0, 4, 6)
    assert {one.language: one.count for one in _every(waiting)}["th"] == 5
    assert _ids(waiting) == ids
    assert all(len(one.examples) <= 3 for one in _every(waiting))


def test_what_was_said_once_or_in_no_resolved_conversation_is_no_candidate(own_desk: Desk) -> None:
    assert mine_replies(own_desk, _conversations("vi", times=1)).too_rare == 1
    unresolved = [replace(one, resolved=False) for one in _conversations("vi")]
    assert mine_replies(own_desk, unresolved).exchanges == 0
    assert rows(own_desk, "reply_candidates") == rows(own_desk, "reply_sources") == 0
    assert mine_replies(own_desk, _conversations("vi", times=1), min_count=1).candidates == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_pending_or_rejected_is_suggested_and_what_is_approved_is(waiting: Desk, language: str) -> None:
    client, identity = client_of(waiting), _ids(waiting)[language]
    path = f"/v1/reply-candidates/{identity}/review"
    assert _suggested(waiting, language) == []
    (pending,) = [
        one
        for one in ok(client.get("/v1/reply-candidates", params={"status": "pending"}))["candidates"]
        if one["language"] == language
    ]
    assert (pending["count"], pending["status"], pending["macro_id"]) == (2, "pending", None)
    decided = {"status": "approved", "intents": ["delivery.wrong_item", "return.exchange"], "reviewer": "Mai"}
    approved = ok(client.post(path, json=decided))
    assert approved["macro_id"] == f"mined-{identity}"
    assert approved["text"] == pending["text"]
    assert ok(client.post(path, json=decided)) == approved
    assert _suggested(waiting, language) == [f"mined-{identity}"]
    edited = ok(client.post(path, json={"status": "approved", "text": "{{agent_name}}: {{whatever}} ✓", "title": "T"}))
    assert (edited["text"], edited["intents"]) == ("{{agent_name}}: {{whatever}} ✓", decided["intents"])
    rejected = ok(client.post(path, json={"status": "rejected", "reason": "outdated"}))
    assert (rejected["macro_id"], rejected["status"]) == (None, "rejected")
    assert _suggested(waiting, language) == []
    assert mine_replies(waiting, _conversations(language, times=4)).candidates == 0
    assert {one.language: one.status.value for one in _every(waiting)}[language] == "rejected"
    assert rows(waiting, "kb_macros") == 0


def test_a_review_that_cannot_be_is_refused_with_what_could(waiting: Desk) -> None:
    client = client_of(waiting)
    path = f"/v1/reply-candidates/{_ids(waiting)['ru']}/review"
    named = faults(client.post(path, json={"status": "approved", "intents": ["order.staus"]}))["intents"]
    assert "'order.staus'" in named
    assert "order.status" in named
    assert "reason" in faults(client.post(path, json={"status": "rejected"}))
    assert "intents" in faults(client.post(path, json={"status": "approved", "intents": []}))
    assert "text" in faults(client.post(path, json={"status": "approved", "text": "  "}))
    assert "status" in faults(client.post(path, json={"status": "rejected", "reason": "old", "text": "new"}))
    assert "status" in faults(client.post(path, json={"status": "pending"}))
    unknown = client.post("/v1/reply-candidates/nobody/review", json={"status": "rejected", "reason": "old"})
    assert "'nobody'" in assert_problem(unknown, 404)["detail"]
    assert "status" in faults(client.get("/v1/reply-candidates", params={"status": "open"}))
    assert {one.status.value for one in _every(waiting)} == {"pending"}
    assert rows(waiting, "kb_macros") == 0


def test_pages_of_candidates(waiting: Desk) -> None:
    client = client_of(waiting)
    seen: list[str] = []
    for offset in (0, 4):
        page = ok(client.get("/v1/reply-candidates", params={"limit": 4, "offset": offset}))
        assert page["total"] == 6
        seen += [one["id"] for one in page["candidates"]]
    assert sorted(seen) == sorted(_ids(waiting).values())


def test_replies_that_a_macro_says_are_no_candidates(waiting: Desk) -> None:
    with waiting.database.transaction() as session:
        session.execute(text("DELETE FROM reply_sources"))
        session.execute(text("DELETE FROM reply_candidates"))
        session.execute(
            text(
                "INSERT INTO kb_macros (id, title, language, intents, text, digest, updated_at) "
                "VALUES ('own-ru', 'Размер', 'ru', '[]', :reply, 'x', '2026-01-01')"
            ),
            {"reply": REPLIES["ru"]},
        )
    fresh = with_pipeline(waiting, waiting.current().pipeline)
    report = mine_replies(fresh, _conversations("ru", "th"))
    assert (report.said_by_macros, report.candidates) == (2, 1)


@pytest.mark.parametrize("days", [0, 7])
def test_examples_are_kept_as_long_as_other_texts(own_desk: Desk, days: int) -> None:
    desk = replace(own_desk, settings=own_desk.settings.model_copy(update={"text_days": days}))
    mine_replies(desk, _conversations("en"))
    (found,) = _every(desk)
    assert len(found.examples) == (2 if days else 0)
    assert purge_expired_texts(desk) == 0
    if days:
        gone = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None).isoformat(" ")
        with desk.database.transaction() as session:
            session.execute(text("UPDATE reply_sources SET text_expires_at = :at"), {"at": gone})
        assert purge_expired_texts(desk) == 2
    (found,) = _every(desk)
    assert (found.examples, found.count) == ((), 2)
    with desk.database.transaction(read_only=True) as session:
        assert session.execute(text("SELECT count(*) FROM reply_sources WHERE request IS NOT NULL")).scalar_one() == 0


def _edited(client: TestClient, number: int, language: str, sent: str) -> None:
    triage = ok(client.post("/v1/triage", json={"text": f"{WRONG_SIZE[language]} ({number})"}))["id"]
    asked = {"text": WRONG_SIZE[language], "triage_id": triage, "limit": 1}
    (one,) = ok(client.post("/v1/suggestions", json=asked))["suggestions"]
    ok(client.post(f"/v1/suggestions/{one['id']}/events", json={"kind": "edited", "final_text": sent}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_agents_edited_and_sent_is_mined_too(own_desk: Desk, light_desk: Desk, language: str) -> None:
    client = client_of(replace(own_desk, keeper=light_desk.keeper))
    for number in range(2):
        _edited(client, number, language, REPLIES[language])
    report = mine_replies(own_desk, [], feedback=True)
    assert (report.exchanges, report.candidates) == (2, 1)
    (found,) = _every(own_desk)
    assert (found.language, found.count) == (language, 2)
    assert mine_replies(own_desk, [], feedback=True).known == 2
    with own_desk.database.transaction(read_only=True) as session:
        wanted = "SELECT max(text_expires_at) FROM {}"
        kept = [session.execute(text(wanted.format(table))).scalar_one() for table in ("decisions", "reply_sources")]
    assert kept[0] == kept[1]
    assert "TV-104233" not in "".join(found.examples)


def test_the_command_line_mines_lists_and_reviews(frontdesk: Run, tmp_path: Path) -> None:
    good = [
        conversation(f"{language}-{number}", f"C: {WRONG_SIZE[language]} ({number})", f"A: {REPLIES[language]}")
        for language in LANGUAGES
        for number in range(2)
    ]
    path = write_jsonl(tmp_path / "export.jsonl", [*good, {"id": "x", "resolved": True}])
    assert_failed(frontdesk("kb", "mine", path), "export.jsonl, line 13: messages should be")
    done = frontdesk("kb", "mine", path, "--keep-going")
    assert done.status == 1
    assert "line 13" in done.err
    assert "candidates: 6 new, from 12 requests" in done.out
    found = frontdesk("kb", "candidates", "list", "--status", "pending", "--json").rows
    assert sorted(one["language"] for one in found) == LANGUAGES
    assert REPLIES["th"] in frontdesk("kb", "candidates", "list").out
    assert frontdesk("kb", "list").out == ""
    thai, russian = ({one["language"]: one["id"] for one in found}[language] for language in ("th", "ru"))
    approved = frontdesk(
        "kb", "candidates", "approve", thai, "--intent", "delivery.wrong_item", "--title", "ส่งผิด", "--by", "ฝน"
    )
    assert approved.out == f"approved: mined-{thai}\n"
    assert frontdesk("kb", "candidates", "reject", russian, "--reason", "too personal").status == 0
    assert frontdesk("kb", "list", "--json").rows == [{"id": f"mined-{thai}", "language": "th", "title": "ส่งผิด"}]
    (one,) = frontdesk("kb", "candidates", "list", "--status", "approved", "--json").rows
    assert (one["reviewer"], one["intents"], one["macro_id"]) == ("ฝน", ["delivery.wrong_item"], f"mined-{thai}")
    assert frontdesk("kb", "candidates", "reject", thai, "--reason", "outdated").status == 0
    assert frontdesk("kb", "list").out == ""
    assert_failed(frontdesk("kb", "candidates", "approve", "nobody"), "'nobody'")
    assert_failed(
        frontdesk("kb", "candidates", "approve", thai, "--intent", "order.staus"), "'order.staus'", "order.status"
    )
    assert_failed(frontdesk("kb", "mine"), "--feedback")
    assert frontdesk("kb", "candidates", "reject", thai).status == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from kb.conversations import read_conversations
from models.light import LightEncoder
from serving.desk import open_desk
from serving.services.mining import mine_replies
from serving.settings import Settings
from serving.storage.candidates import CandidateRepository

data, bundle, path, before = sys.argv[1:]
desk = open_desk(Settings(data_dir=Path(data), bundle=bundle), encoder=LightEncoder())
call = getattr(CandidateRepository, before)

def killed(self, rows):
    if before == "add_sources":
        call(self, rows)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(CandidateRepository, before, killed)
mine_replies(desk, read_conversations([Path(path)]).conversations)
"""


@pytest.mark.parametrize("at", ["add", "add_sources", "set_intents"])
def test_a_run_that_is_killed_leaves_nothing_half_done(
    own_desk: Desk, light_bundle_folder: Path, tmp_path: Path, at: str
) -> None:
    every: list[dict[str, Any]] = [
        conversation(f"{language}-{number}", f"C: {WRONG_SIZE[language]} ({number})", f"A: {REPLIES[language]}")
        for language in LANGUAGES
        for number in range(2)
    ]
    path = write_jsonl(tmp_path / "export.jsonl", every)
    command = [sys.executable, "-c", KILLED, str(own_desk.settings.data_dir), str(light_bundle_folder), str(path), at]
    done = subprocess.run(command, cwd=ROOT, env=os.environ.copy(), capture_output=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert (rows(own_desk, "reply_candidates"), rows(own_desk, "reply_sources")) == (0, 0)
    assert mine_replies(own_desk, read_conversations([path]).conversations).candidates == 6
    assert json.loads(json.dumps(_ids(own_desk))).keys() == set(LANGUAGES)
