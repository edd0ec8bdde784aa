"""frontdesk models: versions listed and shown, promoted through the gate, rolled back; shadow, modes and history."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from models.bundle import MANIFEST, Bundle, save_bundle
from models.registry import STATE, Registry
from models.registry_state import ChangeKind
from tests.conftest import MESSAGES
from tests.serving.terminal import Finished, Run, assert_failed
from tests.serving.wire import PASSWORD, WRONG_SIZE

REASONS = {
    "vi": "đã xem từng câu sai, chấp nhận được",
    "th": "ตรวจข้อความที่ผิดแล้ว ยอมรับได้",
    "zh-Hans": "已逐条检查错误，可以接受",
    "zh-Hant": "已逐筆檢查錯誤，可以接受",
    "ru": "ошибки просмотрены, это приемлемо",
    "en": "wrong rows were looked at and are acceptable",
}


@pytest.fixture
def registry(frontdesk: Run, light_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The desk of `frontdesk`, which follows its registry; it holds help@1, which is live, and help@2, just as good."""
    monkeypatch.delenv("FRONTDESK_BUNDLE")
    (tmp_path / "desk").mkdir()
    registry = Registry(tmp_path / "desk" / "bundles")
    for _ in range(2):
        registry.add(replace(light_bundle, name="help"))
    registry.promote("help@1", who="Lan")
    return registry


