"""Vectors of the knowledge base: made by the import, once, and made again from the database when they are lost."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kb.importers import read
from kb.ingest import encode, importing
from models.bundle import load_bundle
from models.light import LightEncoder
from models.types import TextKind, Vectors
from tests.serving.terminal import BODIES, Run, assert_failed, write_article, write_articles
from tests.serving.wire import PASSWORD
from tests.trouble import largest_file

ROOT = Path(__file__).parents[2]


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that went through the encoder."""
    seen: list[str] = []
    encode = LightEncoder.encode

    def watched(self: LightEncoder, texts: Sequence[str], kind: TextKind = TextKind.QUERY) -> Vectors:
        seen.extend(texts)
        return encode(self, texts, kind)

    monkeypatch.setattr(LightEncoder, "encode", watched)
    return seen


def hits(frontdesk: Run) -> list[dict[str, Any]]:
    return [row for text in PASSWORD.values() for row in frontdesk("kb", "search", text, "--json").rows]


def vector_files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "desk" / "kb").glob("vectors-*.safetensors"))


def test_what_is_imported_is_encoded_by_the_import_and_never_again(
    frontdesk: Run, encoded: list[str], tmp_path: Path
) -> None:
    folder = write_articles(tmp_path / "help")
    assert frontdesk("kb", "import", folder).status == 0
    assert set(encoded) == {*BODIES.values(), *PASSWORD.values()}
    encoded.clear()
    assert frontdesk("kb", "search", "ลืมรหัสผ่านค่ะ", "--json").status == 0
    assert set(encoded) == {"ลืมรหัสผ่านค่ะ"}
    write_article(folder, "ru", title="Пароль забыт")
    encoded.clear()
    assert frontdesk("kb", "import", folder).status == 0
    assert encoded == ["Пароль забыт"]


