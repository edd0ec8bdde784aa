"""The command line as a whole: help, the doctor, keys, and starting the server."""

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import typer

from serving.cli import app
from serving.desk import open_desk_database
from serving.settings import Settings
from serving.storage.keys import ApiKeyRepository
from tests.serving.terminal import Finished, Run, assert_failed
from triage.channels import STARTER as POLICY
from triage.taxonomy import STARTER


def _commands(command: Any, *path: str) -> dict[tuple[str, ...], Any]:
    found = {path: command}
    for name, inner in getattr(command, "commands", {}).items():
        found |= _commands(inner, *path, name)
    return found


COMMANDS = _commands(typer.main.get_command(app))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_its_options(frontdesk: Run, path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    shown = frontdesk(*path, "--help")
    assert shown.status == 0
    assert command.help.split()[0] in shown.out
    assert [parameter.name for parameter in command.params if not parameter.help] == []


def test_no_command_and_a_wrong_one_show_the_way(frontdesk: Run) -> None:
    assert "triage" in frontdesk().out + frontdesk().err
    wrong = frontdesk("traige", "hello")
    assert wrong.status == 2
    assert "traige" in wrong.err


def test_a_wrong_setting_is_named(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_TEXT_DAYS", "một tháng")
    assert_failed(frontdesk("triage", "xin chào"), "FRONTDESK_TEXT_DAYS", "một tháng")


def test_a_fault_of_the_program_shows_its_traceback(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("serving.cli.triage.open_desk", crash)
    with pytest.raises(ZeroDivisionError):
        frontdesk("triage", "xin chào")


def test_the_doctor_finds_nothing_wrong_with_a_new_desk(frontdesk: Run) -> None:
    told = frontdesk("doctor")
    assert told.status == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["ok"] * 3
    assert "light@1" in told.out
    checks = frontdesk("doctor", "--json").rows
    assert [(check["check"], check["state"]) for check in checks] == [
        ("data folder", "ok"),
        ("database", "ok"),
        ("models and labels", "ok"),
    ]


def _failing(told: Finished, check: str) -> str:
    """What the doctor says about the one check that fails."""
    assert told.status == 1
    states = {row["check"]: row for row in told.rows}
    assert {name for name, row in states.items() if row["state"] == "failing"} == {check}
    return str(states[check]["found"])


@pytest.mark.parametrize("file", ["weights.safetensors", "integrity.json"])
@pytest.mark.parametrize("harm", ["altered", "cut", "gone"])
def test_the_doctor_names_the_damaged_file_of_a_bundle(
    frontdesk: Run, light_bundle_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, harm: str
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(light_bundle_folder, bundle)
    content = (bundle / file).read_bytes()
    match harm:
        case "altered":
            (bundle / file).write_bytes(content[:50] + bytes([content[50] ^ 1]) + content[51:])
        case "cut":
            (bundle / file).write_bytes(content[: len(content) // 2])
        case "gone":
            (bundle / file).unlink()
    monkeypatch.setenv("FRONTDESK_BUNDLE", str(bundle))
    found = _failing(frontdesk("doctor", "--json"), "models and labels")
    assert str(bundle) in found
    assert "Restore the bundle" in found
    assert_failed(frontdesk("triage", "đơn hàng của tôi đâu"), str(bundle))


def test_the_doctor_names_the_bundles_that_exist(frontdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_BUNDLE", "shop@7")
    found = _failing(frontdesk("doctor", "--json"), "models and labels")
    assert "'shop@7'" in found
    assert "starter" in found


def test_the_doctor_names_every_mistake_in_a_taxonomy(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taxonomy = tmp_path / "taxonomy.yaml"
    taxonomy.write_text(
        "name: shop\n"
        "intents:\n"
        "  - {id: order.status, title: Đơn hàng, complexity: easy}\n"
        "  - {id: order.status, title: คำสั่งซื้อ}\n"
        "  - {title: Возврат}\n"
        "  - {id: other.spam, colour: red, role: spam}\n"
        "urgencies: low\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("FRONTDESK_TAXONOMY", str(taxonomy))
    found = _failing(frontdesk("doctor", "--json"), "models and labels")
    for mistake in ("'easy'", "'order.status' twice", "entry 3 has no id", "unknown colour", "'spam'", "urgencies"):
        assert mistake in found
    assert found.count(str(taxonomy)) >= 6


@pytest.mark.parametrize("content", ["intents: [", "- a\n- b\n", "\x00"])
def test_the_doctor_names_a_taxonomy_that_is_no_document(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    taxonomy = tmp_path / "taxonomy.yaml"
    taxonomy.write_text(content, encoding="utf-8")
    monkeypatch.setenv("FRONTDESK_TAXONOMY", str(taxonomy))
    assert str(taxonomy) in _failing(frontdesk("doctor", "--json"), "models and labels")


def test_the_doctor_names_the_labels_that_only_the_bundle_knows(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taxonomy = tmp_path / "taxonomy.yaml"
    taxonomy.write_text("intents: [{id: order.status}]\nurgencies: [{id: low}]\n", encoding="utf-8")
    monkeypatch.setenv("FRONTDESK_TAXONOMY", str(taxonomy))
    found = _failing(frontdesk("doctor", "--json"), "models and labels")
    assert "delivery.not_received" in found
    assert "light@1" in found


def test_the_doctor_notes_what_will_never_be_said(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taxonomy, policy = tmp_path / "taxonomy.yaml", tmp_path / "policy.yaml"
    written = STARTER.read_text(encoding="utf-8")
    added = "  - {id: order.gift, title: Quà tặng, description: Gói quà., complexity: low, self_service: true}\n"
    taxonomy.write_text(written.replace("urgencies:  #", f"{added}urgencies:  #"), encoding="utf-8")
    rules = POLICY.read_text(encoding="utf-8")
    policy.write_text(rules.replace("card.lost", "card.lots"), encoding="utf-8")
    monkeypatch.setenv("FRONTDESK_TAXONOMY", str(taxonomy))
    monkeypatch.setenv("FRONTDESK_POLICY", str(policy))
    (found,) = (row["found"] for row in frontdesk("doctor", "--json").rows if row["check"] == "models and labels")
    assert "order.gift" in found
    assert "policy rules wait for card.lots" in found
    # The light bundle predicts fewer channels than there are, as the starter does; the policy ranks them all.
    assert "never says channel" not in found


def test_the_doctor_does_not_make_a_data_folder_without_a_parent(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "not" / "there"
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(folder))
    told = frontdesk("doctor", "--json")
    assert told.status == 1
    states = {row["check"]: row for row in told.rows}
    assert (states["data folder"]["state"], states["models and labels"]["state"]) == ("failing", "ok")
    assert str(folder.parent) in states["data folder"]["found"]
    assert not folder.parent.exists()
    assert_failed(frontdesk("kb", "list"), folder, "FRONTDESK_DATA_DIR")


def test_a_key_is_shown_once_and_works_until_it_is_revoked(frontdesk: Run, tmp_path: Path) -> None:
    key = frontdesk("keys", "create", "โต๊ะบริการลูกค้า", "--scope", "triage", "--scope", "answer").out.strip()
    everything = frontdesk("keys", "create", "Quầy hỗ trợ").out.strip()
    listed = frontdesk("keys", "list").out
    assert "โต๊ะบริการลูกค้า  triage,answer" in listed
    assert "Quầy hỗ trợ  triage,answer,suggest,feedback" in listed
    assert key not in listed
    assert key.rpartition("_")[2] not in listed

    def known(given: str) -> bool:
        database = open_desk_database(Settings(data_dir=tmp_path / "desk"))
        with database.transaction(read_only=True) as session:
            found = ApiKeyRepository(session).find(given)
        database.close()
        return found is not None

    assert known(key)
    assert frontdesk("keys", "revoke", key.split("_")[1]).out == "revoked: โต๊ะบริการลูกค้า\n"
    assert (known(key), known(everything)) == (False, True)
    assert "revoked" in frontdesk("keys", "list").out


def test_what_keys_cannot_be_is_refused(frontdesk: Run) -> None:
    assert_failed(frontdesk("keys", "revoke", "nobody"), "'nobody'", "frontdesk keys list")
    wrong = frontdesk("keys", "create", "Бот", "--scope", "everything")
    assert wrong.status == 2
    assert "everything" in wrong.err
    assert frontdesk("keys", "list").out == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_in_use_is_named_before_anything_is_loaded(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    def load(*_: object) -> None:
        raise AssertionError("nothing should be loaded")

    monkeypatch.setattr("serving.cli.serve.open_desk", load)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_failed(frontdesk("serve", "--host", host, "--port", port), f"{host}:{port}", "in use", "--port")
    assert not (tmp_path / "desk").exists()


def test_a_host_that_is_not_this_machines_is_named(frontdesk: Run) -> None:
    assert_failed(frontdesk("serve", "--host", "203.0.113.7", "--port", 0), "203.0.113.7")
    assert frontdesk("serve", "--port", 70_000).status == 2


def test_serving_where_others_can_reach_it_without_keys_is_refused(frontdesk: Run) -> None:
    assert_failed(frontdesk("serve", "--host", "0.0.0.0", "--port", 0), "0.0.0.0", "frontdesk keys create", "127.0.0.1")


def test_json_is_one_object_a_line_in_the_desks_own_letters(frontdesk: Run) -> None:
    out = frontdesk("triage", "Заказ TV-104233 где?").out
    assert json.loads(out)["entities"][0]["text"] == "TV-104233"
    assert "\\u" not in out