@pytest.fixture(scope="session")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Messages of three intents in six languages."""
    path = tmp_path_factory.mktemp("tickets") / "tickets.jsonl"
    rows = [row for file in MESSAGES.rglob("everyday.jsonl") for row in file.read_text(encoding="utf-8").splitlines()]
    wanted = ("account.password", "delivery.wrong_item", "payment.double_charge")
    path.write_text("\n".join(row for row in rows if json.loads(row)["intent"] in wanted), encoding="utf-8")
    return path


def _renamed(bundle: Bundle, names: Mapping[str, str]) -> Bundle:
    """The bundle with other names for some intents: where two are swapped it is as wrong as can be about both."""
    intent = bundle.heads["intent"]
    labels = tuple(names.get(label, label) for label in intent.labels)
    return replace(bundle, name="help", heads={**bundle.heads, "intent": replace(intent, labels=labels)})


def _worse(bundle: Bundle) -> Bundle:
    return _renamed(bundle, {"account.password": "delivery.wrong_item", "delivery.wrong_item": "account.password"})


def _done(finished: Finished) -> Finished:
    assert finished.status == 0, finished.err
    return finished


def test_versions_are_listed_with_what_they_are(frontdesk: Run, registry: Registry) -> None:
    registry.set_shadow("help@2", who="Lan")
    listed = _done(frontdesk("models", "list", "--json")).rows
    assert [(one["reference"], one["live"], one["shadow"]) for one in listed] == [
        ("starter@1", False, False),
        ("help@1", True, False),
        ("help@2", False, True),
    ]
    assert set(listed[1]["tasks"]) == {"intent", "urgency", "channel"}
    assert listed[1]["tasks"]["urgency"]["labels"] == 4
    assert 0 < listed[1]["tasks"]["intent"]["accuracy"] <= 1
    told = _done(frontdesk("models", "list")).out.splitlines()
    assert [line.split()[:2] for line in told[1:]] == [["live", "help@1"], ["shadow", "help@2"]]
    assert "intent: 36 labels, accuracy" in told[1]


def test_a_bundle_that_cannot_be_read_is_listed_as_that(frontdesk: Run, registry: Registry) -> None:
    (registry.find("help@2") / MANIFEST).write_text('{"format": 99}', encoding="utf-8")
    listed = _done(frontdesk("models", "list", "--json")).rows
    assert [bool(one["problem"]) for one in listed[1:]] == [False, True]
    assert MANIFEST in _done(frontdesk("models", "list")).out


def test_a_manifest_is_shown(frontdesk: Run, registry: Registry) -> None:
    (whole,) = _done(frontdesk("models", "show", "help@2", "--json")).rows
    assert (whole["name"], whole["version"]) == ("help", 2)
    told = _done(frontdesk("models", "show")).out
    for part in ("help@1", "encoder", "light-0", "fingerprint", "intent", "accuracy"):
        assert part in told
    assert_failed(frontdesk("models", "show", "нет@1"), "'нет@1'", "help")


def test_a_promotion_serves_and_a_rollback_restores_the_very_outputs(
    frontdesk: Run, registry: Registry, light_bundle: Bundle, tmp_path: Path
) -> None:
    messages = tmp_path / "messages.txt"
    messages.write_text("\n".join([*WRONG_SIZE.values(), *PASSWORD.values()]), encoding="utf-8")
    registry.add(_worse(light_bundle))
    before = _done(frontdesk("triage", "--input", messages)).out
    assert _done(frontdesk("models", "promote", "help")).out == "help@3 is live instead of help@1\n"
    promoted = _done(frontdesk("triage", "--input", messages)).rows
    assert {row["versions"]["bundle"] for row in promoted} == {"help@3"}
    assert [row["intent"]["label"] for row in promoted] != [
        json.loads(line)["intent"]["label"] for line in before.splitlines()
    ]
    assert _done(frontdesk("models", "rollback")).out == "help@1 is live again, instead of help@3\n"
    assert _done(frontdesk("triage", "--input", messages)).out == before


def test_a_bundle_as_good_is_promoted_on_tickets(frontdesk: Run, registry: Registry, tickets: Path) -> None:
    done = _done(frontdesk("models", "promote", "help@2", "--data", tickets, "--task", "intent"))
    assert done.out == "help@2 is live instead of help@1\n"
    assert "without --data" not in done.err
    assert "note: task urgency was not compared" in done.err
    assert "intent was not compared" not in done.err


def test_a_worse_bundle_is_refused_by_name(
    frontdesk: Run, registry: Registry, light_bundle: Bundle, tickets: Path
) -> None:
    registry.add(_worse(light_bundle))
    before = registry.state()
    assert_failed(frontdesk("models", "promote", "help@3", "--data", tickets, "--group", "matter"), "--group COLUMN")
    done = frontdesk("models", "promote", "help@3", "--data", tickets, "--task", "intent")
    assert (done.status, done.out) == (3, "")
    for named in ("account.password", "delivery.wrong_item", *("language " + code for code in WRONG_SIZE)):
        assert named in done.err
    assert "payment.double_charge: F1" not in done.err
    assert "--force --reason" in done.err
    assert registry.state() == before


def test_without_tickets_only_labels_can_be_judged_and_it_says_so(
    frontdesk: Run, registry: Registry, light_bundle: Bundle
) -> None:
    registry.add(_renamed(light_bundle, {"account.password": "account.sign_in"}))
    done = frontdesk("models", "promote", "help@3")
    assert (done.status, done.out) == (3, "")
    assert "intent: label account.password is gone" in done.err
    assert "no figures were compared" in done.err
    heads = {task: head for task, head in light_bundle.heads.items() if task != "urgency"}
    registry.add(replace(light_bundle, name="help", heads=heads))
    done = frontdesk("models", "promote", "help@4")
    assert (done.status, done.out) == (3, "")
    assert "task urgency is gone" in done.err
    assert registry.state().live == "help@1"


@pytest.mark.parametrize("language", REASONS)
def test_the_gate_is_overruled_with_a_reason_that_the_history_keeps(
    frontdesk: Run, registry: Registry, light_bundle: Bundle, language: str
) -> None:
    registry.add(_renamed(light_bundle, {"account.password": "account.sign_in"}))
    assert_failed(frontdesk("models", "promote", "help@3", "--force"), "--reason")
    assert_failed(frontdesk("models", "promote", "help@3", "--force", "--reason", "  "), "--reason")
    assert registry.state().live == "help@1"
    done = _done(frontdesk("models", "promote", "help@3", "--force", "--reason", REASONS[language]))
    assert "account.password is gone" in done.err
    last = _done(frontdesk("models", "history", "--json")).rows[-1]
    assert (last["before"], last["after"], last["forced"]) == ("help@1", "help@3", True)
    assert (last["kind"], last["reason"]) == (ChangeKind.PROMOTED, REASONS[language])
    told = _done(frontdesk("models", "history")).out.splitlines()[-1]
    assert "by force" in told
    assert REASONS[language] in told


@pytest.fixture
def fresh(registry: Registry, light_bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Nothing was ever promoted, and the shipped bundle is one for this encoder."""
    (registry.folder / STATE).unlink()
    save_bundle(replace(light_bundle, name="starter"), shipped := registry.folder.parent / "starter")
    monkeypatch.setattr("models.registry.STARTER", shipped)
    return registry


def test_the_first_bundle_of_a_desk_need_not_have_the_labels_of_the_shipped_one(
    frontdesk: Run, fresh: Registry, tickets: Path, light_bundle: Bundle, tmp_path: Path
) -> None:
    names = {"account.password": "đăng nhập", "delivery.wrong_item": "ส่งผิด"}
    own, text = fresh.add(_renamed(light_bundle, names)), tickets.read_text(encoding="utf-8")
    for name, new in names.items():
        text = text.replace(f'"{name}"', f'"{new}"')
    (tmp_path / "own.jsonl").write_text(text, encoding="utf-8")
    done = _done(frontdesk("models", "promote", own.reference, "--data", tmp_path / "own.jsonl", "--task", "intent"))
    assert done.out == "help@3 is live instead of starter\n"
    assert "note: intent: label account.password is gone" in done.err