def test_an_import_without_changes_needs_no_encoder(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_articles(tmp_path / "help")
    frontdesk("kb", "import", folder)

    def unavailable(_settings: object) -> None:
        raise AssertionError("the encoder was loaded")

    monkeypatch.setattr("serving.desk.open_encoder", unavailable)
    assert "0 added, 0 changed, 6 unchanged" in frontdesk("kb", "import", folder).out


def test_a_rebuild_makes_the_same_index_from_the_database_alone(
    frontdesk: Run, encoded: list[str], tmp_path: Path
) -> None:
    frontdesk("kb", "import", write_articles(tmp_path / "help"))
    found = hits(frontdesk)
    first = frontdesk("kb", "rebuild").out
    assert "6 articles, 6 passages" in first
    for file in vector_files(tmp_path):
        file.unlink()
    encoded.clear()
    again = frontdesk("kb", "rebuild").out
    assert set(encoded) == {*BODIES.values(), *PASSWORD.values()}
    assert again == first
    assert hits(frontdesk) == found
    assert [path for path in (tmp_path / "desk" / "kb").iterdir() if path.is_dir()] == []


def test_a_rebuild_of_nothing(frontdesk: Run) -> None:
    assert "knowledge base empty: 0 articles, 0 passages" in frontdesk("kb", "rebuild").out


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_vectors_that_a_disk_has_changed_are_made_again(frontdesk: Run, tmp_path: Path, at: float) -> None:
    frontdesk("kb", "import", write_articles(tmp_path / "help"))
    found = hits(frontdesk)
    for file in vector_files(tmp_path):
        content = bytearray(file.read_bytes())
        content[int(at * len(content))] ^= 0x55
        file.write_bytes(content)
    assert hits(frontdesk) == found


def test_an_import_for_whose_vectors_there_is_no_room_changes_nothing(frontdesk: Run, tmp_path: Path) -> None:
    frontdesk("kb", "import", write_articles(tmp_path / "help"))
    found = hits(frontdesk)
    rows = [{"id": f"n{at}", "language": "vi", "title": f"Bài {at}", "body": f"Số {at} ạ."} for at in range(1500)]
    many = tmp_path / "many.jsonl"
    many.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    before = {path: path.read_bytes() for path in vector_files(tmp_path)}
    with largest_file(600_000):
        assert_failed(frontdesk("kb", "import", many), "cannot be written", "Make room")
    assert len(frontdesk("kb", "list", "--json").rows) == 6
    assert {path: path.read_bytes() for path in vector_files(tmp_path)} == before
    assert hits(frontdesk) == found
    assert "1500 added" in frontdesk("kb", "import", many).out


KILLED = """
import os, signal, sys
from pathlib import Path
import kb.ingest, kb.store, serving.desk
from models.light import LightEncoder
from serving import cli

at = sys.argv.pop(1)
serving.desk.open_encoder = lambda settings: LightEncoder()
owner, name = {
    "encoding": (LightEncoder, "encode"),
    "saving": (Path, "replace"),
    "writing": (kb.store.KnowledgeStore, "upsert_macros"),
}[at]
call = getattr(owner, name)

def killed(self, *arguments, **named):
    if owner is not Path or "vectors-" in str(self):
        os.kill(os.getpid(), signal.SIGKILL)
    return call(self, *arguments, **named)

setattr(owner, name, killed)
cli.main()
"""


@pytest.mark.parametrize("at", ["encoding", "saving", "writing"])
def test_an_import_that_is_killed_leaves_what_was_there(frontdesk: Run, tmp_path: Path, at: str) -> None:
    folder = tmp_path / "help"
    write_article(folder, "en")
    frontdesk("kb", "import", folder)
    found, listed = hits(frontdesk), frontdesk("kb", "list").out
    write_articles(folder)
    command = [sys.executable, "-c", KILLED, at, "kb", "import", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ.copy(), capture_output=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert frontdesk("kb", "list").out == listed
    assert hits(frontdesk) == found
    assert "5 added, 0 changed, 1 unchanged" in frontdesk("kb", "import", folder).out


def test_two_imports_at_once_take_turns_and_both_are_there(frontdesk: Run, encoded: list[str], tmp_path: Path) -> None:
    frontdesk("kb", "list")  # the database is there, with its tables
    running = []
    for language, other in (("th", "vi"), ("ru", "zh-Hant"), ("en", "zh-Hans")):
        folder = tmp_path / language
        for code in (language, other):
            write_article(folder, code, translation_of="")
        command = [sys.executable, "-c", SLOW, "kb", "import", str(folder)]
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert all("articles: 2 added" in out for out, _ in said)
    assert {row["id"] for row in frontdesk("kb", "list", "--json").rows} == {f"password-{code}" for code in BODIES}
    encoded.clear()
    frontdesk("kb", "search", "ลืมรหัสผ่านค่ะ", "--json")
    assert encoded == ["ลืมรหัสผ่านค่ะ"]


@pytest.mark.parametrize("command", [["import"], ["rebuild"]])
def test_a_data_folder_that_is_not_mounted_is_not_made(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    folder = tmp_path / "not-mounted" / "desk"
    monkeypatch.setenv("FRONTDESK_DATA_DIR", str(folder))
    paths = [write_articles(tmp_path / "help")] if command == ["import"] else []
    assert_failed(frontdesk("kb", *command, *paths), str(folder), "neither does")
    assert not folder.parent.exists()


def test_an_import_says_which_other_one_it_waited_for(
    frontdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_articles(tmp_path / "help")
    monkeypatch.setattr("kb.ingest.PATIENCE", 0.1)
    with importing(tmp_path / "desk" / "kb"):
        assert_failed(frontdesk("kb", "import", folder), "Another import", "kb.lock", "try again")
        assert frontdesk("kb", "list").out == ""
    assert "6 added" in frontdesk("kb", "import", folder).out


def test_what_an_import_has_encoded_stays_while_a_server_builds_beside_it(
    frontdesk: Run, encoded: list[str], tmp_path: Path
) -> None:
    write_article(tmp_path / "first", "en")
    frontdesk("kb", "import", tmp_path / "first")
    other = write_articles(tmp_path / "help")
    with importing(tmp_path / "desk" / "kb"):
        found = read([other])
        encoder, cache = LightEncoder(), tmp_path / "desk" / "kb"
        bundle = load_bundle(Path(os.environ["FRONTDESK_BUNDLE"]), encoder)
        encode(found.articles, found.macros, encoder=encoder, bundle=bundle, cache=cache)
        assert hits(frontdesk)
    encoded.clear()
    assert "5 added" in frontdesk("kb", "import", other).out
    assert encoded == []


SLOW = """
import time
import serving.desk
from kb.store import KnowledgeStore
from models.light import LightEncoder
from serving import cli

serving.desk.open_encoder = lambda settings: LightEncoder()
upsert = KnowledgeStore.upsert_articles

def slow(self, articles):
    time.sleep(0.5)
    return upsert(self, articles)

KnowledgeStore.upsert_articles = slow
cli.main()
"""