def test_the_first_bundle_of_a_desk_may_be_for_a_task_of_its_own(
    frontdesk: Run, fresh: Registry, light_bundle: Bundle, tickets: Path
) -> None:
    own = fresh.add(replace(light_bundle, name="очередь", heads={"queue": light_bundle.heads["urgency"]}))
    done = frontdesk("models", "promote", own.reference, "--data", tickets, "--task", "queue=urgency")
    assert _done(done).out == "очередь@1 is live instead of starter\n"
    for task in ("intent", "urgency", "channel"):
        assert f"note: task {task} is gone" in done.err


def test_what_cannot_serve_here_is_refused_even_by_force(
    frontdesk: Run, registry: Registry, light_bundle: Bundle
) -> None:
    registry.add(replace(light_bundle, name="чужой", encoder={**light_bundle.encoder, "fingerprint": "0" * 16}))
    (registry.find("help@2") / "weights.safetensors").write_bytes(b"")
    before = registry.state()
    force = ("--force", "--reason", REASONS["ru"])
    for change in (("promote", "{}", *force), ("shadow", "{}")):
        for reference, said in (
            ("чужой@1", "FRONTDESK_ENCODER"),
            ("help@2", "damaged"),
            ("help@7", "'help@7'"),
            (registry.folder / "help" / "1", "no version of this desk's registry"),
        ):
            assert_failed(frontdesk("models", *(str(part).format(reference) for part in change)), said)
    assert registry.state() == before


def test_a_damaged_state_stops_every_change_and_is_left_alone(frontdesk: Run, registry: Registry) -> None:
    (registry.folder / STATE).write_bytes(b'{"format": 1, "hist')
    for command in (("list",), ("promote", "help@2"), ("rollback",), ("mode", "intent", "off"), ("shadow", "--off")):
        assert_failed(frontdesk("models", *command), STATE, "Restore it from a backup")
    assert_failed(frontdesk("triage", PASSWORD["th"]), STATE)
    assert (registry.folder / STATE).read_bytes() == b'{"format": 1, "hist'


def test_a_pinned_desk_says_that_a_promotion_does_not_reach_it(
    frontdesk: Run, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_BUNDLE", "help@1")
    for change in (("promote", "help@2"), ("rollback",)):
        done = _done(frontdesk("models", *change))
        assert "FRONTDESK_BUNDLE is 'help@1'" in done.err
    _done(frontdesk("models", "promote", "help@2"))
    assert frontdesk("triage", PASSWORD["vi"]).rows[0]["versions"]["bundle"] == "help@1"


def test_there_is_an_end_to_going_back(frontdesk: Run, registry: Registry) -> None:
    _done(frontdesk("models", "promote", "help@2", "--reason", REASONS["th"]))
    assert _done(frontdesk("models", "promote", "help@2")).out == "help@2 is live already\n"
    _done(frontdesk("models", "rollback", "--reason", REASONS["zh-Hant"]))
    _done(frontdesk("models", "rollback"))
    assert_failed(frontdesk("models", "rollback"), "starter is live and nothing was before it")
    rows = _done(frontdesk("models", "history", "--json")).rows
    assert [(row["kind"], row["after"], row["reason"]) for row in rows] == [
        ("promoted", "help@1", ""),
        ("promoted", "help@2", REASONS["th"]),
        ("rolled_back", "help@1", REASONS["zh-Hant"]),
        ("rolled_back", "starter", ""),
    ]
    assert all(row["who"] and row["at"] for row in rows)


def test_a_shadow_begins_and_ends(frontdesk: Run, registry: Registry) -> None:
    assert _done(frontdesk("models", "shadow", "help")).out == "help@2 runs in shadow of help@1\n"
    assert registry.state().shadow == "help@2"
    assert _done(frontdesk("models", "shadow", "--off", "--reason", REASONS["zh-Hans"])).out.startswith("nothing")
    assert registry.state().shadow is None
    assert_failed(frontdesk("models", "shadow", "help@1"), "help@1 is live")
    assert_failed(frontdesk("models", "shadow"), "--off")
    assert_failed(frontdesk("models", "shadow", "help@2", "--off"), "--off")


def test_modes_are_set_and_shown(frontdesk: Run, registry: Registry) -> None:
    assert _done(frontdesk("models", "mode", "urgency", "monitor")).out == "urgency: monitor\n"
    assert _done(frontdesk("models", "mode", "intent", "autofill", "--reason", REASONS["en"])).status == 0
    expected = {"channel": "recommend", "intent": "autofill", "urgency": "monitor"}
    assert _done(frontdesk("models", "mode", "--json")).rows == [expected]
    assert "intent: autofill\n" in _done(frontdesk("models", "mode")).out
    assert_failed(frontdesk("models", "mode", "urgencyy", "off"), "'urgencyy'", "urgency")
    assert_failed(frontdesk("models", "mode", "urgency"), "autofill, recommend, monitor, off")
    assert frontdesk("models", "mode", "urgency", "silent").status == 2
